//! A payload read as data, and the variables of rules.
//!
//! Numbers compare as numbers (`21` equals `21.0`); maps keep their keys in the order they were written.

mod json_text;
mod limits;
mod number;
mod path;
pub(super) mod shared_text;
mod stored;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use jiff::Zoned;

use self::json_text::PlainJson;
use self::shared_text::shared_text;
use self::stored::read_json;

pub use limits::{TooLarge, ValueLimits};
pub use number::{format_size, parse_number};
pub use path::{PathError, ValuePath};

/// How keys of tables are hashed: seeded anew in each process, and a few times as fast as the standard library's way for short texts.
pub type Hashing = foldhash::fast::RandomState;

/// A map's keys and values, in the order they were written.
pub type Map = IndexMap<Arc<str>, Value, Hashing>;

/// A value: what a payload holds, what an expression gives, what a variable keeps.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// `()`: an empty payload, a missing key, JSON's null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map.
    Map(Arc<Map>),
    /// Bytes that are not UTF-8.
    Blob(Arc<[u8]>),
    /// An instant, with the zone that its hours are read in.
    Time(Box<Zoned>),
}

impl Value {
    /// Returns about how many bytes it takes beside itself.
    #[must_use]
    pub fn size(&self) -> usize {
        let with_itself = |value: &Value| size_of::<Value>() + value.size();
        match self {
            Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(with_itself).sum(),
            Value::Map(map) => map.iter().map(|(key, value)| 16 + key.len() + with_itself(value)).sum(),
            Value::Blob(bytes) => bytes.len(),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => 0,
        }
    }

    /// The most levels of lists and maps within each other. What holds no more can be walked, sent and kept on
    /// disk without a thought for the stack.
    pub const DEEPEST: usize = 64;

    /// Returns a text.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// Reads a payload: an empty one is `()`, JSON is its value, other UTF-8 is text, and anything else is a blob
    /// (docs/language/values.md).
    /// JSON that nests deeper than [`Value::DEEPEST`] or has a number beyond all bounds (`1e999`) stays a text.
    #[must_use]
    pub fn from_payload(bytes: &[u8]) -> Value {
        if bytes.is_empty() {
            return Value::Null;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Value::Blob(bytes.into());
        };
        read_json(text).unwrap_or_else(|| Value::Text(shared_text(text)))
    }

