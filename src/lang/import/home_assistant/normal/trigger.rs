//! Triggers: `trigger: KIND`, lists within lists written out.

use super::entry::{list_of_ids, put, rename, take};
use crate::lang::import::home_assistant::yaml::{Kind, Node};

/// Returns a list of triggers, each in its normal form.
pub(super) fn triggers(node: &Node) -> Node {
    let mut listed = Vec::new();
    collect(node, &mut listed);
    Node::list_at(&node.place, listed)
}

fn collect(node: &Node, listed: &mut Vec<Node>) {
    for item in node.items() {
        if let Kind::List(_) = &item.kind {
            collect(item, listed);
            continue;
        }
        let mut item = item.clone();
        if item.as_map().is_some_and(|entries| entries.len() == 1)
            && let Some(inner) = item.get("triggers")
        {
            collect(&inner.clone(), listed);
            continue;
        }
        rename(&mut item, &["platform"], "trigger");
        list_of_ids(&mut item, "entity_id");
        // The old name of `homeassistant` and of `numeric_state`'s keys never changed; that of `sun` neither.
        if item.get("trigger").and_then(Node::as_text) == Some("time_pattern") {
            for key in ["hours", "minutes", "seconds"] {
                if let Some(value) = take(&mut item, &[key])
                    && !value.is_null()
                {
                    put(&mut item, key, value);
                }
            }
        }
        listed.push(item);
    }
}
