//! The time at which a rule didn't run, as a person says it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::parse_spoken_time;

/// Returns the instant that `text` means at `now`, as [`parse_spoken_time`] does, but of a local time the end: the whole of its
/// last second, or minute, is meant.
///
/// # Errors
/// Where it is none; in words.
pub(in crate::daemon) fn asked_time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let begun = parse_spoken_time(text, now, zone);
    let has_seconds = text.split('T').next_back().unwrap_or(text).split(':').count() > 2;
    let rest = SignedDuration::from_millis(if has_seconds { 999 } else { 59_999 });
    let asked = begun.and_then(|begun| begun.checked_add(rest).ok());
    asked.ok_or_else(|| format!("`{text}` isn't a valid time; write `20:10` or `2024-06-01T20:10:00`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_the_zone_of_the_home_and_a_time_of_day_is_the_last_one() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2024-06-01T18:10:30Z".parse().unwrap();
        let read = |text: &str| asked_time(text, now, &zone).map(|at| at.to_string());
        assert_eq!(read("20:10").unwrap(), "2024-06-01T18:10:59.999Z");
        assert_eq!(read("20:11").unwrap(), "2024-05-31T18:11:59.999Z");
        assert_eq!(read("20:10:30").unwrap(), "2024-06-01T18:10:30.999Z");
        assert_eq!(read("2024-02-01T08:00").unwrap(), "2024-02-01T07:00:59.999Z");
        assert_eq!(read("2024-02-01T08:00:00Z").unwrap(), "2024-02-01T08:00:00Z");
        assert_eq!(read("soon").unwrap_err(), "`soon` isn't a valid time; write `20:10` or `2024-06-01T20:10:00`");
    }
}
