//! The numbers of a series: what `average`, `median`, `lowest`, `highest`, `change`, `rise`, `fall` and `integral` read.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::slots::{Slot, Slots, Summary};
use super::{Span, seconds};

/// How many samples are summed up together.
const BLOCK: usize = 64;

/// Numbers over time, from the oldest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Numbers {
    /// What was thinned; it ends where the first exact sample begins.
    slots: Slots,
    /// Each number that differs from the one before, and since when.
    exact: VecDeque<(i64, f64)>,
    /// How many samples came before the first exact one.
    gone: usize,
    /// Of each whole block of samples, by their number since the beginning; the first one may be cut.
    blocks: VecDeque<Summary>,
}

/// What is kept on the disk: the times of samples as distances.
#[derive(Serialize, Deserialize)]
struct Kept {
    gone: usize,
    samples: Vec<(i64, f64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<(i64, f64, f64, f64, f64)>,
}

/// What numbers were in a span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stats {
    pub(super) low: f64,
    pub(super) high: f64,
    /// What it was when the span began, or else the first in it.
    pub(super) first: f64,
    /// What it was at its end.
    pub(super) last: f64,
    /// The numbers, each times the seconds that it lasted.
    pub(super) area: f64,
    /// How long there was one, in nanoseconds.
    pub(super) covered: i64,
}

impl Stats {
    /// Returns the mean over time.
    pub(super) fn average(&self) -> f64 {
        if self.covered <= 0 {
            self.last
        } else if self.low >= self.high {
            self.low
        } else {
            (self.area / seconds(self.covered)).clamp(self.low, self.high)
        }
    }
}

impl Numbers {
    /// Adds that the number is `value` from `at` on, which is now. At most `limit` numbers stay exact; what ended before
    /// `horizon` is of no use any more. Returns whether that was another number than before.
    pub fn push(&mut self, at: i64, value: f64, limit: usize, horizon: i64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let at = match self.exact.back() {
            Some((_, last)) if last.total_cmp(&value).is_eq() => return false,
            // A clock that was set back a little.
            Some((last, _)) => at.max(*last),
            None => at,
        };
        if self.exact.len() == self.exact.capacity() {
            self.exact.reserve_exact((self.exact.len() / 2).clamp(4, 1024));
        }
        self.exact.push_back((at, value));
        self.sum_up_last();
        self.drop_before(horizon);
        while self.exact.len() > limit.max(2) {
            let (Some((start, value)), Some((end, _))) = (self.pop(), self.exact.front().copied()) else { break };
            self.slots.push((start, end, value), at, horizon);
        }
        true
    }

    /// Returns when the first number was there.
    #[must_use]
    pub fn start(&self) -> Option<i64> {
        self.slots.start().or_else(|| self.exact.front().map(|(at, _)| *at))
    }

    /// Returns whether none was thinned.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns the numbers that are known exactly, and since when.
    pub fn exact(&self) -> impl Iterator<Item = (i64, f64)> {
        self.exact.iter().copied()
    }

