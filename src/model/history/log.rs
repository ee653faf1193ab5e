//! The log of samples: what is kept of each within a second, without writing its series anew. A row holds what all series
//! heard since the row before; it goes once each of these has been written whole.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::model::Value;

/// How many samples of rows are always allowed to wait.
const MOST_ANYWAY: usize = 4096;

/// A sample of a row: its series, when, what, and whether somebody said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry(pub(super) u32, pub(super) i64, pub(super) Value);

/// The rows that are on the disk, and what comes into the next one.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    /// The number of the last row.
    pub(super) last: u64,
    rows: VecDeque<Row>,
    fresh: Vec<Entry>,
    samples: usize,
}

#[derive(Debug, Clone)]
struct Row {
    number: u64,
    series: BTreeSet<u32>,
    samples: usize,
}

impl Log {
    pub(super) fn note(&mut self, series: u32, at: i64, value: &Value) {
        self.fresh.push(Entry(series, at, value.clone()));
    }

    /// Takes back a row that was kept.
    pub(super) fn restore(&mut self, number: u64, entries: &[Entry]) {
        self.last = self.last.max(number);
        self.push(number, entries);
    }

    /// Returns what is to be written as the next row.
    pub(super) fn take(&mut self) -> Option<(u64, Vec<Entry>)> {
        if self.fresh.is_empty() {
            return None;
        }
        self.last += 1;
        let entries = std::mem::take(&mut self.fresh);
        self.push(self.last, &entries);
        Some((self.last, entries))
    }

    fn push(&mut self, number: u64, entries: &[Entry]) {
        let series = entries.iter().map(|entry| entry.0).collect();
        self.samples += entries.len();
        self.rows.push_back(Row { number, series, samples: entries.len() });
    }

    /// Returns whether so much waits in rows that series should be written whole, which have so many samples together.
    pub(super) fn is_long(&self, kept: usize) -> bool {
        self.samples > kept.max(MOST_ANYWAY)
    }

    /// Returns the series that hold back the oldest row.
    pub(super) fn oldest(&self) -> impl Iterator<Item = (u32, u64)> {
        self.rows.front().into_iter().flat_map(|row| row.series.iter().map(|series| (*series, row.number)))
    }

    /// Drops the oldest row. Returns its number.
    pub(super) fn drop_oldest(&mut self) -> Option<u64> {
        let row = self.rows.pop_front()?;
        self.samples -= row.samples;
        Some(row.number)
    }

    /// Returns the numbers of all rows, which go.
    pub(super) fn clear(&mut self) -> Vec<u64> {
        self.samples = 0;
        self.fresh.clear();
        self.rows.drain(..).map(|row| row.number).collect()
    }
}
