//! What waits to be recorded: within a bound, so that a disk that takes nothing costs bounded memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::lang::RecorderSettings;
use crate::model::Message;
use crate::model::recording::{MessageLine, Via};

use super::Speaker;
use crate::api::CauseAnswer;

/// How long messages are gathered before they are written.
const PAUSE: Duration = Duration::from_secs(1);

/// So many bytes are written at once, though the pause isn't over.
const LARGE: usize = 1 << 20;

/// No more than this waits, beside one message; what comes then is left out.
const MOST: usize = 16 << 20;

/// What a message takes beside its topic and payload, about.
const OVERHEAD: usize = 200;

/// A message that is to be recorded.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) at: Timestamp,
    pub(super) message: Message,
    pub(super) speaker: Speaker,
}

impl Noted {
    /// Appends its line to `text`.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        let line = |via| MessageLine::new(self.at, &self.message, via);
        // Writing into memory can't fail.
        let _ = match &self.speaker {
            Speaker::Client(client) => serde_json::to_writer(&mut *text, &line(Via::Client(client.as_deref()))),
            Speaker::Rule(rule, Some(cause)) => {
                serde_json::to_writer(&mut *text, &line(Via::Rule(rule)).with_cause(CauseAnswer(cause)))
            }
            Speaker::Rule(rule, None) => serde_json::to_writer(&mut *text, &line(Via::Rule(rule))),
        };
        text.push(b'\n');
    }

    fn size(&self) -> usize {
        OVERHEAD + self.message.topic.as_str().len() + self.message.payload.bytes().len()
    }
}

/// What waits, for one writer.
#[derive(Default)]
pub(super) struct Waiting {
    batch: Mutex<Batch>,
    added: Condvar,
    /// How the writer is.
    health: Mutex<Health>,
}

/// How a writer is.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    /// Why nothing can be recorded; `None`: it can.
    pub(super) failing: Option<String>,
    /// How many messages were not recorded, since the start.
    pub(super) lost: u64,
}

/// What is written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) noted: Vec<Noted>,
    /// How many messages had no room.
    pub(super) left_out: u64,
    /// Other bounds from now on.
    pub(super) settings: Option<RecorderSettings>,
    /// Who waits until it is written.
    pub(super) flushed: Vec<oneshot::Sender<()>>,
    /// Whether this is the last one.
    pub(super) is_last: bool,
    size: usize,
}

impl Batch {
    /// Returns whether somebody doesn't want to wait for the pause.
    fn is_pressing(&self) -> bool {
        self.is_last || !self.flushed.is_empty() || self.size >= LARGE
    }

    fn is_empty(&self) -> bool {
        self.noted.is_empty() && self.left_out == 0 && self.settings.is_none()
    }
}

impl Waiting {
    /// Adds a message. Nobody is woken for it but once in a pause.
    pub(super) fn note(&self, noted: Noted) {
        let mut batch = self.lock();
        if batch.size > MOST {
            batch.left_out += 1;
            return;
        }
        let size = batch.size;
        batch.size += noted.size();
        batch.noted.push(noted);
        let must_wake = size == 0 || (size < LARGE && batch.size >= LARGE);
        drop(batch);
        if must_wake {
            self.added.notify_one();
        }
    }

    /// Asks for something else than a message.
    pub(super) fn ask(&self, change: impl FnOnce(&mut Batch)) {
        change(&mut self.lock());
        self.added.notify_one();
    }

    /// Takes all that waits: a pause after the first of it came, at once where somebody asks for that, and after
    /// `patience` in any case.
    pub(super) fn take(&self, patience: Duration) -> Batch {
        let batch = self.lock();
        let waited = self.added.wait_timeout_while(batch, patience, |batch| batch.is_empty() && !batch.is_pressing());
        let (batch, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut batch = if timed_out.timed_out() {
            batch
        } else {
            let waited = self.added.wait_timeout_while(batch, PAUSE, |batch| !batch.is_pressing());
            waited.unwrap_or_else(PoisonError::into_inner).0
        };
        std::mem::take(&mut *batch)
    }

    /// Returns how the writer is.
    pub(super) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how the writer is.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        // A list is whole after any panic.
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
