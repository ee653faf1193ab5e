//! A local time of day: `07:30`, `07:30:15`.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use thiserror::Error;

use super::Calendar;

/// A local time of day, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(pub Time);

/// Text isn't a time of day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` isn't a valid time of day; use e.g. `07:30` or `07:30:15`")]
pub struct TimeOfDayError(pub String);

impl TimeOfDay {
    /// Returns `text` as a time of day.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<TimeOfDay, TimeOfDayError> {
        let error = || TimeOfDayError(text.to_owned());
        let parts: Vec<i8> = text.trim().split(':').map(read_part).collect::<Option<_>>().ok_or_else(error)?;
        let time = match parts.as_slice() {
            [hour, minute] => Time::new(*hour, *minute, 0, 0),
            [hour, minute, second] => Time::new(*hour, *minute, *second, 0),
            _ => return Err(error()),
        };
        time.map(TimeOfDay).map_err(|_| error())
    }

    /// Returns the instant of this time on `date` (docs/language/time.md): one that a clock change skips is the first
    /// instant after the gap, one that it repeats is the first of the two.
    #[must_use]
    pub fn on(self, date: Date, calendar: &Calendar) -> Timestamp {
        calendar.first_instant(date.to_datetime(self.0))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())?;
        if self.0.second() != 0 {
            write!(f, ":{:02}", self.0.second())?;
        }
        Ok(())
    }
}

/// Reads two digits.
fn read_part(text: &str) -> Option<i8> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_and_written() {
        for text in ["07:30", "07:30:15", "00:00", "23:59:59"] {
            assert_eq!(TimeOfDay::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(TimeOfDay::parse(" 07:30:00 ").unwrap().to_string(), "07:30");
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for text in
            ["", "7", "0730", "7:30", "07:3", "24:00", "07:60", "07:30:60", "07:30:15:00", "+7:30", "07:30 pm", "٠٧:٣٠"]
        {
            assert_eq!(TimeOfDay::parse(text), Err(TimeOfDayError(text.to_owned())), "{text}");
        }
    }
}
