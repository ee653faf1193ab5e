//! The recorder: keeps the messages of the last days in files of our own format (docs/recordings.md), beside the loop
//! (docs/decisions/0008).
//!
//! [`Recorder`] is the loop's end: it notes a message in memory and goes on. Once a second one thread, the `writer`, appends
//! what waits (`waiting`) to a file on the [shelf](crate::disk::recorded::shelf). It syncs nothing, so that the system writes a page once: that wears no
//! card, a kill loses a second, and a power cut what the system had not written. `disk::recorded`
//! reads the files, also while the daemon runs.

mod search;
#[cfg(test)]
mod tests;
mod waiting;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tracing::error;

pub(super) use search::Search;

use crate::engine::Publication;
use crate::lang::RecorderSettings;
use crate::model::{Message, Qos, States, Withheld};

use super::observers::shown::Shown;
use crate::api::RecorderStatus;
use crate::explain::Speaker;
use waiting::{Health, Noted, Waiting};
use writer::Writer;

/// Longer than this, nobody waits for the disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes messages that are to be recorded.
pub(super) struct Recorder {
    folder: PathBuf,
    /// Searches wait for one another: each reads what it can.
    searching: Arc<Semaphore>,
    /// So do replays, which take longer.
    replaying: Arc<Semaphore>,
    /// `None`: nothing is recorded.
    running: Option<Running>,
}

/// A recorder that records.
struct Running {
    settings: RecorderSettings,
    waiting: Arc<Waiting>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// Returns a recorder into `folder`; without settings it records nothing. A file begins with the `states` that are known.
    pub(super) fn start(
        folder: PathBuf,
        settings: Option<RecorderSettings>,
        states: &States,
        shown: &Shown,
    ) -> Recorder {
        let running = settings.and_then(|settings| Running::start(&folder, settings, states, shown));
        Recorder { folder, searching: one(), replaying: one(), running }
    }

    /// A client published `message`.
    pub(super) fn message(&self, at: Timestamp, message: &Message, client: Option<&Arc<str>>) {
        let Some(running) = self.running.as_ref().filter(|running| running.records(message)) else { return };
        running.waiting.note(Noted { at, message: message.clone(), speaker: Speaker::Client(client.cloned()) });
    }

    /// A rule published.
    pub(super) fn publication(&self, at: Timestamp, publication: Publication) {
        let Publication { message, rule, cause, .. } = publication;
        if let Some(running) = self.running.as_ref().filter(|running| running.records(&message)) {
            running.waiting.note(Noted { at, message, speaker: Speaker::Rule(rule, Some(cause)) });
        }
    }

    /// From now on records as `settings` say.
    pub(super) fn change(&mut self, settings: Option<RecorderSettings>, states: &States, shown: &Shown) {
        match (&mut self.running, settings) {
            (Some(running), Some(settings)) => {
                if running.settings != settings {
                    running.settings = settings.clone();
                    running.waiting.ask(|batch| batch.settings = Some(settings));
                }
            }
            (Some(running), None) => {
                running.waiting.ask(|batch| batch.is_last = true);
                self.running = None;
            }
            (None, Some(settings)) => self.running = Running::start(&self.folder, settings, states, shown),
            (None, None) => {}
        }
    }

    /// Returns how it is.
    pub(super) fn status(&self) -> RecorderStatus {
        let Some(running) = &self.running else { return RecorderStatus::default() };
        let Health { failing, lost } = running.waiting.health();
        let died = "the recorder ended unexpectedly; please report this with the log";
        let failing = if running.thread.is_finished() { Some(died.to_owned()) } else { failing };
        RecorderStatus { is_on: true, failing, lost }
    }

    /// Returns what finds messages among those that were recorded so far.
    pub(super) fn search(&self) -> Search {
        self.beside(&self.searching)
    }

    /// Returns what replays what was recorded so far: searches don't wait for it.
    pub(super) fn replay(&self) -> Search {
        self.beside(&self.replaying)
    }

    fn beside(&self, turn: &Arc<Semaphore>) -> Search {
        let flushed = self.running.as_ref().map(|running| {
            let (sender, flushed) = oneshot::channel();
            running.waiting.ask(|batch| batch.flushed.push(sender));
            flushed
        });
        Search::new(self.folder.clone(), Arc::clone(turn), flushed)
    }

    /// Writes the last messages.
    pub(super) async fn close(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.waiting.ask(|batch| batch.is_last = true);
        let joined = tokio::task::spawn_blocking(|| running.thread.join());
        // It panicked, or it ended well; a disk that doesn't answer keeps nobody.
        let _ = timeout(PATIENCE, joined).await;
    }
}

/// Returns what lets one at a time.
fn one() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1))
}

impl Running {
    /// Returns whether `message` is recorded; one that is too large to keep isn't.
    fn records(&self, message: &Message) -> bool {
        self.settings.includes(&message.topic) && !matches!(message.payload.withheld(), Some(Withheld::TooLarge(_)))
    }

    fn start(folder: &Path, settings: RecorderSettings, states: &States, shown: &Shown) -> Option<Running> {
        let included = states.iter().filter(|(topic, _)| settings.includes(topic));
        let known = included.map(|(topic, state)| {
            let (payload, origin) = (state.payload.clone(), state.origin);
            let message = Message {
                topic: topic.clone(),
                payload,
                qos: Qos::AtMostOnce,
                retain: state.retained,
                origin,
                expires_at: None,
            };
            (topic.clone(), shown.of(&message).into_owned())
        });
        let waiting = Arc::new(Waiting::default());
        let writer = Writer::new(folder.to_owned(), settings.clone(), Arc::clone(&waiting), known.collect());
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run());
        match thread {
            Ok(thread) => Some(Running { settings, waiting, thread }),
            Err(error) => {
                error!("Nothing is recorded: the recorder can't start: {error}.");
                None
            }
        }
    }
}
