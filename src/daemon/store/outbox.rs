//! What was published together with a change that is kept, until it has left: kept in the same commit, and sent at the next
//! start if the daemon died in between. What is retained isn't among it: the broker keeps that, in the same commit. Otherwise an end that is on the disk, and was never told, would leave a pump on.

use std::sync::Arc;

use crate::model::Message;

use super::database::Changes;

/// How the keys begin.
pub(super) const OUTBOX: &str = "outbox/";

/// The messages on their way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    next: u64,
    /// The rows of those that leave with the next batch.
    leaving: Vec<Arc<str>>,
}

impl Outbox {
    /// Returns the outbox after a start: the rows that were found leave with the first batch.
    pub(super) fn found(keys: Vec<Arc<str>>) -> Outbox {
        let number = |key: &Arc<str>| key.strip_prefix(OUTBOX).and_then(|number| number.parse::<u64>().ok());
        let next = keys.iter().filter_map(number).max().map_or(0, |last| last + 1);
        Outbox { next, leaving: keys }
    }

    /// Adds messages to what is about to be kept.
    pub(super) fn add(&mut self, messages: &[Message], changes: &mut Changes) {
        // A message is always JSON.
        let Ok(row) = serde_json::to_vec(messages) else { return };
        let key: Arc<str> = format!("{OUTBOX}{:020}", self.next).into();
        self.next += 1;
        self.leaving.push(Arc::clone(&key));
        changes.insert(key, Some(row));
    }

    /// Returns the removal of what has left.
    pub(super) fn left(&mut self) -> Changes {
        self.leaving.drain(..).map(|key| (key, None)).collect()
    }
}

/// Reads a row; `None` where it is none.
pub(super) fn from_row(row: &[u8]) -> Option<Vec<Message>> {
    serde_json::from_slice(row).ok()
}
