//! Patterns: what a payload in a test must look like.
//!
//! Numbers compare as numbers, a map has exactly the keys that are written. A map with just one of the keys
//! `contains`, `matches`, `any` or `equals` is a pattern, at every level.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;

use crate::model::{Payload, Value};

/// What a payload, or a part of one, must be.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Equal to this.
    Equals(Value),
    /// Whatever it is.
    Any,
    /// A text in which this is found.
    Matches(Regex),
    /// A map with these keys at least.
    Contains(IndexMap<Arc<str>, Pattern>),
    /// A map with exactly these keys.
    Map(IndexMap<Arc<str>, Pattern>),
    /// A list of exactly these.
    List(Vec<Pattern>),
}

/// Which keys a map may have beside those that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OtherKeys {
    Forbidden,
    Allowed,
}

impl Pattern {
    /// The keys that make a map with no other key a pattern.
    pub const KEYS: [&str; 4] = ["contains", "matches", "any", "equals"];

    /// Returns the pattern of a payload that a test writes as `value`.
    ///
    /// # Errors
    /// When a map looks like a pattern and is none; the error says what to write.
    pub fn of_payload(value: &Value) -> Result<Pattern, String> {
        Ok(match Pattern::read(value, OtherKeys::Forbidden)? {
            Pattern::Equals(value) => Pattern::Equals(as_sent(&value)),
            pattern => pattern,
        })
    }

    /// Returns the pattern of a part of something that a test writes as `value`.
    ///
    /// # Errors
    /// As [`Pattern::of_payload`].
    pub fn of_part(value: &Value) -> Result<Pattern, String> {
        Pattern::read(value, OtherKeys::Forbidden)
    }

    /// Returns the pattern of a map with these keys at least.
    ///
    /// # Errors
    /// As [`Pattern::of_payload`].
    pub fn at_least(value: &Value) -> Result<Pattern, String> {
        Pattern::read(value, OtherKeys::Allowed)
    }

    fn read(value: &Value, others: OtherKeys) -> Result<Pattern, String> {
        match value {
            Value::Map(entries) => {
                if let Some((key, inner)) = entries.first().filter(|_| entries.len() == 1)
                    && Pattern::KEYS.contains(&&**key)
                {
                    return special(key, inner);
                }
                if let Some((key, inner)) = entries.first().filter(|_| entries.len() == 1)
                    && let Some(word) = near_key(key, inner)
                {
                    return Err(format!(
                        "unknown pattern `{key}`; did you mean `{word}`? If the map is meant literally, put it in `equals:`"
                    ));
                }
                let read = |(key, value): (&Arc<str>, &Value)| Ok((Arc::clone(key), Pattern::read(value, others)?));
                let patterns: IndexMap<_, _> = entries.iter().map(read).collect::<Result<_, String>>()?;
                Ok(match others {
                    OtherKeys::Allowed => Pattern::Contains(patterns),
                    OtherKeys::Forbidden if patterns.values().all(|pattern| matches!(pattern, Pattern::Equals(_))) => {
                        Pattern::Equals(value.clone())
                    }
                    OtherKeys::Forbidden => Pattern::Map(patterns),
                })
            }
            Value::List(items) => {
                let patterns: Vec<_> =
                    items.iter().map(|item| Pattern::read(item, others)).collect::<Result<_, _>>()?;
                let plain = patterns.iter().all(|pattern| matches!(pattern, Pattern::Equals(_)));
                Ok(if plain { Pattern::Equals(value.clone()) } else { Pattern::List(patterns) })
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Blob(_)
            | Value::Time(_) => Ok(Pattern::Equals(value.clone())),
        }
    }

    /// Returns whether a payload fits.
    #[must_use]
    pub fn accepts_payload(&self, payload: &Payload) -> bool {
        match self {
            Pattern::Matches(regex) => payload.text().is_some_and(|text| regex.is_match(text)),
            Pattern::Equals(_) | Pattern::Any | Pattern::Contains(_) | Pattern::Map(_) | Pattern::List(_) => {
                self.accepts(payload.value())
            }
        }
    }

    /// Returns whether a value fits.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Pattern::Equals(wanted), value) => wanted == value,
            (Pattern::Any, _) => true,
            (Pattern::Matches(regex), value) => !value.is_null() && regex.is_match(&value.to_string()),
            (Pattern::Contains(wanted), Value::Map(entries)) => {
                wanted.iter().all(|(key, pattern)| entries.get(key).is_some_and(|value| pattern.accepts(value)))
            }
            (Pattern::Map(wanted), Value::Map(entries)) => {
                wanted.len() == entries.len()
                    && wanted.iter().all(|(key, pattern)| entries.get(key).is_some_and(|value| pattern.accepts(value)))
            }
            (Pattern::List(wanted), Value::List(items)) => {
                wanted.len() == items.len()
                    && wanted.iter().zip(items.iter()).all(|(pattern, item)| pattern.accepts(item))
            }
            (Pattern::Contains(_) | Pattern::Map(_) | Pattern::List(_), _) => false,
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Pattern {
    /// Writes the pattern as a line of a report: a value as its payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Equals(Value::Null) => f.write_str("(empty)"),
            Pattern::Equals(value) => write!(f, "{value}"),
            Pattern::Any => f.write_str("(anything)"),
            Pattern::Matches(regex) => write!(f, "(matches {})", regex.as_str()),
            Pattern::Contains(entries) => {
                f.write_str("(contains ")?;
                write_entries(f, entries)?;
                f.write_str(")")
            }
            Pattern::Map(entries) => write_entries(f, entries),
            Pattern::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    write_nested(f, item)?;
                }
                f.write_str("]")
            }
        }
    }
}

