//! JSON lines: ours, those of `mosquitto_sub -F %j` and `%J`, and those of mqtt-recorder-rs.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::model::{Qos, RuleId};

use super::parsed::{self, Parsed, Reason};
use super::time_text;

/// How we read base64: its padding may be missing.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Bytes that are no UTF-8 are read as the characters from here on, and written back as bytes: mosquitto writes binary
/// payloads into its JSON as they come.
const STAND_INS: u32 = 0x0010_ff00;

/// A payload that is JSON's null, as it is sent.
const NULL: &[u8] = b"null";

/// The fields that we know; others are for others.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default, alias = "time", alias = "timestamp")]
    tst: Option<&'a RawValue>,
    #[serde(borrow, default)]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    qos: Option<&'a RawValue>,
    #[serde(borrow, default)]
    retain: Option<&'a RawValue>,
    #[serde(default)]
    payloadlen: Option<usize>,
    #[serde(borrow, default, alias = "msg")]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "msg_b64")]
    payload_b64: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    masked: Option<&'a RawValue>,
    #[serde(borrow, default)]
    origin: Option<&'a RawValue>,
    #[serde(borrow, default)]
    rule: Option<&'a RawValue>,
    #[serde(borrow, default)]
    client: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cause: Option<&'a RawValue>,
}

/// How the program that wrote the recording puts payloads into its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payloads {
    /// As texts, as far as we have seen.
    Texts,
    /// As the JSON that they are (`%J`).
    Embedded,
}

/// Returns what `line` says.
pub(super) fn parse(line: &[u8], payloads: Payloads) -> Result<Parsed, Reason> {
    match std::str::from_utf8(line) {
        Ok(text) => parse_text(text, payloads, false),
        Err(_) => parse_text(&with_stand_ins(line), payloads, true),
    }
}

fn parse_text(text: &str, payloads: Payloads, has_stand_ins: bool) -> Result<Parsed, Reason> {
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| no_message(&error))?;
    let topic = fields.topic.ok_or("the line has no `topic`")?;
    let time = fields.tst.map(|raw| time_text::parse(&unquoted(raw)?)).transpose()?;
    let is_embedded = fields.payload.is_some_and(|raw| !raw.get().starts_with('"'));
    let (payload, length) = match (fields.payload_b64, fields.payload) {
        (Some(text), _) => (decode(&text)?.into(), fields.payloadlen),
        (None, Some(raw)) if is_embedded => (Bytes::copy_from_slice(raw.get().as_bytes()), None),
        (None, Some(raw)) => payload_text(raw, fields.payloadlen, payloads, has_stand_ins)?,
        // `%J` writes both `null` and nothing as null: only the length tells them apart.
        (None, None) if fields.payloadlen == Some(NULL.len()) => (Bytes::from_static(NULL), fields.payloadlen),
        (None, None) => (Bytes::new(), fields.payloadlen),
    };
    Ok(Parsed {
        time,
        topic: parsed::topic(&topic)?,
        qos: fields.qos.map_or(Ok(Qos::AtMostOnce), |raw| parsed::qos(&unquoted(raw)?))?,
        retain: fields.retain.map_or(Ok(false), flag)?,
        payload,
        // Embedded JSON is written in another way than it was sent: the length is that of what was sent.
        length: length.filter(|_| !is_embedded),
        is_embedded,
        // Other programs may mean something else by these words.
        is_masked: read(fields.masked) == Some(true),
        origin: read(fields.origin),
        rule: read(fields.rule).map(|rule: String| RuleId::from_text(&rule)),
        client: read(fields.client),
        cause: fields.cause.map(|cause| cause.get().into()),
    })
}

/// Returns what a field of ours says; `None` where it says something else.
fn read<T: DeserializeOwned>(raw: Option<&RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// Says why a line is no message, without words of Rust.
fn no_message(error: &serde_json::Error) -> Reason {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or(&reason);
    let kind = if error.is_data() { "not a message" } else { "not JSON" };
    let reason = reason.replace("expected usize", "expected a number of bytes");
    format!("{kind}: {}", reason.replace("expected struct Fields", "expected an object"))
}

/// Returns the payload that is written as a text, and the length that it should have.
fn payload_text(
    raw: &RawValue,
    length: Option<usize>,
    payloads: Payloads,
    has_stand_ins: bool,
) -> Result<(Bytes, Option<usize>), Reason> {
    let written = raw.get();
    if payloads == Payloads::Embedded && length == Some(written.len()) {
        // A payload that is a JSON string: its quotes were sent.
        return Ok((Bytes::copy_from_slice(written.as_bytes()), length));
    }
    let text: String = serde_json::from_str(written).map_err(|error| no_message(&error))?;
    let payload = if has_stand_ins { without_stand_ins(&text).into() } else { text.into() };
    Ok((payload, length))
}

/// Returns the text that stands in a string, or a scalar as it is written.
fn unquoted(raw: &RawValue) -> Result<Cow<'_, str>, Reason> {
    let written = raw.get();
    if !written.starts_with('"') {
        return Ok(Cow::Borrowed(written));
    }
    let inner = written.trim_matches('"');
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(written).map(Cow::Owned).map_err(|error| no_message(&error))
}

