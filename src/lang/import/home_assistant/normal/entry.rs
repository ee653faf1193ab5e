//! Editing the entries of a map.

use crate::lang::import::home_assistant::yaml::{Entry, Kind, Node};

/// Returns the value behind the first of `keys` that the map has, and takes all of them out.
pub(super) fn take(node: &mut Node, keys: &[&str]) -> Option<Node> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let mut found = None;
    for key in keys {
        if let Some(index) = entries.iter().position(|entry| entry.name() == *key) {
            let entry = entries.remove(index);
            found = found.or(Some(entry.value));
        }
    }
    found
}

/// Sets a key of a map, at its end if it's new.
pub(super) fn put(node: &mut Node, key: &str, value: Node) {
    let place = node.place.clone();
    let Kind::Map(entries) = &mut node.kind else { return };
    match entries.iter_mut().find(|entry| entry.name() == key) {
        Some(entry) => entry.value = value,
        None => entries.push(Entry { key: Node::text_at(&place, key), value }),
    }
}

/// Gives `new` what stands behind the first of `old`, or `new` itself.
pub(super) fn rename(node: &mut Node, old: &[&str], new: &str) {
    let mut keys = vec![new];
    keys.extend(old);
    if let Some(value) = take(node, &keys) {
        put(node, new, value);
    }
}

/// Returns whether a text is a template.
pub(super) fn is_template(node: &Node) -> bool {
    node.as_text().is_some_and(|text| text.contains("{{") || text.contains("{%") || text.contains("{#"))
}

/// Makes a key that takes entity ids a list of them: a list, or text with commas. A template stays.
pub(super) fn list_of_ids(node: &mut Node, key: &str) {
    let Some(value) = node.get(key).cloned() else { return };
    if is_template(&value) || value.is_null() {
        return;
    }
    let items = value.items().into_iter().flat_map(|item| match item.as_text() {
        Some(text) if !is_template(item) => text
            .split(',')
            .map(|part| Node::text_at(&item.place, part.trim()))
            .filter(|part| part.as_text() != Some(""))
            .collect(),
        _ => vec![item.clone()],
    });
    let list = Node::list_at(&value.place, items.map(lower_id).collect());
    put(node, key, list);
}

/// Home Assistant takes entity ids in capitals too.
fn lower_id(node: Node) -> Node {
    match node.as_text() {
        Some(text) if !is_template(&node) && text.contains('.') && !text.contains(' ') => {
            Node::text_at(&node.place, &text.to_lowercase())
        }
        _ => node,
    }
}
