//! The home's time zone and place on earth: what local times and the sun depend on.
//!
//! One rule maps local times to instants (docs/language/time.md): a local time is the first instant at which the clock
//! shows it or a later one. So one that a clock change skips is the first instant after the gap, one that it
//! repeats is the first of the two, and later times are never earlier instants.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::model::agenda::Agendas;
use crate::model::first_instant;

/// The home's time zone and place on earth.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The zone of local times.
    pub zone: TimeZone,
    /// Where the sun is seen from; `None` where the settings don't say.
    pub location: Option<Location>,
    /// The calendars that the settings name, with their events.
    pub agendas: Arc<Agendas>,
}

impl Calendar {
    /// Returns what the local clock shows at `now`.
    #[must_use]
    pub fn local(&self, now: Timestamp) -> DateTime {
        self.zone.to_datetime(now)
    }

    /// Returns the local date at `now`.
    #[must_use]
    pub fn date_of(&self, now: Timestamp) -> Date {
        self.local(now).date()
    }

    /// Returns the instant at which the local day `date` begins: midnight, or the end of the gap that
    /// midnight lies in.
    #[must_use]
    pub fn local_midnight(&self, date: Date) -> Timestamp {
        self.first_instant(date.to_datetime(jiff::civil::Time::midnight()))
    }

    /// Returns the first instant at which the local clock shows `local` or a later time (docs/language/time.md).
    #[must_use]
    pub fn first_instant(&self, local: DateTime) -> Timestamp {
        first_instant(&self.zone, local)
    }
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { zone: TimeZone::UTC, location: None, agendas: Arc::default() }
    }
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str) -> Calendar {
        Calendar { zone: TimeZone::get(zone).unwrap(), ..Calendar::default() }
    }

    fn first_instant(zone: &str, local: &str) -> String {
        let calendar = calendar(zone);
        calendar.first_instant(local.parse().unwrap()).to_zoned(calendar.zone.clone()).strftime("%FT%T%:z").to_string()
    }

    #[test]
    fn a_skipped_time_is_the_first_instant_after_the_gap() {
        for (zone, local, instant) in [
            ("Europe/Berlin", "2024-03-31T02:30", "2024-03-31T03:00:00+02:00"),
            ("America/New_York", "2024-03-10T02:00", "2024-03-10T03:00:00-04:00"),
            ("Australia/Lord_Howe", "2024-10-06T02:15", "2024-10-06T02:30:00+11:00"),
            ("Asia/Beirut", "2022-03-27T00:00", "2022-03-27T01:00:00+03:00"),
            ("America/Sao_Paulo", "2017-10-15T00:30", "2017-10-15T01:00:00-02:00"),
            // Samoa had no 30 December 2011.
            ("Pacific/Apia", "2011-12-30T12:00", "2011-12-31T00:00:00+14:00"),
            // Beyond the transitions that the database lists.
            ("Europe/Berlin", "2124-03-26T02:30", "2124-03-26T03:00:00+02:00"),
        ] {
            assert_eq!(first_instant(zone, local), instant, "{zone} {local}");
        }
    }

    #[test]
    fn a_repeated_time_is_the_first_of_the_two() {
        for (zone, local, instant) in [
            ("Europe/Berlin", "2024-10-27T02:30", "2024-10-27T02:30:00+02:00"),
            ("America/New_York", "2024-11-03T01:30", "2024-11-03T01:30:00-04:00"),
            ("Australia/Lord_Howe", "2024-04-07T01:45", "2024-04-07T01:45:00+11:00"),
            ("America/Sao_Paulo", "2018-02-17T23:30", "2018-02-17T23:30:00-02:00"),
        ] {
            assert_eq!(first_instant(zone, local), instant, "{zone} {local}");
        }
    }

    #[test]
    fn a_day_begins_after_the_gap_that_midnight_lies_in() {
        let calendar = calendar("Asia/Beirut");
        let date = "2022-03-27".parse().unwrap();
        assert_eq!(calendar.local_midnight(date), "2022-03-26T22:00:00Z".parse().unwrap());
        assert_eq!(calendar.date_of(calendar.local_midnight(date)), date);
    }

    #[test]
    fn the_ends_of_time_have_an_instant() {
        let calendar = calendar("America/New_York");
        assert_eq!(calendar.first_instant(DateTime::MAX), Timestamp::MAX);
        assert!(calendar.first_instant(DateTime::MIN) <= "-009999-01-03T00:00:00Z".parse().unwrap());
    }
}