fn flag(raw: &RawValue) -> Result<bool, Reason> {
    match &*unquoted(raw)? {
        "0" | "false" | "False" => Ok(false),
        "1" | "true" | "True" => Ok(true),
        other => Err(format!("`retain` must be 0 or 1, not `{other}`")),
    }
}

/// Returns the bytes that standard or URL-safe base64 stands for.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    let text = text.trim();
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text).map_err(|error| format!("the payload isn't base64: {error}").to_lowercase())
}

fn with_stand_ins(line: &[u8]) -> String {
    let mut text = String::with_capacity(line.len() + 16);
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(STAND_INS + u32::from(*byte))));
    }
    text
}

fn without_stand_ins(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match u32::from(letter).checked_sub(STAND_INS).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &[u8]) -> String {
        told_with(line, Payloads::Texts)
    }

    fn told_with(line: &[u8], payloads: Payloads) -> String {
        match parse(line, payloads) {
            Ok(parsed) => {
                let payload = parsed.payload.escape_ascii().to_string();
                let retain = if parsed.retain { " retained" } else { "" };
                format!("{} {payload} {}{retain} {:?}", parsed.topic, u8::from(parsed.qos), parsed.length)
            }
            Err(reason) => reason,
        }
    }

    #[test]
    fn payloads_are_read_in_each_way_that_they_are_written() {
        assert_eq!(told(br#"{"topic":"a","payload":"x","payloadlen":1}"#), "a x 0 Some(1)");
        assert_eq!(told(br#"{"topic":"a","payload":null,"payloadlen":0}"#), "a  0 Some(0)");
        assert_eq!(told(br#"{"topic":"a","payload":{"b": 21.50},"qos":1}"#), r#"a {\"b\": 21.50} 1 None"#);
        let quoted = br#"{"topic":"a","payload":"x","payloadlen":3}"#;
        assert_eq!(told(quoted), "a x 0 Some(3)");
        assert_eq!(told_with(quoted, Payloads::Embedded), r#"a \"x\" 0 Some(3)"#);
        assert_eq!(told(br#"{"topic":"a","payload_b64":"_wA","retain":true}"#), r"a \xff\x00 0 retained None");
        assert_eq!(told(br#"{"topic":"a","msg_b64":"/wA=","retain":1}"#), r"a \xff\x00 0 retained None");
        assert_eq!(told(br#"{"topic":"a","msg":"ON","qos":2}"#), "a ON 2 None");
        assert_eq!(told(br#"{"topic":"a","payload":null,"payloadlen":4}"#), "a null 0 Some(4)");
        assert_eq!(told(br#"{"topic":"a","payload":"x","origin":"zigbee","rule":7}"#), "a x 0 None");
        assert_eq!(
            told(b"{\"topic\":\"a\",\"payload\":\"\xff\xc3\xa4\",\"payloadlen\":3}"),
            r"a \xff\xc3\xa4 0 Some(3)"
        );
    }

    #[test]
    fn what_is_no_message_is_told() {
        assert_eq!(told(br#"{"payload":"x"}"#), "the line has no `topic`");
        assert_eq!(told(br#"{"topic":"a/+"}"#), "a topic can't contain a wildcard (`+` or `#`)");
        assert_eq!(told(br#"{"topic":"a","qos":3}"#), "`3` isn't a valid QoS; it must be 0, 1 or 2");
        assert_eq!(told(br#"{"topic":"a","retain":"maybe"}"#), "`retain` must be 0 or 1, not `maybe`");
        assert_eq!(told(br#"{"topic":"a","payl"#), "not JSON: EOF while parsing a string");
        assert_eq!(told(b"[]"), "the line has no `topic`");
        assert_eq!(told(b"5"), "not a message: invalid type: integer `5`, expected an object");
        let negative = br#"{"topic":"a","payloadlen":-1}"#;
        assert_eq!(told(negative), "not a message: invalid value: integer `-1`, expected a number of bytes");
        assert_eq!(told(br#"{"topic":5}"#), "not a message: invalid type: integer `5`, expected a string");
        let surrogate = br#"{"topic":"a","payload":"\ud800"}"#;
        assert_eq!(told(surrogate), "not JSON: unexpected end of hex escape");
        assert_eq!(
            told(br#"{"topic":"a","payload_b64":"*"}"#),
            "the payload isn't base64: invalid symbol 42, offset 0."
        );
    }
}
