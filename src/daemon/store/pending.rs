//! What waits to be written: for each key only the latest, so that a disk that takes nothing costs bounded memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::database::Changes;

/// How surely changes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Durability {
    /// The system has them: they survive the end of the process.
    #[default]
    Written,
    /// The disk has them: they survive a power cut.
    Synced,
}

/// What waits, for one writer.
#[derive(Default)]
pub(super) struct Pending {
    batch: Mutex<Batch>,
    added: Condvar,
}

/// What is written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) changes: Changes,
    pub(super) durability: Durability,
    /// Whether the moment is to be noted as one at which the daemon was alive.
    pub(super) notes_life: bool,
    /// Who waits for it.
    pub(super) waiting: Vec<oneshot::Sender<()>>,
    /// Whether this is the last one.
    pub(super) is_last: bool,
    /// Whether somebody added to it: what was put back asks for nothing by itself.
    pub(super) is_asked: bool,
}

impl Pending {
    /// Adds changes; a later one of a key replaces an earlier one.
    pub(super) fn add(&self, more: Batch) {
        let mut batch = self.lock();
        batch.changes.extend(more.changes);
        batch.durability = batch.durability.max(more.durability);
        batch.notes_life |= more.notes_life;
        batch.waiting.extend(more.waiting);
        batch.is_last |= more.is_last;
        batch.is_asked = true;
        drop(batch);
        self.added.notify_one();
    }

    /// Takes all that waits, as soon as somebody adds to it, or after `patience`.
    pub(super) fn take(&self, patience: Duration) -> Batch {
        let batch = self.lock();
        let waited = self.added.wait_timeout_while(batch, patience, |batch| !batch.is_asked);
        let (mut batch, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *batch)
    }

    /// Puts back what could not be written, behind what came since.
    pub(super) fn put_back(&self, changes: Changes) {
        let mut batch = self.lock();
        let newer = std::mem::replace(&mut batch.changes, changes);
        batch.changes.extend(newer);
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        // A map is whole after any panic.
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
