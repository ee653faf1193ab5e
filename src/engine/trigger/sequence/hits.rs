//! What the parts of a sequence have fired, and which of it makes the sequence whole: pure.
//!
//! Each combination of what the parts' wildcards matched is a sequence of its own. Of those that end with what has just
//! fired, the one that begins last counts. Its parts are spent for its combination, and so is what began before it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::{Shift, elapsed};
use crate::engine::trigger::firing::Firing;
use crate::rules::Order;

/// How many hits of a sequence are kept; more come only from topics that never stand still.
const MOST_HITS: usize = 1000;

/// How many combinations are looked at for one hit.
const MOST_COMBINATIONS: usize = 1000;

/// What a wildcard of each part matched.
type Captures = Vec<Vec<Arc<str>>>;

/// What the parts of a sequence have fired of late.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hits {
    hits: Vec<Hit>,
    /// The last time that each combination was whole.
    spent: Vec<Spent>,
}

/// A part that has fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hit {
    /// What made it fire: two parts may fire by one message, which counts for one of them.
    number: u64,
    part: u16,
    at: Timestamp,
    firing: Firing,
}

/// What a combination has spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Spent {
    captures: Captures,
    /// With which hit it began.
    start: u64,
    hits: BTreeSet<u64>,
    at: Timestamp,
}

/// A sequence that is whole: what its parts fired, in their order, and when it began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whole {
    pub(crate) parts: Vec<Firing>,
    /// Which of them fired last.
    pub(crate) last: usize,
    pub(crate) since: Timestamp,
}

impl Shift for Hits {
    fn shift(&mut self, by: SignedDuration) {
        self.hits.iter_mut().for_each(|hit| hit.at.shift(by));
        self.spent.iter_mut().for_each(|spent| spent.at.shift(by));
    }
}

/// A sequence as it is asked of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) parts: u16,
    pub(crate) within: Duration,
    pub(crate) order: Order,
}

impl Hits {
    /// Takes a part that fires at `at` by what has this number. Returns the sequences that are whole with it.
    pub(crate) fn take(
        &mut self,
        asked: Asked,
        (number, at): (u64, Timestamp),
        part: u16,
        firing: Firing,
    ) -> Vec<Whole> {
        self.hits.retain(|hit| elapsed(hit.at, at) <= asked.within);
        self.spent.retain(|spent| elapsed(spent.at, at) <= asked.within);
        if self.hits.len() >= MOST_HITS {
            self.hits.remove(0);
        }
        self.hits.push(Hit { number, part, at, firing });
        let last = self.hits.len() - 1;
        let Order::AsWritten = asked.order else {
            return self.whole_of(asked, last, at, Hits::best_in_any_order);
        };
        if part + 1 < asked.parts { Vec::new() } else { self.whole_of(asked, last, at, Hits::latest_in_order) }
    }

    fn whole_of(
        &mut self,
        asked: Asked,
        last: usize,
        at: Timestamp,
        choose: fn(&Hits, usize, &Captures) -> Option<Vec<usize>>,
    ) -> Vec<Whole> {
        let mut found = Vec::new();
        for captures in self.combinations(asked.parts, last) {
            let is_left = self.hits.get(last).is_some_and(|hit| self.is_left(hit, &captures));
            let Some(chosen) = choose(self, last, &captures).filter(|_| is_left) else { continue };
            let hits: Vec<&Hit> = chosen.iter().filter_map(|index| self.hits.get(*index)).collect();
            let Some(first) = hits.iter().min_by_key(|hit| hit.number) else { continue };
            let spent = Spent { captures, start: first.number, hits: hits.iter().map(|hit| hit.number).collect(), at };
            let parts = hits.iter().map(|hit| hit.firing.clone()).collect();
            let last = chosen.iter().position(|index| *index == last).unwrap_or_default();
            found.push((spent, Whole { since: first.at, last, parts }));
        }
        let mut whole = Vec::new();
        for (spent, found) in found {
            self.spent.retain(|known| known.captures != spent.captures);
            self.spent.push(spent);
            whole.push(found);
        }
        whole
    }

