//! An end of a part of the day: `22:00`, `sunset`, `sunrise + 1h`.

use std::fmt;

use jiff::SignedDuration;
use thiserror::Error;

use super::{SunEvent, TimeOfDay, TimeOfDayError};
use crate::model::{DurationError, format_offset, parse_offset};

/// An end of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Boundary {
    /// A local time of day.
    Time(TimeOfDay),
    /// An event of the sun, moved by an offset (negative: earlier).
    Sun(SunEvent, SignedDuration),
}

/// Why a text is neither a time of day nor a time of the sun.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BoundaryError {
    /// `7:30 pm`.
    #[error(transparent)]
    Time(#[from] TimeOfDayError),
    /// `sunset-30`.
    #[error("the offset in `{text}` isn't valid: {error}")]
    Offset {
        /// What was written.
        text: String,
        /// What is wrong with the offset.
        error: DurationError,
    },
    /// `sunset-2d`.
    #[error("the offset in `{0}` is longer than a day")]
    TooFar(String),
    /// `sunste`.
    #[error("`{text}` isn't a valid time; {}", suggest(*near))]
    Unknown {
        /// What was written.
        text: String,
        /// The word that was probably meant.
        near: Option<&'static str>,
    },
}

impl Boundary {
    /// Returns `text` as a time of day, or an event of the sun with an offset, where it has one.
    ///
    /// # Errors
    /// When it is neither; the error says what to write instead.
    pub fn parse(text: &str) -> Result<Boundary, BoundaryError> {
        let trimmed = text.trim();
        if trimmed.starts_with(|letter: char| letter.is_ascii_digit()) {
            return Ok(Boundary::Time(TimeOfDay::parse(trimmed)?));
        }
        let end = trimmed.find(|letter: char| !letter.is_alphabetic()).unwrap_or(trimmed.len());
        let (word, offset) = trimmed.split_at(end);
        let offset = offset.trim_start();
        let Some(event) = SunEvent::parse(word).filter(|_| offset.is_empty() || offset.starts_with(['+', '-'])) else {
            return Err(BoundaryError::Unknown { text: trimmed.to_owned(), near: near(word) });
        };
        if offset.is_empty() {
            return Ok(Boundary::Sun(event, SignedDuration::ZERO));
        }
        let offset = parse_offset(offset).map_err(|error| BoundaryError::Offset { text: trimmed.to_owned(), error })?;
        if offset.abs() > SignedDuration::from_hours(24) {
            return Err(BoundaryError::TooFar(trimmed.to_owned()));
        }
        Ok(Boundary::Sun(event, offset))
    }

    /// Returns whether it needs the home's location.
    #[must_use]
    pub fn needs_location(self) -> bool {
        matches!(self, Boundary::Sun(..))
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Boundary::Time(time) => time.fmt(f),
            Boundary::Sun(event, offset) if offset.is_zero() => event.fmt(f),
            Boundary::Sun(event, offset) => write!(f, "{event}{}", format_offset(*offset)),
        }
    }
}

fn near(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    SunEvent::ALL.iter().map(|(name, _)| *name).find(|name| strsim::damerau_levenshtein(name, &lower) <= 2)
}

fn suggest(near: Option<&'static str>) -> String {
    match near {
        Some(word) => format!("did you mean `{word}`, or with an offset `{word}-30m`?"),
        None => "use e.g. `07:30`, `sunset` or `sunset-30m`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_events_of_the_sun_are_read() {
        for (text, written) in [
            ("07:30", "07:30"),
            ("sunset", "sunset"),
            ("sunset-30m", "sunset-30m"),
            ("sunrise + 1h30m", "sunrise+1h30m"),
            (" dawn +5m ", "dawn+5m"),
            ("noon-0s", "noon"),
        ] {
            assert_eq!(Boundary::parse(text).unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_told_what_to_write() {
        for (text, message) in [
            ("7:30", "`7:30` isn't a valid time of day; use e.g. `07:30` or `07:30:15`"),
            ("sunste", "`sunste` isn't a valid time; did you mean `sunset`, or with an offset `sunset-30m`?"),
            ("Sunset", "`Sunset` isn't a valid time; did you mean `sunset`, or with an offset `sunset-30m`?"),
            ("sunset 30m", "`sunset 30m` isn't a valid time; did you mean `sunset`, or with an offset `sunset-30m`?"),
            ("evening", "`evening` isn't a valid time; use e.g. `07:30`, `sunset` or `sunset-30m`"),
            ("", "`` isn't a valid time; use e.g. `07:30`, `sunset` or `sunset-30m`"),
            (
                "sunset-30",
                "the offset in `sunset-30` isn't valid: a duration needs a unit: use e.g. `30s`, `30m` or `30h`",
            ),
            ("sunset+2d", "the offset in `sunset+2d` is longer than a day"),
        ] {
            assert_eq!(Boundary::parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
