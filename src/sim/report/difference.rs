//! In what a value differs from what was expected, place by place.

use crate::explain::value_text;
use crate::lang::test_file::Pattern;
use crate::model::Value;

/// The most differences that are told of one value.
const MOST: usize = 20;

/// Returns in what `value` differs from `pattern`, a line for each place. A whole value that differs is no place:
/// the two rows say it already.
pub(in crate::sim) fn differences(pattern: &Pattern, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(pattern, value, "", &mut found);
    found.truncate(MOST);
    found
}

fn compare(pattern: &Pattern, value: &Value, path: &str, found: &mut Vec<String>) {
    if pattern.accepts(value) {
        return;
    }
    match (pattern, value) {
        (Pattern::Equals(Value::Map(wanted)), Value::Map(entries)) => {
            let wanted = wanted.iter().map(|(key, value)| (&**key, Pattern::Equals(value.clone())));
            compare_keys(wanted, entries, Others::Forbidden, path, found);
        }
        (Pattern::Map(wanted), Value::Map(entries)) => {
            let wanted = wanted.iter().map(|(key, pattern)| (&**key, pattern.clone()));
            compare_keys(wanted, entries, Others::Forbidden, path, found);
        }
        (Pattern::Contains(wanted), Value::Map(entries)) => {
            let wanted = wanted.iter().map(|(key, pattern)| (&**key, pattern.clone()));
            compare_keys(wanted, entries, Others::Allowed, path, found);
        }
        (Pattern::Equals(Value::List(wanted)), Value::List(items)) if wanted.len() == items.len() => {
            for (index, (wanted, item)) in wanted.iter().zip(items.iter()).enumerate() {
                compare(&Pattern::Equals(wanted.clone()), item, &format!("{path}[{index}]"), found);
            }
        }
        (pattern, value) if !path.is_empty() => {
            found.push(format!("{path}: expected {}, was {}", wanted_text(pattern), value_text(value)));
        }
        (pattern, value) if same_text(pattern, value) => {
            found.push(format!("expected {}, was {}", wanted_kind(pattern), value.kind()));
        }
        _ => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Forbidden,
    Allowed,
}

fn compare_keys<'a>(
    wanted: impl Iterator<Item = (&'a str, Pattern)>,
    entries: &crate::model::Map,
    others: Others,
    path: &str,
    found: &mut Vec<String>,
) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let mut known = Vec::new();
    for (key, pattern) in wanted {
        known.push(key);
        match entries.get(key) {
            Some(value) => compare(&pattern, value, &below(key), found),
            None => found.push(format!("{}: expected {}, is missing", below(key), wanted_text(&pattern))),
        }
    }
    if others == Others::Forbidden {
        let extra = entries.iter().filter(|(key, _)| !known.contains(&&***key));
        found.extend(extra.map(|(key, value)| format!("{}: not expected, was {}", below(key), value_text(value))));
    }
}

fn wanted_text(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Equals(value) => value_text(value),
        Pattern::Any | Pattern::Matches(_) | Pattern::Contains(_) | Pattern::Map(_) | Pattern::List(_) => {
            pattern.to_string()
        }
    }
}

/// Returns whether both rows read alike though the values differ: the text `1` and the number.
fn same_text(pattern: &Pattern, value: &Value) -> bool {
    matches!(pattern, Pattern::Equals(wanted) if wanted.to_string() == value.to_string())
}

fn wanted_kind(pattern: &Pattern) -> &'static str {
    match pattern {
        Pattern::Equals(value) => value.kind(),
        Pattern::Any | Pattern::Matches(_) | Pattern::Contains(_) | Pattern::Map(_) | Pattern::List(_) => "a pattern",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pattern: &str, value: &str) -> Vec<String> {
        let read = |json: &str| Value::from_json(serde_json::from_str(json).unwrap());
        differences(&Pattern::of_payload(&read(pattern)).unwrap(), &read(value))
    }

    #[test]
    fn each_place_that_differs_is_told() {
        assert_eq!(
            told(r#"{"a":1,"b":{"c":"x","d":2},"e":[1,2],"f":1}"#, r#"{"a":2,"b":{"c":"x"},"e":[1,3],"f":1,"g":true}"#),
            [
                "a: expected 1, was 2",
                "b.d: expected 2, is missing",
                "e[1]: expected 2, was 3",
                "g: not expected, was true"
            ]
        );
        assert_eq!(told(r#"{"contains":{"a":1}}"#, r#"{"a":2,"b":3}"#), ["a: expected 1, was 2"]);
        assert_eq!(told(r#"{"a":{"any":true},"b":1}"#, r#"{"a":2,"b":3}"#), ["b: expected 1, was 3"]);
    }

    #[test]
    fn a_whole_value_that_differs_needs_no_line() {
        assert_eq!(told(r#""ON""#, r#""OFF""#), Vec::<String>::new());
    }
}
