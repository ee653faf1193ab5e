//! Rules in the shadow: a second engine, on a thread of its own, that is told what the first one is told, and does nothing.
//!
//! The loop never waits for it: what it is told goes into a bounded queue, and what doesn't fit is missed, counted and told. A panic
//! there ends the shadow, not the house.

pub(in crate::daemon) mod begin;
mod calls;
mod kept;
mod prints;
mod shared;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{error, warn};

use crate::api::Finding;
use crate::api::view::ShadowAnswer;
use crate::daemon::files::reload::{Loaded, RuleChanges};
use crate::daemon::home::input::Link;
use crate::engine::{Effect, Engine, Event, Options, Snapshot};
use crate::explain::LocalTime;
use crate::lang::ShadowSettings;
use crate::model::RuleId;
use crate::rules::Ruleset;

use kept::Kept;
use prints::Prints;
use shared::Shared;
use worker::Worker;

/// How much may wait to be told.
const WAITING: usize = 4096;

/// How many bytes that may be.
const MOST_BYTES: usize = 16 << 20;

/// How long the shadow has to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Rules in the shadow, as the loop knows them.
pub(in crate::daemon) struct Shadow {
    settings: ShadowSettings,
    told: SyncSender<Told>,
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
    /// The rules there.
    ruleset: Ruleset,
    /// What the rules in force are, to tell which change.
    here: Prints,
    findings: Vec<Finding>,
    stale: Vec<String>,
}

/// What is told to the thread.
enum Told {
    /// Something happened.
    Event(Timestamp, Event),
    /// The rules in force decided something.
    Decided(Timestamp, Effect),
    /// It begins anew with what was saved.
    Renew(Timestamp, Snapshot),
    /// There is something in [`Shared`].
    Nudge,
}

/// What a shadow begins with.
pub(in crate::daemon) struct Begin<'a> {
    /// When.
    pub(in crate::daemon) now: Timestamp,
    /// The folder of its data.
    pub(in crate::daemon) data: PathBuf,
    /// The rules in force.
    pub(in crate::daemon) here: &'a Ruleset,
    /// What was kept of what they know.
    pub(in crate::daemon) snapshot: Snapshot,
    /// What an engine is told.
    pub(in crate::daemon) options: Options,
    /// How long an evaluation may take.
    pub(in crate::daemon) limit: Duration,
    /// To ask for what was recorded.
    pub(in crate::daemon) link: Link,
}

impl Shadow {
    /// Starts the thread. `loaded` are the files of the shadow.
    pub(in crate::daemon) fn start(settings: ShadowSettings, begin: Begin<'_>, loaded: Loaded) -> Shadow {
        let (told, receiver) = sync_channel(WAITING);
        let file = begin.data.join(kept::FILE);
        let kept = Kept::read(&file, &settings);
        let (here, there) = (Prints::of(begin.here), Prints::of(&loaded.home.ruleset));
        let time = LocalTime::new(begin.options.calendar.zone.clone());
        let (snapshot, score) = kept.go_on(begin.now, begin.snapshot, (&here, &there));
        let shared = Arc::new(Shared::new(&settings, score, time));
        let changed: [RuleId; 0] = [];
        shared.ledger().shadow.mask(&begin.here.secrets);
        shared.ledger().shadow.change(&loaded.home.ruleset, &changed);
        shared.set_prints(here.clone(), there);
        let engine = Engine::restore(begin.now, loaded.home.ruleset.clone(), snapshot, begin.options.clone());
        let ruleset = loaded.home.ruleset.clone();
        let (farewell, ended) = oneshot::channel();
        let parts = worker::Parts {
            receiver,
            shared: Arc::clone(&shared),
            settings: settings.clone(),
            options: begin.options,
            limit: begin.limit,
            file,
            link: begin.link,
            now: begin.now,
            farewell,
        };
        if let Err(error) = Worker::start(parts, engine, ruleset.clone()) {
            shared.stop_because(format!("the system gives it no thread: {error}"));
            error!("Rules in the shadow don't run: the system gives them no thread: {error}.");
        }
        let mut shadow =
            Shadow { settings, told, shared, ended, ruleset, here, findings: Vec::new(), stale: Vec::new() };
        shadow.note(&loaded);
        for finding in shadow.findings.iter().filter(|finding| finding.is_error()) {
            error!("In the shadow: {}: {}", finding.place(), finding.message);
        }
        shadow
    }

    /// Returns the rules there.
    pub(in crate::daemon) fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// Returns what is wrong with its files, by the paths that they have.
    pub(in crate::daemon) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Tells what happened.
    pub(in crate::daemon) fn tell(&self, now: Timestamp, event: &Event) {
        let size = match event {
            Event::Message(message) | Event::MessageFrom { message, .. } => message.payload.bytes().len(),
            Event::Webhook { body, .. } => body.bytes().len(),
            _ => 0,
        };
        if self.has_room(size) {
            self.send(Told::Event(now, event.clone()), size);
        }
    }