    /// Returns how many numbers and slots are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exact.len() + self.slots.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    /// Returns about how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.exact.capacity() * size_of::<(i64, f64)>()
            + self.blocks.capacity() * size_of::<Summary>()
            + self.slots.size()
    }

    pub(super) fn shift(&mut self, by: i64) {
        self.slots.shift(by);
        self.exact.iter_mut().for_each(|(at, _)| *at = at.saturating_add(by));
    }

    /// Returns whether a number came after `after`.
    pub(super) fn has_come_after(&self, after: i64) -> bool {
        self.exact.back().is_some_and(|(at, _)| *at > after)
    }

    /// Returns what was in a span; `None` where no number was known until its end.
    pub(super) fn stats(&self, span: &Span) -> Option<Stats> {
        let known = self.exact.partition_point(|(at, _)| *at <= span.until);
        let first = self.exact.partition_point(|(at, _)| *at <= span.start).checked_sub(1);
        let mut sum = Summary::NOTHING;
        let exact_start = self.exact.front()?.0;
        let from_slots = if first.is_none() { self.slot_stats(span, exact_start) } else { None };
        if known == 0 && from_slots.is_none() {
            return None;
        }
        let index = first.unwrap_or(0);
        let mut value = from_slots.map(|stats| stats.first);
        if index < known {
            let begin = self.exact.get(index).copied()?;
            value = value.or(Some(begin.1));
            sum = self.exact_sum(index, known, span);
        }
        let last = known.checked_sub(1).and_then(|last| self.exact.get(last)).map(|(_, value)| *value);
        let start = self.start()?.max(span.start);
        let mut stats = Stats {
            low: sum.low,
            high: sum.high,
            first: value?,
            last: last.or(from_slots.map(|stats| stats.last))?,
            area: sum.area,
            covered: span.end.saturating_sub(start).max(0),
        };
        if let Some(old) = from_slots {
            stats.low = stats.low.min(old.low);
            stats.high = stats.high.max(old.high);
            stats.area += old.area;
        }
        Some(stats)
    }

    /// Returns the least number at or below which at least half of the time lies.
    pub(super) fn median(&self, span: &Span) -> Option<f64> {
        let stats = self.stats(span)?;
        let mut pieces: Vec<(f64, i64)> = Vec::new();
        let mut add = |start: i64, end: i64, value: f64| {
            let length = end.min(span.end).saturating_sub(start.max(span.start));
            if length > 0 {
                pieces.push((value, length));
            }
        };
        let exact_start = self.exact.front()?.0;
        if let Some(first) = self.slots.find(span.start).or_else(|| self.slots.start().map(|_| 0)) {
            for index in first..self.slots.len() {
                if let Some((slot, end)) = self.slots.get(index, exact_start) {
                    add(slot.start, end, mean(slot, end));
                }
            }
        }
        let first = self.exact.partition_point(|(at, _)| *at <= span.start).saturating_sub(1);
        let known = self.exact.partition_point(|(at, _)| *at <= span.until);
        for index in first..known {
            if let Some((at, value)) = self.exact.get(index) {
                add(*at, self.exact_end(index), *value);
            }
        }
        pieces.sort_by(|left, right| left.0.total_cmp(&right.0));
        let total: i128 = pieces.iter().map(|(_, length)| i128::from(*length)).sum();
        let mut below = 0;
        let found = pieces.iter().find(|(_, length)| {
            below += i128::from(*length);
            below * 2 >= total
        });
        Some(found.map_or(stats.last, |(value, _)| *value))
    }

    /// Sums up the exact numbers from `first` until `known` as far as they lie in a span.
    fn exact_sum(&self, first: usize, known: usize, span: &Span) -> Summary {
        let mut sum = Summary::NOTHING;
        let mut index = first;
        while index < known {
            let number = self.gone + index;
            let is_whole = index > first && index + BLOCK < known;
            if number.is_multiple_of(BLOCK)
                && is_whole
                && let Some(block) = self.block(number / BLOCK)
            {
                sum.add(*block);
                index += BLOCK;
                continue;
            }
            if let Some((at, value)) = self.exact.get(index) {
                let (from, to) = ((*at).max(span.start), self.exact_end(index).min(span.end));
                sum.add(Summary { area: value * seconds(to.saturating_sub(from).max(0)), low: *value, high: *value });
            }
            index += 1;
        }
        sum
    }

    /// Returns what the slots hold of a span; `None` where it begins after them.
    fn slot_stats(&self, span: &Span, exact_start: i64) -> Option<Stats> {
        let first = self.slots.find(span.start);
        let begin = first.unwrap_or(0);
        let last = self.slots.find(span.end)?;
        let (mut sum, mut start_value, mut end_value) = (Summary::NOTHING, None, 0.0);
        let part = |index: usize| {
            let (slot, end) = self.slots.get(index, exact_start)?;
            let (from, to) = (slot.start.max(span.start), end.min(span.end));
            let length = end.saturating_sub(slot.start);
            let share = if length <= 0 { 1.0 } else { seconds(to.saturating_sub(from).max(0)) / seconds(length) };
            Some((slot, end, share))
        };
        for index in [begin].into_iter().chain((last > begin).then_some(last)) {
            let (slot, end, share) = part(index)?;
            sum.add(Summary { area: slot.area * share, low: slot.low, high: slot.high });
            if index == begin {
                // Somewhere in a slot: its mean. Before all of them: the first number that there was.
                start_value = Some(mean(slot, end));
            }
            end_value = if share < 1.0 && index == last && end > span.end { mean(slot, end) } else { slot.last };
        }
        if last > begin + 1 {
            sum.add(self.slots.sum(begin + 1..last));
        }
        Some(Stats { low: sum.low, high: sum.high, first: start_value?, last: end_value, area: sum.area, covered: 0 })
    }

    /// Returns when an exact number ends; the last one doesn't.
    fn exact_end(&self, index: usize) -> i64 {
        self.exact.get(index + 1).map_or(i64::MAX, |(at, _)| *at)
    }

    fn block(&self, number: usize) -> Option<&Summary> {
        self.blocks.get(number.checked_sub(self.gone / BLOCK)?)
    }

    /// Sums up the block that the last sample has ended.
    fn sum_up_last(&mut self) {
        let count = self.gone + self.exact.len();
        if self.exact.len() <= 1 || !(count - 1).is_multiple_of(BLOCK) {
            return;
        }
        let last = self.exact.len() - 1;
        let first = last.saturating_sub(BLOCK);
        let mut sum = Summary::NOTHING;
        for index in first..last {
            if let (Some((at, value)), Some((end, _))) = (self.exact.get(index), self.exact.get(index + 1)) {
                sum.add(Summary { area: value * seconds(end - at), low: *value, high: *value });
            }
        }
        self.blocks.push_back(sum);
    }

    /// Drops what ended before `horizon`, as long as nothing was thinned.
    fn drop_before(&mut self, horizon: i64) {
        if !self.slots.is_empty() {
            return;
        }
        while self.exact.get(1).is_some_and(|(end, _)| *end <= horizon) {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<(i64, f64)> {
        let first = self.exact.pop_front()?;
        self.gone += 1;
        if self.gone.is_multiple_of(BLOCK) {
            self.blocks.pop_front();
        }
        Some(first)
    }
}

fn mean(slot: &Slot, end: i64) -> f64 {
    let length = seconds(end.saturating_sub(slot.start));
    if length <= 0.0 || slot.low >= slot.high { slot.last } else { (slot.area / length).clamp(slot.low, slot.high) }
}

impl From<Kept> for Numbers {
    fn from(kept: Kept) -> Numbers {
        let slots = undone(kept.slots.iter().map(|slot| slot.0));
        let slots = slots.zip(&kept.slots);
        let slots = slots.map(|(start, &(_, area, low, high, last))| Slot { start, area, low, high, last }).collect();
        let samples =
            undone(kept.samples.iter().map(|sample| sample.0)).zip(kept.samples.iter().map(|sample| sample.1));
        let mut numbers = Numbers { slots: Slots::of(slots), gone: kept.gone, ..Numbers::default() };
        for sample in samples {
            numbers.exact.push_back(sample);
            numbers.sum_up_last();
        }
        numbers
    }
}

impl From<Numbers> for Kept {
    fn from(numbers: Numbers) -> Kept {
        let slots = numbers.slots.iter();
        let starts = distances(numbers.slots.iter().map(|slot| slot.start));
        let samples =
            distances(numbers.exact.iter().map(|(at, _)| *at)).zip(numbers.exact.iter().map(|(_, value)| *value));
        Kept {
            gone: numbers.gone,
            samples: samples.collect(),
            slots: starts.zip(slots).map(|(start, slot)| (start, slot.area, slot.low, slot.high, slot.last)).collect(),
        }
    }
}

/// Returns times as the distances from the one before, the first as it is.
pub(super) fn distances(times: impl Iterator<Item = i64>) -> impl Iterator<Item = i64> {
    times.scan(0, |before, at| Some(at.saturating_sub(std::mem::replace(before, at))))
}

/// Returns the times that [`distances`] are of.
pub(super) fn undone(distances: impl Iterator<Item = i64>) -> impl Iterator<Item = i64> {
    distances.scan(0_i64, |at, distance| {
        *at = at.saturating_add(distance);
        Some(*at)
    })
}
