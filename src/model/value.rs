//! A payload read as data, and the variables of rules.
//!
//! Numbers compare as numbers (`21` equals `21.0`); maps keep their keys in the order they were written.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Zoned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A map's keys and values, in the order they were written.
pub type Map = IndexMap<Arc<str>, Value>;

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
    /// Returns a text.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// Reads a payload (spec 2.2): empty is `()`, JSON is that value, other UTF-8 a text, the rest a blob.
    #[must_use]
    pub fn from_payload(bytes: &[u8]) -> Value {
        if bytes.is_empty() {
            return Value::Null;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Value::Blob(bytes.into());
        };
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json) => Value::from_json(json),
            Err(_) => Value::text(text),
        }
    }

    /// Returns the payload that publishes this value (spec 2.6): a scalar as its text, a map or list as
    /// compact JSON, `()` as nothing.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        match self {
            Value::Blob(bytes) => bytes.to_vec(),
            other => other.to_string().into_bytes(),
        }
    }

    /// Returns JSON's value as ours. A whole number beyond 64 bits becomes a float.
    #[must_use]
    pub fn from_json(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(flag),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Float)).unwrap_or_default()
            }
            serde_json::Value::String(text) => Value::text(text),
            serde_json::Value::Array(items) => Value::List(Arc::new(items.into_iter().map(Value::from_json).collect())),
            serde_json::Value::Object(entries) => Value::Map(Arc::new(
                entries.into_iter().map(|(key, value)| (key.into(), Value::from_json(value))).collect(),
            )),
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
            Value::Blob(bytes) => bytes.iter().copied().collect(),
            Value::Time(_) => serde_json::Value::String(self.to_string()),
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
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Blob(_) => "a blob",
            Value::Time(_) => "a time",
        }
    }

    /// Returns whether this value matches what a rule asks for (spec 2.2): numbers as numbers, texts
    /// exactly, a map when each of the pattern's keys matches.
    #[must_use]
    pub fn matches(&self, pattern: &Value) -> bool {
        match (self, pattern) {
            (Value::Map(entries), Value::Map(wanted)) => {
                wanted.iter().all(|(key, value)| entries.get(key).unwrap_or(&Value::Null).matches(value))
            }
            _ => self == pattern,
        }
    }

    /// Returns the value at `path`; `None` where a step is missing.
    #[must_use]
    pub fn at(&self, path: &ValuePath) -> Option<&Value> {
        path.steps.iter().try_fold(self, |value, step| match (step, value) {
            (PathStep::Key(key), Value::Map(entries)) => entries.get(key),
            (PathStep::Index(index), Value::List(items)) => items.get(*index),
            _ => None,
        })
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
                #[expect(clippy::float_cmp, reason = "users compare what devices sent, exactly")]
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
            Value::List(_) | Value::Map(_) => f.write_str(&self.to_json().to_string()),
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

/// What is kept on disk: JSON with a tag where JSON has no such value.
#[derive(Serialize, Deserialize)]
enum Stored {
    #[serde(rename = "n")]
    Null,
    #[serde(rename = "b")]
    Bool(bool),
    #[serde(rename = "i")]
    Int(i64),
    #[serde(rename = "f")]
    Float(f64),
    #[serde(rename = "F")]
    NonFinite(String),
    #[serde(rename = "t")]
    Text(Arc<str>),
    #[serde(rename = "l")]
    List(Vec<Value>),
    #[serde(rename = "m")]
    Map(Vec<(Arc<str>, Value)>),
    #[serde(rename = "x")]
    Blob(Vec<u8>),
    #[serde(rename = "z")]
    Time(Box<Zoned>),
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = match self {
            Value::Null => Stored::Null,
            Value::Bool(flag) => Stored::Bool(*flag),
            Value::Int(number) => Stored::Int(*number),
            Value::Float(number) if number.is_finite() => Stored::Float(*number),
            Value::Float(number) => Stored::NonFinite(number.to_string()),
            Value::Text(text) => Stored::Text(Arc::clone(text)),
            Value::List(items) => Stored::List(items.to_vec()),
            Value::Map(entries) => {
                Stored::Map(entries.iter().map(|(key, value)| (Arc::clone(key), value.clone())).collect())
            }
            Value::Blob(bytes) => Stored::Blob(bytes.to_vec()),
            Value::Time(time) => Stored::Time(time.clone()),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Null => Value::Null,
            Stored::Bool(flag) => Value::Bool(flag),
            Stored::Int(number) => Value::Int(number),
            Stored::Float(number) => Value::Float(number),
            Stored::NonFinite(text) => Value::Float(text.parse().unwrap_or(f64::NAN)),
            Stored::Text(text) => Value::Text(text),
            Stored::List(items) => Value::List(Arc::new(items)),
            Stored::Map(entries) => Value::Map(Arc::new(entries.into_iter().collect())),
            Stored::Blob(bytes) => Value::Blob(bytes.into()),
            Stored::Time(time) => Value::Time(time),
        })
    }
}

/// A path into a value: `a.b[0]`; the empty path is the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValuePath {
    text: Arc<str>,
    steps: Arc<[PathStep]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathStep {
    Key(Arc<str>),
    Index(usize),
}

/// Why a text is no path: what was expected, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a path is keys with `.` between them and `[0]` for an item of a list: {expected} is expected")]
pub struct PathError {
    /// What should stand there.
    pub expected: &'static str,
    /// The byte in the text where it should stand.
    pub offset: usize,
}

impl ValuePath {
    /// Returns `text` as a path.
    ///
    /// # Errors
    /// When a key is empty or an index is no number.
    pub fn parse(text: &str) -> Result<ValuePath, PathError> {
        let mut steps = Vec::new();
        let mut rest = text;
        let error = |rest: &str, expected| PathError { expected, offset: text.len() - rest.len() };
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (index, after) = after.split_once(']').ok_or(error(rest, "`]`"))?;
                let index = index.parse().map_err(|_| error(rest, "a number in `[…]`"))?;
                steps.push(PathStep::Index(index));
                rest = after;
                continue;
            }
            let after_dot = rest.strip_prefix('.');
            if steps.is_empty() == after_dot.is_some() {
                return Err(error(rest, if steps.is_empty() { "a key" } else { "`.` or `[`" }));
            }
            rest = after_dot.unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            if key.is_empty() {
                return Err(error(rest, "a key"));
            }
            steps.push(PathStep::Key(key.into()));
            rest = after;
        }
        Ok(ValuePath { text: text.into(), steps: steps.into() })
    }

    /// Returns whether it is the whole value.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
