//! The one loop: owns the engine, takes inputs in their order, and does what the effects say.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{debug, error, info, warn};

use crate::engine::{Alert, Effect, Engine, Event, Outcome, Trace};
use crate::lang::{self, Settings};
use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use crate::rules::{LogLevel, RuleEntry, Ruleset};

use super::answer::{Finding, RuleCounts, Status};
use super::broadcast::Broadcast;
use super::broker::Publisher;
use super::clock::Clock;
use super::input::{Input, Routing};
use super::logging::report;
use super::outside::Outside;
use super::reload::{Loaded, Reloaded};
use super::screen::Screen;
use super::settings_change::needs_restart;
use super::store::Store;
use super::traces::Traces;

/// How many inputs are taken before what they led to is sent. More makes a burst cheaper, and its first action later.
const BATCH: usize = 64;

/// With something due, the wall clock is looked at this often: somebody may set it while we sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// Where the daemon says that it is there.
const STATUS_TOPIC: &str = "homerule/status";

/// Where it says what a person should see.
const ALERT_TOPIC: &str = "homerule/alert";

/// The one loop.
pub(super) struct EventLoop {
    pub(super) engine: Engine,
    pub(super) traces: Traces,
    pub(super) settings: Settings,
    pub(super) broadcast: Broadcast,
    pub(super) counters: Counters,
    parts: Parts,
    ruleset: Ruleset,
    findings: Vec<Finding>,
    failing: BTreeSet<RuleId>,
    clock: Clock,
    now: Timestamp,
    started: Instant,
    outgoing: Vec<Outgoing>,
    is_stopping: bool,
}

/// What the loop works with.
pub(super) struct Parts {
    /// Where inputs come from.
    pub(super) inputs: mpsc::Receiver<Input>,
    /// Where messages go.
    pub(super) publisher: Publisher,
    /// Where HTTP requests and programs go.
    pub(super) outside: Outside,
    /// What is shown.
    pub(super) screen: Screen,
    /// What is kept.
    pub(super) store: Store,
    /// Where the daemon listens, as URLs.
    pub(super) listen: Vec<String>,
}

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    /// Messages that clients published.
    pub(super) received: u64,
    /// Messages that rules published.
    pub(super) published: u64,
    /// Runs that ended.
    pub(super) runs: u64,
    /// Runs that failed.
    pub(super) failed_runs: u64,
}

/// What leaves the loop, in its order.
enum Outgoing {
    /// A client's message, on its way to its subscribers.
    Message(Message),
    /// What the engine decided.
    Effect(Effect),
}

impl EventLoop {
    /// Returns the loop of a home whose files say `loaded`.
    pub(super) fn new(parts: Parts, engine: (Engine, Vec<Effect>), loaded: Loaded) -> EventLoop {
        let (engine, effects) = engine;
        let mut clock = Clock::start();
        let now = clock.read().now;
        EventLoop {
            engine,
            traces: Traces::default(),
            settings: loaded.home.settings,
            broadcast: Broadcast::default(),
            counters: Counters::default(),
            parts,
            ruleset: loaded.home.ruleset,
            findings: loaded.findings,
            failing: BTreeSet::new(),
            clock,
            now,
            started: Instant::now(),
            outgoing: effects.into_iter().map(Outgoing::Effect).collect(),
            is_stopping: false,
        }
    }

    /// Runs until somebody sends [`Input::Stop`], or nobody can send any more.
    pub(super) async fn run(mut self) {
        self.tell_time();
        self.decide(Event::Started);
        self.announce("online");
        self.flush().await;
        let mut batch = Vec::with_capacity(BATCH);
        let mut timer = pin!(sleep(Duration::ZERO));
        let mut armed = None;
        while !self.is_stopping {
            let due = self.engine.next_deadline();
            if due != armed {
                armed = due;
                timer.as_mut().reset(tokio::time::Instant::now() + self.until(due));
            }
            let may_wake = armed.is_some();
            tokio::select! {
                taken = self.parts.inputs.recv_many(&mut batch, BATCH) => if taken == 0 { break },
                () = timer.as_mut(), if may_wake => armed = None,
            }
            self.tell_time();
            if batch.is_empty() {
                self.decide(Event::Tick);
            }
            for input in batch.drain(..) {
                self.take(input);
            }
            self.flush().await;
        }
        self.stop().await;
    }

    async fn stop(mut self) {
        self.tell_time();
        self.decide(Event::Stopping);
        self.announce("offline");
        self.flush().await;
        self.parts.store.commit();
        self.parts.screen.close();
    }

