//! What must survive a restart. For now it lasts as long as the process does.

use crate::engine::{SaveKey, Snapshot};

/// Takes what the engine wants kept.
///
/// Effects that follow a save may leave only when it is committed: [`Store::commit`] is where that wait belongs.
#[derive(Default)]
pub(super) struct Store {
    snapshot: Snapshot,
}

impl Store {
    /// Notes a change.
    pub(super) fn save(&mut self, key: &SaveKey, value: Option<&String>) {
        self.snapshot.apply(key, value);
    }

    /// Makes what was noted last.
    #[expect(clippy::unused_self, reason = "the seam for a store on disk")]
    pub(super) fn commit(&mut self) {}
}
