//! A set of weekdays: `mon-fri`, `[sat, sun]`.

use std::fmt;

use jiff::civil::Weekday;
use thiserror::Error;

/// The days' names, from Monday.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A set of weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

/// Why a text is no weekday or range of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` isn't a valid weekday; {help}", help = suggestion(.0))]
pub struct WeekdaysError(pub String);

impl Weekdays {
    /// All seven.
    pub const ALL: Weekdays = Weekdays(0b111_1111);

    /// Returns the weekday or the range that `text` names; a range may pass Sunday (`sat-mon`).
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Weekdays, WeekdaysError> {
        let error = || WeekdaysError(text.to_owned());
        let day = |word: &str| NAMES.iter().position(|name| *name == word.trim()).ok_or_else(error);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + NAMES.len() - first) % NAMES.len();
        Ok(Weekdays((0..=length).fold(0, |days, step| days | 1 << ((first + step) % NAMES.len()))))
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
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

/// Returns what to write instead: the days that were meant, where each part begins like one.
fn suggestion(text: &str) -> String {
    let lower = text.to_lowercase();
    let meant = |part: &str| NAMES.into_iter().find(|name| part.trim().starts_with(name));
    let parts: Option<Vec<&str>> = lower.split('-').map(meant).collect();
    match parts.filter(|parts| parts.len() <= 2) {
        Some(parts) => format!("did you mean `{}`?", parts.join("-")),
        None => "use `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range (`mon-fri`)".to_owned(),
    }
}

impl Default for Weekdays {
    fn default() -> Weekdays {
        Weekdays::ALL
    }
}

impl fmt::Display for Weekdays {
    /// Writes the days with commas between them: `mon, wed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            NAMES.iter().enumerate().filter(|(day, _)| self.0 & 1 << day != 0).map(|(_, name)| *name).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekday_or_a_range_is_read() {
        for (text, days) in [
            ("mon", "mon"),
            ("mon-fri", "mon, tue, wed, thu, fri"),
            ("sat-mon", "mon, sat, sun"),
            ("sun-sun", "sun"),
            ("tue - wed", "tue, wed"),
            ("wed-tue", "mon, tue, wed, thu, fri, sat, sun"),
        ] {
            assert_eq!(Weekdays::parse(text).unwrap().to_string(), days, "{text}");
        }
    }

    #[test]
    fn what_names_no_weekday_is_refused() {
        for text in ["", "monday", "Mon", "mon-", "-fri", "mon-fri-sun", "mon,tue", "1-5"] {
            assert_eq!(Weekdays::parse(text), Err(WeekdaysError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_set_contains_its_days() {
        let days = Weekdays::parse("mon").unwrap().union(Weekdays::parse("sun").unwrap());
        assert!(days.contains(Weekday::Monday) && days.contains(Weekday::Sunday) && !days.contains(Weekday::Saturday));
    }
}