    fn until(&self, due: Option<Timestamp>) -> Duration {
        let left = due.map(|due| due.duration_since(self.now));
        let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
        // The timer counts in whole milliseconds and must not wake us before it is due.
        (left + Duration::from_millis(1)).min(LONGEST_SLEEP)
    }

    fn tell_time(&mut self) {
        let reading = self.clock.read();
        self.now = reading.now;
        if let Some(forward) = reading.forward {
            info!(forward_ms = forward, "The clock was set.");
            self.decide(Event::ClockChanged { forward });
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Message { message, client, routing } => {
                self.counters.received += 1;
                if routing == Routing::Loop {
                    self.outgoing.push(Outgoing::Message(message.clone()));
                }
                self.parts.screen.message(self.now, &message, client.as_deref());
                self.broadcast.message(self.now, &message, client.as_deref());
                self.decide(Event::Message(message));
            }
            Input::Event(event) => self.decide(event),
            Input::Question(question) => question(self),
            Input::Loaded(loaded) => self.reload(*loaded),
            Input::Stop => self.is_stopping = true,
        }
    }

    /// Lets the engine decide what `event` leads to.
    pub(super) fn decide(&mut self, event: Event) {
        let effects = self.engine.handle(self.now, event);
        self.outgoing.extend(effects.into_iter().map(Outgoing::Effect));
    }

    /// Publishes `message` as if a client had.
    pub(super) fn publish(&mut self, message: Message) {
        self.take(Input::Message { message, client: None, routing: Routing::Loop });
    }

    /// Does, in order, what was decided.
    async fn flush(&mut self) {
        let mut outgoing = std::mem::take(&mut self.outgoing);
        self.parts.store.commit();
        for step in outgoing.drain(..) {
            match step {
                Outgoing::Message(message) => self.parts.publisher.publish(&message).await,
                Outgoing::Effect(effect) => self.perform(effect).await,
            }
        }
        // The room is used again.
        self.outgoing = outgoing;
        self.parts.screen.flush();
    }