fn write_entries(f: &mut fmt::Formatter<'_>, entries: &IndexMap<Arc<str>, Pattern>) -> fmt::Result {
    f.write_str("{")?;
    for (index, (key, pattern)) in entries.iter().enumerate() {
        write!(f, "{}{}:", if index > 0 { "," } else { "" }, Value::text(Arc::clone(key)).to_json())?;
        write_nested(f, pattern)?;
    }
    f.write_str("}")
}

/// Within a map or list put text in quotes, as in JSON.
fn write_nested(f: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    match pattern {
        Pattern::Equals(value) => write!(f, "{}", value.to_json()),
        Pattern::Any | Pattern::Matches(_) | Pattern::Contains(_) | Pattern::Map(_) | Pattern::List(_) => {
            write!(f, "{pattern}")
        }
    }
}

/// Returns what a payload that is written as `value` reads as, once it is sent: the text `80` is a number there.
fn as_sent(value: &Value) -> Value {
    Value::from_payload(&value.to_payload())
}

/// Returns the key of a pattern that `key` was probably meant to be, where `value` may stand there.
fn near_key(key: &str, value: &Value) -> Option<&'static str> {
    let word = match value {
        Value::Map(_) => "contains",
        Value::Text(_) => "matches",
        _ => return None,
    };
    let is_near = strsim::damerau_levenshtein(&key.to_lowercase(), word) == 1 || format!("{key}es") == word;
    (is_near || (key.to_lowercase() == word && key != word)).then_some(word)
}

