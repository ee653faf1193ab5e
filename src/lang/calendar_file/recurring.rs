//! When an event happens again, and when it doesn't: `RRULE`, `RDATE`, `EXDATE`.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};

use super::component::Component;
use super::event::{Dates, length_of};
use super::time::WrittenTime;
use super::zones::Zones;
use crate::lang::diagnostic::findings::Findings;
use crate::model::agenda::{Length, Recurrence};

/// When an event happens again, and when it doesn't.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recurring {
    pub(super) rules: Vec<Recurrence>,
    pub(super) dates: Vec<(DateTime, Option<Length>)>,
    pub(super) excluded: BTreeSet<DateTime>,
    pub(super) excluded_days: BTreeSet<Date>,
    /// Whether all that recurs was over before it began.
    pub(super) is_over: bool,
}

impl Recurring {
    /// Returns what an event says that begins at `start`. Reports lines that can't be read.
    pub(super) fn of(event: &Component, start: &WrittenTime, zones: &Zones, findings: &mut Findings) -> Recurring {
        let mut recurring = Recurring::default();
        let mut dates = Dates { zones, findings };
        for line in event.all("RRULE") {
            let (rule, until) = without_until(&line.raw);
            let until = until.map(|text| WrittenTime::parse(text, None).map(|until| last_of(&until, start)));
            let Some(until) = until.map_or(Some(None), |until| until.map(Some)) else {
                dates.wrong(line, "its `UNTIL` isn't a date or time");
                continue;
            };
            recurring.is_over |= until.is_some_and(|until| until < start.local);
            match Recurrence::parse(&rule, until, start.local) {
                Ok(rule) => recurring.rules.push(rule),
                Err(error) => dates.wrong(line, &error.to_string()),
            }
        }
        for line in event.all("EXDATE") {
            for date in dates.of(line) {
                if date.is_date && !start.is_date {
                    recurring.excluded_days.insert(date.local.date());
                } else {
                    recurring.excluded.insert(local_of(&date, start));
                }
            }
        }
        for line in event.all("RDATE") {
            if line.parameter("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("PERIOD")) {
                recurring.dates.extend(periods(line, start, &mut dates));
            } else {
                recurring.dates.extend(dates.of(line).iter().map(|date| (local_of(date, start), None)));
            }
        }
        recurring
    }
}

/// Returns what the clock of an event shows at a time that is written for it.
pub(super) fn local_of(time: &WrittenTime, start: &WrittenTime) -> DateTime {
    let local = time.local_in(start.zone.as_ref());
    // A date among times means the event's time on that day.
    match (time.is_date, start.is_date) {
        (true, false) | (false, true) => local.date().to_datetime(start.local.time()),
        (true, true) | (false, false) => local,
    }
}

/// Returns the last local time that `UNTIL` allows.
fn last_of(until: &WrittenTime, start: &WrittenTime) -> DateTime {
    // `Z` after the time of an event without a zone, or of one of days, means nothing.
    until.local_in(start.zone.as_ref())
}

/// Returns a rule without its end, and that.
fn without_until(rule: &str) -> (String, Option<&str>) {
    let rule = rule.trim().trim_end_matches(';');
    let is_until = |part: &str| part.get(..6).is_some_and(|key| key.eq_ignore_ascii_case("UNTIL="));
    // Some programs write `COUNT=-1` where there is no end.
    let is_endless = |part: &str| part.get(..7).is_some_and(|key| key.eq_ignore_ascii_case("COUNT=-"));
    let until = rule.split(';').find(|part| is_until(part)).and_then(|part| part.get(6..));
    let rest: Vec<&str> = rule.split(';').filter(|part| !is_until(part) && !is_endless(part)).collect();
    (rest.join(";").to_uppercase(), until)
}

fn periods(line: &super::line::Line, start: &WrittenTime, dates: &mut Dates<'_>) -> Vec<(DateTime, Option<Length>)> {
    let zone = dates.zone(line);
    let mut found = Vec::new();
    for period in line.raw.split(',') {
        let read = period.split_once('/').and_then(|(begin, end)| {
            let begin = dates.zones.meant(WrittenTime::parse(begin, zone.clone())?);
            let length = match WrittenTime::parse(end, zone.clone()) {
                Some(end) => Length::between(begin.local_in(start.zone.as_ref()), end.local_in(start.zone.as_ref())),
                None => length_of(end)?,
            };
            Some((local_of(&begin, start), Some(length)))
        });
        match read {
            Some(read) => found.push(read),
            None => dates.wrong(line, &format!("`{period}` isn't a period")),
        }
    }
    found
}
