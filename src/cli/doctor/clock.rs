//! Whether the clock can be right: rules with times of day rely on it.

use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use super::patient::Patient;
use crate::disk::recorded::{folder, recorded_files};

/// Earlier than this it can't be: this version was written later.
const YEAR: i16 = 2026;

/// Where systemd says that the clock was set from the network.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// Where the clocks are that go on without power.
const HARDWARE_CLOCKS: &str = "/sys/class/rtc";

/// By how much a message may seem to come from the future.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let (zone, wrong) = zone(patient.settings.zone.as_deref());
    let mut found = vec![time(patient.now, &zone, newest_message(patient))];
    found.extend(wrong);
    let has_clock = std::fs::read_dir(HARDWARE_CLOCKS).is_ok_and(|mut clocks| clocks.next().is_some());
    if !has_clock && !Path::new(SYNCHRONIZED).exists() {
        found.push(Finding::warning(
            "this machine has no clock that goes on without power, and nothing says that it's set from the network",
            "switch on NTP, for instance with `timedatectl set-ntp true`",
        ));
    }
    found
}

fn time(now: Timestamp, zone: &TimeZone, newest: Option<Timestamp>) -> Finding {
    let local = now.to_zoned(zone.clone());
    let shown = local.strftime("%Y-%m-%d %H:%M:%S");
    let name = zone.iana_name().map_or_else(String::new, |name| format!(" in {name}"));
    if local.year() < YEAR {
        return Finding::error(
            format!("it can't be {shown}"),
            "set the clock, for instance with `timedatectl set-ntp true`",
        );
    }
    match newest {
        Some(newest) if newest > now.saturating_add(SLACK).unwrap_or(now) => Finding::error(
            format!(
                "it is {shown}{name}, and messages were recorded later, at {newest:.0}: the clock is behind, or was ahead"
            ),
            "set the clock, for instance with `timedatectl set-ntp true`",
        ),
        _ => Finding::ok(format!("it is {shown}{name}")),
    }
}

/// Returns the home's zone, and what is wrong with what names it.
fn zone(name: Option<&str>) -> (TimeZone, Option<Finding>) {
    let zone = match name {
        Some(name) => TimeZone::get(name),
        None => TimeZone::try_system(),
    };
    match (zone, name) {
        (Ok(zone), _) => (zone, None),
        (Err(_), Some(name)) => {
            let wrong = Finding::error(format!("`{name}` isn't a time zone"), "write e.g. `timezone: Europe/Berlin`");
            (TimeZone::UTC, Some(wrong))
        }
        (Err(_), None) => {
            let wrong = Finding::warning(
                "the system's time zone isn't known, so times of day are UTC",
                "set `location: { timezone: Europe/Berlin }` in homerule.yaml",
            );
            (TimeZone::UTC, Some(wrong))
        }
    }
}

/// Returns when the newest file of the recorder begins.
fn newest_message(patient: &Patient) -> Option<Timestamp> {
    let files = recorded_files(&folder(&patient.home, &patient.settings)).ok()?;
    files.last().map(|file| file.begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Outcome;

    #[test]
    fn a_clock_that_cannot_be_right_is_an_error() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let outcome = |now: &str, newest: Option<&str>| time(at(now), &TimeZone::UTC, newest.map(at)).outcome;
        assert_eq!(outcome("1970-01-01T00:10:00Z", None), Outcome::Error);
        assert_eq!(outcome("2026-12-01T12:00:00Z", None), Outcome::Ok);
        assert_eq!(outcome("2026-12-01T12:00:00Z", Some("2026-12-01T12:04:00Z")), Outcome::Ok);
        assert_eq!(outcome("2026-12-01T12:00:00Z", Some("2026-12-01T13:00:00Z")), Outcome::Error);
    }
}
