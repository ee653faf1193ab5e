//! The one loop: owns the engine, takes inputs in their order, and does what the effects say.

mod keeping;
mod own_topics;
mod sending;
mod settings_change;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::api::Finding;
use crate::daemon::broker::{Acknowledgement, Publisher};
use crate::daemon::files::last_good::Stale;
use crate::daemon::files::reload::{Loaded, Reloaded, RuleChanges, tell_stale};
use crate::daemon::observers::Observers;
use crate::daemon::observers::rule_topics::RuleRequest;
use crate::daemon::outside::Outside;
use crate::daemon::store::{Retained, Store};
use crate::daemon::system::clock::{self, Clock};
use crate::daemon::system::logging::report;
use crate::daemon::system::watchdog::Watchdog;
use crate::engine::{Effect, Engine, Event};
use crate::lang::{Settings, Sources};
use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use crate::rules::Ruleset;

use super::input::{Input, Routing};
use super::switched::Switched;
use super::view::HomeView;
use own_topics::Overwritten;
use settings_change::needs_restart;

/// How many inputs are taken before what they led to is sent. More makes a burst cheaper, and its first action later.
const BATCH: usize = 64;

/// With something due, the wall clock is looked at this often: somebody may set it while we sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// What may be kept late is kept within this time.
const LATE: Duration = Duration::from_secs(1);

/// Where the daemon says that it is there.
const STATUS_TOPIC: &str = "homerule/status";

/// How all of our own topics begin: what they said before the start is no news of the home.
pub(in crate::daemon) const OWN_TOPICS: &str = "homerule/";

/// The one loop.
pub(in crate::daemon) struct EventLoop {
    engine: Engine,
    _watchdog: Watchdog,
    observers: Observers,
    /// Who switched which rule last, and when.
    switches: BTreeMap<RuleId, Switched>,
    settings: Settings,
    parts: Parts,
    ruleset: Ruleset,
    findings: Vec<Finding>,
    /// The files in force.
    sources: Sources,
    /// The files that aren't in force as they are on the disk.
    stale: BTreeMap<Arc<str>, Stale>,
    overwritten: Overwritten,
    clock: Clock,
    now: Timestamp,
    started: Instant,
    outgoing: Vec<Outgoing>,
    /// What of it comes from here on waits until the store has what was decided.
    behind_commit: Option<usize>,
    /// Clients that wait for their acknowledgement.
    acknowledgements: Vec<Acknowledgement>,
    /// Whether the broker keeps a message of one of them.
    must_be_written: bool,
    /// Whether the times of retained messages are by a clock that shows another time now.
    was_clock_set: bool,
    is_stopping: bool,
}

/// What the loop works with.
pub(in crate::daemon) struct Parts {
    /// Where inputs come from.
    pub(in crate::daemon) inputs: mpsc::Receiver<Input>,
    /// Where messages go.
    pub(in crate::daemon) publisher: Publisher,
    /// Where HTTP requests and programs go.
    pub(in crate::daemon) outside: Outside,
    /// What is kept.
    pub(in crate::daemon) store: Store,
    /// What the broker kept before the start.
    pub(in crate::daemon) retained: Vec<Retained>,
    /// The texts of the rule files that were kept before the start.
    pub(in crate::daemon) kept_sources: Sources,
    /// What was decided before the start and may not have left.
    pub(in crate::daemon) outbox: Vec<Message>,
    /// Whether the clock shows an earlier time than before the start.
    pub(in crate::daemon) is_clock_behind: bool,
    /// Where the daemon listens, as URLs.
    pub(in crate::daemon) listen: Vec<String>,
}

/// What leaves the loop, in its order.
enum Outgoing {
    /// A client's message, on its way to its subscribers.
    Message(Message),
    /// What the engine decided.
    Effect(Effect),
}

