//! A set of weekdays: `mon-fri`, `[sat, sun]`.

use jiff::civil::Weekday;
use thiserror::Error;

/// A set of weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

/// Why a text is no weekday or range of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no weekday: write `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range (`mon-fri`)")]
pub struct WeekdaysError(pub String);

impl Weekdays {
    /// All seven.
    pub const ALL: Weekdays = Weekdays(0b111_1111);

    /// Returns the weekday or the range that `text` names; a range may pass Sunday (`sat-mon`).
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Weekdays, WeekdaysError> {
        Err(WeekdaysError(text.to_owned()))
    }

    /// Returns the days of both.
    #[must_use]
    pub fn union(self, other: Weekdays) -> Weekdays {
        Weekdays(self.0 | other.0)
    }

    /// Returns whether `day` is one of them.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl Default for Weekdays {
    fn default() -> Weekdays {
        Weekdays::ALL
    }
}
