//! Numbers that were thinned: one slot for each cell of time, with its own mean and extremes.

use std::collections::VecDeque;

use super::cells::{self, NextPass};
use super::seconds;

/// How many slots are summed up together.
const BLOCK: usize = 64;

/// The numbers of a stretch of time; it ends where the next one begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slot {
    pub(super) start: i64,
    /// The numbers, each times the seconds that it lasted.
    pub(super) area: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The number at its end.
    pub(super) last: f64,
}

/// What a row of whole slots or samples holds together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    pub(super) area: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Summary {
    pub(super) const NOTHING: Summary = Summary { area: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY };

    pub(super) fn add(&mut self, other: Summary) {
        self.area += other.area;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }
}

impl Slot {
    pub(super) fn summary(&self) -> Summary {
        Summary { area: self.area, low: self.low, high: self.high }
    }

    fn absorb(&mut self, next: &Slot) {
        self.area += next.area;
        self.low = self.low.min(next.low);
        self.high = self.high.max(next.high);
        self.last = next.last;
    }
}

/// Slots, from the oldest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slots {
    rows: VecDeque<Slot>,
    /// Of each whole block of slots.
    blocks: Vec<Summary>,
    next_pass: NextPass,
}

impl Default for Slots {
    fn default() -> Slots {
        Slots { rows: VecDeque::new(), blocks: Vec::new(), next_pass: NextPass::at(BLOCK) }
    }
}

impl Slots {
    /// Returns slots that were kept.
    pub(super) fn of(slots: VecDeque<Slot>) -> Slots {
        let mut slots = Slots { next_pass: NextPass::after(slots.len(), BLOCK), rows: slots, blocks: Vec::new() };
        slots.sum_up();
        slots
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.rows.iter()
    }

    /// Returns when the first one begins.
    pub(super) fn start(&self) -> Option<i64> {
        self.rows.front().map(|slot| slot.start)
    }

    /// Returns how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.rows.capacity() * size_of::<Slot>() + self.blocks.capacity() * size_of::<Summary>()
    }

    /// Moves all of it.
    pub(super) fn shift(&mut self, by: i64) {
        self.rows.iter_mut().for_each(|slot| slot.start = slot.start.saturating_add(by));
    }

    /// Adds that a number held from `start` until `end`, which is now the oldest that is known exactly. `horizon`: what
    /// ended before that is of no use any more.
    pub(super) fn push(&mut self, (start, end, value): (i64, i64, f64), now: i64, horizon: i64) {
        let width = cells::width(now.saturating_sub(end));
        let piece = |start: i64, end: i64| Slot {
            start,
            area: value * seconds(end - start),
            low: value,
            high: value,
            last: value,
        };
        // Cut where cells begin: what lies in the cell of the last slot is added to it.
        let first_cell = cells::start(start, width).saturating_add(width).min(end);
        let last_cell = cells::start(end, width).max(first_cell).min(end);
        self.append(piece(start, first_cell), first_cell, width);
        if last_cell > first_cell {
            self.append(piece(first_cell, last_cell), last_cell, width);
        }
        if end > last_cell {
            self.append(piece(last_cell, end), end, width);
        }
        if self.next_pass.is_due(self.rows.len()) {
            self.thin(end, now, horizon);
        }
    }

    fn append(&mut self, slot: Slot, end: i64, width: i64) {
        if let Some(last) = self.rows.back_mut()
            && cells::is_within_one(last.start, end, width)
        {
            last.absorb(&slot);
            if self.rows.len().is_multiple_of(BLOCK) {
                self.blocks.pop();
                self.sum_up_last();
            }
            return;
        }
        if self.rows.len() == self.rows.capacity() {
            self.rows.reserve_exact(self.rows.len() / 4 + BLOCK);
        }
        self.rows.push_back(slot);
        self.sum_up_last();
    }

    /// Puts slots together that lie in one cell by now, and drops those that ended before `horizon`. The last one ends at `end`.
    fn thin(&mut self, end: i64, now: i64, horizon: i64) {
        let ends: Vec<i64> = self.rows.iter().skip(1).map(|slot| slot.start).chain([end]).collect();
        let mut thinned: VecDeque<Slot> = VecDeque::with_capacity(self.rows.len());
        for (slot, end) in self.rows.iter().zip(ends) {
            if end <= horizon {
                continue;
            }
            let width = cells::width(now.saturating_sub(end));
            match thinned.back_mut() {
                Some(last) if cells::is_within_one(last.start, end, width) => last.absorb(slot),
                Some(_) | None => thinned.push_back(*slot),
            }
        }
        *self = Slots::of(thinned);
        self.rows.shrink_to(self.rows.len() + self.rows.len() / 4 + BLOCK);
    }

    fn sum_up(&mut self) {
        self.blocks.clear();
        let whole = self.rows.len() / BLOCK;
        for block in 0..whole {
            let summary = self.sum_of(block * BLOCK..(block + 1) * BLOCK);
            self.blocks.push(summary);
        }
    }

    /// Sums up the block that the last slot has made whole.
    fn sum_up_last(&mut self) {
        if self.rows.len().is_multiple_of(BLOCK) && !self.rows.is_empty() {
            let summary = self.sum_of(self.rows.len() - BLOCK..self.rows.len());
            self.blocks.push(summary);
        }
    }

    fn sum_of(&self, range: std::ops::Range<usize>) -> Summary {
        let mut summary = Summary::NOTHING;
        self.rows.range(range).for_each(|slot| summary.add(slot.summary()));
        summary
    }

    /// Returns the index of the slot in which `at` lies; `None` where that is before the first one.
    pub(super) fn find(&self, at: i64) -> Option<usize> {
        self.rows.partition_point(|slot| slot.start <= at).checked_sub(1)
    }

    /// Returns a slot and when it ends; the last one ends at `end`.
    pub(super) fn get(&self, index: usize, end: i64) -> Option<(&Slot, i64)> {
        let slot = self.rows.get(index)?;
        Some((slot, self.rows.get(index + 1).map_or(end, |next| next.start)))
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns what whole slots hold together.
    pub(super) fn sum(&self, range: std::ops::Range<usize>) -> Summary {
        let mut summary = Summary::NOTHING;
        let mut index = range.start;
        while index < range.end {
            let block = index / BLOCK;
            if index.is_multiple_of(BLOCK)
                && index + BLOCK <= range.end
                && let Some(whole) = self.blocks.get(block)
            {
                summary.add(*whole);
                index += BLOCK;
            } else {
                if let Some(slot) = self.rows.get(index) {
                    summary.add(slot.summary());
                }
                index += 1;
            }
        }
        summary
    }
}
