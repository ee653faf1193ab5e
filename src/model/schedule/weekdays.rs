//! A set of weekdays: `mon-fri`, `[sat, sun]`, `1st fri`.

use std::fmt;

use jiff::civil::Date;
use thiserror::Error;

/// The days' names, from Monday.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What stands before a weekday that counts once a month, with its row in the set.
const ORDINALS: [(&str, u32); 6] = [("1st", 1), ("2nd", 2), ("3rd", 3), ("4th", 4), ("5th", 5), ("last", 6)];

/// A set of weekdays: each week (`mon`), or once a month (`1st fri`, `last thu`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u64);

/// Why a text is no weekday or range of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` isn't a valid weekday; {help}", help = suggestion(.0))]
pub struct WeekdaysError(pub String);

impl Weekdays {
    /// All seven.
    pub const ALL: Weekdays = Weekdays(0b111_1111);

    /// In so many days, each day of any set has come.
    pub const LONGEST: usize = 100;

    /// Returns the weekday or the range that `text` names; a range may pass Sunday (`sat-mon`). With `1st` to `5th` or `last`
    /// before it, it's that of the month.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Weekdays, WeekdaysError> {
        let error = || WeekdaysError(text.to_owned());
        let ordinal = |word: &str| ORDINALS.iter().find(|(known, _)| *known == word).map(|(_, row)| *row);
        let (row, days) = match text.trim_start().split_once(' ') {
            Some((word, rest)) if ordinal(word).is_some() => (ordinal(word).unwrap_or_default(), rest),
            _ => (0, text),
        };
        let day = |word: &str| NAMES.iter().position(|name| *name == word.trim()).ok_or_else(error);
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + NAMES.len() - first) % NAMES.len();
        let week = (0..=length).fold(0, |days, step| days | 1 << ((first + step) % NAMES.len()));
        Ok(Weekdays(week << (7 * row)))
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

    /// Returns whether `date` is one of them.
    #[must_use]
    pub fn contains(self, date: Date) -> bool {
        let day = date.weekday().to_monday_zero_offset();
        let has = |row: i8| self.0 >> (7 * row + day) & 1 != 0;
        has(0) || has((date.day() - 1) / 7 + 1) || (date.day() + 7 > date.days_in_month() && has(6))
    }

    /// Returns in how many days each of them has come.
    #[must_use]
    pub fn cycle(self) -> usize {
        if self.0 > Weekdays::ALL.0 { Weekdays::LONGEST } else { NAMES.len() + 1 }
    }
}

/// Returns what to write instead: the days that were meant, where each part begins like one.
fn suggestion(text: &str) -> String {
    let lower = text.to_lowercase();
    if let Some((word, day)) = lower.trim().split_once(' ') {
        let words =
            [("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"), ("1", "1st")];
        let known = ORDINALS.iter().map(|(known, _)| (*known, *known));
        let near = words.into_iter().chain(known).find(|(meant, _)| *meant == word).map(|(_, ordinal)| ordinal);
        let day = NAMES.into_iter().find(|name| day.trim().starts_with(name));
        if let (Some(ordinal), Some(day)) = (near, day) {
            return format!("did you mean `{ordinal} {day}`?");
        }
    }
    let meant = |part: &str| NAMES.into_iter().find(|name| part.trim().starts_with(name));
    let parts: Option<Vec<&str>> = lower.split('-').map(meant).collect();
    match parts.filter(|parts| parts.len() <= 2) {
        Some(parts) => format!("did you mean `{}`?", parts.join("-")),
        None => {
            "use `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, a range (`mon-fri`), or one of the month (`1st fri`)"
                .to_owned()
        }
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
        let rows = std::iter::once(("", 0)).chain(ORDINALS);
        let names: Vec<String> = rows
            .flat_map(|(ordinal, row)| (0_u32..).zip(NAMES).map(move |(day, name)| (ordinal, 7 * row + day, name)))
            .filter(|(_, bit, _)| self.0 >> bit & 1 != 0)
            .map(|(ordinal, _, name)| format!("{ordinal} {name}").trim_start().to_owned())
            .collect();
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
        // 3 June 2024 is a Monday.
        let contains = |day: i8| days.contains(jiff::civil::date(2024, 6, day));
        assert!(contains(3) && contains(9) && !contains(8));
    }

    #[test]
    fn a_day_of_the_month_is_counted_from_its_first_or_its_last() {
        let of_month = |text: &str, year: i16, month: i8| -> Vec<i8> {
            let days = Weekdays::parse(text).unwrap();
            let first = jiff::civil::date(year, month, 1);
            (1..=first.days_in_month()).filter(|day| days.contains(jiff::civil::date(year, month, *day))).collect()
        };
        assert_eq!(of_month("1st fri", 2022, 9), [2]);
        assert_eq!(of_month("3rd fri", 2022, 9), [16]);
        assert_eq!(of_month("5th fri", 2022, 9), [30]);
        assert_eq!(of_month("5th fri", 2022, 10), [0_i8; 0]);
        assert_eq!(of_month("last thu", 2022, 9), [29]);
        assert_eq!(of_month("last tue", 2022, 2), [22]);
        assert_eq!(of_month("1st mon-tue", 2024, 4), [1, 2]);
        assert_eq!(
            Weekdays::parse("last thu").unwrap().union(Weekdays::parse("mon").unwrap()).to_string(),
            "mon, last thu"
        );
        for text in ["6th fri", "first fri", "1st", "last", "fri 1st"] {
            assert!(Weekdays::parse(text).is_err(), "{text}");
        }
    }
}
