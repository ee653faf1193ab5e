//! The simulated disk: what the broker and the rules keep, in one order, and how it was before what a power cut may take.

use std::sync::Arc;

use homerule::engine::{SaveKey, Snapshot};

use crate::broker::house;

/// One change.
#[derive(Debug)]
pub(super) enum Row {
    /// Of the broker.
    Broker(Arc<str>, Option<Vec<u8>>),
    /// Of the rules.
    Rules(SaveKey, Option<String>),
}

/// The disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) broker: house::Disk,
    pub(super) rules: Snapshot,
    /// What brings back what was there at the last sync, newest last.
    before: Vec<Row>,
}

impl Disk {
    /// Writes one change.
    pub(super) fn write(&mut self, row: Row) {
        let before = self.put(row);
        self.before.push(before);
    }

    /// From now on a power cut loses nothing of what was written.
    pub(super) fn sync(&mut self) {
        self.before.clear();
    }

    /// Loses what wasn't synced.
    pub(super) fn cut_power(&mut self) {
        while let Some(row) = self.before.pop() {
            self.put(row);
        }
    }

    /// Becomes another disk, on which there is nothing.
    pub(super) fn replace(&mut self) {
        *self = Disk::default();
    }

    /// Puts a row into its place. Returns the one that brings back what was there.
    fn put(&mut self, row: Row) -> Row {
        match row {
            Row::Broker(key, value) => {
                let before = match value {
                    Some(value) => self.broker.insert(Arc::clone(&key), value),
                    None => self.broker.remove(&key),
                };
                Row::Broker(key, before)
            }
            Row::Rules(key, value) => {
                let before = self.rules.values.get(&key).cloned();
                self.rules.apply(&key, value.as_ref());
                Row::Rules(key, before)
            }
        }
    }
}
