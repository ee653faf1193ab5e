//! What survives a restart, in one `SQLite` database (docs/decisions/0003).
//!
//! [`Store`] is the loop's end: it hands changes to the one `writer`, a thread of its own, and can wait until they are
//! written. `open` finds out what was kept, and mends what is damaged (`recovery`). Nothing here ends the home: where the
//! disk doesn't take a change, it is kept in memory, said, and tried again.

mod checksum;
mod database;
mod folder;
mod health;
mod keeper;
mod kept;
#[cfg(test)]
mod kill_tests;
mod open;
mod outbox;
mod pending;
mod recovery;
mod retained;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tracing::error;

pub(crate) use database::{Database, DatabaseError};
pub(crate) use folder::DATABASE;
pub(super) use health::Health;
pub(super) use keeper::RetainedKeeper;
pub(super) use kept::source_key;
pub(super) use open::{Opened, StoreError, open};
pub(super) use retained::Retained;

use crate::engine::SaveKey;
use crate::model::Message;

use checksum::checksum;
use database::Changes;
use kept::{Kept, SOURCE};
use outbox::Outbox;
use pending::{Batch, Durability, Pending};

/// Longer than this, what a home does waits for no disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes what must survive a restart.
pub(super) struct Store {
    pending: Arc<Pending>,
    /// The writer says how it is; that it doesn't answer, only we can say. Its next success takes that back.
    health: watch::Sender<Health>,
    wants_all: Arc<AtomicBool>,
    losses: Vec<String>,
    thread: Option<JoinHandle<()>>,
    /// The checksums of what was last kept of each key that is kept at once: what is as it was needs no disk.
    last: BTreeMap<SaveKey, i64>,
    noted: Batch,
    outbox: Outbox,
    /// A disk that hasn't answered in time.
    stalled: Option<oneshot::Receiver<()>>,
}

impl Store {
    fn new(
        pending: Arc<Pending>,
        health: watch::Sender<Health>,
        wants_all: Arc<AtomicBool>,
        losses: Vec<String>,
        thread: JoinHandle<()>,
        kept: &Kept,
    ) -> Store {
        let sum = |(key, value): (&SaveKey, &String)| (key.clone(), checksum(&key.0, value.as_bytes()));
        Store {
            pending,
            health,
            wants_all,
            losses,
            thread: Some(thread),
            last: kept.snapshot.values.iter().filter(|(key, _)| is_known(key)).map(sum).collect(),
            noted: Batch::default(),
            outbox: Outbox::found(kept.outbox_keys.clone()),
            stalled: None,
        }
    }

    /// Notes a change for the next [`Store::commit`]. Returns whether it is one: that needs the disk.
    pub(super) fn save(&mut self, key: SaveKey, value: Option<String>) -> bool {
        let is_change = self.is_change(&key, value.as_ref());
        if is_change {
            self.noted.changes.insert(key.0, value.map(String::into_bytes));
        }
        is_change
    }

    /// Returns whether `value` isn't what was last kept.
    fn is_change(&mut self, key: &SaveKey, value: Option<&String>) -> bool {
        if !is_known(key) {
            return true;
        }
        let sum = value.map(|value| checksum(&key.0, value.as_bytes()));
        let before = match sum {
            Some(sum) => self.last.insert(key.clone(), sum),
            None => self.last.remove(key),
        };
        before != sum
    }

    /// Has what was noted on the disk when it returns; at once where nothing was. A disk that doesn't take it, or takes
    /// too long, is said and waited for no more.
    pub(super) async fn commit(&mut self) {
        if self.noted.changes.is_empty() && !self.noted.notes_life {
            return;
        }
        self.hand_over(Durability::Synced).await;
    }

    /// Keeps, with what was noted of the same decision, the messages that leave after it.
    pub(super) fn promise(&mut self, messages: &[&Message]) {
        self.outbox.add(messages, &mut self.noted.changes);
    }

    /// Forgets what was promised: it has left. Waits for nothing.
    pub(super) fn forget_promises(&mut self) {
        let changes = self.outbox.left();
        if !changes.is_empty() {
            self.pending.add(Batch { changes, ..Batch::default() });
        }
    }

    /// Makes the next commit note that we are alive, by the clock as it is now: with what was moved since it was set.
    pub(super) fn note_life(&mut self) {
        self.noted.notes_life = true;
    }

    /// Waits until what the broker keeps is written.
    pub(super) async fn written(&mut self) {
        self.hand_over(Durability::Written).await;
    }

    /// Notes what may be late, and that we are alive; waits for nothing.
    pub(super) fn keep_late(&mut self, changes: impl Iterator<Item = (SaveKey, Option<String>)>) {
        let changes = changes.filter(|(key, value)| self.is_change(key, value.as_ref()));
        let changes: Changes = changes.map(|(key, value)| (key.0, value.map(String::into_bytes))).collect();
        if changes.is_empty() {
            return;
        }
        self.pending.add(Batch { changes, durability: Durability::Synced, notes_life: true, ..Batch::default() });
    }

    async fn hand_over(&mut self, durability: Durability) {
        let (sender, done) = oneshot::channel();
        let noted = std::mem::take(&mut self.noted);
        self.pending.add(Batch { durability, waiting: vec![sender], ..noted });
        if let Some(stalled) = &mut self.stalled {
            if stalled.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                return;
            }
            self.stalled = None;
        }
        let mut done = done;
        if timeout(PATIENCE, &mut done).await.is_err() {
            error!("The disk doesn't answer; the home goes on without waiting for it.");
            self.health.send_replace(Health::Failing("the disk doesn't answer".to_owned()));
            // If it answered just now, the writer would learn only with the next change that it is well again.
            self.pending.add(Batch::default());
            self.stalled = Some(done);
        }
    }

    /// Returns what takes the broker's retained messages.
    pub(super) fn retained_keeper(&self) -> RetainedKeeper {
        RetainedKeeper(Arc::clone(&self.pending))
    }

    /// Returns how it is.
    pub(super) fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Returns what tells of changes of the health, and at once where it isn't well.
    pub(super) fn watch(&self) -> watch::Receiver<Health> {
        let mut health = self.health.subscribe();
        if self.health() != Health::Well {
            health.mark_changed();
        }
        health
    }

    /// Returns, once, that a new database was begun: it needs all that is known.
    pub(super) fn takes_all(&mut self) -> bool {
        let wants_all = self.wants_all.swap(false, Ordering::AcqRel);
        if wants_all {
            self.last.clear();
        }
        wants_all
    }

    /// Returns what was lost before this start, in sentences.
    pub(super) fn losses(&self) -> &[String] {
        &self.losses
    }

    /// Writes the last changes and closes the database.
    pub(super) async fn close(&mut self) {
        self.noted.is_last = true;
        self.noted.notes_life = true;
        self.hand_over(Durability::Synced).await;
        let Some(thread) = self.thread.take() else { return };
        if self.stalled.is_none() {
            // It panicked, or it ended well.
            let _ = tokio::task::spawn_blocking(|| thread.join()).await;
        }
    }
}

/// Returns whether the checksum of what was last kept under `key` is remembered. Of topics there are many, and each
/// message changes what is known of one.
fn is_known(key: &SaveKey) -> bool {
    !key.0.starts_with("topic/") && !key.0.starts_with(SOURCE)
}
