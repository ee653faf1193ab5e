//! A message: a topic, a payload, and where it came from.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::secrets::MASK;
use super::{Topic, Value};

/// A payload: its bytes, and the value that they hold, read at most once.
#[derive(Clone, Default)]
pub struct Payload(Arc<Inner>);

#[derive(Default)]
struct Inner {
    bytes: Bytes,
    value: OnceLock<Value>,
    withheld: Option<Withheld>,
}

/// Why a payload isn't what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It had so many bytes, too many to keep, and is empty here.
    TooLarge(usize),
    /// It had a secret in it.
    Masked,
}

/// What a line can say of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// It had no bytes.
    Empty,
    /// This text.
    Text(&'a str),
    /// So many bytes that are no text.
    Bytes(usize),
    /// So many bytes, too many to keep.
    TooLarge(usize),
}

impl<'a> Told<'a> {
    /// Returns what can be told of a payload of which only its text was kept, and of what was too large how many bytes it had.
    #[must_use]
    pub fn of_text(text: &'a str, too_large: Option<usize>) -> Told<'a> {
        match too_large {
            Some(bytes) => Told::TooLarge(bytes),
            None if text.is_empty() => Told::Empty,
            None => Told::Text(text),
        }
    }

    /// Returns it on a line: its text as `write` has it, or what there is instead.
    #[must_use]
    pub fn in_words(self, write: impl FnOnce(&str) -> String) -> String {
        match self {
            Told::Empty => "(empty)".to_owned(),
            Told::Text(text) => write(text),
            Told::Bytes(1) => "(1 byte that isn't text)".to_owned(),
            Told::Bytes(bytes) => format!("({bytes} bytes that aren't text)"),
            Told::TooLarge(bytes) => format!("(too large to keep: {bytes} bytes)"),
        }
    }
}

impl Payload {
    /// Returns what a line can say of it.
    #[must_use]
    pub fn told(&self) -> Told<'_> {
        match (self.withheld(), self.text()) {
            (Some(Withheld::TooLarge(bytes)), _) => Told::TooLarge(bytes),
            (_, None) => Told::Bytes(self.bytes().len()),
            (_, Some(text)) => Told::of_text(text, None),
        }
    }

    /// Returns a payload of these bytes. They are read as a value when one first asks for it.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Payload {
        Payload::with(bytes.into(), None)
    }

    /// Returns what is shown in place of a payload that is too large to keep.
    #[must_use]
    pub fn too_large(bytes: usize) -> Payload {
        Payload::with(Bytes::new(), Some(Withheld::TooLarge(bytes)))
    }

    /// Returns what is shown in place of a payload with a secret.
    #[must_use]
    pub fn masked(bytes: impl Into<Bytes>) -> Payload {
        Payload::with(bytes.into(), Some(Withheld::Masked))
    }

    fn with(bytes: Bytes, withheld: Option<Withheld>) -> Payload {
        Payload(Arc::new(Inner { bytes, value: OnceLock::new(), withheld }))
    }

    /// Returns why it isn't what was sent; `None`: it is.
    #[must_use]
    pub fn withheld(&self) -> Option<Withheld> {
        self.0.withheld
    }

    /// Returns the payload that publishes `value`.
    #[must_use]
    pub fn from_value(value: &Value) -> Payload {
        let mut bytes = value.to_payload();
        // It's kept for long, and often.
        bytes.shrink_to_fit();
        Payload::from_bytes(bytes)
    }

    /// Returns a payload that is read as exactly this value: a text is in quotes, so that `"21"` isn't taken for a number.
    #[must_use]
    pub fn exactly(value: &Value) -> Payload {
        let bytes = match value {
            Value::Bool(true) => Bytes::from_static(b"true"),
            Value::Bool(false) => Bytes::from_static(b"false"),
            Value::Null => Bytes::new(),
            other => {
                let mut json = other.to_json_text();
                json.shrink_to_fit();
                json.into()
            }
        };
        Payload(Arc::new(Inner { bytes, value: OnceLock::from(value.clone()), withheld: None }))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// Returns the bytes as text; `None` where they are not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0.bytes).ok()
    }

    /// Returns the payload's value (docs/language/values.md).
    #[must_use]
    pub fn value(&self) -> &Value {
        self.0.value.get_or_init(|| Value::from_payload(&self.0.bytes))
    }

    /// Returns the members of the value's map that `wanted` gives a key for, under that key; of one that nobody has read yet,
    /// without reading the others. `None` where the value is no map.
    #[must_use]
    pub fn members<'k>(&self, wanted: impl Fn(&str) -> Option<&'k Arc<str>>) -> Option<Vec<(Arc<str>, Value)>> {
        match self.0.value.get() {
            None => Value::members_of_payload(&self.0.bytes, &wanted),
            Some(Value::Map(entries)) => Some(
                entries.iter().filter_map(|(key, value)| Some((Arc::clone(wanted(key)?), value.clone()))).collect(),
            ),
            Some(_) => None,
        }
    }

    /// Returns whether somebody has asked for the value: a large one takes time and memory, and most are never asked for.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.0.value.get().is_some()
    }

    /// Returns whether both say the same; what is masked in either agrees with anything.
    #[must_use]
    pub fn agrees_with(&self, other: &Payload) -> bool {
        let is_masked = |payload: &Payload| payload.withheld() == Some(Withheld::Masked);
        self == other
            || self.value() == other.value()
            || (is_masked(other) && agrees_with_masked(self.value(), other.value()))
            || (is_masked(self) && agrees_with_masked(other.value(), self.value()))
    }

    /// Returns whether the value is `()`: no bytes, or JSON's null. Unlike [`Payload::value`], it reads no JSON for that.
    #[must_use]
    pub fn is_null(&self) -> bool {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let mut rest = self.0.bytes.iter().skip_while(|byte| is_space(byte));
        self.is_empty() || (b"null".iter().all(|letter| rest.next() == Some(letter)) && rest.all(is_space))
    }

    /// Returns whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.bytes.is_empty()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0.bytes))
    }
}

