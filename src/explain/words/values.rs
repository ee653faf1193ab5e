//! Values in words, and what they should have been.

use std::borrow::Cow;

use crate::model::{Payload, Value};
use crate::rules::Wanted;

/// The most characters of a value that a line shows.
const LONGEST: usize = 200;

/// Returns a payload on one line, shortened if it's very long.
#[must_use]
pub fn payload_text(payload: &Payload) -> String {
    payload.told().in_words(one_line)
}

/// Returns a value on one line, shortened if it's very long.
#[must_use]
pub fn value_text(value: &Value) -> String {
    one_line(&value.to_json().to_string())
}

/// Returns a value as a sentence shows it: its text, and `()` where there is none.
pub(in crate::explain) fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed("()"),
        Value::Text(text) if text.is_empty() => Cow::Borrowed("\"\""),
        Value::Text(text) => Cow::Borrowed(text),
        value => Cow::Owned(value.to_string()),
    }
}

/// Returns a text on one line, shortened if it's very long.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (index, letter) in text.chars().enumerate() {
        if index == LONGEST {
            line.push('…');
            break;
        }
        if letter.is_control() { line.extend(letter.escape_default()) } else { line.push(letter) }
    }
    line
}

/// Lists values, any of which will do: `open or ajar`.
pub(in crate::explain) fn alternatives(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// Returns the values that are wanted, and another one, in words that tell them apart: `21` may be a number or a text.
pub(in crate::explain) fn told_apart(wanted: &[Value], value: &Value) -> (String, String) {
    let looks_alike = |wanted: &Value| wanted.to_string() == value.to_string();
    if !wanted.iter().any(looks_alike) {
        return (alternatives(wanted), value.to_string());
    }
    let with_kind = |value: &Value| format!("{value} ({})", value.kind());
    (wanted.iter().map(with_kind).collect::<Vec<_>>().join(" or "), with_kind(value))
}

/// Returns how `value` isn't what's wanted: `closed, not open`; `9, not above 10`; `warm, which isn't a number`.
pub(super) fn other_than(value: &Value, wanted: &Wanted) -> String {
    match wanted {
        Wanted::OneOf(values) => {
            let (wanted, value) = told_apart(values, value);
            format!("{value}, not {wanted}")
        }
        Wanted::Above(bound) => format!("{value}, not above {bound}"),
        Wanted::Below(bound) => format!("{value}, not below {bound}"),
        Wanted::Number => match value {
            Value::Text(_) => format!("{value}, which is a text, not a number"),
            other => format!("{other}, which isn't a number"),
        },
    }
}
