//! The times of recordings, in every spelling seen in the wild.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::parsed::{Reason, Time};

/// Seconds since 1970 have fewer digits than this for the next thousands of years; more digits mean smaller units.
const MOST_DIGITS_OF_SECONDS: usize = 11;

/// Returns the time that `text` tells: RFC 3339, ISO 8601 with `+0200`, mosquitto's `…Z+0100` (where the offset is right
/// and the `Z` is not), or seconds since 1970.
pub(super) fn parse(text: &str) -> Result<Time, Reason> {
    let unreadable =
        || format!("`{text}` isn't a valid time; use e.g. `2024-06-01T20:00:00.123456Z`, or seconds since 1970");
    if is_number(text) {
        return epoch(text).map(|at| Time { at, has_zone: true }).ok_or_else(unreadable);
    }
    date_and_time(text).ok_or_else(unreadable)
}

/// Returns whether `text` is written as a number.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|letter: char| letter.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number: i64 = whole.parse().ok()?;
    let digits = whole.trim_start_matches('-').len();
    if digits <= MOST_DIGITS_OF_SECONDS {
        let nanoseconds = i32::try_from(fraction_of_second(fraction)?).ok()?;
        let nanoseconds = if whole.starts_with('-') { -nanoseconds } else { nanoseconds };
        return Timestamp::new(number, nanoseconds).ok();
    }
    match digits {
        0..=14 => Timestamp::from_millisecond(number),
        15..=17 => Timestamp::from_microsecond(number),
        _ => Timestamp::from_nanosecond(number.into()),
    }
    .ok()
}

/// Returns the nanoseconds of the digits after the point; those beyond the ninth are left out.
fn fraction_of_second(digits: &str) -> Option<u32> {
    let mut nanoseconds = 0_u32;
    for index in 0..9 {
        let digit = match digits.as_bytes().get(index) {
            Some(byte) => char::from(*byte).to_digit(10)?,
            None => 0,
        };
        nanoseconds = nanoseconds * 10 + digit;
    }
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(nanoseconds)
}

fn date_and_time(text: &str) -> Option<Time> {
    let date = text.get(..10)?;
    let separator = text.get(10..11)?;
    if !matches!(separator, "T" | "t" | " ") {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i8> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let year: i16 = date.get(..4)?.parse().ok()?;
    let is_punctuated = date.get(4..5) == Some("-") && date.get(7..8) == Some("-") && text.get(13..14) == Some(":");
    let (second, rest) = match text.get(16..17) {
        Some(":") => (number(17..19)?, text.get(19..)?),
        _ => (0, text.get(16..)?),
    };
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let nanoseconds = i32::try_from(fraction_of_second(fraction)?).ok()?;
    let (month, day, hour, minute) = (number(5..7)?, number(8..10)?, number(11..13)?, number(14..16)?);
    // A leap second is the one before it, as for any clock that doesn't know them.
    let local = DateTime::new(year, month, day, hour, minute, second.min(59), nanoseconds).ok()?;
    let zone = zone.trim();
    let at = offset(zone)?.to_timestamp(local).ok()?;
    is_punctuated.then_some(Time { at, has_zone: !zone.is_empty() })
}

/// Returns the offset that `text` tells: UTC where it is empty, `None` where it is no offset.
fn offset(text: &str) -> Option<Offset> {
    let text = match text.strip_prefix(['Z', 'z']) {
        Some("") => return Some(Offset::UTC),
        Some(rest) => rest,
        None if text.is_empty() => return Some(Offset::UTC),
        None => text,
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let rest = digits.get(2..)?;
    let minutes: i32 = match rest.strip_prefix(':').unwrap_or(rest) {
        "" => 0,
        minutes if minutes.len() == 2 => minutes.parse().ok()?,
        _ => return None,
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match parse(text) {
            Ok(Time { at, has_zone: true }) => at.to_string(),
            Ok(Time { at, has_zone: false }) => format!("{at} without a zone"),
            Err(reason) => reason,
        }
    }

    #[test]
    fn every_spelling_of_one_instant_is_that_instant() {
        for text in [
            "2024-06-01T18:00:00.5Z",
            "2024-06-01T20:00:00.500000+0200",
            "2024-06-01T20:00:00.500+02:00",
            "2024-06-01 20:00:00.5+02",
            "2024-06-01T20:00:00.500000Z+0200",
            "2024-06-01T18:00:00.500000Z+0000",
            "1717264800.5",
            "1717264800.500000000",
            "1717264800500",
            "1717264800500000",
        ] {
            assert_eq!(told(text), "2024-06-01T18:00:00.5Z", "{text}");
        }
        assert_eq!(told("2024-06-01T18:00:00"), "2024-06-01T18:00:00Z without a zone");
        assert_eq!(told("2024-06-01T13:30Z-0430"), "2024-06-01T18:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_told() {
        for text in
            ["", "soon", "2024-13-01T00:00:00Z", "2024-06-01", "20:00:00", "2024-06-01T18:00:00+2", "1.5.2", "ä024"]
        {
            let reason =
                format!("`{text}` isn't a valid time; use e.g. `2024-06-01T20:00:00.123456Z`, or seconds since 1970");
            assert_eq!(told(text), reason);
        }
    }
}
