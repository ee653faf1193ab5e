//! Fingerprints: a hash of what a rule means, equal for rules that only differ in comments, layout or place.

use std::collections::BTreeSet;

use crate::lang::reader::constants::Constants;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::{Fingerprint, Value};

/// Keys that don't change what a rule does: those for people, and the one that only says which instances there are.
const SAYS_NOTHING: [&str; 5] = ["name", "description", "tags", "each", "allow"];

/// Returns the fingerprint of a rule: of its tree without the keys that don't change what it does, of the constants
/// that its texts name, and of what else it means, such as the rules and scenes that it names.
pub(super) fn fingerprint(rule: &Node, constants: &Constants, beside: &BTreeSet<String>) -> u64 {
    let mut hash = Fingerprint::new();
    let mut entries: Vec<_> = rule.as_map().unwrap_or_default().iter().collect();
    entries.sort_by_key(|entry| entry.key.as_str());
    for entry in entries.into_iter().filter(|entry| !SAYS_NOTHING.contains(&entry.key.as_str())) {
        write_text(&mut hash, b'k', entry.key.as_str());
        write_node(&mut hash, &entry.value);
    }
    write_constants(&mut hash, rule, constants);
    for text in beside {
        write_text(&mut hash, b'b', text);
    }
    hash.value()
}

/// Returns the fingerprint of a scene, including the constants of its file that it names.
pub(super) fn scene_fingerprint(scene: &Node, constants: &Constants) -> u64 {
    let mut hash = Fingerprint::new();
    write_node(&mut hash, scene);
    write_constants(&mut hash, scene, constants);
    hash.value()
}

/// Writes the constants that the texts of `node` name, in the order of their names.
fn write_constants(hash: &mut Fingerprint, node: &Node, constants: &Constants) {
    let mut named: Vec<_> = constants.iter().filter(|(name, _)| names(node, name)).collect();
    named.sort_by_key(|(name, _)| *name);
    for (name, value) in named {
        write_text(hash, b'c', name);
        write_text(hash, value_kind(value), &value.to_string());
    }
}

/// Writes a text of this kind.
fn write_text(hash: &mut Fingerprint, kind: u8, text: &str) {
    hash.bytes(&[kind]);
    hash.text(text);
}

fn write_node(hash: &mut Fingerprint, node: &Node) {
    match &node.kind {
        NodeKind::Scalar(scalar) => write_text(hash, value_kind(&scalar.value), scalar.text.as_str()),
        NodeKind::Closure(closure) => write_text(hash, b'|', &closure.fingerprint().to_string()),
        NodeKind::List(items) => {
            hash.bytes(b"[");
            for item in items {
                write_node(hash, item);
            }
            hash.bytes(b"]");
        }
        NodeKind::Map(entries) => {
            hash.bytes(b"{");
            for entry in entries {
                write_text(hash, value_kind(&entry.key_value), entry.key.as_str());
                write_node(hash, &entry.value);
            }
            hash.bytes(b"}");
        }
    }
}

/// Returns whether a text of the rule contains `name`, so that it may read it.
fn names(rule: &Node, name: &str) -> bool {
    let mut found = false;
    rule.walk(&mut |node| match &node.kind {
        NodeKind::Scalar(scalar) => found |= scalar.text.as_str().contains(name),
        NodeKind::Map(entries) => found |= entries.iter().any(|entry| entry.key.as_str().contains(name)),
        NodeKind::List(_) | NodeKind::Closure(_) => {}
    });
    found
}

fn value_kind(value: &Value) -> u8 {
    match value {
        Value::Null => b'n',
        Value::Bool(_) => b'f',
        Value::Int(_) | Value::Float(_) => b'd',
        Value::Text(_) => b't',
        Value::List(_) => b'l',
        Value::Map(_) => b'm',
        Value::Blob(_) => b'x',
        Value::Time(_) => b'z',
    }
}
