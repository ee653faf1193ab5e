//! Durations as users write them: `500ms`, `30s`, `5m`, `1h30m`, `2d` (docs/language/values.md).

use std::fmt::Write as _;
use std::time::Duration;

use jiff::SignedDuration;
use thiserror::Error;

/// Why text isn't a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// `30`: thirty of what?
    #[error("a duration needs a unit: use e.g. `{0}s`, `{0}m` or `{0}h`")]
    NoUnit(String),
    /// `00:03:00`, `3 minutes`.
    #[error("`{text}` isn't a valid duration; use `{suggestion}`")]
    Misspelt {
        /// What was written.
        text: String,
        /// What was meant.
        suggestion: String,
    },
    /// `3w`, `soon`.
    #[error("`{0}` isn't a valid duration; use e.g. `30s`, `5m`, `1h30m` or `2d`")]
    Unreadable(String),
    /// `-5m`, where none may be.
    #[error("a duration can't be negative, but this is `{0}`")]
    Negative(String),
    /// Beyond what a clock can count.
    #[error("`{0}` is too long; the longest duration is 100 years")]
    TooLong(String),
}

impl DurationError {
    /// Returns what was probably meant, if that's known.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        match self {
            DurationError::NoUnit(number) => Some(format!("{number}s")).filter(|_| !number.contains('.')),
            DurationError::Misspelt { suggestion, .. } => Some(suggestion.clone()),
            DurationError::Unreadable(_) | DurationError::Negative(_) | DurationError::TooLong(_) => None,
        }
    }

    /// Returns whether nothing else can be meant: `00:03:00` and `3 minutes` are sure, `30` and `03:00` are guesses.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        matches!(self, DurationError::Misspelt { text, .. } if text.matches(':').count() != 1)
    }
}

/// The units, from the longest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A hundred years, in milliseconds.
const LONGEST: u64 = 100 * 366 * 86_400_000;

/// Returns the duration that `text` stands for.
///
/// # Errors
/// When it isn't one; the error says what to write instead.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    if trimmed.starts_with('-') {
        return Err(DurationError::Negative(trimmed.to_owned()));
    }
    if !trimmed.is_empty() && trimmed.chars().all(|letter| letter.is_ascii_digit() || letter == '.') {
        return Err(DurationError::NoUnit(trimmed.to_owned()));
    }
    if let Some(suggestion) = clock_face(trimmed).or_else(|| in_words(trimmed)) {
        return Err(DurationError::Misspelt { text: trimmed.to_owned(), suggestion });
    }
    let unreadable = || DurationError::Unreadable(trimmed.to_owned());
    let too_long = || DurationError::TooLong(trimmed.to_owned());
    let mut total = 0_u64;
    let mut smallest_before = u64::MAX;
    let mut rest = trimmed;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(unreadable)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let millis = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis).ok_or_else(unreadable)?;
        if number.is_empty() || millis >= smallest_before {
            return Err(unreadable());
        }
        let number: u64 = number.parse().map_err(|_| too_long())?;
        total = number.checked_mul(millis).and_then(|part| total.checked_add(part)).ok_or_else(too_long)?;
        smallest_before = millis;
        rest = after;
    }
    if smallest_before == u64::MAX {
        return Err(unreadable());
    }
    if total > LONGEST {
        return Err(too_long());
    }
    Ok(Duration::from_millis(total))
}

/// Returns the offset that `text` stands for: a duration that may have a sign (`-30m`, `+1h`).
///
/// # Errors
/// When it isn't one; the error says what to write instead.
pub fn parse_offset(text: &str) -> Result<SignedDuration, DurationError> {
    let trimmed = text.trim();
    let (is_negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let duration = parse_duration(digits)?;
    let offset = SignedDuration::try_from(duration).map_err(|_| DurationError::TooLong(trimmed.to_owned()))?;
    Ok(if is_negative { -offset } else { offset })
}

/// Writes an offset with its sign: `-30m`, `+1h`.
#[must_use]
pub fn format_offset(offset: SignedDuration) -> String {
    format!("{}{}", if offset.is_negative() { '-' } else { '+' }, format_duration(offset.unsigned_abs()))
}

/// Writes a duration as users do, leaving out anything below a millisecond.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, millis) in UNITS {
        if rest >= millis {
            // Writing to a String can't fail.
            let _ = write!(text, "{}{name}", rest / millis);
            rest %= millis;
        }
    }
    text
}

/// Returns what `3 minutes`, `5 mins` and `1 hour 30 minutes` mean.
fn in_words(text: &str) -> Option<String> {
    const WORDS: [(&str, &[&str]); 5] = [
        ("d", &["d", "day", "days"]),
        ("h", &["h", "hr", "hrs", "hour", "hours"]),
        ("m", &["m", "min", "mins", "minute", "minutes"]),
        ("s", &["s", "sec", "secs", "second", "seconds"]),
        ("ms", &["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"]),
    ];
    let mut suggestion = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let after = after.trim_start();
        let (word, after) = after.split_at(after.find(|letter: char| !letter.is_alphabetic()).unwrap_or(after.len()));
        let word = word.to_lowercase();
        let (unit, _) = WORDS.iter().find(|(_, words)| words.contains(&word.as_str()))?;
        suggestion.push_str(number);
        suggestion.push_str(unit);
        rest = after.trim_start_matches([' ', ',']);
    }
    (suggestion != text && parse_duration(&suggestion).is_ok()).then_some(suggestion)
}

fn clock_face(text: &str) -> Option<String> {
    let parts: Vec<u64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = match parts.as_slice() {
        [hours, minutes] => [*hours, *minutes, 0],
        [hours, minutes, seconds] => [*hours, *minutes, *seconds],
        _ => return None,
    };
    let seconds = hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?.checked_add(seconds)?;
    Some(format_duration(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_durations_are_read() {
        for (text, millis) in
            [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_duration_gets_a_suggestion() {
        for (text, message) in [
            ("30", "a duration needs a unit: use e.g. `30s`, `30m` or `30h`"),
            ("00:03:00", "`00:03:00` isn't a valid duration; use `3m`"),
            ("3 minutes", "`3 minutes` isn't a valid duration; use `3m`"),
            ("1 hour, 5 mins", "`1 hour, 5 mins` isn't a valid duration; use `1h5m`"),
            ("3 weeks", "`3 weeks` isn't a valid duration; use e.g. `30s`, `5m`, `1h30m` or `2d`"),
            ("30m1h", "`30m1h` isn't a valid duration; use e.g. `30s`, `5m`, `1h30m` or `2d`"),
            ("", "`` isn't a valid duration; use e.g. `30s`, `5m`, `1h30m` or `2d`"),
            ("-5m", "a duration can't be negative, but this is `-5m`"),
            ("99999999999999999999d", "`99999999999999999999d` is too long; the longest duration is 100 years"),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn an_offset_may_have_a_sign() {
        for (text, minutes) in [("-30m", -30), ("30m", 30), ("+1h30m", 90), ("- 30m", -30), ("0s", 0)] {
            assert_eq!(parse_offset(text), Ok(SignedDuration::from_mins(minutes)), "{text}");
        }
        assert_eq!(format_offset(SignedDuration::from_mins(-90)), "-1h30m");
        assert_eq!(format_offset(SignedDuration::from_mins(5)), "+5m");
    }

    #[test]
    fn an_offset_needs_a_unit_and_one_sign() {
        for text in ["-30", "--30m", "-", ""] {
            assert!(parse_offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["500ms", "30s", "5m", "1h30m", "2d", "0s", "1d2h3m4s5ms"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
