//! Secrets: `{ file: PATH }` or `{ env: NAME }` in place of a value (docs/settings.md).
//!
//! This layer reads neither files nor the environment. [`Home::secrets`](super::Home::secrets) says what the
//! settings ask for; the shell puts it into the sources under [`Secret::key`].

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{PlacedText, Stretch, Value};

use crate::lang::reader::Reader;
use crate::lang::yaml::tree::{Node, NodeKind, Scalar};
use crate::lang::{Code, Source, Sources};

/// How the keys of secrets begin: no file's path does.
const PREFIX: &str = "secret ";

/// Where a secret value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A file, relative to the home; its last line break isn't part of the secret.
    File(Arc<str>),
    /// An environment variable.
    Environment(Arc<str>),
}

impl Secret {
    /// Returns the key under which the shell puts the value into the sources.
    #[must_use]
    pub fn key(&self) -> Arc<str> {
        match self {
            Secret::File(path) => format!("{PREFIX}file:{path}").into(),
            Secret::Environment(name) => format!("{PREFIX}env:{name}").into(),
        }
    }

    /// Returns whether the shell put a secret into the sources under `key`.
    #[must_use]
    pub fn is_key(key: &str) -> bool {
        key.starts_with(PREFIX)
    }

    /// Returns what to say where it has no value.
    pub(in crate::lang) fn missing(&self) -> String {
        match self {
            Secret::File(path) => format!("can't read the file `{path}`, or it isn't UTF-8"),
            Secret::Environment(name) => format!("the environment variable `{name}` isn't set"),
        }
    }

    /// Returns the secret that `node` asks for.
    pub(in crate::lang) fn of(node: &Node) -> Option<Secret> {
        let [entry] = node.as_map()? else { return None };
        let text: Arc<str> = entry.value.as_scalar()?.text.as_str().into();
        match entry.key.as_str() {
            "file" => Some(Secret::File(text)),
            "env" => Some(Secret::Environment(text)),
            _ => None,
        }
    }
}

/// Returns the secrets that a file asks for.
pub(in crate::lang) fn find(root: &Node) -> Vec<Secret> {
    let mut found = Vec::new();
    root.walk(&mut |node| found.extend(Secret::of(node)));
    found.sort();
    found.dedup();
    found
}

/// Returns the texts of the secrets in `node`, as far as the shell could read them.
pub(in crate::lang) fn texts(node: &Node, sources: &Sources) -> BTreeSet<Arc<str>> {
    find(node).iter().filter_map(|secret| value(secret, sources).map(Arc::from)).collect()
}

/// Fills in the secrets from `sources`. Reports a missing one, and leaves it out.
pub(in crate::lang) fn fill_in(node: &mut Node, sources: &Sources, reader: &mut Reader<'_>) {
    match &mut node.kind {
        NodeKind::Scalar(_) | NodeKind::Closure(_) => {}
        NodeKind::List(items) => items.retain_mut(|item| fill_in_one(item, sources, reader)),
        NodeKind::Map(entries) => entries.retain_mut(|entry| fill_in_one(&mut entry.value, sources, reader)),
    }
}

/// Returns whether there is a value.
fn fill_in_one(node: &mut Node, sources: &Sources, reader: &mut Reader<'_>) -> bool {
    let Some(secret) = Secret::of(node) else {
        fill_in(node, sources, reader);
        return true;
    };
    let Some(text) = value(&secret, sources) else {
        let span = reader.mark(node);
        reader.findings.error(Code::MISSING_SECRET, span, secret.missing());
        return false;
    };
    let at = reader.text.place(node.span.start);
    let stretch = Stretch { offset: 0, file_offset: node.span.start, line: at.line, column: at.column };
    let placed = PlacedText::new(text.into(), reader.text.file(), [stretch].into());
    let value = crate::lang::yaml::scalar::resolve(placed.as_str());
    let value = if value.is_null() { Value::text("") } else { value };
    node.kind = NodeKind::Scalar(Scalar { text: placed, is_plain: false, value });
    true
}

/// Returns the secret's text; `None` where the shell couldn't read it.
pub(in crate::lang) fn value<'s>(secret: &Secret, sources: &'s Sources) -> Option<&'s str> {
    let Source::Content(bytes) = sources.get(&secret.key())? else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)))
}
