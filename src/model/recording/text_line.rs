//! Lines of `mosquitto_sub -F '%I %t %p'`, or any with an RFC 3339 time, a topic and a payload; and of `-F '%U %q %r %t %l %p'`.

use bytes::Bytes;
use serde::de::IgnoredAny;

use crate::model::Qos;

use super::parsed::{self, Parsed, Reason};
use super::time_text;

/// Returns what a line of time, topic and payload says.
pub(super) fn parse_timed(line: &[u8]) -> Result<Parsed, Reason> {
    let (time, rest) = split(line).ok_or("a line has a time, a topic and a payload, with a space between them")?;
    let time = time_text::parse(&String::from_utf8_lossy(time)).map_err(|reason| {
        format!("{reason} (a payload with a line break is cut off there; `mosquitto_sub -F %j` keeps it)")
    })?;
    if rest.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(rest).is_ok() {
        return Err("a time before JSON isn't a known format; `mosquitto_sub -F %j` writes the time into it".to_owned());
    }
    let (topic, payload) = split(rest).unwrap_or((rest, b""));
    Ok(Parsed {
        time: Some(time),
        topic: parsed::topic(text(topic)?)?,
        qos: Qos::AtMostOnce,
        retain: false,
        payload: Bytes::copy_from_slice(payload),
        length: None,
        is_embedded: false,
        is_masked: false,
        origin: None,
        rule: None,
        client: None,
        cause: None,
    })
}

/// Returns what a line of seconds, `QoS`, retain, topic, length and payload says. The payload may be shorter than the
/// length that is told: it goes on in the next line.
pub(super) fn parse_counted(line: &[u8]) -> Result<Parsed, Reason> {
    let incomplete =
        || "a line has seconds, QoS, retain, topic, length and payload, with a space between them".to_owned();
    let (time, rest) = split(line).ok_or_else(incomplete)?;
    let (qos, rest) = split(rest).ok_or_else(incomplete)?;
    let (retain, rest) = split(rest).ok_or_else(incomplete)?;
    let time = text(time)?;
    if !time_text::is_number(time) {
        return Err(incomplete());
    }
    let time = time_text::parse(time)?;
    let qos = parsed::qos(text(qos)?)?;
    let retain = match retain {
        b"0" => false,
        b"1" => true,
        _ => return Err(incomplete()),
    };
    let (topic, length, payload) = counted(rest).ok_or_else(incomplete)?;
    Ok(Parsed {
        time: Some(time),
        topic: parsed::topic(text(topic)?)?,
        qos,
        retain,
        payload: Bytes::copy_from_slice(payload),
        length: Some(length),
        is_embedded: false,
        is_masked: false,
        origin: None,
        rule: None,
        client: None,
        cause: None,
    })
}

/// Splits topic, length and payload. A topic may have spaces: a length that is right counts before the first number.
fn counted(rest: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    let mut first = None;
    let spaces = rest.iter().enumerate().filter(|(_, byte)| **byte == b' ').map(|(index, _)| index);
    for space in spaces {
        let (topic, after) = rest.split_at_checked(space)?;
        let Some((number, payload)) = after.get(1..).and_then(split) else { continue };
        let number = std::str::from_utf8(number).ok().filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(length) = number.and_then(|number| number.parse::<usize>().ok()) else { continue };
        if length == payload.len() {
            return Some((topic, length, payload));
        }
        first = first.or(Some((topic, length, payload)));
    }
    first
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (before, after) = line.split_at_checked(space)?;
    Some((before, after.get(1..)?))
}

fn text(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| "the topic is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(parsed: Result<Parsed, Reason>) -> String {
        match parsed {
            Ok(parsed) => format!("{} {:?} {} {:?}", parsed.topic, parsed.payload, parsed.retain, parsed.length),
            Err(reason) => reason,
        }
    }

    #[test]
    fn a_topic_with_spaces_is_found_by_the_length() {
        assert_eq!(told(parse_counted(b"1.5 0 1 room 1 lamp 3 a b")), "room 1 lamp b\"a b\" true Some(3)");
        assert_eq!(told(parse_counted(b"1.5 0 0 a 0 ")), "a b\"\" false Some(0)");
        assert_eq!(told(parse_counted(b"1.5 0 0 a 5 two")), "a b\"two\" false Some(5)");
        let incomplete = "a line has seconds, QoS, retain, topic, length and payload, with a space between them";
        assert_eq!(told(parse_counted(b"1.5 0 0 a")), incomplete);
        assert_eq!(told(parse_counted(b"x 0 0 a 1 b")), incomplete);
    }

    #[test]
    fn a_payload_may_be_anything_or_nothing() {
        assert_eq!(told(parse_timed(b"2024-06-01T18:00:00+0000 a \xff\x00 b")), "a b\"\\xff\\0 b\" false None");
        assert_eq!(told(parse_timed(b"2024-06-01T18:00:00+0000 a ")), "a b\"\" false None");
        assert!(told(parse_timed(b"lines of text")).contains("`lines` isn't a valid time"));
    }
}
