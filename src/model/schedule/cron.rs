//! Cron patterns of five or six fields (six: seconds first).
//!
//! croner reads them and says which days they mean (`L`, `15W`, `mon#2` too). At clock changes a pattern keeps
//! our rule: a fixed time, whose minute and hour have neither `*` nor `/`, follows docs/language/time.md; any other is due at
//! each instant whose local time it matches.

use std::sync::Arc;

use croner::CronDateTime;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

use super::Calendar;

/// A cron pattern. At clock changes a fixed time follows docs/language/time.md, and a step carries on through them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    text: String,
    pattern: Arc<croner::Cron>,
    is_fixed: bool,
}

/// Why a text is no cron pattern, or one that is never due.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct CronError(pub String);

/// A field of a pattern.
struct Field {
    /// What it counts.
    noun: &'static str,
    /// What may stand in it.
    range: &'static str,
    /// The names that may stand for numbers.
    names: &'static [&'static str],
    /// The other letters, in lower case, and signs that may stand in it.
    signs: &'static str,
}

const FIELDS: [Field; 6] = [
    Field { noun: "second", range: "`0` to `59`", names: &[], signs: "" },
    Field { noun: "minute", range: "`0` to `59`", names: &[], signs: "" },
    Field { noun: "hour", range: "`0` to `23`", names: &[], signs: "" },
    Field {
        noun: "day of month",
        range: "`1` to `31`, `L` (the last one) or `15W` (the weekday next to it)",
        names: &[],
        signs: "lw?",
    },
    Field { noun: "month", range: "`1` to `12` or `jan` to `dec`", names: &MONTHS, signs: "" },
    Field {
        noun: "weekday",
        range: "`0` to `7` (0 and 7: Sunday), `sun` to `sat`, `mon#2` (the second) or `fri#L` (the last)",
        names: &WEEKDAYS,
        signs: "l#?",
    },
];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The patterns that some programs have a name for.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * sun"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Cron {
    /// Returns `text` as a cron pattern.
    ///
    /// # Errors
    /// When it doesn't parse, or names a day that never is (31 February).
    pub fn parse(text: &str) -> Result<Cron, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if let Some((name, pattern)) = NICKNAMES.iter().find(|(name, _)| *name == text.trim()) {
            return Err(CronError(format!("`{name}` isn't supported; write `{pattern}`")));
        }
        if fields.len() != 5 && fields.len() != 6 {
            return Err(CronError(format!(
                "a cron pattern has five fields (minute, hour, day of month, month, weekday), or six with the second first, but `{}` has {}",
                text.trim(),
                fields.len(),
            )));
        }
        let kinds = FIELDS.iter().skip(FIELDS.len() - fields.len());
        let mut fields_of_kinds = fields.iter().zip(kinds);
        if let Some((field, kind)) = fields_of_kinds.clone().find(|(field, kind)| !kind.may_hold(field)) {
            return Err(kind.error(field));
        }
        let pattern =
            parser().parse(text).map_err(|error| match fields_of_kinds.find(|(field, kind)| !kind.reads(field)) {
                Some((field, kind)) => kind.error(field),
                None => CronError(format!("`{}` isn't a valid cron pattern: {error}", text.trim())),
            })?;
        if !is_ever_due(&pattern) {
            return Err(CronError(format!("`{}` is never due, because no year has such a day", text.trim())));
        }
        let mut times = fields.iter().rev().skip(3).take(2);
        let is_fixed = times.all(|field| !field.contains(['*', '/']));
        Ok(Cron { text: text.to_owned(), pattern: Arc::new(pattern), is_fixed })
    }

    /// Returns the pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether it is due at fixed times: neither its minute nor its hour has a `*` or a step.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// Returns the first due time strictly after `after`.
    #[must_use]
    pub fn next(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        if self.is_fixed { self.next_fixed(after, calendar) } else { self.next_running(after, calendar) }
    }

    /// A time that a clock change skips is due after it, and one that it repeats is due once (docs/language/time.md).
    fn next_fixed(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let mut local = calendar.local(after);
        loop {
            local = self.next_local(local, false)?;
            let due = calendar.first_instant(local);
            if due > after {
                return Some(due);
            }
        }
    }

    /// Finds the first instant whose local time matches. Between two clock changes local time runs evenly.
    fn next_running(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let mut start = next_second(after)?;
        let mut changes = calendar.zone.following(start);
        loop {
            let offset = calendar.zone.to_offset(start);
            let local = self.next_local(offset.to_datetime(start), true)?;
            let due = offset.to_timestamp(local).ok()?;
            match changes.next() {
                Some(change) if change.timestamp() <= due => start = change.timestamp(),
                _ => return Some(due),
            }
        }
    }

    /// Returns the next local time that matches, as if no clock ever changed.
    fn next_local(&self, local: DateTime, inclusive: bool) -> Option<DateTime> {
        self.pattern.find_next_occurrence(&local, inclusive).ok()
    }
}

