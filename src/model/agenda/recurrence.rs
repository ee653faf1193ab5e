//! A recurrence rule (RFC 5545, 3.3.10): the local times at which something happens again.
//!
//! The library is given local times as if they were UTC, so that clock changes are none of its business: all zones are ours.

use chrono::DateTime as Instant;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rrule::{Frequency, RRule, RRuleSet, Tz, Unvalidated};
use thiserror::Error;

/// How many times of one rule are looked at, at most.
const MOST: usize = 100_000;

/// A recurrence rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    rule: RRule<Unvalidated>,
    /// The last local time at which it may happen.
    until: Option<DateTime>,
}

/// A text isn't a recurrence rule that something can follow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RecurrenceError(String);

impl Recurrence {
    /// Returns the rule that `text` is, of an event that begins at `start`. Its `UNTIL` must have been taken out.
    ///
    /// # Errors
    /// When it isn't one, or one that the event can't have.
    pub fn parse(text: &str, until: Option<DateTime>, start: DateTime) -> Result<Recurrence, RecurrenceError> {
        let error = |error: rrule::RRuleError| RecurrenceError(error.to_string());
        let rule: RRule<Unvalidated> = text.parse().map_err(error)?;
        if rule.get_interval() == 0 {
            return Err(RecurrenceError("`INTERVAL` must be at least 1".to_owned()));
        }
        let start = to_library(start).ok_or_else(|| RecurrenceError("it begins beyond the years that count".into()))?;
        rule.clone().validate(start).map_err(error)?;
        Ok(Recurrence { rule, until })
    }

    /// Returns the local times of an event that begins at `start`, in order, from about `from` on.
    pub(super) fn times(&self, start: DateTime, from: DateTime) -> impl Iterator<Item = DateTime> + use<> {
        let until = self.until;
        let begin = self.later_start(start, from);
        let rule = to_library(begin).and_then(|begin| Some((begin, self.rule.clone().validate(begin).ok()?)));
        let times = rule.map(|(begin, rule)| RRuleSet::new(begin).rrule(rule).limit().into_iter());
        times
            .into_iter()
            .flatten()
            .take(MOST)
            .map_while(|at| from_library(&at))
            .take_while(move |at| until.is_none_or(|until| *at <= until))
    }

    /// Returns a later time at which the rule may begin just as well: so that the years before cost nothing.
    fn later_start(&self, start: DateTime, from: DateTime) -> DateTime {
        let unit = match self.rule.get_freq() {
            Frequency::Weekly => 7 * 86_400,
            Frequency::Daily => 86_400,
            Frequency::Hourly => 3600,
            Frequency::Minutely => 60,
            Frequency::Secondly => 1,
            Frequency::Yearly | Frequency::Monthly => return start,
        };
        if self.rule.get_count().is_some() {
            return start;
        }
        let step = unit * i64::from(self.rule.get_interval());
        let passed = from.duration_since(start).as_secs();
        let steps = passed.div_euclid(step);
        if steps <= 0 {
            return start;
        }
        start.checked_add(SignedDuration::from_secs(steps * step)).unwrap_or(start)
    }
}

fn to_library(local: DateTime) -> Option<Instant<Tz>> {
    let seconds = TimeZone::UTC.to_timestamp(local).ok()?.as_second();
    Some(Instant::from_timestamp(seconds, 0)?.with_timezone(&Tz::UTC))
}

fn from_library(instant: &Instant<Tz>) -> Option<DateTime> {
    let at = jiff::Timestamp::from_second(instant.timestamp()).ok()?;
    Some(TimeZone::UTC.to_datetime(at))
}
