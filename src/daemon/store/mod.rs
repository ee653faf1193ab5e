//! What survives a restart, in one `SQLite` database (docs/decisions/0003).
//!
//! [`Store`] is the loop's end: it hands changes to the one `writer`, a thread of its own, and can wait until they are
//! written. `open` finds out what was kept, and mends what is damaged (`recovery`). Nothing here ends the home: where the
//! disk doesn't take a change, it is kept in memory, said, and tried again.

mod checksum;
mod database;
mod folder;
mod health;
mod kept;
#[cfg(test)]
mod kill_tests;
mod old_retained;
mod open;
mod outbox;
mod pending;
mod recovery;
#[cfg(test)]
mod tests;
mod writer;
mod written;

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
pub(super) use kept::source_key;
pub(super) use open::{Opened, StoreError, open};
pub(super) use written::Written;

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
    /// Whether something of it must survive a power cut before what was decided leaves.
    must_sync: bool,
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
            must_sync: false,
            outbox: Outbox::found(kept.outbox_keys.clone()),
            stalled: None,
        }
    }

    /// Notes a change for the next [`Store::commit`]. Returns whether it is one: that needs the disk.
    pub(super) fn save(&mut self, key: SaveKey, value: Option<String>) -> bool {
        let is_change = self.is_change(&key, value.as_ref());
        if is_change {
            self.noted.changes.insert(key.0, value.map(String::into_bytes));
            self.must_sync = true;
        }
        is_change
    }

    /// Notes what MQTT keeps. It needn't survive a power cut at once, and is written together with what rules keep.
    pub(super) fn keep(&mut self, key: Arc<str>, value: Option<Vec<u8>>) {
        self.noted.changes.insert(key, value);
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

    /// Returns whether what was noted must be on the disk before what was decided leaves.
    pub(super) fn must_sync(&self) -> bool {
        self.must_sync || self.noted.notes_life
    }

    /// Has what was noted written, and waits for nothing. Returns what tells when it is; `None`: nothing was noted, or the disk doesn't
    /// answer and isn't waited for.
    pub(super) fn write(&mut self) -> Option<Written> {
        if self.noted.changes.is_empty() {
            return None;
        }
        let done = self.hand_over_noted(Durability::Written);
        (!self.is_stalled()).then(|| Written::after(done, PATIENCE))
    }

    /// Takes note that the disk hasn't answered in time.
    pub(super) fn stall(&mut self, done: oneshot::Receiver<()>) {
        error!("The disk doesn't answer; the home goes on without waiting for it.");
        self.health.send_replace(Health::Failing("the disk doesn't answer".to_owned()));
        // If it answered just now, the writer would learn only with the next change that it is well again.
        self.pending.add(Batch::default());
        self.stalled = Some(done);
    }

    /// Keeps, with what was noted of the same decision, the messages that leave after it.
    pub(super) fn promise(&mut self, messages: &[Message]) {
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
        let mut done = self.hand_over_noted(durability);
        if !self.is_stalled() && timeout(PATIENCE, &mut done).await.is_err() {
            self.stall(done);
        }
    }

    /// Gives what was noted to the writer; what is returned tells when it is written.
    fn hand_over_noted(&mut self, durability: Durability) -> oneshot::Receiver<()> {
        let (sender, done) = oneshot::channel();
        self.must_sync = false;
        let noted = std::mem::take(&mut self.noted);
        self.pending.add(Batch { durability, waiting: vec![sender], ..noted });
        done
    }

    /// Returns whether the disk still hasn't answered.
    fn is_stalled(&mut self) -> bool {
        let is_stalled =
            self.stalled.as_mut().is_some_and(|stalled| stalled.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        if !is_stalled {
            self.stalled = None;
        }
        is_stalled
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