/// Returns whether `value` may be what was masked as `masked`.
fn agrees_with_masked(value: &Value, masked: &Value) -> bool {
    match (masked, value) {
        (Value::Text(masked), _) if **masked == *MASK => true,
        (Value::Text(masked), Value::Text(text)) => {
            let mut parts = masked.split(MASK);
            let first = parts.next().unwrap_or_default();
            let Some(mut rest) = text.strip_prefix(first) else { return false };
            let mut is_open = false;
            for part in parts {
                let Some(at) = rest.find(part) else { return false };
                rest = rest.get(at + part.len()..).unwrap_or_default();
                is_open = part.is_empty();
            }
            rest.is_empty() || is_open
        }
        (Value::List(masked), Value::List(items)) => {
            masked.len() == items.len()
                && masked.iter().zip(&**items).all(|(masked, item)| agrees_with_masked(item, masked))
        }
        (Value::Map(masked), Value::Map(entries)) => {
            masked.len() == entries.len()
                && masked.iter().zip(&**entries).all(|((masked_key, masked), (key, value))| {
                    agrees_with_masked(&Value::Text(key.clone()), &Value::Text(masked_key.clone()))
                        && agrees_with_masked(value, masked)
                })
        }
        _ => masked == value,
    }
}

impl Serialize for Payload {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => Stored::Ok(text.into()),
            None => Stored::Base64(STANDARD.encode(&self.0.bytes)),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        Ok(Payload::from_bytes(match Stored::deserialize(deserializer)? {
            Stored::Ok(text) => Bytes::from(text.into_owned()),
            Stored::Base64(text) => STANDARD.decode(text).map_err(D::Error::custom)?.into(),
            Stored::Err(bytes) => bytes.into(),
        }))
    }
}

/// How a payload is kept.
#[derive(Serialize, Deserialize)]
enum Stored<'a> {
    /// Its text.
    Ok(Cow<'a, str>),
    /// Its bytes, where they aren't text.
    Base64(String),
    /// Its bytes, as they were kept at first.
    Err(Vec<u8>),
}

/// How surely a message is delivered (MQTT 5.0, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Qos {
    /// At most once.
    AtMostOnce,
    /// At least once: what `publish` uses unless told.
    #[default]
    AtLeastOnce,
    /// Exactly once.
    ExactlyOnce,
}

impl From<Qos> for u8 {
    fn from(qos: Qos) -> u8 {
        match qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
            Qos::ExactlyOnce => 2,
        }
    }
}

impl TryFrom<u8> for Qos {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Qos, &'static str> {
        match number {
            0 => Ok(Qos::AtMostOnce),
            1 => Ok(Qos::AtLeastOnce),
            2 => Ok(Qos::ExactlyOnce),
            _ => Err("a QoS is 0, 1 or 2"),
        }
    }
}

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A client published it just now.
    Live,
    /// A broker replayed it, since it was retained.
    Retained,
    /// It was in our own store when the daemon started.
    Restored,
    /// One of our rules published it.
    Own,
}