impl EventLoop {
    /// Returns the loop of a home whose files say `loaded`; `observers` are told what happens.
    pub(in crate::daemon) fn new(
        mut parts: Parts,
        observers: Observers,
        engine: (Engine, Vec<Effect>),
        loaded: Loaded,
    ) -> EventLoop {
        let (engine, effects) = engine;
        let watchdog = Watchdog::start(engine.interrupter(), loaded.home.settings.limits.evaluation);
        let mut clock = Clock::start();
        let now = clock.read().now;
        let was_clock_set = parts.is_clock_behind;
        let parts_sources = std::mem::take(&mut parts.kept_sources);
        let mut event_loop = EventLoop {
            engine,
            _watchdog: watchdog,
            observers,
            switches: BTreeMap::new(),
            settings: loaded.home.settings,
            parts,
            ruleset: loaded.home.ruleset,
            findings: loaded.findings,
            // What was kept before the start; what differs is kept next.
            sources: parts_sources,
            stale: loaded.stale,
            overwritten: Overwritten::default(),
            clock,
            now,
            started: Instant::now(),
            outgoing: Vec::new(),
            behind_commit: None,
            acknowledgements: Vec::new(),
            must_be_written: false,
            was_clock_set,
            is_stopping: false,
        };
        event_loop.take_effects(effects);
        event_loop.keep_sources(loaded.sources);
        event_loop.parts.store.note_life();
        event_loop
    }

    /// Runs until somebody sends [`Input::Stop`], or nobody can send any more.
    pub(in crate::daemon) async fn run(mut self) {
        let mut health = self.parts.store.watch();
        self.tell_time();
        self.observers.rule_topics.restore(&self.parts.retained);
        self.tell_retained();
        let unsent = std::mem::take(&mut self.parts.outbox);
        self.tell_unsent(&unsent);
        self.outgoing.splice(0..0, unsent.into_iter().map(Outgoing::Message));
        self.behind_commit = Some(0);
        self.decide(Event::Started);
        self.announce("online");
        self.observers.rule_topics.look_at_all(&self.engine);
        self.flush().await;
        self.observers.rule_topics.rest();
        let mut late = pin!(sleep(LATE));
        let mut is_late = true;
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
                () = late.as_mut(), if is_late => {
                    is_late = false;
                    self.keep_late();
                    self.restore_own_topics();
                    self.observers.rule_topics.rest();
                    self.flush().await;
                    continue;
                }
                changed = health.changed() => {
                    if changed.is_ok() {
                        self.tell_health().await;
                    }
                    continue;
                }
            }
            if !is_late {
                is_late = true;
                late.as_mut().reset(tokio::time::Instant::now() + LATE);
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
        self.observers.rule_topics.rest();
        self.flush().await;
        self.keep_late();
        self.observers.recorder.close().await;
        self.parts.store.close().await;
        self.observers.screen.close();
    }

    fn until(&self, due: Option<Timestamp>) -> Duration {
        let left = due.map(|due| due.duration_since(self.now));
        let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
        // The timer counts in whole milliseconds and must not wake us before it is due.
        (clock::outside(left) + Duration::from_millis(1)).min(LONGEST_SLEEP)
    }

    fn tell_time(&mut self) {
        let reading = self.clock.read();
        self.now = reading.now;
        if let Some(forward) = reading.forward {
            info!(forward_ms = forward, "The clock was set.");
            self.parts.store.note_life();
            self.was_clock_set = true;
            self.decide(Event::ClockChanged { forward });
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Message { message, client, routing, acknowledgement } => {
                self.must_be_written |= message.retain && acknowledgement.is_some();
                self.acknowledgements.extend(acknowledgement);
                if routing == Routing::Loop {
                    self.outgoing.push(Outgoing::Message(message.clone()));
                }
                self.observers.message(self.now, &message, client.as_ref());
                self.note_overwritten(&message);
                let request = RuleRequest::of(&message);
                self.decide(Event::Message(message));
                if let Some(request) = request {
                    request.grant(self);
                }
            }
            Input::Event(event) => self.decide(event),
            Input::Request(request) => request(self),
            Input::Loaded(loaded) => self.reload(*loaded),
            Input::Stop => self.is_stopping = true,
        }
    }

    /// Lets the engine decide what `event` leads to.
    fn decide(&mut self, event: Event) {
        let effects = self.engine.handle(self.now, event);
        self.take_effects(effects);
    }

    /// Publishes `message` as if a client had.
    pub(in crate::daemon) fn publish(&mut self, message: Message) {
        self.take(Input::Message { message, client: None, routing: Routing::Loop, acknowledgement: None });
    }

    fn announce(&mut self, word: &'static str) {
        if let Some(message) = own(STATUS_TOPIC, word, true) {
            self.outgoing.push(Outgoing::Message(message.clone()));
            self.decide(Event::Message(message));
        }
    }

