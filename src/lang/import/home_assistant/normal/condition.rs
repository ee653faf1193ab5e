//! Conditions: `condition: KIND`; a template alone, `and:`, `or:` and `not:` written out.

use super::entry::{is_template, list_of_ids, put, take};
use crate::lang::import::home_assistant::yaml::{Kind, Node};

/// Returns a list of conditions, each in its normal form.
pub(super) fn conditions(node: &Node) -> Node {
    let mut listed = Vec::new();
    for item in node.items() {
        match &item.kind {
            Kind::List(_) => listed.extend(conditions(item).items().into_iter().cloned()),
            _ => listed.push(condition(item)),
        }
    }
    Node::list_at(&node.place, listed)
}

/// Returns a condition in its normal form.
pub(super) fn condition(node: &Node) -> Node {
    if is_template(node) {
        let (kind, text) = (Node::text_at(&node.place, "template"), node.clone());
        return Node::map_at(&node.place, vec![("condition", kind), ("value_template", text)]);
    }
    let mut node = node.clone();
    for kind in ["and", "or", "not"] {
        if node.get("condition").is_none()
            && let Some(inner) = take(&mut node, &[kind])
        {
            let word = Node::text_at(&node.place, kind);
            put(&mut node, "condition", word);
            put(&mut node, "conditions", inner);
        }
    }
    if let Some(inner) = take(&mut node, &["conditions"]) {
        let inner = conditions(&inner);
        put(&mut node, "conditions", inner);
    }
    // A list under `condition:` is an `and`.
    if let Some(inner) = node.get("condition").filter(|inner| inner.as_list().is_some()).cloned() {
        let word = Node::text_at(&inner.place, "and");
        put(&mut node, "condition", word);
        put(&mut node, "conditions", conditions(&inner));
    }
    if let Some(text) = node.get("condition").filter(|text| is_template(text)).cloned() {
        put(&mut node, "condition", Node::text_at(&text.place, "template"));
        put(&mut node, "value_template", text);
    }
    list_of_ids(&mut node, "entity_id");
    node
}
