//! `snapshot` and `restore`: what is remembered, and under which name (docs/language/snapshots.md).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Map, Value};
use crate::script::Template;

/// What is remembered of topics and devices.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What it is taken of: see [`parts`].
    pub target: Template,
    /// Under which name; `None`: what it is taken of.
    pub name: Option<Template>,
    /// Whether it takes the place of one that wasn't restored.
    pub replace: bool,
    /// How long it is kept.
    pub keep: Duration,
}

impl Snapshot {
    /// Returns the name that it has in its file, where that doesn't depend on a run.
    #[must_use]
    pub fn fixed_name(&self) -> Option<String> {
        match &self.name {
            Some(name) => name.as_constant().map(ToString::to_string),
            None => self.target.as_constant().map(snapshot_name),
        }
    }
}

/// A part of what a snapshot is taken of.
#[derive(Debug, Clone, PartialEq)]
pub enum SnapshotPart {
    /// The topics of a filter.
    Topics(Arc<str>),
    /// A device, by its name or id.
    Device(Arc<str>),
    /// The devices that a map selects.
    Where(Arc<Map>),
}

/// Returns the parts of what a snapshot is taken of: a text with `/` is a filter of topics, another one is the name of a device, as is
/// all that stands under `device`; another map selects devices; a list is of these.
///
/// # Errors
/// When it isn't one of these; in words.
pub fn parts(target: &Value) -> Result<Vec<SnapshotPart>, String> {
    match target {
        Value::List(items) => {
            let parts: Vec<Vec<SnapshotPart>> = items.iter().map(parts).collect::<Result<_, _>>()?;
            Ok(parts.concat())
        }
        Value::Text(text) if text.contains('/') => Ok(vec![SnapshotPart::Topics(Arc::clone(text))]),
        Value::Text(name) => Ok(vec![SnapshotPart::Device(Arc::clone(name))]),
        Value::Map(map) => match map.get("device") {
            Some(_) if map.len() > 1 => Err("`device` stands alone: it isn't a part of a selector".to_owned()),
            Some(Value::List(names)) => names.iter().map(device).collect(),
            Some(name) => Ok(vec![device(name)?]),
            None => Ok(vec![SnapshotPart::Where(Arc::clone(map))]),
        },
        other => Err(format!(
            "a snapshot is taken of a filter of topics, of a device or of a selector, and this is {}",
            other.kind()
        )),
    }
}

fn device(name: &Value) -> Result<SnapshotPart, String> {
    match name {
        Value::Text(name) => Ok(SnapshotPart::Device(Arc::clone(name))),
        other => Err(format!("`device` takes the name of a device, and this is {}: {other}", other.kind())),
    }
}

/// Returns what a snapshot of a file is known by in all of the home; `restore` of another file may write it out.
#[must_use]
pub fn snapshot_key(file: &str, name: &str) -> String {
    format!("{file}:{name}")
}

/// Returns the name of a snapshot that is taken of, or restored as, this: a text is its own name.
#[must_use]
pub fn snapshot_name(target: &Value) -> String {
    match target {
        Value::Map(map) => match map.get("device") {
            Some(Value::Text(name)) if map.len() == 1 && !name.contains('/') => name.to_string(),
            // The order of its keys is of no meaning.
            _ => {
                let sorted: BTreeMap<_, _> = map.iter().map(|(key, value)| (Arc::clone(key), value.clone())).collect();
                Value::Map(Arc::new(sorted.into_iter().collect())).to_string()
            }
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        Value::from_payload(json.as_bytes())
    }

    #[test]
    fn a_text_with_a_slash_is_a_filter_and_another_one_a_device() {
        let filter = |text: &str| SnapshotPart::Topics(text.into());
        let device = |text: &str| SnapshotPart::Device(text.into());
        assert_eq!(parts(&Value::text("home/+/light")), Ok(vec![filter("home/+/light")]));
        assert_eq!(parts(&Value::text("Hall lamp")), Ok(vec![device("Hall lamp")]));
        assert_eq!(parts(&value(r#"{"device":"hall/lamp"}"#)), Ok(vec![device("hall/lamp")]));
        let mixed = value(r#"["a/b",{"device":["c/d","e"]},"f",{"kind":"light"}]"#);
        let parts_of = parts(&mixed).unwrap();
        assert_eq!(parts_of.get(..4).unwrap(), [filter("a/b"), device("c/d"), device("e"), device("f")]);
        assert!(matches!(parts_of.get(4), Some(SnapshotPart::Where(_))));
        for wrong in ["5", r#"{"device":5}"#, r#"{"device":"a","area":"b"}"#, r#"["a",true]"#] {
            assert!(parts(&value(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_does_not_depend_on_how_the_target_is_written() {
        assert_eq!(snapshot_name(&value(r#"{"kind":"light","area":"hall"}"#)), r#"{"area":"hall","kind":"light"}"#);
        assert_eq!(snapshot_name(&value(r#"{"device":"Lamp"}"#)), "Lamp");
        assert_eq!(snapshot_name(&value(r#"{"device":"a/b"}"#)), r#"{"device":"a/b"}"#);
        assert_eq!(snapshot_name(&Value::text("a/b")), "a/b");
    }
}
