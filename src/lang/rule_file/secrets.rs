//! Secrets in rules: `{ file: PATH }` and `{ env: NAME }` in a `let` (docs/language/reuse.md).
//!
//! They become the texts that they name before anything else reads the tree, so that a rule uses them as any constant.

use std::sync::Arc;

use crate::lang::reader::Reader;
use crate::lang::settings::secrets::value;
use crate::lang::yaml::tree::{Node, NodeKind, Scalar};
use crate::lang::{Code, Secret, Sources};
use crate::model::{PlacedText, Stretch, Value};

/// What holds payloads, in which a map of that form is sent as it is.
const PAYLOADS: [&str; 5] = ["publish", "payload", "body", "scenes", "scene"];

/// Returns the secrets that the `let`s of a rule file ask for.
pub(in crate::lang) fn find(root: &Node) -> Vec<Secret> {
    let mut found = Vec::new();
    find_in(root, &mut found);
    found
}

/// Returns what may be secrets in a script: `#{ file: "token.txt" }`.
pub(in crate::lang) fn find_in_script(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    for (key, make) in [("file:", Secret::File as fn(Arc<str>) -> Secret), ("env:", Secret::Environment)] {
        let named = text.split(key).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        found.extend(named.map(|name| make(name.into())));
    }
    found
}

fn find_in(node: &Node, found: &mut Vec<Secret>) {
    match &node.kind {
        NodeKind::Scalar(_) | NodeKind::Closure(_) => {}
        NodeKind::List(items) => items.iter().for_each(|item| find_in(item, found)),
        NodeKind::Map(entries) => {
            for entry in entries {
                let key = entry.key.as_str();
                if key == "let" {
                    let variables = entry.value.as_map().unwrap_or_default();
                    found.extend(variables.iter().filter_map(|variable| Secret::of(&variable.value)));
                } else if !PAYLOADS.contains(&key) {
                    find_in(&entry.value, found);
                }
            }
        }
    }
}

/// Fills in the secrets of the `let`s in `node`, and notes their texts in `texts`. Reports those that can't be read.
pub(super) fn fill_in(node: &mut Node, sources: &Sources, reader: &mut Reader<'_>, texts: &mut Vec<Arc<str>>) {
    match &mut node.kind {
        NodeKind::Scalar(_) | NodeKind::Closure(_) => {}
        NodeKind::List(items) => items.iter_mut().for_each(|item| fill_in(item, sources, reader, texts)),
        NodeKind::Map(entries) => {
            for entry in entries {
                let key = entry.key.as_str();
                if key == "let" {
                    if let NodeKind::Map(variables) = &mut entry.value.kind {
                        for variable in variables {
                            fill_in_one(&mut variable.value, sources, reader, texts);
                        }
                    }
                } else if !PAYLOADS.contains(&key) {
                    fill_in(&mut entry.value, sources, reader, texts);
                }
            }
        }
    }
}

fn fill_in_one(node: &mut Node, sources: &Sources, reader: &mut Reader<'_>, texts: &mut Vec<Arc<str>>) {
    let Some(secret) = Secret::of(node) else { return };
    let text: Arc<str> = if let Some(text) = value(&secret, sources) {
        text.into()
    } else {
        let span = reader.mark(node);
        let found = reader.findings.error(Code::MISSING_SECRET, span, secret.missing());
        if let Secret::File(_) = secret {
            found.help("name a file in the home's folder, or its full path");
        }
        // What reads it makes no second mistake.
        "".into()
    };
    texts.push(Arc::clone(&text));
    let at = reader.text.place(node.span.start);
    let stretch = Stretch { offset: 0, file_offset: node.span.start, line: at.line, column: at.column };
    // It's no template, whatever it contains.
    let placed = PlacedText::new(text.replace("${", "$${").into(), reader.text.file(), [stretch].into());
    node.kind = NodeKind::Scalar(Scalar { text: placed, is_plain: false, value: Value::Text(text) });
}