    /// Tells what the rules in force decided, where that can be compared.
    pub(in crate::daemon) fn tell_effect(&self, now: Timestamp, effect: &Effect) {
        let size = match effect {
            Effect::Publish(publication) => publication.message.payload.bytes().len(),
            Effect::Http { call, .. } | Effect::Deliver { call, .. } => call.body.len(),
            Effect::Trace(_) | Effect::Exec { .. } => 0,
            Effect::Tell(_)
            | Effect::Save { .. }
            | Effect::Log { .. }
            | Effect::Invariant(_)
            | Effect::Alert(_)
            | Effect::Notify { .. }
            | Effect::Recall(_) => return,
        };
        if self.has_room(size) {
            self.send(Told::Decided(now, effect.clone()), size);
        }
    }

    /// Begins anew with what was saved: this instance acts from now on, or no more.
    pub(in crate::daemon) fn renew(&self, now: Timestamp, snapshot: Snapshot) {
        self.send(Told::Renew(now, snapshot), 0);
    }

    /// The rules in force change: those that are others count anew.
    pub(in crate::daemon) fn change_here(&mut self, rules: &Ruleset) {
        let prints = Prints::of(rules);
        let changed = self.here.changed(&prints);
        let mut ledger = self.shared.ledger();
        ledger.shadow.mask(&rules.secrets);
        ledger.shadow.forget(&changed);
        drop(ledger);
        self.here = prints.clone();
        self.shared.set_here(prints);
    }

    /// The files of the shadow changed. Returns what that is, in words; `None` where it's nothing.
    pub(in crate::daemon) fn change_there(&mut self, loaded: Loaded) -> Option<String> {
        let changes = RuleChanges::between(&self.ruleset, &loaded.home.ruleset);
        let before = (self.findings.clone(), self.stale.clone());
        self.note(&loaded);
        if changes == RuleChanges::default() && before == (self.findings.clone(), self.stale.clone()) {
            return None;
        }
        self.ruleset = loaded.home.ruleset.clone();
        self.shared.replace_rules(loaded.home.ruleset);
        // If there is no room, it's looked at with what waits there.
        let _ = self.told.try_send(Told::Nudge);
        Some(changes.text())
    }

    /// Returns what differed, and how often both agreed.
    pub(in crate::daemon) fn asker(&self) -> impl FnOnce() -> ShadowAnswer + Send + use<> {
        let (shared, settings) = (Arc::clone(&self.shared), self.settings.clone());
        let (findings, stale) = (self.findings.clone(), self.stale.clone());
        move || shared.answer(&settings, findings, stale)
    }

    /// Ends it.
    pub(in crate::daemon) async fn stop(self) {
        let Shadow { told, shared, ended, .. } = self;
        shared.is_stopping.store(true, Ordering::Relaxed);
        drop(told);
        if timeout(LAST_WORDS, ended).await.is_err() {
            warn!("The rules in the shadow didn't end in time.");
        }
    }

    /// Takes down what is wrong with the files of the shadow; of others it's told elsewhere.
    fn note(&mut self, loaded: &Loaded) {
        let own = loaded.home.settings.rules.trim_end_matches('/').to_owned();
        let shown = |file: &str| -> Option<String> {
            let rest = file.strip_prefix(own.as_str()).filter(|rest| rest.starts_with('/'))?;
            Some(format!("{}{rest}", self.settings.rules.trim_end_matches('/')))
        };
        let findings = loaded.findings.iter().filter_map(|finding| {
            let file = shown(&finding.file)?;
            Some(Finding { text: finding.text.replace(&finding.file, &file), file, ..finding.clone() })
        });
        self.findings = findings.collect();
        self.stale = loaded.stale.keys().filter_map(|file| shown(file)).collect();
    }

    fn has_room(&self, size: usize) -> bool {
        let has_room = size == 0 || self.shared.bytes.load(Ordering::Relaxed) + size <= MOST_BYTES;
        if !has_room {
            self.shared.missed.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    fn send(&self, told: Told, size: usize) {
        self.shared.bytes.fetch_add(size, Ordering::Relaxed);
        if self.told.try_send(told).is_err() {
            self.shared.bytes.fetch_sub(size, Ordering::Relaxed);
            self.shared.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Told {
    /// Returns how many bytes were counted for it.
    fn size(&self) -> usize {
        match self {
            Told::Event(_, Event::Message(message) | Event::MessageFrom { message, .. }) => {
                message.payload.bytes().len()
            }
            Told::Event(_, Event::Webhook { body, .. }) => body.bytes().len(),
            Told::Decided(_, Effect::Publish(publication)) => publication.message.payload.bytes().len(),
            Told::Decided(_, Effect::Http { call, .. } | Effect::Deliver { call, .. }) => call.body.len(),
            Told::Event(..) | Told::Decided(..) | Told::Renew(..) | Told::Nudge => 0,
        }
    }
}