impl Field {
    /// Returns whether a field of this kind may hold such words at all: croner takes `mon` as a month.
    fn may_hold(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let mut words = lower.split([',', '-', '/', '#']);
        let is_known = words.all(|word| {
            let word = self.names.iter().find_map(|name| word.strip_prefix(name)).unwrap_or(word);
            word.chars().all(|sign| sign.is_ascii_digit() || sign == '*' || self.signs.contains(sign))
        });
        is_known && !lower.split(',').any(str::is_empty)
    }

    /// Returns whether croner reads `text` in this field.
    fn reads(&self, text: &str) -> bool {
        let fields: Vec<&str> = FIELDS.iter().map(|kind| if kind.noun == self.noun { text } else { "*" }).collect();
        parser().parse(&fields.join(" ")).is_ok()
    }

    fn error(&self, text: &str) -> CronError {
        CronError(format!(
            "`{text}` isn't a valid {} in a cron pattern; use {}, `*`, a list (`1,2`), a range (`1-5`) or a step (`*/2`)",
            self.noun, self.range,
        ))
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build()
}

/// Returns whether any day matches. Any 28 years in a row have all kinds of year: each first weekday, leap or not.
fn is_ever_due(cron: &croner::Cron) -> bool {
    let months = cron.pattern.months.values();
    let firsts = (2000..2028)
        .flat_map(|year| months.iter().filter_map(move |month| Date::new(year, i8::try_from(*month).ok()?, 1).ok()));
    let mut days = firsts.flat_map(|first| first.series(1.day()).take_while(move |day| day.month() == first.month()));
    days.any(|day| {
        let civil = day.to_datetime(Time::midnight());
        let (date, weekday) = (civil.to_civil(), civil.civil_weekday());
        cron.pattern.day_match(date.year(), date.month(), date.day(), weekday).unwrap_or(false)
    })
}

/// Returns the first whole second strictly after `instant`.
fn next_second(instant: Timestamp) -> Option<Timestamp> {
    let step = i64::from(instant.subsec_nanosecond() >= 0);
    Timestamp::from_second(instant.as_second().checked_add(step)?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    /// Returns the first `count` due times after the local time `after`, as that zone's clock shows them.
    fn due(pattern: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let calendar = Calendar { zone: TimeZone::get(zone).unwrap(), ..Calendar::default() };
        let cron = Cron::parse(pattern).unwrap();
        let mut now = calendar.first_instant(after.parse().unwrap());
        std::iter::from_fn(|| {
            now = cron.next(now, &calendar)?;
            Some(now.to_zoned(calendar.zone.clone()).strftime("%m-%d %H:%M%:::z").to_string())
        })
        .take(count)
        .collect()
    }

    #[test]
    fn a_fixed_time_in_a_gap_is_due_once_after_it() {
        for (zone, pattern, after, expected) in [
            ("Europe/Berlin", "30 2 * * *", "2024-03-30T12:00", ["03-31 03:00+02", "04-01 02:30+02"]),
            ("Europe/Berlin", "15,30,45 2 * * *", "2024-03-30T12:00", ["03-31 03:00+02", "04-01 02:15+02"]),
            ("America/New_York", "30 2 * * *", "2024-03-09T12:00", ["03-10 03:00-04", "03-11 02:30-04"]),
            ("Australia/Lord_Howe", "15 2 * * *", "2024-10-05T12:00", ["10-06 02:30+11", "10-07 02:15+11"]),
            ("Asia/Beirut", "0 0 * * *", "2022-03-26T12:00", ["03-27 01:00+03", "03-28 00:00+03"]),
            ("America/Sao_Paulo", "0 0 15 10 *", "2017-10-01T00:00", ["10-15 01:00-02", "10-15 00:00-03"]),
        ] {
            assert_eq!(due(pattern, zone, after, 2), expected, "{zone} {pattern}");
        }
    }

    #[test]
    fn a_fixed_time_in_an_overlap_is_due_the_first_time_only() {
        for (zone, pattern, after, expected) in [
            ("Europe/Berlin", "30 2 * * *", "2024-10-26T12:00", ["10-27 02:30+02", "10-28 02:30+01"]),
            ("America/New_York", "30 1 * * *", "2024-11-02T12:00", ["11-03 01:30-04", "11-04 01:30-05"]),
            ("Australia/Lord_Howe", "45 1 * * *", "2024-04-06T12:00", ["04-07 01:45+11", "04-08 01:45+10:30"]),
        ] {
            assert_eq!(due(pattern, zone, after, 2), expected, "{zone} {pattern}");
        }
    }

    #[test]
    fn a_step_runs_through_both_clock_changes() {
        assert_eq!(
            due("*/30 * * * *", "Europe/Berlin", "2024-03-31T01:00", 3),
            ["03-31 01:30+01", "03-31 03:00+02", "03-31 03:30+02"]
        );
        assert_eq!(
            due("*/30 * * * *", "Europe/Berlin", "2024-10-27T01:30", 5),
            ["10-27 02:00+02", "10-27 02:30+02", "10-27 02:00+01", "10-27 02:30+01", "10-27 03:00+01"]
        );
        assert_eq!(
            due("*/20 * * * *", "Australia/Lord_Howe", "2024-04-07T01:30", 4),
            ["04-07 01:40+11", "04-07 01:40+10:30", "04-07 02:00+10:30", "04-07 02:20+10:30"]
        );
        assert_eq!(
            due("0-30/30 2 * * *", "Europe/Berlin", "2024-10-27T01:30", 4),
            ["10-27 02:00+02", "10-27 02:30+02", "10-27 02:00+01", "10-27 02:30+01"]
        );
        assert_eq!(
            due("*/20 2 * * *", "Europe/Berlin", "2024-03-30T12:00", 2),
            ["04-01 02:00+02", "04-01 02:20+02"],
            "the hour that the pattern names is not there on the day of the gap"
        );
    }

    #[test]
    fn day_of_month_and_weekday_together_mean_either() {
        assert_eq!(
            due("0 8 13 * fri", "UTC", "2024-09-01T00:00", 4),
            ["09-06 08:00+00", "09-13 08:00+00", "09-20 08:00+00", "09-27 08:00+00"]
        );
        assert_eq!(due("0 8 1 * mon", "UTC", "2024-09-28T00:00", 2), ["09-30 08:00+00", "10-01 08:00+00"]);
    }

    #[test]
    fn six_fields_begin_with_the_second() {
        assert_eq!(
            Cron::parse("15 30 7 * * *").unwrap().next("2024-01-01T00:00:00Z".parse().unwrap(), &Calendar::default()),
            Some("2024-01-01T07:30:15Z".parse().unwrap())
        );
    }

    #[test]
    fn a_leap_day_comes_each_four_years_and_not_in_2100() {
        let (cron, calendar) = (Cron::parse("0 12 29 2 *").unwrap(), Calendar::default());
        for (after, expected) in
            [("2024-02-29T12:00:00Z", "2028-02-29T12:00:00Z"), ("2096-02-29T12:00:00Z", "2104-02-29T12:00:00Z")]
        {
            assert_eq!(cron.next(after.parse().unwrap(), &calendar), Some(expected.parse().unwrap()));
        }
    }

    #[test]
    fn a_due_time_is_strictly_later_to_the_nanosecond() {
        let (cron, calendar) = (Cron::parse("* * * * *").unwrap(), Calendar::default());
        for (after, expected) in [
            ("2024-01-01T00:00:59.999999999Z", "2024-01-01T00:01:00Z"),
            ("2024-01-01T00:01:00Z", "2024-01-01T00:02:00Z"),
            ("2024-01-01T00:01:00.000000001Z", "2024-01-01T00:02:00Z"),
            ("1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(cron.next(after.parse().unwrap(), &calendar), Some(expected.parse().unwrap()), "{after}");
        }
    }

    #[test]
    fn what_is_never_due_is_refused() {
        for pattern in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31W 4 *", "0 0 0 31 2 ?"] {
            let message = Cron::parse(pattern).unwrap_err().to_string();
            assert_eq!(message, format!("`{pattern}` is never due, because no year has such a day"));
        }
        for pattern in [
            "0 0 29 2 *",
            "0 0 31 2 mon",
            "0 0 * 2 mon#5",
            "0 0 L 2 *",
            "0 0 31 1,2 *",
            "0 0 ? * fri#L",
            "0 0 lw * *",
            "0 0 1W JAN-mar ?",
        ] {
            assert!(Cron::parse(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn a_wrong_pattern_is_told_which_field_is_wrong() {
        for (pattern, message) in [
            (
                "",
                "a cron pattern has five fields (minute, hour, day of month, month, weekday), or six with the second first, but `` has 0",
            ),
            (
                "0 8 * *",
                "a cron pattern has five fields (minute, hour, day of month, month, weekday), or six with the second first, but `0 8 * *` has 4",
            ),
            ("@daily", "`@daily` isn't supported; write `0 0 * * *`"),
            (
                "60 8 * * *",
                "`60` isn't a valid minute in a cron pattern; use `0` to `59`, `*`, a list (`1,2`), a range (`1-5`) or a step (`*/2`)",
            ),
            (
                "0 8 * mon *",
                "`mon` isn't a valid month in a cron pattern; use `1` to `12` or `jan` to `dec`, `*`, a list (`1,2`), a range (`1-5`) or a step (`*/2`)",
            ),
        ] {
            assert_eq!(Cron::parse(pattern).unwrap_err().to_string(), message);
        }
        for pattern in [
            "0 24 * * *",
            "0 8 0 * *",
            "0 8 32 * *",
            "0 8 * 13 *",
            "0 8 * * 8",
            "0 8 * * fri-mon",
            "0 8 * * monday",
            "0 8 * * mon,",
            ", 8 * * *",
            "0/5 8 * * *",
            "*/0 8 * * *",
            "0 8 * * +fri",
            "0 8 * * mon#6",
            "1-60 * * * *",
            "x * * * *",
            "0 8 ü * *",
            "-1 * * * *",
            "60 0 0 * * *",
        ] {
            assert!(Cron::parse(pattern).is_err(), "{pattern}");
        }
    }
}
