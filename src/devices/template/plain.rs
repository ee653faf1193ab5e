//! Templates that only pick a value: `{{ value }}`, `{{ value_json.a['b'][0] }}`.

use std::sync::Arc;

use super::python::python_text;
use crate::model::{Map, Payload, Value};

/// What a plain template picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    /// The payload's text.
    Whole,
    /// What stands at a path of the payload's JSON.
    Path(Arc<[Step]>),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of a map.
    Key(Arc<str>),
    /// An item of a list.
    Index(usize),
}

impl Plain {
    /// Returns what `source` picks, where it does nothing else.
    pub(super) fn parse(source: &str) -> Option<Plain> {
        let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        let inner = inner.strip_prefix('-').unwrap_or(inner);
        let inner = inner.strip_suffix('-').unwrap_or(inner).trim();
        if inner == "value" {
            return Some(Plain::Whole);
        }
        let mut rest = inner.strip_prefix("value_json")?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = first_step(rest)?;
            steps.push(step);
            rest = after;
        }
        Some(Plain::Path(steps.into()))
    }

    /// Returns what the template gives for a message; `None` where it says nothing. A number stays one: its text is the same.
    #[must_use]
    pub fn read(&self, payload: &Payload) -> Option<Value> {
        let Plain::Path(steps) = self else {
            let text = payload.text()?.trim();
            return (!text.is_empty() && text != "None").then(|| Value::text(text));
        };
        if steps.is_empty() && !matches!(payload.value(), Value::Map(_) | Value::List(_)) {
            // JSON's texts are picked without their quotes, and what is no JSON isn't picked.
            let text = payload.text()?;
            let is_json = !super::is_bare_text(payload.value(), text);
            return is_json.then(|| as_said(payload.value())).flatten();
        }
        as_said(find(payload.value(), steps)?)
    }

    /// Returns `payload` with `wire` where the template picks; `None` where that can't be written.
    #[must_use]
    pub fn write(&self, payload: Option<&Payload>, wire: &Value) -> Option<Value> {
        let Plain::Path(steps) = self else { return Some(wire.clone()) };
        let root = payload.map(|payload| payload.value().clone()).unwrap_or_default();
        placed(root, steps, wire)
    }
}

/// Returns what stands at the end of these steps.
pub(crate) fn find<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match (step, value) {
        (Step::Key(key), Value::Map(entries)) => entries.get(key),
        (Step::Index(index), Value::List(items)) => items.get(*index),
        _ => None,
    })
}

/// Returns `root` with `wire` at the end of these steps; maps on the way are made, lists only filled.
pub(crate) fn placed(root: Value, steps: &[Step], wire: &Value) -> Option<Value> {
    let Some((step, deeper)) = steps.split_first() else { return Some(wire.clone()) };
    match (step, root) {
        (Step::Key(key), Value::Map(entries)) => {
            let mut entries = Arc::unwrap_or_clone(entries);
            let inner = entries.get(key).cloned().unwrap_or_default();
            entries.insert(Arc::clone(key), placed(inner, deeper, wire)?);
            Some(Value::Map(entries.into()))
        }
        (Step::Key(key), _) => {
            Some(Value::Map(Map::from_iter([(Arc::clone(key), placed(Value::Null, deeper, wire)?)]).into()))
        }
        (Step::Index(index), Value::List(items)) => {
            let mut items = Arc::unwrap_or_clone(items);
            let inner = std::mem::take(items.get_mut(*index)?);
            *items.get_mut(*index)? = placed(inner, deeper, wire)?;
            Some(Value::List(items.into()))
        }
        (Step::Index(0), _) => Some(Value::List(vec![placed(Value::Null, deeper, wire)?].into())),
        (Step::Index(_), _) => None,
    }
}

/// Returns a value as a template writes it, stripped; numbers stay numbers.
fn as_said(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Int(_) | Value::Float(_) => Some(value.clone()),
        Value::Text(text) if text.trim() == &**text => (!text.is_empty() && **text != *"None").then(|| value.clone()),
        other => {
            let text = python_text(other);
            let text = text.trim();
            (!text.is_empty() && text != "None").then(|| Value::text(text))
        }
    }
}

fn first_step(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end)?;
        // `value_json.0` is an item's place; what Jinja knows as a method or Python as one of a map is none of ours.
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || is_method(name) {
            return None;
        }
        // A call is no path.
        return (!after.trim_start().starts_with('(')).then(|| (Step::Key(name.into()), after));
    }
    let inner = rest.strip_prefix('[')?.trim_start();
    if let Some(quote) = inner.chars().next().filter(|first| matches!(first, '\'' | '"')) {
        let (key, after) = inner.get(1..)?.split_once(quote)?;
        let after = after.trim_start().strip_prefix(']')?;
        return (!key.contains('\\')).then(|| (Step::Key(key.into()), after));
    }
    let (index, after) = inner.split_once(']')?;
    Some((Step::Index(index.trim().parse().ok()?), after))
}

/// Returns whether Python's maps have a method of that name, which `.name` would find before the key.
fn is_method(name: &str) -> bool {
    matches!(
        name,
        "clear"
            | "copy"
            | "fromkeys"
            | "get"
            | "items"
            | "keys"
            | "pop"
            | "popitem"
            | "setdefault"
            | "update"
            | "values"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_only_picks_is_recognized() {
        for source in [
            "{{ value_json.a }}",
            "{{value_json.a}}",
            "{{- value_json['a'] -}}",
            "{{ value_json[\"a\"] }}",
            " {{ value_json.a }}\n",
        ] {
            assert_eq!(Plain::parse(source), Some(Plain::Path([Step::Key("a".into())].into())), "{source}");
        }
        assert_eq!(Plain::parse("{{ value }}"), Some(Plain::Whole));
        for other in [
            "{{ value_json.a | int }}",
            "{{ values }}",
            "{{ value_json.update }}",
            "{{ value_json.a() }}",
            "{{ value }}{{ value }}",
            "x",
            "{{ value_json.a.0 }}",
        ] {
            assert_eq!(Plain::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_picked_is_what_python_writes() {
        for (source, payload, expected) in [
            ("{{ value_json.a }}", r#"{"a":true}"#, Some("True".into())),
            ("{{ value_json.a }}", r#"{"a":"None"}"#, None),
            ("{{ value_json.a }}", r#"{"a":null}"#, None),
            ("{{ value_json.a }}", r#"{"a":" x "}"#, Some("x".into())),
            ("{{ value_json.a }}", r#"{"a":[1,"b",null]}"#, Some("[1, 'b', None]".into())),
            ("{{ value_json.a.b[1] }}", r#"{"a":{"b":[1,2]}}"#, Some(Value::Int(2))),
            ("{{ value_json.a }}", "text", None),
            ("{{ value_json }}", "text", None),
            ("{{ value_json }}", "true", Some("True".into())),
            ("{{ value }}", " ON ", Some("ON".into())),
            ("{{ value }}", "", None),
        ] {
            let plain = Plain::parse(source).unwrap();
            assert_eq!(plain.read(&Payload::from_bytes(payload.as_bytes().to_vec())), expected, "{source} {payload}");
        }
    }
}
