//! A message as a line of our recordings (docs/recordings.md).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Message, Origin, RuleId, Withheld};

/// Who published a message.
#[derive(Debug, Clone, Copy)]
pub enum Via<'a> {
    /// A client with this id; `None`: unknown, or a will.
    Client(Option<&'a str>),
    /// A rule.
    Rule(&'a RuleId),
    /// Nobody knows: a broker doesn't tell its subscribers.
    Unknown,
}

/// A message with its time, in the fields of `mosquitto_sub -F %j` and ours; `C` tells what led to it.
#[derive(Debug, Serialize)]
pub struct MessageLine<'a, C = serde_json::Value> {
    tst: String,
    topic: &'a str,
    qos: u8,
    retain: u8,
    /// Of what is masked it would tell something.
    #[serde(skip_serializing_if = "Option::is_none")]
    payloadlen: Option<usize>,
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_b64: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    too_large: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<C>,
}

impl<'a> MessageLine<'a> {
    /// Returns the line for `message`, which came at `at`.
    #[must_use]
    pub fn new(at: Timestamp, message: &'a Message, via: Via<'a>) -> MessageLine<'a> {
        let bytes = message.payload.bytes();
        let text = message.payload.text().filter(|text| !text.contains('\0'));
        let (rule, client) = match via {
            Via::Client(client) => (None, client),
            Via::Rule(rule) => (Some(rule.as_str()), None),
            Via::Unknown => (None, None),
        };
        // In a recording `retain` means replayed at a subscription; of what a rule publishes, that it asked for it.
        let retain = match message.origin {
            Origin::Live => false,
            Origin::Retained | Origin::Restored => true,
            Origin::Own => message.retain,
        };
        MessageLine {
            tst: format!("{at:.6}"),
            topic: message.topic.as_str(),
            qos: message.qos.into(),
            retain: u8::from(retain),
            payloadlen: match message.payload.withheld() {
                None => Some(bytes.len()),
                Some(Withheld::TooLarge(bytes)) => Some(bytes),
                Some(Withheld::Masked) => None,
            },
            payload: text.filter(|text| !text.is_empty()),
            payload_b64: text.is_none().then(|| STANDARD.encode(bytes)),
            masked: message.payload.withheld() == Some(Withheld::Masked),
            too_large: matches!(message.payload.withheld(), Some(Withheld::TooLarge(_))),
            origin: (!matches!(via, Via::Unknown)).then_some(message.origin),
            rule,
            client,
            cause: None,
        }
    }

    /// Returns the line with what led to the message.
    #[must_use]
    pub fn with_cause<C: Serialize>(self, cause: C) -> MessageLine<'a, C> {
        MessageLine {
            tst: self.tst,
            topic: self.topic,
            qos: self.qos,
            retain: self.retain,
            payloadlen: self.payloadlen,
            payload: self.payload,
            payload_b64: self.payload_b64,
            masked: self.masked,
            too_large: self.too_large,
            origin: self.origin,
            rule: self.rule,
            client: self.client,
            cause: Some(cause),
        }
    }
}

impl<C: Serialize> MessageLine<'_, C> {
    /// Returns the line as it is written, without its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Payload, Qos, Topic};

    fn line(payload: &'static [u8]) -> String {
        let message = Message {
            topic: Topic::parse("a/b").unwrap(),
            payload: Payload::from_bytes(payload),
            qos: Qos::AtLeastOnce,
            retain: true,
            origin: Origin::Live,
            expires_at: None,
        };
        serde_json::to_string(&MessageLine::new(Timestamp::UNIX_EPOCH, &message, Via::Client(None))).unwrap()
    }

    #[test]
    fn a_text_is_in_payload_and_anything_else_in_payload_b64() {
        let start = r#"{"tst":"1970-01-01T00:00:00.000000Z","topic":"a/b","qos":1,"retain":0"#;
        assert_eq!(line(b"ON"), format!(r#"{start},"payloadlen":2,"payload":"ON","origin":"live"}}"#));
        assert_eq!(line(b""), format!(r#"{start},"payloadlen":0,"payload":null,"origin":"live"}}"#));
        let blob = format!(r#"{start},"payloadlen":1,"payload":null,"payload_b64":"/w==","origin":"live"}}"#);
        assert_eq!(line(b"\xff"), blob);
    }
}
