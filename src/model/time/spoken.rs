//! A time as a person says it: `20:10`, `2024-06-01T20:10`.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

/// Returns the instant that `text` means at `now`: an instant, a local time of `zone`, or the last time of that hour: what has
/// begun counts as today's. `None` where it is none.
#[must_use]
pub fn parse_spoken_time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let at = |local: DateTime| local.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let of_day = |time: Time| {
        let today = now.to_zoned(zone.clone()).date();
        at(today.to_datetime(time)).filter(|at| *at <= now).or_else(|| at(today.yesterday().ok()?.to_datetime(time)))
    };
    let local = text.parse::<DateTime>().ok().and_then(at);
    local.or_else(|| text.parse::<Time>().ok().and_then(of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_local_and_a_time_of_day_is_the_last_one() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2024-06-01T18:10:30Z".parse().unwrap();
        let read = |text: &str| parse_spoken_time(text, now, &zone).map(|at| at.to_string());
        for (text, instant) in [
            ("2024-02-01T08:00:00Z", "2024-02-01T08:00:00Z"),
            ("2024-02-01T08:00", "2024-02-01T07:00:00Z"),
            ("2024-05-31", "2024-05-30T22:00:00Z"),
            ("20:10", "2024-06-01T18:10:00Z"),
            ("20:11", "2024-05-31T18:11:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(instant), "{text}");
        }
        assert_eq!(read("25:00"), None);
        assert_eq!(read("soon"), None);
    }
}
