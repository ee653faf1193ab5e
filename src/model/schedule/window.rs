//! A part of the day, as a condition asks for it: from one time or sun event to another, on some weekdays.

use jiff::{SignedDuration, Timestamp};

use super::{Calendar, SunEvent, TimeOfDay, Weekdays};

/// An end of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Boundary {
    /// A local time of day.
    Time(TimeOfDay),
    /// An event of the sun, moved by an offset (negative: earlier).
    Sun(SunEvent, SignedDuration),
}

/// A part of the day (spec 2.5, 2.9): begins with `after` and ends before `before`; may pass midnight, and
/// then its weekday is that of the day on which it began. An end left out is midnight.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeWindow {
    /// When it begins.
    pub after: Option<Boundary>,
    /// When it ends.
    pub before: Option<Boundary>,
    /// The days on which it begins.
    pub weekdays: Weekdays,
}

impl TimeWindow {
    /// Returns whether `now` lies within.
    #[must_use]
    pub fn contains(&self, now: Timestamp, calendar: &Calendar) -> bool {
        let _ = (now, calendar);
        false
    }

    /// Returns when the answer may next change, strictly after `after`; `None` where it never will.
    #[must_use]
    pub fn next_change(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let _ = (after, calendar);
        None
    }
}