impl Origin {
    /// Returns the word that expressions and recordings use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Live => "live",
            Origin::Retained => "retained",
            Origin::Restored => "restored",
            Origin::Own => "own",
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The topic it was published to.
    pub topic: Topic,
    /// What it carries.
    pub payload: Payload,
    /// How surely it is delivered.
    pub qos: Qos,
    /// Whether the broker keeps it as the topic's retained message.
    pub retain: bool,
    /// Where it came from.
    pub origin: Origin,
    /// Until when it counts, and the broker keeps it (MQTT 5.0, 3.3.2.3.3); `None`: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_payload_that_was_not_kept_is_not_taken_for_an_empty_one() {
        let told = |payload: Payload| payload.told().in_words(str::to_owned);
        assert_eq!(told(Payload::too_large(300_000)), "(too large to keep: 300000 bytes)");
        assert_eq!(told(Payload::from_bytes("")), "(empty)");
        assert_eq!(told(Payload::from_bytes("ON")), "ON");
        assert_eq!(told(Payload::from_bytes(vec![255])), "(1 byte that isn't text)");
        assert_eq!(told(Payload::from_bytes(vec![255, 0])), "(2 bytes that aren't text)");
    }

    #[test]
    fn a_payload_is_its_bytes_a_text_and_a_value() {
        let payload = Payload::from_bytes(&b"{\"state\":\"ON\"}"[..]);
        assert_eq!(payload.text(), Some("{\"state\":\"ON\"}"));
        assert_eq!(payload.value().to_string(), "{\"state\":\"ON\"}");
        assert_eq!(Payload::from_bytes(&b"\xff"[..]).text(), None);
        assert!(Payload::default().is_empty() && Payload::default().value().is_null());
        assert_ne!(Payload::from_bytes("21"), Payload::from_bytes("21.0"), "payloads are compared as bytes");
    }

    proptest! {
        #[test]
        fn a_payload_is_null_where_its_value_is(payload in "[ \t\n\r\x0c]{0,2}(|null|nul|nullx|\"null\"|0)[ \t\n\r\x0c]{0,2}") {
            let payload = Payload::from_bytes(payload);
            prop_assert_eq!(payload.is_null(), payload.value().is_null());
        }
    }

    #[test]
    fn what_is_masked_agrees_with_anything_and_the_rest_must_be_equal() {
        let agrees = |actual: &str, masked: &str| {
            let actual = Payload::from_bytes(actual.to_owned());
            actual.agrees_with(&Payload::masked(masked.to_owned()))
                && Payload::masked(masked.to_owned()).agrees_with(&actual)
        };
        assert!(agrees("1234", "•••") && agrees("{\"a\":1}", "•••"));
        assert!(agrees("Bearer x9", "Bearer •••") && agrees("a1b2c", "a•••b•••c"));
        assert!(agrees(r#"{"pin":1234,"on":true}"#, r#"{"pin":"•••","on":true}"#));
        assert!(!agrees(r#"{"pin":1234,"on":false}"#, r#"{"pin":"•••","on":true}"#));
        assert!(!agrees("Token x9", "Bearer •••") && !agrees("a1b2cd", "a•••b•••c"));
        let plain = Payload::from_bytes("•••".to_owned());
        assert!(!Payload::from_bytes("1234").agrees_with(&plain), "three dots that were sent are three dots");
    }

    #[test]
    fn bytes_are_kept_as_base64_and_read_as_they_were_kept_at_first() {
        let payload = Payload::from_bytes(&b"\xff\0"[..]);
        assert_eq!(serde_json::to_string(&payload).unwrap(), r#"{"Base64":"/wA="}"#);
        assert_eq!(serde_json::from_str::<Payload>(r#"{"Err":[255,0]}"#).unwrap(), payload);
    }

    #[test]
    fn a_message_is_kept_as_json() {
        let message = Message {
            topic: Topic::parse("home/tv").unwrap(),
            payload: Payload::from_bytes("ON"),
            qos: Qos::AtLeastOnce,
            retain: true,
            origin: Origin::Own,
            expires_at: None,
        };
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(json, r#"{"topic":"home/tv","payload":{"Ok":"ON"},"qos":1,"retain":true,"origin":"own"}"#);
        assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
        assert!(serde_json::from_str::<Message>(&json.replace("\"qos\":1", "\"qos\":3")).is_err());
    }

    proptest! {
        #[test]
        fn any_payload_is_kept(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let payload = Payload::from_bytes(bytes);
            let json = serde_json::to_string(&payload).unwrap();
            prop_assert_eq!(serde_json::from_str::<Payload>(&json).unwrap(), payload);
        }
    }
}
