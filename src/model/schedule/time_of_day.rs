//! A local time of day: `07:30`, `07:30:15`.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use thiserror::Error;

use super::Calendar;

/// A local time of day, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(pub Time);

/// Why a text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no time of day: write `07:30` or `07:30:15`")]
pub struct TimeOfDayError(pub String);

impl TimeOfDay {
    /// Returns `text` as a time of day.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<TimeOfDay, TimeOfDayError> {
        Err(TimeOfDayError(text.to_owned()))
    }

    /// Returns the instant of this time on `date` (spec 2.2): one that a clock change skips is the first
    /// instant after the gap, one that it repeats is the first of the two.
    #[must_use]
    pub fn on(self, date: Date, calendar: &Calendar) -> Timestamp {
        let _ = (date, calendar);
        Timestamp::UNIX_EPOCH
    }
}