    async fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Publish(publication) => {
                self.counters.published += 1;
                self.parts.publisher.publish(&publication.message).await;
                self.parts.screen.publication(self.now, &publication.message, &publication.rule);
                self.broadcast.publication(self.now, &publication.message, &publication.rule);
            }
            Effect::Save { key, value } => self.parts.store.save(&key, value.as_ref()),
            Effect::Trace(trace) => {
                self.count(&trace);
                self.parts.screen.run(self.now, &trace);
                self.broadcast.trace(&trace);
                self.traces.push(trace);
            }
            Effect::Log { rule, level, text } => log(rule.as_ref(), level, &text),
            Effect::Alert(alert) => self.alert(&alert).await,
            Effect::Http { request, call } => self.parts.outside.request(request, call),
            Effect::Exec { request, command, timeout } => self.parts.outside.execute(request, command, timeout),
        }
    }

    fn count(&mut self, trace: &Trace) {
        match &trace.outcome {
            Outcome::Skipped(_) => return,
            Outcome::Failed(_) => {
                self.counters.failed_runs += 1;
                self.failing.insert(trace.rule.clone());
            }
            Outcome::Finished => {
                self.failing.remove(&trace.rule);
            }
            Outcome::Stopped(_) | Outcome::Cancelled(_) => {}
        }
        self.counters.runs += 1;
    }

    async fn alert(&mut self, alert: &Alert) {
        let Ok(payload) = serde_json::to_vec(alert) else { return };
        if let Some(message) = own(ALERT_TOPIC, payload, false) {
            self.parts.publisher.publish(&message).await;
        }
    }

    fn announce(&mut self, word: &'static str) {
        if let Some(message) = own(STATUS_TOPIC, word, true) {
            self.outgoing.push(Outgoing::Message(message));
        }
    }

    fn reload(&mut self, loaded: Loaded) {
        let has_errors = loaded.home.has_errors();
        let is_emptied = !loaded.has_rules_folder && !self.ruleset.entries.is_empty();
        let in_force = !has_errors && !is_emptied;
        report(&loaded.findings, self.parts.screen.format());
        if is_emptied {
            error!("The folder of the rules is gone; the rules that were in force stay.");
        } else if has_errors {
            error!("Nothing was reloaded: the rules that were in force stay until each file loads.");
        }
        self.findings.clone_from(&loaded.findings);
        if in_force {
            for key in needs_restart(&self.settings, &loaded.home.settings) {
                warn!("`{key}` changed in homerule.yaml; that takes effect when `homerule run` starts again.");
            }
            self.parts.outside.allow(loaded.home.settings.allow.clone());
            self.settings.allow = loaded.home.settings.allow;
            self.settings.devices = loaded.home.settings.devices;
            self.replace_rules(loaded.home.ruleset);
        }
        let reloaded = Reloaded { in_force, diagnostics: loaded.findings };
        self.parts.screen.document("reloaded", &reloaded);
        if let Some(answer) = loaded.answer {
            // The one who asked may have gone.
            let _ = answer.send(reloaded);
        }
    }

    fn replace_rules(&mut self, ruleset: Ruleset) {
        let effects = self.engine.replace_rules(self.now, ruleset.clone());
        self.outgoing.extend(effects.into_iter().map(Outgoing::Effect));
        self.ruleset = ruleset;
        let known: BTreeSet<&RuleId> = self.ruleset.entries.iter().map(RuleEntry::id).collect();
        self.failing.retain(|rule| known.contains(rule));
        info!(rules = self.ruleset.entries.len(), "Rules reloaded.");
    }

    /// Returns the rules in force.
    pub(super) fn rules(&self) -> &[RuleEntry] {
        &self.ruleset.entries
    }

    /// Returns whether the rule of `entry` is switched on. What makes rules is on where it can make some.
    pub(super) fn is_enabled(&self, entry: &RuleEntry) -> bool {
        self.engine.is_enabled(entry.id()).unwrap_or(true)
    }

    /// Returns the rule that `text` names: its full id, or its key where only one rule has it.
    pub(super) fn find_rule(&self, text: &str) -> Result<RuleId, NoRule> {
        let ids = || self.engine.rule_ids().chain(self.rules().iter().map(RuleEntry::id));
        if let Some(id) = ids().find(|id| id.as_str() == text) {
            return Ok(id.clone());
        }
        let mut named: Vec<&RuleId> = ids().filter(|id| id.key() == text).collect();
        named.dedup();
        match named.as_slice() {
            [id] => Ok((*id).clone()),
            [first, second, ..] => Err(NoRule::Ambiguous((*first).clone(), (*second).clone())),
            [] => {
                let near = lang::nearest(text, ids().flat_map(|id| [id.as_str(), id.key()]));
                Err(NoRule::Unknown { near: near.map(ToOwned::to_owned) })
            }
        }
    }

    /// Returns how the daemon is.
    pub(super) fn status(&self) -> Status {
        let loaded = self.engine.rule_ids().count();
        let enabled = self.engine.rule_ids().filter(|id| self.engine.is_enabled(id) == Some(true)).count();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: self.started.elapsed().as_secs_f64(),
            listen: self.parts.listen.clone(),
            rules: RuleCounts { loaded, enabled, failed: self.failing.len() },
            ruleset: fingerprint(self.rules()),
            diagnostics: self.findings.clone(),
            healthy: !self.findings.iter().any(Finding::is_error),
        }
    }
}

/// Why a text names no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoRule {
    /// No rule has it.
    Unknown {
        /// The id or key that was probably meant.
        near: Option<String>,
    },
    /// At least these two have it.
    Ambiguous(RuleId, RuleId),
}

/// Returns a message of the daemon itself; `None` only if `topic` were none.
fn own(topic: &str, payload: impl Into<bytes::Bytes>, retain: bool) -> Option<Message> {
    let topic = Topic::parse(topic).ok()?;
    let payload = Payload::from_bytes(payload);
    Some(Message { topic, payload, qos: Qos::AtLeastOnce, retain, origin: Origin::Own })
}

/// Returns a short text that is equal for rules that mean the same.
fn fingerprint(rules: &[RuleEntry]) -> String {
    // FNV-1a: stable from build to build, unlike the standard library's hasher.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for entry in rules {
        add(entry.id().as_str().as_bytes());
        if let RuleEntry::Rule(rule) = entry {
            add(&rule.fingerprint.to_le_bytes());
        }
    }
    format!("{hash:016x}")
}

fn log(rule: Option<&RuleId>, level: LogLevel, text: &str) {
    let rule = rule.map(tracing::field::display);
    match level {
        LogLevel::Error => error!(rule, "{text}"),
        LogLevel::Warn => warn!(rule, "{text}"),
        LogLevel::Info => info!(rule, "{text}"),
        LogLevel::Debug => debug!(rule, "{text}"),
    }
}
