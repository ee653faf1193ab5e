//! Fingerprints: a hash of what a rule means, equal for rules that only differ in comments, layout or place.

use std::collections::BTreeSet;

use crate::lang::reader::constants::Constants;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::Value;

/// FNV-1a, 64 bits: simple, and the same on every machine and in every version.
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Writes a text with its length, so that two texts in a row can't be taken for others.
    fn text(&mut self, kind: u8, text: &str) {
        self.write(&[kind]);
        self.write(&text.len().to_le_bytes());
        self.write(text.as_bytes());
    }
}

/// Keys that don't change what a rule does: those for people, and the one that only says which instances there are.
const SAYS_NOTHING: [&str; 4] = ["name", "description", "tags", "each"];

/// Returns the fingerprint of a rule: of its tree without the keys that don't change what it does, of the constants
/// that its texts name, and of what else it means, such as the rules and scenes that it names.
pub(super) fn fingerprint(rule: &Node, constants: &Constants, beside: &BTreeSet<String>) -> u64 {
    let mut hash = Fnv::new();
    let mut entries: Vec<_> = rule.as_map().unwrap_or_default().iter().collect();
    entries.sort_by_key(|entry| entry.key.as_str());
    for entry in entries.into_iter().filter(|entry| !SAYS_NOTHING.contains(&entry.key.as_str())) {
        hash.text(b'k', entry.key.as_str());
        write_node(&mut hash, &entry.value);
    }
    write_constants(&mut hash, rule, constants);
    for text in beside {
        hash.text(b'b', text);
    }
    hash.0
}

/// Returns the fingerprint of a scene, including the constants of its file that it names.
pub(super) fn scene_fingerprint(scene: &Node, constants: &Constants) -> u64 {
    let mut hash = Fnv::new();
    write_node(&mut hash, scene);
    write_constants(&mut hash, scene, constants);
    hash.0
}

/// Writes the constants that the texts of `node` name, in the order of their names.
fn write_constants(hash: &mut Fnv, node: &Node, constants: &Constants) {
    let mut named: Vec<_> = constants.iter().filter(|(name, _)| names(node, name)).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, value) in named {
        hash.text(b'c', name);
        hash.text(value_kind(value), &value.to_string());
    }
}

fn write_node(hash: &mut Fnv, node: &Node) {
    match &node.kind {
        NodeKind::Scalar(scalar) => hash.text(value_kind(&scalar.value), scalar.text.as_str()),
        NodeKind::Closure(closure) => hash.text(b'|', &closure.fingerprint().to_string()),
        NodeKind::List(items) => {
            hash.write(b"[");
            for item in items {
                write_node(hash, item);
            }
            hash.write(b"]");
        }
        NodeKind::Map(entries) => {
            hash.write(b"{");
            for entry in entries {
                hash.text(value_kind(&entry.key_value), entry.key.as_str());
                write_node(hash, &entry.value);
            }
            hash.write(b"}");
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
