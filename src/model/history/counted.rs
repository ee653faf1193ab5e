//! How often a value was there, and how long: what `times` and `duration` read. Both are counted, so they stay exact where
//! older samples are thinned, for windows that begin with a cell.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Span;
use super::cells::{self, NextPass};
use super::numbers::{distances, undone};

/// How many turns stay exact for each sample that other series keep: these are small.
const MORE: usize = 4;

/// When a value came and went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(super) struct Counted {
    turns: VecDeque<Turn>,
    next_pass: Option<NextPass>,
}

/// A moment at which the value came or went, or a cell began.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Turn {
    at: i64,
    /// How long it had been there until then, in nanoseconds.
    lasted: i64,
    /// How often it had come before.
    times: u32,
    then: Then,
}

/// What is from a turn until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    /// The value has come.
    #[serde(rename = "c")]
    Comes,
    /// It is there, as it was before.
    #[serde(rename = "s")]
    Stays,
    /// Another one is there.
    #[serde(rename = "g")]
    Gone,
    /// Now this, now that: turns were left out.
    #[serde(rename = "m")]
    Mixed,
}

impl Turn {
    fn is_there(self) -> bool {
        matches!(self.then, Then::Comes | Then::Stays)
    }

    /// Returns how often it had come once this turn had happened.
    fn times_with_it(self) -> u32 {
        self.times.saturating_add(u32::from(self.then == Then::Comes))
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    turns: Vec<(i64, i64, u32, Then)>,
}

/// What the first value was that a count begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// Somebody said it: where it's the value, it came.
    Said,
    /// It was there before.
    WasThere,
}

impl Counted {
    /// Adds that the value is there, or not, from `at` on, which is now. Returns whether that is news.
    pub(super) fn push(&mut self, at: i64, is_there: bool, first: First, limit: usize, horizon: i64) -> bool {
        let (at, comes) = match self.turns.back() {
            Some(last) if last.is_there() == is_there => return false,
            Some(last) => (at.max(last.at), Then::Comes),
            None => (at, if first == First::Said { Then::Comes } else { Then::Stays }),
        };
        let then = if is_there { comes } else { Then::Gone };
        let times = self.turns.back().map_or(0, |last| last.times_with_it());
        self.turns.push_back(Turn { at, lasted: self.lasted(at), times, then });
        while self.turns.get(1).is_some_and(|next| next.at <= horizon) {
            self.turns.pop_front();
        }
        let limit = limit.saturating_mul(MORE);
        if self.next_pass.unwrap_or(NextPass::at(limit)).is_due(self.turns.len()) {
            self.thin(at);
            self.next_pass = Some(NextPass::after(self.turns.len(), limit));
        }
        true
    }

    /// Leaves out the older turns of cells in which there are several: what was counted when each began and ended stays.
    fn thin(&mut self, now: i64) {
        let source = Counted { turns: std::mem::take(&mut self.turns), next_pass: None };
        // Half of them stay as they are: the younger ones.
        let old = source.turns.len() / 2;
        let mut index = 0;
        while let Some(turn) = source.turns.get(index) {
            let width = cells::width(now.saturating_sub(turn.at));
            let cell = cells::start(turn.at, width);
            let is_in_cell = |turn: &&Turn| cells::start(turn.at, width) == cell;
            let count = source.turns.range(index..).take_while(is_in_cell).count();
            if count <= 1 || index + count > old {
                self.push_over(*turn);
                index += 1;
                continue;
            }
            let begin = cell.max(source.start().unwrap_or(cell));
            self.push_over(Turn { then: Then::Mixed, ..source.turn_at(begin) });
            index += count;
            // What is there at the end of the cell goes on until the next turn.
            let end = cell.saturating_add(width);
            let last = source.turns.get(index - 1).copied().unwrap_or(*turn);
            if source.turns.get(index).is_none_or(|next| next.at > end) {
                let then = match last.then {
                    Then::Comes | Then::Stays => Then::Stays,
                    Then::Gone => Then::Gone,
                    Then::Mixed => continue,
                };
                self.push_over(Turn { then, ..source.turn_at(end) });
            }
        }
    }

    /// Adds a turn, in the place of one that stands for the same moment.
    fn push_over(&mut self, turn: Turn) {
        if self.turns.back().is_some_and(|last| last.at == turn.at && turn.then == Then::Mixed) {
            self.turns.pop_back();
        }
        self.turns.push_back(turn);
    }

