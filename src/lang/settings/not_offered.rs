//! Settings that are specified, and that this version's daemon doesn't do yet.
//!
//! Without them a home would be another, less guarded one: with them the daemon doesn't start, and `homerule check` says so.
//! Tests and recordings, which no broker serves, run all the same.

use crate::lang::Code;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::yaml::tree::{Entry, Node, NodeKind};

/// A setting by its keys from the root (a list's items are looked into), with what isn't done and what to do instead.
type Row = (&'static [&'static str], &'static str, &'static str);

/// What isn't done yet. Remove a row with the change that does it.
const NOT_OFFERED: &[Row] =
    &[(&["web", "tls"], "the HTTP interface has no TLS", "remove `tls`, and listen on 127.0.0.1 only")];

/// Reports what the settings ask for and isn't done yet.
pub(super) fn report(root: &Node, findings: &mut Findings) {
    for (keys, what, help) in NOT_OFFERED {
        let mut found = Vec::new();
        find(root, keys, &mut found);
        for entry in found.into_iter().filter(|entry| asks(&entry.value)) {
            let message = format!("{what} in this version, so `homerule run` refuses to start");
            findings.warning(Code::NOT_OFFERED, entry.key_span.clone(), message).help(*help);
        }
    }
}

fn find<'n>(node: &'n Node, keys: &[&str], found: &mut Vec<&'n Entry>) {
    let Some((key, deeper)) = keys.split_first() else { return };
    match &node.kind {
        NodeKind::List(items) => items.iter().for_each(|item| find(item, keys, found)),
        NodeKind::Map(entries) => {
            for entry in entries.iter().filter(|entry| entry.key.as_str() == *key) {
                if deeper.is_empty() {
                    found.push(entry);
                } else {
                    find(&entry.value, deeper, found);
                }
            }
        }
        NodeKind::Scalar(_) | NodeKind::Closure(_) => {}
    }
}

/// Returns whether a value asks for something: no value and `false` don't.
fn asks(value: &Node) -> bool {
    value.as_scalar().is_none_or(|scalar| !scalar.value.is_null() && scalar.text.as_str() != "false")
}
