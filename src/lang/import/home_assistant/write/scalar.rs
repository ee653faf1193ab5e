//! Single values in YAML, without quotes where none are needed.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// Returns a text as a scalar that stands alone on its line.
pub(in crate::lang::import::home_assistant) fn scalar(text: &str) -> String {
    written(text, false)
}

/// Returns a text as a scalar; `in_flow` within brackets or braces.
pub(super) fn written(text: &str, in_flow: bool) -> String {
    if is_plain(text, in_flow) {
        return text.to_owned();
    }
    let is_printable = !text.chars().any(char::is_control);
    if text.contains('"') && !text.contains('\'') && is_printable {
        return format!("'{text}'");
    }
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{85}') => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a value on one line.
pub(in crate::lang::import::home_assistant) fn json(value: &Json) -> String {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => written(text, true),
        Json::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Json::Object(map) if map.is_empty() => "{}".to_owned(),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", written(key, true), json(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn is_plain(text: &str, in_flow: bool) -> bool {
    let begins_well = text.starts_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '/'));
    let has_bad = text.chars().any(|letter| {
        letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{85}')
            || in_flow
                && matches!(
                    letter,
                    ',' | '['
                        | ']'
                        | '{'
                        | '}'
                        | '"'
                        | '\''
                        | '#'
                        | '&'
                        | '*'
                        | '!'
                        | '|'
                        | '>'
                        | '%'
                        | '@'
                        | '`'
                        | '?'
                )
    });
    begins_well
        && !has_bad
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.contains("  ")
        && !(in_flow && text.contains(':') && !is_path(text))
        && !looks_like_a_value(text)
}

/// Returns whether a text with colons is a path or a time of the day in full, which nobody reads as something else.
fn is_path(text: &str) -> bool {
    text.contains('/') && !text.contains(":/")
}

/// Returns whether some reader of YAML takes the text for a number, a boolean or null.
fn looks_like_a_value(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_number = text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".:+-_".contains(letter))
        && !is_duration(text);
    matches!(&*lower, "true" | "false" | "null" | "~") || is_number
}

/// Returns whether it's a duration: `1h30m`, which isn't a number to anybody.
fn is_duration(text: &str) -> bool {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit() || "dhms".contains(letter));
    rest.is_empty() && text.ends_with(['d', 'h', 'm', 's'])
}
