//! The local clock of a test: reads the times that tests write, and writes times as people read them.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::explain::LocalTime;
use crate::lang::test_file::ExpectedTime;
use crate::model::schedule::{Calendar, TimeOfDay};

/// The local clock of a test.
#[derive(Debug, Clone)]
pub(in crate::sim) struct LocalClock {
    calendar: Calendar,
    time: LocalTime,
}

impl LocalClock {
    /// Returns the clock of a test that begins at `start`.
    pub(in crate::sim) fn new(calendar: &Calendar, start: Timestamp) -> LocalClock {
        let time = LocalTime::since(calendar.zone.clone(), start);
        LocalClock { calendar: calendar.clone(), time }
    }

    /// Returns how its times are written.
    pub(in crate::sim) fn time(&self) -> &LocalTime {
        &self.time
    }

    /// Returns the local time as it's written.
    pub(in crate::sim) fn text(&self, at: Timestamp) -> String {
        self.time.text(at)
    }

    /// Returns whether `at` is the time that a test writes.
    pub(in crate::sim) fn is_at(&self, time: ExpectedTime, at: Timestamp) -> bool {
        let local = at.to_zoned(self.calendar.zone.clone());
        match time {
            ExpectedTime::OfDay(time) => local.time() == time,
            ExpectedTime::Local(time) => local.datetime() == time,
            ExpectedTime::Instant(instant) => instant == at,
        }
    }

    /// Returns the instant that a test means by `time`, told at `now`: a time of day is the next one.
    pub(in crate::sim) fn due(&self, time: ExpectedTime, now: Timestamp) -> Timestamp {
        match time {
            ExpectedTime::OfDay(time) => self.next(TimeOfDay(time), now),
            ExpectedTime::Local(time) => instant(time, &self.calendar),
            ExpectedTime::Instant(instant) => instant,
        }
    }

    fn next(&self, time: TimeOfDay, now: Timestamp) -> Timestamp {
        let today = now.to_zoned(self.calendar.zone.clone()).date();
        let due = time.on(today, &self.calendar);
        if due > now {
            return due;
        }
        today.tomorrow().map_or(now, |date| time.on(date, &self.calendar))
    }
}

/// Returns the instant of a local time; one that a clock change skips or repeats as docs/language/time.md says.
pub(in crate::sim) fn instant(local: DateTime, calendar: &Calendar) -> Timestamp {
    TimeOfDay(local.time()).on(local.date(), calendar)
}