    /// Returns the payload that publishes this value: a scalar as its text, a map or list as
    /// compact JSON, `()` as nothing.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        match self {
            Value::Blob(bytes) => bytes.to_vec(),
            // Never fails: the keys are texts.
            Value::List(_) | Value::Map(_) => serde_json::to_vec(&PlainJson(self)).unwrap_or_default(),
            other => other.to_string().into_bytes(),
        }
    }

    /// Returns this value as compact JSON: a text is in quotes.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        // Never fails: the keys are texts.
        serde_json::to_string(&PlainJson(self)).unwrap_or_default()
    }

    /// Returns JSON's value as ours. A whole number beyond 64 bits becomes a float, and what lies deeper than
    /// [`Value::DEEPEST`] its text.
    #[must_use]
    pub fn from_json(json: serde_json::Value) -> Value {
        Value::from_json_within(json, Value::DEEPEST)
    }

    fn from_json_within(json: serde_json::Value, levels: usize) -> Value {
        let deeper = |json| Value::from_json_within(json, levels.saturating_sub(1));
        match json {
            serde_json::Value::Array(_) | serde_json::Value::Object(_) if levels == 0 => Value::text(json.to_string()),
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(flag),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Float)).unwrap_or_default()
            }
            serde_json::Value::String(text) => Value::text(text),
            serde_json::Value::Array(items) => Value::List(Arc::new(items.into_iter().map(deeper).collect())),
            serde_json::Value::Object(entries) => {
                Value::Map(Arc::new(entries.into_iter().map(|(key, value)| (key.into(), deeper(value))).collect()))
            }
        }
    }

    /// Returns the value as JSON. Times become RFC 3339 texts, blobs lists of bytes, and numbers that
    /// JSON doesn't know (NaN, infinity) null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Int(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Text(text) => serde_json::Value::String(text.to_string()),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect(),
            ),
            Value::Blob(bytes) => serde_json::Value::String(STANDARD.encode(bytes)),
            Value::Time(_) => serde_json::Value::String(self.to_string()),
        }
    }

    /// Returns how many levels of lists and maps lie within each other; 0 for a scalar.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Value::List(items) => 1 + items.iter().map(Value::depth).max().unwrap_or(0),
            Value::Map(entries) => 1 + entries.values().map(Value::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Returns whether there is nothing: `()`, JSON's null, an empty payload.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns the number, where it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a sensor's number is below 2^53")]
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the kind of value in words, for messages: `a number`, `a map`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Blob(_) => "a blob",
            Value::Time(_) => "a time",
        }
    }

    /// Returns whether this value matches what a rule asks for (docs/language/values.md): numbers as numbers, texts
    /// exactly, a map when each of the pattern's keys matches. A list within a map means one of its items, unless the
    /// value there is a list itself: then it is compared whole.
    #[must_use]
    pub fn matches(&self, pattern: &Value) -> bool {
        let is_one = |value: &Value, wanted: &Value| match (value, wanted) {
            (Value::List(_), Value::List(_)) => value == wanted,
            (_, Value::List(items)) => items.iter().any(|item| value.matches(item)),
            _ => value.matches(wanted),
        };
        self.agrees(pattern, is_one)
    }

    /// Returns whether this value already says what `other` says: as [`Value::matches`], but lists are compared whole.
    #[must_use]
    pub fn says(&self, other: &Value) -> bool {
        self.agrees(other, Value::says)
    }

    fn agrees(&self, pattern: &Value, is_one: impl Fn(&Value, &Value) -> bool) -> bool {
        match (self, pattern) {
            (Value::Map(entries), Value::Map(wanted)) => {
                wanted.iter().all(|(key, value)| is_one(entries.get(key).unwrap_or(&Value::Null), value))
            }
            _ => self == pattern,
        }
    }

    /// Returns the value at `path`; `None` where a step is missing.
    #[must_use]
    pub fn at(&self, path: &ValuePath) -> Option<&Value> {
        path.find(self)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Blob(a), Value::Blob(b)) => a == b,
            (Value::Time(a), Value::Time(b)) => a == b,
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl fmt::Display for Value {
    /// Writes the value as it stands in a text or payload: a text bare, a map or list as compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => Ok(()),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Int(number) => write!(f, "{number}"),
            // As JSON writes it, so that a number reads the same alone and inside a map.
            Value::Float(number) if number.is_finite() => f.write_str(&serde_json::Value::from(*number).to_string()),
            Value::Float(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(text),
            Value::List(_) | Value::Map(_) => {
                f.write_str(&serde_json::to_string(&PlainJson(self)).map_err(|_| fmt::Error)?)
            }
            Value::Blob(bytes) => write!(f, "{}", String::from_utf8_lossy(bytes)),
            Value::Time(time) => write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%S%:z")),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Value {
        Value::from_payload(text.as_bytes())
    }

    /// Returns lists in lists, `levels` deep.
    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn a_payload_that_is_json_is_that_value_and_other_text_a_text() {
        for (payload, expected) in [
            ("", Value::Null),
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("21", Value::Int(21)),
            (" 21\n", Value::Int(21)),
            ("-0", Value::Int(0)),
            ("21.5", Value::Float(21.5)),
            ("1e3", Value::Int(1000)),
            ("\"ON\"", "ON".into()),
            ("ON", "ON".into()),
            ("007", "007".into()),
            ("+5", "+5".into()),
            ("True", "True".into()),
            ("NaN", "NaN".into()),
            (" ", " ".into()),
            ("21 °C", "21 °C".into()),
            ("{\"state\":", "{\"state\":".into()),
            ("1 2", "1 2".into()),
            ("\"a\\u0000b\"", "a\0b".into()),
            ("[1,\"a\"]", Value::List(Arc::new(vec![Value::Int(1), "a".into()]))),
        ] {
            assert_eq!(read(payload), expected, "{payload}");
        }
    }

    #[test]
    fn what_json_cannot_say_stays_a_text_or_a_blob() {
        for payload in ["1e999", "\"\\ud800\"", "[1,]", "{'a':1}", "\u{feff}21"] {
            assert_eq!(read(payload), payload.into());
        }
        assert!(matches!(Value::from_payload(b"\xff\xfe"), Value::Blob(bytes) if *bytes == *b"\xff\xfe"));
        assert!(matches!(Value::from_payload(b"\0"), Value::Text(text) if &*text == "\0"));
    }

    #[test]
    fn numbers_keep_what_was_sent() {
        assert!(matches!(read("9223372036854775807"), Value::Int(i64::MAX)));
        assert_eq!(read("9223372036854775808"), Value::Float(9_223_372_036_854_775_808.0));
        assert!(matches!(read("9223372036854775808"), Value::Float(_)));
        assert!(matches!(read("1.0"), Value::Float(_)));
        assert_eq!(read("0.30000000000000004"), Value::Float(0.1 + 0.2));
        assert_eq!(read("1.0").to_string(), "1.0");
        assert_eq!(read("1").to_string(), "1");
    }

    #[test]
    fn json_that_nests_too_deep_stays_a_text() {
        assert_eq!(read(&nested(Value::DEEPEST)).depth(), Value::DEEPEST);
        for levels in [Value::DEEPEST + 1, 128, 100_000] {
            let payload = nested(levels);
            assert!(matches!(read(&payload), Value::Text(text) if *text == *payload), "{levels}");
        }
        let json = serde_json::from_str(&nested(100)).unwrap();
        assert_eq!(Value::from_json(json).depth(), Value::DEEPEST);
    }

    #[test]
    fn numbers_match_as_numbers_and_texts_exactly() {
        for (value, pattern, matches) in [
            ("21", "21.0", true),
            ("21", "\"21\"", false),
            ("\"on\"", "\"ON\"", false),
            ("true", "\"true\"", false),
            ("true", "1", false),
            ("{\"a\":1,\"b\":2}", "{\"b\":2.0}", true),
            ("{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}", true),
            ("{\"a\":1}", "{\"b\":1}", false),
            ("{\"a\":1}", "{\"b\":null}", true),
            ("[1,2]", "[1.0,2]", true),
            ("[1,2]", "[1]", false),
            ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true),
            ("{}", "[]", false),
            ("", "null", true),
            ("{\"a\":1}", "{\"a\":[1,2]}", true),
            ("{\"a\":3}", "{\"a\":[1,2]}", false),
            ("{}", "{\"a\":[1,null]}", true),
            ("{\"a\":{\"b\":\"x\",\"c\":1}}", "{\"a\":{\"b\":[\"x\",\"y\"]}}", true),
            ("{\"a\":{\"b\":1}}", "{\"a\":[{\"b\":1},{\"b\":2}]}", true),
            ("{\"a\":[1,2]}", "{\"a\":[1,2]}", true),
            ("{\"a\":[1]}", "{\"a\":[1,2]}", false),
            ("{\"a\":[1]}", "{\"a\":[[1],2]}", false),
            ("1", "[1,2]", false),
        ] {
            assert_eq!(read(value).matches(&read(pattern)), matches, "{value} {pattern}");
        }
    }

    #[test]
    fn what_a_value_says_is_compared_with_lists_whole() {
        assert!(read("{\"a\":[1,2],\"b\":3}").says(&read("{\"a\":[1,2]}")));
        assert!(!read("{\"a\":1}").says(&read("{\"a\":[1,2]}")));
    }

    #[test]
    fn maps_are_sent_with_their_keys_as_written() {
        let payload = r#"{"b":1,"a":{"z":[true,null,"x"],"y":1.5}}"#;
        assert_eq!(read(payload).to_payload(), payload.as_bytes());
    }

    #[test]
    fn scalars_are_sent_as_their_text() {
        for (value, payload) in [
            (Value::Null, ""),
            (true.into(), "true"),
            (Value::Int(-3), "-3"),
            (Value::Float(1e21), "1e+21"),
            (Value::Float(f64::NAN), "NaN"),
            ("ON".into(), "ON"),
        ] {
            assert_eq!(value.to_payload(), payload.as_bytes());
        }
        assert_eq!(Value::Blob([255, 0].into()).to_payload(), [255, 0]);
    }

    /// Returns any value that JSON can say.
    pub(super) fn any_value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            proptest::num::f64::NORMAL.prop_map(Value::Float),
            ".*".prop_map(Value::text),
        ];
        scalar.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| Value::List(Arc::new(items))),
                proptest::collection::vec((r"[$a-c]{0,4}", inner), 0..4).prop_map(|entries| {
                    Value::Map(Arc::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_and_text_is_sent_as_it_came(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let value = Value::from_payload(&bytes);
            let is_quoted = bytes.trim_ascii_start().starts_with(b"\"");
            if matches!(value, Value::Blob(_)) || matches!(value, Value::Text(_)) && !is_quoted {
                prop_assert_eq!(value.to_payload(), bytes);
            }
        }

        #[test]
        fn text_that_looks_like_json_never_panics(text in r#"[\[\]{}:,"0-9.eE+\-a-z\\ ]{0,40}"#) {
            let value = Value::from_payload(text.as_bytes());
            prop_assert!(value.depth() <= Value::DEEPEST);
        }

        #[test]
        fn a_list_or_map_is_read_as_it_was_sent(value in any_value()) {
            let read = Value::from_payload(&value.to_payload());
            if !matches!(value, Value::Text(_)) {
                prop_assert_eq!(&read, &value);
            }
            prop_assert_eq!(Value::from_json(value.to_json()), value);
        }

        #[test]
        fn a_number_is_exactly_what_was_sent(number in proptest::num::f64::NORMAL) {
            let text = number.to_string();
            prop_assert_eq!(Value::from_payload(text.as_bytes()).as_number(), Some(number));
        }

        #[test]
        fn a_value_matches_itself(value in any_value()) {
            prop_assert!(value.matches(&value));
        }
    }
}
