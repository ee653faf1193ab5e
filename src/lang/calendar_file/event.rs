//! An event as its file says it: `VEVENT` (RFC 5545, 3.6.1).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

use super::component::Component;
use super::line::Line;
use super::recurring::Recurring;
use super::time::WrittenTime;
use super::zones::{UnknownZone, Zones};
use crate::lang::Code;
use crate::lang::diagnostic::findings::Findings;
use crate::model::agenda::{Event, Length};

/// An event as its file says it.
#[derive(Debug, Clone)]
pub(super) struct Read {
    /// What tells it from others; empty: nothing.
    pub(super) uid: String,
    /// The higher one of two with one `uid` counts.
    pub(super) sequence: i64,
    /// Of which occurrence it says something else, and whether of all that follow too.
    pub(super) instead_of: Option<(WrittenTime, bool)>,
    /// Whether it doesn't take place.
    pub(super) is_cancelled: bool,
    pub(super) event: Event,
    pub(super) start: WrittenTime,
    pub(super) length: Length,
    pub(super) recurring: Recurring,
}

/// Reads times of lines, and reports those that can't be read.
pub(super) struct Dates<'a> {
    pub(super) zones: &'a Zones,
    pub(super) findings: &'a mut Findings,
}

impl Read {
    /// Returns what a component says; `None` where it doesn't say when, which is reported.
    pub(super) fn of(event: &Component, zones: &Zones, findings: &mut Findings) -> Option<Read> {
        let mut dates = Dates { zones, findings };
        let Some(line) = event.line("DTSTART") else {
            let message = "this event doesn't say when it begins (`DTSTART`)";
            dates.findings.error(Code::BAD_CALENDAR, event.span.clone(), message);
            return None;
        };
        let start = dates.one(line)?;
        let length = length(event, &start, &mut dates)?;
        let instead_of = match event.line("RECURRENCE-ID") {
            Some(line) => {
                let follow = line.parameter("RANGE").is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
                Some((dates.one(line)?, follow))
            }
            None => None,
        };
        let text = |name: &str| event.text(name).trim().to_owned().into();
        let said = Event {
            summary: text("SUMMARY"),
            location: text("LOCATION"),
            description: text("DESCRIPTION"),
            is_all_day: start.is_date,
        };
        Some(Read {
            uid: event.text("UID").to_owned(),
            sequence: event.text("SEQUENCE").trim().parse().unwrap_or(0),
            instead_of,
            is_cancelled: event.text("STATUS").trim().eq_ignore_ascii_case("CANCELLED"),
            recurring: Recurring::of(event, &start, zones, findings),
            event: said,
            start,
            length,
        })
    }
}

impl Dates<'_> {
    /// Returns the one time of a line.
    fn one(&mut self, line: &Line) -> Option<WrittenTime> {
        let zone = self.zone(line);
        let time = WrittenTime::parse(&line.raw, zone).map(|time| self.zones.meant(time));
        if time.is_none() {
            self.wrong(line, &format!("`{}` isn't a date or time", line.raw));
        }
        time
    }

    /// Returns all times of a line.
    pub(super) fn of(&mut self, line: &Line) -> Vec<WrittenTime> {
        let zone = self.zone(line);
        let mut times = Vec::new();
        for text in line.raw.split(',').filter(|text| !text.trim().is_empty()) {
            match WrittenTime::parse(text, zone.clone()) {
                Some(time) => times.push(self.zones.meant(time)),
                None => self.wrong(line, &format!("`{text}` isn't a date or time")),
            }
        }
        times
    }

    /// Returns the zone of a line; one that nobody knows is told, and the home's.
    pub(super) fn zone(&mut self, line: &Line) -> Option<TimeZone> {
        match self.zones.of_line(line) {
            Ok(zone) => zone,
            Err(UnknownZone(name)) => {
                let message = format!("the time zone `{name}` isn't known: its times count as local ones");
                self.findings.warning(Code::BAD_CALENDAR, line.span.clone(), message);
                None
            }
        }
    }

    pub(super) fn wrong(&mut self, line: &Line, why: &str) {
        let message = format!("`{}` can't be read: {why}", line.name);
        self.findings.error(Code::BAD_CALENDAR, line.span.clone(), message);
    }
}

/// Returns how long an event lasts: as `DTEND` or `DURATION` says; a day of its own, and else no time at all.
fn length(event: &Component, start: &WrittenTime, dates: &mut Dates<'_>) -> Option<Length> {
    let a_day = Length::days(1);
    if let Some(line) = event.line("DTEND") {
        let end = dates.one(line)?;
        let length = match (&start.zone, &end.zone) {
            // Each by its own clock: an arrival elsewhere.
            (Some(from), Some(to)) if from != to => {
                let (begin, over) = (from.to_timestamp(start.local).ok()?, to.to_timestamp(end.local).ok()?);
                let exact = over.duration_since(begin).max(SignedDuration::ZERO);
                Length { wall: SignedDuration::ZERO, exact }
            }
            _ => Length::between(start.local, end.local),
        };
        return Some(if start.is_date && length == Length::default() { a_day } else { length });
    }
    if let Some(line) = event.line("DURATION") {
        let length = length_of(&line.raw);
        if length.is_none() {
            dates.wrong(line, &format!("`{}` isn't a duration", line.raw));
        }
        return length.map(|length| if start.is_date && length == Length::default() { a_day } else { length });
    }
    Some(if start.is_date { a_day } else { Length::default() })
}

/// Returns the length that a duration is, `P1DT2H`: days by the clock on the wall, and then hours.
pub(super) fn length_of(text: &str) -> Option<Length> {
    let span: Span = text.trim().parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 || span.is_negative() {
        return None;
    }
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let hours = SignedDuration::from_hours(i64::from(span.get_hours()));
    let exact = hours + SignedDuration::from_mins(span.get_minutes()) + SignedDuration::from_secs(span.get_seconds());
    Some(Length { wall: Length::days(days).wall, exact })
}

impl Read {
    /// Returns the local time of its clock at which it begins.
    pub(super) fn local(&self) -> DateTime {
        self.start.local
    }
}