fn special(key: &str, value: &Value) -> Result<Pattern, String> {
    let literally = "if the map is meant literally, put it in `equals:`";
    match (key, value) {
        ("equals", value) => Ok(Pattern::Equals(as_sent(value))),
        ("any", Value::Bool(true)) => Ok(Pattern::Any),
        ("any", _) => Err(format!("write `any: true`; {literally}")),
        ("contains", Value::Map(_)) => match Pattern::read(value, OtherKeys::Allowed)? {
            Pattern::Equals(value) => Ok(Pattern::Equals(value)),
            pattern => Ok(pattern),
        },
        ("contains", other) => Err(format!("`contains` needs a map, not {}; {literally}", other.kind())),
        (_, Value::Text(text)) => Regex::new(text).map(Pattern::Matches).map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{text}` isn't a valid regular expression: {reason}")
        }),
        (_, other) => Err(format!("`matches` needs text, not {}; {literally}", other.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        Value::from_json(serde_json::from_str(json).unwrap())
    }

    fn accepts(pattern: &str, payload: &str) -> bool {
        let pattern = Pattern::of_payload(&value(pattern)).unwrap();
        pattern.accepts_payload(&Payload::from_bytes(payload.as_bytes().to_vec()))
    }

    #[test]
    fn a_payload_is_compared_as_a_value() {
        for (pattern, payload, wanted) in [
            (r#""ON""#, "ON", true),
            (r#""ON""#, r#""ON""#, true),
            (r#""ON""#, "on", false),
            ("21", "21.0", true),
            (r#""21""#, "21", true),
            ("null", "", true),
            ("null", "0", false),
            ("true", "true", true),
            (r#"{"a":1,"b":2}"#, r#"{ "b": 2.0, "a": 1 }"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#"{"a":"1"}"#, r#"{"a":1}"#, false),
            ("[1,2]", "[1,2]", true),
            ("[1,2]", "[2,1]", false),
        ] {
            assert_eq!(accepts(pattern, payload), wanted, "{pattern} against {payload}");
        }
    }

    #[test]
    fn patterns_look_into_a_payload() {
        for (pattern, payload, wanted) in [
            (r#"{"any":true}"#, "whatever", true),
            (r#"{"matches":"^O"}"#, "ON", true),
            (r#"{"matches":"N"}"#, "ON", true),
            (r#"{"matches":"^N"}"#, "ON", false),
            (r#"{"contains":{"a":{"b":1}}}"#, r#"{"a":{"b":1,"c":2},"d":3}"#, true),
            (r#"{"contains":{"a":{"b":1}}}"#, r#"{"a":{"c":2}}"#, false),
            (r#"{"contains":{"a":1}}"#, "ON", false),
            (r#"{"equals":{"any":true}}"#, r#"{"any":true}"#, true),
            (r#"{"equals":{"any":true}}"#, "ON", false),
            (r#"{"state":"ON","id":{"any":true}}"#, r#"{"state":"ON","id":7}"#, true),
            (r#"{"state":"ON","id":{"any":true}}"#, r#"{"state":"ON"}"#, false),
            (r#"{"state":"ON","id":{"any":true}}"#, r#"{"state":"ON","id":7,"more":1}"#, false),
            (r#"[{"matches":"a"},2]"#, r#"["cat",2]"#, true),
        ] {
            assert_eq!(accepts(pattern, payload), wanted, "{pattern} against {payload}");
        }
    }

    #[test]
    fn a_broken_pattern_says_what_to_write() {
        for (pattern, message) in [
            (r#"{"any":1}"#, "write `any: true`; if the map is meant literally, put it in `equals:`"),
            (
                r#"{"contains":"x"}"#,
                "`contains` needs a map, not text; if the map is meant literally, put it in `equals:`",
            ),
            (
                r#"{"matches":5}"#,
                "`matches` needs text, not a number; if the map is meant literally, put it in `equals:`",
            ),
            (
                r#"{"matchs":"^O"}"#,
                "unknown pattern `matchs`; did you mean `matches`? If the map is meant literally, put it in `equals:`",
            ),
            (
                r#"{"state":{"contain":{"a":1}}}"#,
                "unknown pattern `contain`; did you mean `contains`? If the map is meant literally, put it in `equals:`",
            ),
            (r#"{"matches":"("}"#, "`(` isn't a valid regular expression: unclosed group"),
        ] {
            assert_eq!(Pattern::of_payload(&value(pattern)).unwrap_err(), message, "{pattern}");
        }
    }
}
