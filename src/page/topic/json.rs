//! A value as one reads it, with what is new marked.

use maud::{Markup, html};
use serde_json::Value;

use crate::model::Told;
use crate::page::shown::lines;

/// The most bytes of a payload that are shown.
const MOST: usize = 64 << 10;

/// Returns a payload as it's read: JSON with a line for each part, those marked that differ from `before`.
pub(super) fn pretty(told: Told<'_>, value: &Value, before: Option<&Value>) -> Markup {
    let Told::Text(text) = told else { return html! { p.muted { (told.in_words(lines)) } } };
    if !(value.is_object() || value.is_array()) || text.len() > MOST {
        let end = text.char_indices().map(|(index, _)| index).take_while(|index| *index <= MOST).last();
        let shown = text.get(..end.filter(|_| text.len() > MOST).unwrap_or(text.len())).unwrap_or_default();
        let is_new = before.is_some_and(|before| before != value);
        return html! {
            pre.payload tabindex="0" { @if is_new { mark { bdi { (lines(shown)) } } } @else { bdi { (lines(shown)) } } }
            @if shown.len() < text.len() { p.muted { "The first " (shown.len() / 1024) " KiB of " (text.len() / 1024) " KiB." } }
        };
    }
    let mut rows = Vec::new();
    write(&mut rows, value, before.map_or(Before::Unknown, Before::Was), 0, "", "");
    html! {
        pre.payload tabindex="0" {
            @for row in &rows {
                @if row.is_new { mark { bdi { (lines(&row.text)) } } } @else { bdi { (lines(&row.text)) } }
                "\n"
            }
        }
    }
}

/// One line.
struct Row {
    text: String,
    is_new: bool,
}

/// What stood at a place before.
#[derive(Clone, Copy)]
enum Before<'a> {
    /// Nobody knows.
    Unknown,
    /// Nothing.
    Nothing,
    /// This.
    Was(&'a Value),
}

impl<'a> Before<'a> {
    /// Returns what stood at a place within.
    fn within(self, pick: impl FnOnce(&'a Value) -> Option<&'a Value>) -> Before<'a> {
        match self {
            Before::Unknown => Before::Unknown,
            Before::Nothing => Before::Nothing,
            Before::Was(value) => pick(value).map_or(Before::Nothing, Before::Was),
        }
    }

    fn differs(self, value: &Value) -> bool {
        match self {
            Before::Unknown => false,
            Before::Nothing => true,
            Before::Was(before) => before != value,
        }
    }
}

/// Writes a value.
fn write(rows: &mut Vec<Row>, value: &Value, before: Before<'_>, depth: usize, key: &str, comma: &str) {
    let indent = "  ".repeat(depth);
    let quoted = |key: &str| format!("{}: ", Value::from(key));
    match value {
        Value::Object(map) if !map.is_empty() => {
            rows.push(Row { text: format!("{indent}{key}{{"), is_new: false });
            let last = map.len() - 1;
            for (index, (name, inner)) in map.iter().enumerate() {
                let before = before.within(|before| before.get(name));
                write(rows, inner, before, depth + 1, &quoted(name), if index < last { "," } else { "" });
            }
            rows.push(Row { text: format!("{indent}}}{comma}"), is_new: false });
        }
        Value::Array(list) if !list.is_empty() => {
            rows.push(Row { text: format!("{indent}{key}["), is_new: false });
            let last = list.len() - 1;
            for (index, inner) in list.iter().enumerate() {
                let before = before.within(|before| before.get(index));
                write(rows, inner, before, depth + 1, "", if index < last { "," } else { "" });
            }
            rows.push(Row { text: format!("{indent}]{comma}"), is_new: false });
        }
        _ => {
            let is_new = before.differs(value);
            rows.push(Row { text: format!("{indent}{key}{value}{comma}"), is_new });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_marked() {
        let value = serde_json::json!({ "a": 1, "b": { "c": [1, 2] }, "d": "x" });
        let before = serde_json::json!({ "a": 1, "b": { "c": [1, 3] } });
        let shown = pretty(Told::Text("{…}"), &value, Some(&before)).into_string();
        let marked: Vec<&str> =
            shown.split("<mark><bdi>").skip(1).map(|part| part.split('<').next().unwrap()).collect();
        assert_eq!(marked, ["      2", "  &quot;d&quot;: &quot;x&quot;"]);
        assert!(!pretty(Told::Text("{…}"), &value, None).into_string().contains("<mark>"));
    }

    #[test]
    fn a_megabyte_is_cut() {
        let text = "ä".repeat(1 << 20);
        let shown = pretty(Told::Text(&text), &Value::from(text.as_str()), None).into_string();
        assert!(shown.len() < 80_000 && shown.contains("The first 64 KiB of 2048 KiB."), "{}", shown.len());
    }
}
