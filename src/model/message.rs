//! A message: a topic, a payload, and where it came from.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Topic, Value};

/// A payload: its bytes, and the value that they hold, read at most once.
#[derive(Clone, Default)]
pub struct Payload(Arc<Inner>);

#[derive(Default)]
struct Inner {
    bytes: Bytes,
    value: OnceLock<Value>,
}

impl Payload {
    /// Returns a payload of these bytes. They are read as a value when one first asks for it.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Payload {
        Payload(Arc::new(Inner { bytes: bytes.into(), value: OnceLock::new() }))
    }

    /// Returns the payload that publishes `value`.
    #[must_use]
    pub fn from_value(value: &Value) -> Payload {
        Payload::from_bytes(value.to_payload())
    }

    /// Returns a payload that is read as exactly this value: a text is in quotes, so that `"21"` isn't taken for a number.
    #[must_use]
    pub fn exactly(value: &Value) -> Payload {
        let bytes = match value {
            Value::Bool(true) => Bytes::from_static(b"true"),
            Value::Bool(false) => Bytes::from_static(b"false"),
            Value::Null => Bytes::new(),
            other => other.to_json_text().into(),
        };
        Payload(Arc::new(Inner { bytes, value: OnceLock::from(value.clone()) }))
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

impl Serialize for Payload {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.text().ok_or_else(|| self.0.bytes.to_vec());
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        let stored = Result::<String, Vec<u8>>::deserialize(deserializer)?;
        Ok(Payload::from_bytes(stored.map_or_else(Bytes::from, Bytes::from)))
    }
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
