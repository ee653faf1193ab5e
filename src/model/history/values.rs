//! The values of a series, whatever they are: what `changes` and `at` read.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Span;
use super::cells::{self, NextPass};
use super::numbers::{distances, undone};
use crate::model::Value;

/// Values over time, from the oldest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(super) struct Values {
    /// Each value that differs from the one before. Of the older ones, the last of each cell.
    points: VecDeque<Point>,
    next_pass: Option<NextPass>,
    /// Whether any was left out.
    is_thinned: bool,
}

/// A value, since when it is so, and how many changes there were until then, that to it included.
#[derive(Debug, Clone, PartialEq)]
struct Point {
    at: i64,
    value: Value,
    changes: u64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    points: Vec<(i64, Value, u64)>,
    #[serde(default)]
    is_thinned: bool,
}

impl Values {
    /// Adds that the value is `value` from `at` on, which is now. Returns whether that was another one than before.
    pub(super) fn push(&mut self, at: i64, value: &Value, limit: usize, horizon: i64) -> bool {
        let (at, changes) = match self.points.back() {
            Some(last) if last.value == *value => return false,
            Some(last) => (at.max(last.at), last.changes + 1),
            None => (at, 0),
        };
        self.points.push_back(Point { at, value: value.clone(), changes });
        if !self.is_thinned {
            while self.points.get(1).is_some_and(|next| next.at <= horizon) {
                self.points.pop_front();
            }
        }
        if self.next_pass.unwrap_or(NextPass::at(limit)).is_due(self.points.len()) {
            self.thin(at, horizon);
            self.next_pass = Some(NextPass::after(self.points.len(), limit));
        }
        true
    }

    /// Keeps the last value of each cell, and drops what ended before `horizon`.
    fn thin(&mut self, now: i64, horizon: i64) {
        self.is_thinned = true;
        let mut thinned: VecDeque<Point> = VecDeque::new();
        let mut points = std::mem::take(&mut self.points).into_iter().peekable();
        while let Some(point) = points.next() {
            let Some(next) = points.peek() else {
                thinned.push_back(point);
                break;
            };
            if next.at <= horizon {
                continue;
            }
            let width = cells::width(now.saturating_sub(next.at));
            let is_last = cells::start(point.at, width) != cells::start(next.at, width);
            // The first one ever says since when there is a value.
            if is_last || (point.changes == 0 && thinned.is_empty()) {
                thinned.push_back(point);
            }
        }
        self.points = thinned;
    }

    pub(super) fn start(&self) -> Option<i64> {
        self.points.front().map(|point| point.at)
    }

    pub(super) fn is_exact(&self) -> bool {
        !self.is_thinned
    }

    pub(super) fn exact(&self) -> impl Iterator<Item = (i64, &Value)> {
        self.points.iter().map(|point| (point.at, &point.value))
    }

    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    pub(super) fn size(&self) -> usize {
        self.points.capacity() * size_of::<Point>() + self.points.iter().map(|point| point.value.size()).sum::<usize>()
    }

    pub(super) fn shift(&mut self, by: i64) {
        self.points.iter_mut().for_each(|point| point.at = point.at.saturating_add(by));
    }

    pub(super) fn has_come_after(&self, after: i64) -> bool {
        self.points.back().is_some_and(|last| last.at > after)
    }

    /// Returns the value at an instant; `None` before the first one.
    pub(super) fn at(&self, at: i64) -> Option<&Value> {
        self.last_until(at).map(|point| &point.value)
    }

    /// Returns how often the value changed in a span; `None` where none was known until its end.
    pub(super) fn changes(&self, span: &Span) -> Option<u64> {
        let last = self.last_until(span.until)?;
        let before = self.last_until(span.after).map_or(0, |point| point.changes);
        Some(last.changes.saturating_sub(before))
    }

    fn last_until(&self, at: i64) -> Option<&Point> {
        self.points.get(self.points.partition_point(|point| point.at <= at).checked_sub(1)?)
    }
}

impl From<Kept> for Values {
    fn from(kept: Kept) -> Values {
        let times = undone(kept.points.iter().map(|point| point.0)).collect::<Vec<_>>();
        let points = times.into_iter().zip(kept.points);
        let points = points.map(|(at, (_, value, changes))| Point { at, value, changes }).collect::<VecDeque<_>>();
        Values { next_pass: None, points, is_thinned: kept.is_thinned }
    }
}

impl From<Values> for Kept {
    fn from(values: Values) -> Kept {
        let times = distances(values.points.iter().map(|point| point.at)).collect::<Vec<_>>();
        let points = times.into_iter().zip(values.points);
        Kept {
            points: points.map(|(at, point)| (at, point.value, point.changes)).collect(),
            is_thinned: values.is_thinned,
        }
    }
}