    /// Returns what was counted until `at`, not including it.
    fn turn_at(&self, at: i64) -> Turn {
        Turn { at, lasted: self.lasted(at), times: self.times_until(at.saturating_sub(1)), then: Then::Mixed }
    }

    pub(super) fn start(&self) -> Option<i64> {
        self.turns.front().map(|turn| turn.at)
    }

    pub(super) fn is_exact(&self) -> bool {
        self.turns.iter().all(|turn| turn.then != Then::Mixed)
    }

    /// Returns when it was there and when not, from the oldest.
    pub(super) fn exact(&self) -> impl Iterator<Item = (i64, bool)> {
        self.turns.iter().map(|turn| (turn.at, turn.is_there()))
    }

    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    pub(super) fn size(&self) -> usize {
        self.turns.capacity() * size_of::<Turn>()
    }

    pub(super) fn shift(&mut self, by: i64) {
        self.turns.iter_mut().for_each(|turn| turn.at = turn.at.saturating_add(by));
    }

    pub(super) fn is_there(&self) -> bool {
        self.turns.back().is_some_and(|turn| turn.is_there())
    }

    pub(super) fn has_come_after(&self, after: i64) -> bool {
        self.turns.back().is_some_and(|turn| turn.at > after)
    }

    /// Returns how long it was there in a span, in nanoseconds; `None` where nothing was known until its end.
    pub(super) fn duration(&self, span: &Span) -> Option<i64> {
        self.find(span.until)?;
        Some(self.lasted(span.end).saturating_sub(self.lasted(span.start)).max(0))
    }

    /// Returns how often it came in a span; `None` where nothing was known until its end.
    pub(super) fn times(&self, span: &Span) -> Option<u32> {
        self.find(span.until)?;
        Some(self.times_until(span.until).saturating_sub(self.times_until(span.after)))
    }

    fn find(&self, at: i64) -> Option<usize> {
        self.turns.partition_point(|turn| turn.at <= at).checked_sub(1)
    }

    /// Returns how long it had been there until `at`.
    fn lasted(&self, at: i64) -> i64 {
        let Some(index) = self.find(at) else { return self.turns.front().map_or(0, |turn| turn.lasted) };
        let Some(turn) = self.turns.get(index) else { return 0 };
        match turn.then {
            Then::Gone => turn.lasted,
            Then::Comes | Then::Stays => turn.lasted.saturating_add(at.saturating_sub(turn.at)),
            Then::Mixed => {
                let next = self.turns.get(index + 1).copied().unwrap_or(*turn);
                turn.lasted + share(next.lasted - turn.lasted, at - turn.at, next.at - turn.at)
            }
        }
    }

    /// Returns how often it had come until `at`, that included.
    fn times_until(&self, at: i64) -> u32 {
        let Some(index) = self.find(at) else { return self.turns.front().map_or(0, |turn| turn.times) };
        let Some(turn) = self.turns.get(index) else { return 0 };
        match (turn.then, self.turns.get(index + 1)) {
            (Then::Mixed, Some(next)) => {
                let came = i64::from(next.times.saturating_sub(turn.times));
                turn.times + u32::try_from(share(came, at - turn.at, next.at - turn.at)).unwrap_or(0)
            }
            _ => turn.times_with_it(),
        }
    }
}

/// Returns the part of `amount` that belongs to `part` of `whole`.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    // Rounded, so that what ends just before the whole does is all of it.
    let share = (i128::from(amount) * i128::from(part) * 2 + i128::from(whole)) / (i128::from(whole) * 2);
    i64::try_from(share).unwrap_or(amount)
}

impl From<Kept> for Counted {
    fn from(kept: Kept) -> Counted {
        let turns = undone(kept.turns.iter().map(|turn| turn.0)).zip(&kept.turns);
        let turns = turns.map(|(at, &(_, lasted, times, then))| Turn { at, lasted, times, then }).collect();
        Counted { turns, next_pass: None }
    }
}

impl From<Counted> for Kept {
    fn from(counted: Counted) -> Kept {
        let times = distances(counted.turns.iter().map(|turn| turn.at)).zip(&counted.turns);
        Kept { turns: times.map(|(at, turn)| (at, turn.lasted, turn.times, turn.then)).collect() }
    }
}
