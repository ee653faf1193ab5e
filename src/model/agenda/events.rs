//! The events of one iCalendar file.

use std::sync::Mutex;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::series::beyond;
use super::{Edge, Matching, Occurrence, Series};

/// How many occurrences are given at most.
const MOST: usize = 10_000;

/// How far around a question the occurrences are looked up, so that the next ones cost nothing.
const AROUND: SignedDuration = SignedDuration::from_hours(40 * 24);

/// The events of one iCalendar file.
#[derive(Debug, Default)]
pub struct Agenda {
    series: Vec<Series>,
    known: Mutex<Option<Known>>,
}

/// What was looked up last. It changes no answer, only what that costs.
#[derive(Debug)]
struct Known {
    zone: TimeZone,
    from: Timestamp,
    until: Timestamp,
    occurrences: Vec<Occurrence>,
}

impl Agenda {
    /// Returns an agenda of these events.
    #[must_use]
    pub fn new(series: Vec<Series>) -> Agenda {
        Agenda { series, known: Mutex::default() }
    }

    /// Returns how many events it has, each counted once however often it happens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Returns whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Returns what happens in the time from `from` until before `until`, in the order of the starts; `zone` is the home's.
    pub fn within(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Occurrence> {
        if until.duration_since(from) > AROUND {
            return self.look_up(from, until, zone);
        }
        let Ok(mut known) = self.known.lock() else { return self.look_up(from, until, zone) };
        let fits = |known: &Known| known.from <= from && until <= known.until && known.zone == *zone;
        if !known.as_ref().is_some_and(fits) {
            let (first, last) = (moved(from, -AROUND), moved(until, AROUND));
            let occurrences = self.look_up(first, last, zone);
            *known = Some(Known { zone: zone.clone(), from: first, until: last, occurrences });
        }
        let known = known.iter().flat_map(|known| &known.occurrences);
        known
            .take_while(|occurrence| occurrence.start < until)
            .filter(|one| one.touches(from, until))
            .cloned()
            .collect()
    }

    /// Returns the first time after `after` at which an event begins or ends.
    #[must_use]
    pub fn next(
        &self,
        edge: Edge,
        matching: Option<&Matching>,
        after: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        let next = |series: &Series| {
            let mut edges = series.occurrences(after, zone).map(|occurrence| occurrence.at(edge));
            edges.find(|at| *at > after)
        };
        self.matching(matching, after).filter_map(next).min()
    }

    /// Returns the events that begin or end at `at`.
    #[must_use]
    pub fn at(&self, edge: Edge, matching: Option<&Matching>, at: Timestamp, zone: &TimeZone) -> Vec<Occurrence> {
        let last = beyond(at);
        let at_edge = |series| {
            let occurrences = Series::occurrences(series, at, zone);
            let near = occurrences.take_while(|occurrence| TimeZone::UTC.to_datetime(occurrence.start) < last);
            near.filter(|occurrence| occurrence.at(edge) == at).collect::<Vec<_>>()
        };
        let mut found: Vec<Occurrence> = self.matching(matching, at).flat_map(at_edge).collect();
        found.sort();
        found
    }

    /// Returns the first time after `after` at which any event begins or ends.
    #[must_use]
    pub fn next_change(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let edges = Edge::ALL.into_iter().filter_map(|(_, edge)| self.next(edge, None, after, zone));
        edges.min()
    }

    /// Returns the series in whose titles a pattern is found, but for those that were over long before `from`.
    fn matching<'a>(
        &'a self,
        matching: Option<&'a Matching>,
        from: Timestamp,
    ) -> impl Iterator<Item = &'a Series> + 'a {
        let from = TimeZone::UTC.to_datetime(moved(from, -AROUND));
        let is_meant = move |series: &&Series| matching.is_none_or(|matching| matching.finds(&series.event.summary));
        let is_over = move |series: &Series| series.single().is_some_and(|start| start < from) && series.is_short();
        self.series.iter().filter(is_meant).filter(move |series| !is_over(series))
    }

    fn look_up(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Occurrence> {
        let last = beyond(until);
        let mut found = Vec::new();
        for series in self.matching(None, from) {
            if series.single().is_some_and(|start| start >= last) {
                continue;
            }
            let near = series
                .occurrences(from, zone)
                .take_while(|occurrence| TimeZone::UTC.to_datetime(occurrence.start) < last)
                .filter(|occurrence| occurrence.touches(from, until));
            found.extend(near.take(MOST));
        }
        found.sort();
        found.truncate(MOST);
        found
    }
}

impl PartialEq for Agenda {
    fn eq(&self, other: &Agenda) -> bool {
        self.series == other.series
    }
}

fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}
