//! Presses that are counted: fires at the last one that is needed, or, where no more may come, when their time is over. Pure.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Whole;
use crate::engine::instant::{Shift, elapsed, later};
use crate::engine::trigger::firing::Firing;

/// Presses by what the wildcards matched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taps {
    rows: Vec<Row>,
}

/// Presses with the same captures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    captures: Vec<Arc<str>>,
    presses: Vec<(Timestamp, Firing)>,
    /// When those that may be no more are counted.
    due: Option<Timestamp>,
    /// How many came beyond those that are kept.
    more: bool,
}

/// How presses are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counting {
    pub(crate) times: u16,
    pub(crate) within: Duration,
    pub(crate) exact: bool,
}

impl Shift for Taps {
    fn shift(&mut self, by: SignedDuration) {
        for row in &mut self.rows {
            row.presses.iter_mut().for_each(|(at, _)| at.shift(by));
            row.due.shift(by);
        }
    }
}

impl Taps {
    /// Takes a press at `at`. Returns all of them where they are enough.
    pub(crate) fn press(&mut self, counting: Counting, at: Timestamp, firing: Firing) -> Option<Whole> {
        let times = usize::from(counting.times);
        self.rows.retain(|row| {
            row.due.is_some() || row.presses.last().is_some_and(|(last, _)| elapsed(*last, at) <= counting.within)
        });
        let index = self.rows.iter().position(|row| row.captures == firing.captures);
        let index = index.unwrap_or_else(|| {
            let captures = firing.captures.clone();
            self.rows.push(Row { captures, presses: Vec::new(), due: None, more: false });
            self.rows.len() - 1
        });
        let row = self.rows.get_mut(index)?;
        if counting.exact {
            row.due = row.due.or(Some(later(at, counting.within)));
            if row.presses.len() < times {
                row.presses.push((at, firing));
            } else {
                row.more = true;
            }
            return None;
        }
        row.presses.push((at, firing));
        row.presses.retain(|(pressed, _)| elapsed(*pressed, at) <= counting.within);
        if row.presses.len() < times {
            return None;
        }
        let row = self.rows.remove(index);
        whole(row)
    }

    /// Returns those whose time is over at `now`, as many as were wanted.
    pub(crate) fn take_due(&mut self, counting: Counting, now: Timestamp) -> Vec<Whole> {
        let is_due = |row: &mut Row| row.due.is_some_and(|due| due <= now);
        let due: Vec<Row> = self.rows.extract_if(.., is_due).collect();
        let fits = |row: &Row| !row.more && row.presses.len() == usize::from(counting.times);
        due.into_iter().filter(fits).filter_map(whole).collect()
    }

    /// Returns when presses are counted next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.rows.iter().filter_map(|row| row.due).min()
    }
}

fn whole(row: Row) -> Option<Whole> {
    let since = row.presses.first()?.0;
    let last = row.presses.len() - 1;
    Some(Whole { parts: row.presses.into_iter().map(|(_, firing)| firing).collect(), last, since })
}
