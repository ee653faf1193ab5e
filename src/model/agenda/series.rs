//! A series: an event with all the times at which it happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Event, Occurrence, Recurrence};
use crate::model::first_instant;

/// An event with all the times at which it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is.
    pub event: Arc<Event>,
    /// The zone of its times; `None`: the home's.
    pub zone: Option<TimeZone>,
    /// When it happens first.
    pub start: DateTime,
    /// How long it lasts.
    pub length: Length,
    /// When it happens again.
    pub rules: Vec<Recurrence>,
    /// Single times at which it happens too, some with a length of their own.
    pub dates: Vec<(DateTime, Option<Length>)>,
    /// Times at which it doesn't happen.
    pub excluded: BTreeSet<DateTime>,
    /// Days on which it doesn't.
    pub excluded_days: BTreeSet<Date>,
    /// Only those of its times count that are this late …
    pub not_before: Option<DateTime>,
    /// … and earlier than this.
    pub before: Option<DateTime>,
    /// How much later than these times it happens.
    pub shift: SignedDuration,
}

/// How long an event lasts: by the clock on the wall, and then so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Length {
    /// What the clock on the wall shows more at its end.
    pub wall: SignedDuration,
    /// What passes beyond that.
    pub exact: SignedDuration,
}

/// No zone is further from another one than this, with clock changes.
const ZONES: SignedDuration = SignedDuration::from_hours(30);

impl Series {
    /// Returns what happens only once.
    #[must_use]
    pub fn once(event: Event, zone: Option<TimeZone>, start: DateTime, length: Length) -> Series {
        Series {
            event: Arc::new(event),
            zone,
            start,
            length,
            rules: Vec::new(),
            dates: Vec::new(),
            excluded: BTreeSet::new(),
            excluded_days: BTreeSet::new(),
            not_before: None,
            before: None,
            shift: SignedDuration::ZERO,
        }
    }

    /// Returns those of its occurrences that end after `from`, and some before, in the order of their local starts.
    pub(super) fn occurrences<'a>(
        &'a self,
        from: Timestamp,
        home: &'a TimeZone,
    ) -> impl Iterator<Item = Occurrence> + 'a {
        let zone = self.zone.as_ref().unwrap_or(home);
        let longest = self.dates.iter().filter_map(|(_, length)| *length).chain([self.length]).map(Length::most).max();
        let before = longest.unwrap_or_default().saturating_add(ZONES);
        let from = TimeZone::UTC.to_datetime(from);
        let from = from.checked_sub(before).unwrap_or(DateTime::MIN);
        self.times(from).filter_map(move |(local, length)| {
            let start = first_instant(zone, local);
            let end =
                if length.wall.is_zero() { start } else { first_instant(zone, local.checked_add(length.wall).ok()?) };
            let end = end.checked_add(length.exact).ok()?.max(start);
            Some(Occurrence { start, end, event: Arc::clone(&self.event) })
        })
    }

    /// Returns the local times at which it happens, in order, from about `from` on, with how long it lasts then.
    fn times(&self, from: DateTime) -> impl Iterator<Item = (DateTime, Length)> + '_ {
        let from = from.checked_sub(self.shift).unwrap_or(from);
        let single = self.dates.iter().map(|(at, _)| *at).chain([self.start]);
        let single: BTreeSet<DateTime> = single.filter(|at| *at >= from).collect();
        let mut sources: Vec<Box<dyn Iterator<Item = DateTime>>> = vec![Box::new(single.into_iter())];
        for rule in &self.rules {
            sources.push(Box::new(rule.times(self.start, from).skip_while(move |at| *at < from)));
        }
        let mut heads: Vec<_> = sources.into_iter().map(Iterator::peekable).collect();
        let merged = std::iter::from_fn(move || {
            let next = heads.iter_mut().filter_map(|head| head.peek().copied()).min()?;
            for head in &mut heads {
                while head.next_if(|at| *at <= next).is_some() {}
            }
            Some(next)
        });
        let before = self.before;
        merged
            .take_while(move |at| before.is_none_or(|before| *at < before))
            .filter(|at| self.not_before.is_none_or(|first| *at >= first) && !self.is_excluded(*at))
            .filter_map(|at| {
                let own = self.dates.iter().find(|(date, length)| *date == at && length.is_some());
                let length = own.and_then(|(_, length)| *length).unwrap_or(self.length);
                Some((at.checked_add(self.shift).ok()?, length))
            })
    }

    fn is_excluded(&self, at: DateTime) -> bool {
        self.excluded.contains(&at) || self.excluded_days.contains(&at.date())
    }

    /// Returns whether it lasts less than a month each time.
    pub(super) fn is_short(&self) -> bool {
        self.length.most() < SignedDuration::from_hours(30 * 24)
    }

    /// Returns whether it happens once only, and when that begins by the clock of its zone.
    pub(super) fn single(&self) -> Option<DateTime> {
        let is_single = self.rules.is_empty() && self.dates.is_empty();
        is_single.then(|| self.start.checked_add(self.shift).unwrap_or(self.start))
    }
}

impl Length {
    /// Returns a length of whole days.
    #[must_use]
    pub fn days(days: i64) -> Length {
        Length { wall: SignedDuration::from_hours(days.saturating_mul(24)), exact: SignedDuration::ZERO }
    }

    /// Returns how long it is at most, but for clock changes.
    fn most(self) -> SignedDuration {
        self.wall.saturating_add(self.exact).max(SignedDuration::ZERO)
    }

    /// Returns the length from one local time to another.
    #[must_use]
    pub fn between(start: DateTime, end: DateTime) -> Length {
        Length { wall: end.duration_since(start).max(SignedDuration::ZERO), exact: SignedDuration::ZERO }
    }
}

/// Returns the last instant of a local day's eve: what begins a day later than `date` is beyond it.
pub(super) fn beyond(until: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(until).checked_add(2.days()).unwrap_or(DateTime::MAX)
}
