//! Commits that are on their way to the disk, oldest first: what waits for them leaves when they are done.

use std::collections::VecDeque;

use crate::broker::Receipt;
use crate::daemon::store::{Store, Written};

/// The commits.
#[derive(Default)]
pub(super) struct Commits(VecDeque<(Written, Receipt)>);

impl Commits {
    /// Adds one, behind the others: with it, all up to `receipt` is written.
    pub(super) fn add(&mut self, written: Written, receipt: Receipt) {
        self.0.push_back((written, receipt));
    }

    /// Lets what needs no commit of its own leave with the last one. Returns false where none is on its way.
    pub(super) fn join(&mut self, receipt: Receipt) -> bool {
        let last = self.0.back_mut();
        last.map(|(_, last)| *last = receipt).is_some()
    }

    /// Forgets all of them: a later one is done.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns what may leave once the oldest is done; never where there is none. Cancel safe. A disk that takes too long is reported to
    /// `store`, and waited for no more.
    pub(super) async fn next(&mut self, store: &mut Store) -> Receipt {
        let is_written = match self.0.front_mut() {
            Some((written, _)) => written.wait().await,
            None => return std::future::pending().await,
        };
        let Some((written, receipt)) = self.0.pop_front() else { return std::future::pending().await };
        if !is_written {
            store.stall(written.into_inner());
        }
        receipt
    }
}
