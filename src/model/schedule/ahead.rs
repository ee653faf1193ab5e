//! The times that a question about a calendar is for: `today`, `tomorrow`, `week`, `2026-12-24`, `24h`.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use thiserror::Error;

use super::Calendar;
use crate::model::{nearest, parse_duration};

/// The times that a question about a calendar is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// This moment.
    Now,
    /// From now on, so long.
    Next(Duration),
    /// The local day so many days from today.
    Day(i8),
    /// The week that it is, from Monday on.
    Week,
    /// The month that it is.
    Month,
    /// A date.
    On(Date),
}

/// A text names no such times.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` isn't a time that a calendar can be asked about; {help}")]
pub struct AheadError {
    text: String,
    help: String,
}

const WORDS: [(&str, Ahead); 6] = [
    ("now", Ahead::Now),
    ("today", Ahead::Day(0)),
    ("tomorrow", Ahead::Day(1)),
    ("yesterday", Ahead::Day(-1)),
    ("week", Ahead::Week),
    ("month", Ahead::Month),
];

impl Ahead {
    /// Returns the times that `text` names.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Ahead, AheadError> {
        let word = text.trim();
        if let Some((_, ahead)) = WORDS.iter().find(|(known, _)| *known == word) {
            return Ok(*ahead);
        }
        if let Ok(date) = word.parse::<Date>() {
            return Ok(Ahead::On(date));
        }
        match parse_duration(word) {
            Ok(duration) if !duration.is_zero() => Ok(Ahead::Next(duration)),
            _ => {
                let near = nearest(word, WORDS.iter().map(|(known, _)| *known));
                let help = near.map_or_else(
                    || {
                        "use `today`, `tomorrow`, `week`, `month`, a date (`2026-12-24`) or a duration from now (`24h`)"
                            .to_owned()
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                Err(AheadError { text: text.to_owned(), help })
            }
        }
    }

    /// Returns from when until before when that is at `now`.
    #[must_use]
    pub fn span(self, now: Timestamp, calendar: &Calendar) -> (Timestamp, Timestamp) {
        let today = calendar.date_of(now);
        let days = |first: Date, count: i64| {
            let end = first.checked_add(count.days()).unwrap_or(Date::MAX);
            (calendar.local_midnight(first), calendar.local_midnight(end))
        };
        let later = |by: SignedDuration| now.checked_add(by).unwrap_or(Timestamp::MAX);
        match self {
            Ahead::Now => (now, later(SignedDuration::from_nanos(1))),
            // What begins just then belongs to it: it's so long until that.
            Ahead::Next(duration) => {
                let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
                (now, later(duration.saturating_add(SignedDuration::from_nanos(1))))
            }
            Ahead::Day(from_today) => days(today.checked_add(i64::from(from_today).days()).unwrap_or(today), 1),
            Ahead::Week => {
                let passed = i64::from(today.weekday().to_monday_zero_offset());
                days(today.checked_sub(passed.days()).unwrap_or(today), 7)
            }
            Ahead::Month => days(today.first_of_month(), i64::from(today.days_in_month())),
            Ahead::On(date) => days(date, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn span(text: &str) -> (String, String) {
        let calendar = Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() };
        let now = calendar.first_instant("2024-03-30T18:00".parse().unwrap());
        let (from, until) = Ahead::parse(text).unwrap().span(now, &calendar);
        let show = |at: Timestamp| at.to_zoned(calendar.zone.clone()).strftime("%m-%d %H:%M").to_string();
        (show(from), show(until))
    }

    #[test]
    fn days_are_local_ones() {
        for (text, from, until) in [
            ("today", "03-30 00:00", "03-31 00:00"),
            ("tomorrow", "03-31 00:00", "04-01 00:00"),
            ("yesterday", "03-29 00:00", "03-30 00:00"),
            ("week", "03-25 00:00", "04-01 00:00"),
            ("month", "03-01 00:00", "04-01 00:00"),
            ("2024-12-24", "12-24 00:00", "12-25 00:00"),
            // The clock goes forward that night.
            ("24h", "03-30 18:00", "03-31 19:00"),
        ] {
            assert_eq!(span(text), (from.to_owned(), until.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_what_is() {
        assert_eq!(
            Ahead::parse("tommorow").unwrap_err().to_string(),
            "`tommorow` isn't a time that a calendar can be asked about; did you mean `tomorrow`?"
        );
        assert!(Ahead::parse("0s").unwrap_err().to_string().contains("a duration from now (`24h`)"));
    }
}