    /// Returns what the wildcards of all parts may have matched where the hit `last` is one of them: names that are in
    /// several parts matched the same.
    fn combinations(&self, parts: u16, last: usize) -> Vec<Captures> {
        let Some(own) = self.hits.get(last) else { return Vec::new() };
        let mut ways: Vec<Vec<&Hit>> = vec![Vec::new()];
        for part in 0..parts {
            let mut different: Vec<&Hit> = Vec::new();
            for hit in self.hits.iter().filter(|hit| hit.part == part) {
                if part == own.part && hit.firing.captures != own.firing.captures {
                    continue;
                }
                if different.iter().all(|known| known.firing.captures != hit.firing.captures) {
                    different.push(hit);
                }
            }
            let mut longer = Vec::new();
            for way in &ways {
                for hit in &different {
                    if longer.len() < MOST_COMBINATIONS && way.iter().all(|known| agree(known, hit)) {
                        longer.push(way.iter().copied().chain([*hit]).collect());
                    }
                }
            }
            ways = longer;
        }
        ways.iter().map(|way| way.iter().map(|hit| hit.firing.captures.clone()).collect()).collect()
    }

    /// Returns the hits of a combination, one for each part, each as late as it can be before the next one.
    fn latest_in_order(&self, last: usize, captures: &Captures) -> Option<Vec<usize>> {
        let mut chosen = vec![last];
        let mut before = self.hits.get(last)?.number;
        for (part, captures_of_part) in captures.iter().enumerate().rev().skip(1) {
            let fits = |hit: &Hit| {
                usize::from(hit.part) == part
                    && hit.number < before
                    && hit.firing.captures == *captures_of_part
                    && self.is_left(hit, captures)
            };
            let (index, hit) = self.hits.iter().enumerate().rfind(|(_, hit)| fits(hit))?;
            before = hit.number;
            chosen.push(index);
        }
        chosen.reverse();
        Some(chosen)
    }

    /// Returns the hits of a combination, one for each part, all by different messages, of which the first is as late as it
    /// can be.
    fn best_in_any_order(&self, last: usize, captures: &Captures) -> Option<Vec<usize>> {
        let own = self.hits.get(last)?;
        let of_part = |part: usize| -> Vec<usize> {
            if part == usize::from(own.part) {
                return vec![last];
            }
            let wanted = captures.get(part);
            let fits = |hit: &Hit| {
                usize::from(hit.part) == part && Some(&hit.firing.captures) == wanted && self.is_left(hit, captures)
            };
            // The latest first: as many as other parts could take away are enough.
            let found = self.hits.iter().enumerate().rev().filter(|(_, hit)| fits(hit)).map(|(index, _)| index);
            found.take(captures.len()).collect()
        };
        let candidates: Vec<Vec<usize>> = (0..captures.len()).map(of_part).collect();
        let mut numbers: Vec<u64> =
            candidates.iter().flatten().filter_map(|index| Some(self.hits.get(*index)?.number)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.iter().rev().find_map(|start| self.assign(&candidates, *start, &mut Vec::new()))
    }

    /// Chooses one of each part's candidates, none by the same message as another, and none before `start`.
    fn assign(&self, candidates: &[Vec<usize>], start: u64, chosen: &mut Vec<usize>) -> Option<Vec<usize>> {
        let Some(part) = candidates.get(chosen.len()) else { return Some(chosen.clone()) };
        let number = |index: usize| self.hits.get(index).map(|hit| hit.number);
        for index in part {
            let Some(own) = number(*index).filter(|own| *own >= start) else { continue };
            if chosen.iter().any(|other| number(*other) == Some(own)) {
                continue;
            }
            chosen.push(*index);
            if let Some(found) = self.assign(candidates, start, chosen) {
                return Some(found);
            }
            chosen.pop();
        }
        None
    }

    /// Returns whether a hit is left for a combination: neither spent, nor before what it last began with.
    fn is_left(&self, hit: &Hit, captures: &Captures) -> bool {
        let spent = self.spent.iter().find(|spent| spent.captures == *captures);
        spent.is_none_or(|spent| hit.number > spent.start && !spent.hits.contains(&hit.number))
    }
}

/// Returns whether wildcards of the same name matched the same.
fn agree(one: &Hit, other: &Hit) -> bool {
    one.firing.named.iter().all(|(name, capture)| {
        other.firing.named.iter().filter(|(known, _)| known == name).all(|(_, known)| known == capture)
    })
}