    fn reload(&mut self, loaded: Loaded) {
        report(&loaded.findings, self.observers.screen.format());
        tell_stale(&loaded.stale);
        let has_errors = loaded.findings.iter().any(Finding::is_error);
        let in_force = loaded.stale.is_empty() && !has_errors;
        self.findings.clone_from(&loaded.findings);
        for key in needs_restart(&self.settings, &loaded.home.settings) {
            warn!("`{key}` changed in homerule.yaml; that takes effect when `homerule run` starts again.");
        }
        self.parts.outside.allow(loaded.home.settings.allow.clone());
        self.settings.allow = loaded.home.settings.allow;
        self.settings.devices = loaded.home.settings.devices;
        self.settings.recorder = loaded.home.settings.recorder;
        self.settings.trace_memory = loaded.home.settings.trace_memory;
        self.observers.change(&self.settings, self.engine.states());
        self.keep_sources(loaded.sources);
        let stale = loaded.stale.keys().map(ToString::to_string).collect();
        self.stale = loaded.stale;
        let rules = RuleChanges::between(&self.ruleset, &loaded.home.ruleset);
        self.replace_rules(loaded.home.ruleset);
        info!(rules = self.ruleset.entries.len(), "Rules reloaded: {}.", rules.text());
        let reloaded = Reloaded { in_force, stale, rules, diagnostics: loaded.findings };
        self.observers.screen.document("reloaded", &reloaded);
        self.observers.broadcast.diagnostics(self.now, &reloaded);
        if let Some(answer) = loaded.answer {
            // The one who asked may have gone.
            let _ = answer.send(reloaded);
        }
    }

    fn replace_rules(&mut self, ruleset: Ruleset) {
        let effects = self.engine.replace_rules(self.now, ruleset.clone());
        self.take_effects(effects);
        let changed = self.ruleset.changed_in_place(&ruleset);
        let old = std::mem::replace(&mut self.ruleset, ruleset);
        // To free ten thousand rules takes longer than messages should wait.
        tokio::task::spawn_blocking(move || drop(old));
        match changed {
            Some(rules) => rules.into_iter().for_each(|rule| self.observers.rule_topics.look(rule)),
            None => self.observers.rule_topics.look_at_all(&self.engine),
        }
    }

    /// Does to a rule what a person asks for; `by` says who, in words.
    pub(in crate::daemon) fn act_on_rule(&mut self, event: Event, by: &'static str) {
        if let Event::Switch { rule, is_enabled } = &event {
            let switched = Switched { at: self.now, is_enabled: *is_enabled, by };
            self.switches.insert(rule.clone(), switched);
            self.observers.broadcast.switch(self.now, rule, *is_enabled, by);
        }
        self.decide(event);
    }

    /// Tells the rules what was posted to a webhook. Returns false where no rule has one of that name.
    pub(in crate::daemon) fn post(&mut self, name: Arc<str>, body: Payload) -> bool {
        let is_known = self.engine.has_webhook(&name);
        if is_known {
            self.decide(Event::Webhook { name, body });
        }
        is_known
    }

    /// Returns what is known, for a question.
    pub(in crate::daemon) fn view(&mut self) -> HomeView<'_> {
        HomeView {
            now: self.now,
            started: self.started,
            listen: &self.parts.listen,
            settings: &self.settings,
            ruleset: &self.ruleset,
            sources: &self.sources,
            findings: &self.findings,
            stale: &self.stale,
            store: &self.parts.store,
            switches: &self.switches,
            traces: &self.observers.traces,
            heard: &self.observers.heard,
            rule_topics: &self.observers.rule_topics,
            recorder: &self.observers.recorder,
            broadcast: &self.observers.broadcast,
            counters: self.observers.counters,
            engine: &mut self.engine,
        }
    }
}

/// Returns a message of the daemon itself; `None` only if `topic` were none.
pub(in crate::daemon) fn own(topic: &str, payload: impl Into<bytes::Bytes>, retain: bool) -> Option<Message> {
    let topic = Topic::parse(topic).ok()?;
    let payload = Payload::from_bytes(payload);
    Some(Message { topic, payload, qos: Qos::AtLeastOnce, retain, origin: Origin::Own, expires_at: None })
}
