//! The one loop: owns the engine and what speaks MQTT, takes what comes in its order, and does what the effects say. What a turn is, says
//! [`crate::daemon::mqtt`].

mod commits;
mod hearing;
mod home_assistant;
mod keeping;
mod leading;
mod own_topics;
mod sending;
mod settings_change;
mod shadowing;
mod sharing;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::api::Finding;
use crate::daemon::files::last_good::Stale;
use crate::daemon::files::reload::{Loaded, Reloaded, RuleChanges, tell_stale};
use crate::daemon::instance::Instance;
use crate::daemon::mqtt::{Happened, Moment, Mqtt, Retained};
use crate::daemon::observers::Observers;
use crate::daemon::outside::Outside;
use crate::daemon::shadow::Shadow;
use crate::daemon::store::Store;
use crate::daemon::system::clock::{self, Clock};
use crate::daemon::system::logging::report;
use crate::daemon::system::watchdog::Watchdog;
use crate::engine::{Effect, Engine, Event, Options};
use crate::lang::{Settings, Sources};
use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use crate::rules::{Ruleset, TelegramTarget};

use super::input::Input;
use super::switched::Switched;
use super::view::HomeView;
use commits::Commits;
use own_topics::Overwritten;
use settings_change::needs_restart;

/// How many inputs are taken before what they led to is sent.
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
    mqtt: Mqtt,
    /// Rules that run beside those in force.
    shadow: Option<Shadow>,
    watchdog: Watchdog,
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
    now: Moment,
    started: Instant,
    /// What was decided, and is done or remembered once the turn's messages have left.
    outgoing: Vec<Effect>,
    /// What rules published in this turn and nobody keeps.
    promised: Vec<Message>,
    commits: Commits,
    /// Whether rules have begun: with a link they wait for what is retained, and at a standby until it leads.
    has_begun: bool,
    /// What was heard before this instance led, and perhaps not handled.
    unhandled: Vec<Message>,
    /// Whether this instance has just become the leader, or one of those that share the home.
    must_begin: bool,
    /// What other instances told, for rules to decide on.
    from_others: Vec<Event>,
    is_stopping: bool,
}

/// What the loop works with.
pub(in crate::daemon) struct Parts {
    /// Where inputs come from.
    pub(in crate::daemon) inputs: mpsc::Receiver<Input>,
    /// What time it is.
    pub(in crate::daemon) clock: Clock,
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
    /// The keys of rows that are needed no more.
    pub(in crate::daemon) old_keys: Vec<Arc<str>>,
    /// Where the daemon listens, as URLs.
    pub(in crate::daemon) listen: Vec<String>,
    /// What an engine that begins anew is told.
    pub(in crate::daemon) options: Options,
    /// Which of several instances of the home this is; `None`: it is the only one.
    pub(in crate::daemon) instance: Option<Instance>,
    /// Rules that run beside those in force; `None`: there are none.
    pub(in crate::daemon) shadow: Option<Shadow>,
}

impl EventLoop {
    /// Returns the loop of a home whose files say `loaded`; `observers` are told what happens.
    pub(in crate::daemon) fn new(
        mut parts: Parts,
        mqtt: Mqtt,
        observers: Observers,
        engine: (Engine, Vec<Effect>),
        loaded: Loaded,
    ) -> EventLoop {
        let (engine, effects) = engine;
        let watchdog = Watchdog::start(engine.interrupter(), loaded.home.settings.limits.evaluation);
        let now = parts.clock.read().now;
        // What was kept before the start; what differs is kept next.
        let sources = std::mem::take(&mut parts.kept_sources);
        let mut event_loop = EventLoop {
            engine,
            mqtt,
            shadow: parts.shadow.take(),
            watchdog,
            observers,
            switches: BTreeMap::new(),
            settings: loaded.home.settings,
            parts,
            ruleset: loaded.home.ruleset,
            findings: loaded.findings,
            sources,
            stale: loaded.stale,
            overwritten: Overwritten::default(),
            now,
            started: Instant::now(),
            outgoing: Vec::new(),
            promised: Vec::new(),
            commits: Commits::default(),
            has_begun: false,
            unhandled: Vec::new(),
            must_begin: false,
            from_others: Vec::new(),
            is_stopping: false,
        };
        // What was decided before the start leaves before what is decided now.
        for message in &event_loop.parts.outbox {
            event_loop.mqtt.publish_again(now, message);
        }
        for key in std::mem::take(&mut event_loop.parts.old_keys) {
            event_loop.parts.store.keep(key, None);
        }
        event_loop.take_effects(effects);
        event_loop.keep_sources(loaded.sources);
        event_loop.parts.store.note_life();
        event_loop.look_at_needs();
        event_loop
    }

    /// Runs until somebody sends [`Input::Stop`], or nobody can send any more.
    pub(in crate::daemon) async fn run(mut self) {
        let mut health = self.parts.store.watch();
        self.begin_if_it_may().await;
        let mut late = pin!(sleep(LATE));
        let mut is_late = true;
        let mut batch = Vec::with_capacity(BATCH);
        let mut timer = pin!(sleep(Duration::ZERO));
        let mut armed = None;
        while !self.is_stopping {
            let due = (self.engine.next_deadline(), self.next_steady_deadline());
            if armed != Some(due) {
                armed = Some(due);
                timer.as_mut().reset(tokio::time::Instant::now() + self.until(due));
            }
            let may_wake = due != (None, None);
            tokio::select! {
                taken = self.parts.inputs.recv_many(&mut batch, BATCH) => if taken == 0 { break },
                () = self.mqtt.ready() => {}
                receipt = self.commits.next(&mut self.parts.store) => self.mqtt.release(self.now, receipt),
                () = timer.as_mut(), if may_wake => armed = None,
                () = late.as_mut(), if is_late => {
                    is_late = false;
                    self.keep_late();
                    self.restore_own_topics();
                    self.observers.rule_topics.rest();
                    self.finish().await;
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
            self.turn(&mut batch).await;
        }
        Box::pin(self.stop()).await;
    }

    /// Tells the engine what was kept elsewhere, and that the home has started.
    async fn begin(&mut self) {
        self.has_begun = true;
        self.tell_time();
        self.observers.rule_topics.restore(&self.parts.retained);
        self.tell_retained();
        let unsent = std::mem::take(&mut self.parts.outbox);
        self.tell_unsent(&unsent);
        self.decide(Event::Started);
        self.announce("online");
        self.say_birth();
        self.announce_home();
        self.observers.rule_topics.look_at_all(&self.engine);
        self.finish().await;
        self.observers.rule_topics.rest();
    }

    /// Handles what came, together.
    async fn turn(&mut self, batch: &mut Vec<Input>) {
        self.tell_time();
        self.look_at_lease();
        self.mqtt.begin(self.now);
        if self.engine.next_deadline().is_some_and(|due| due <= self.now.wall) {
            self.decide(Event::Tick);
        }
        for input in batch.drain(..) {
            self.take(input);
        }
        self.hear();
        self.begin_if_it_may().await;
        self.finish().await;
        // Others have their turn: whoever shakes hands, asks over the web, or is written to.
        yield_now().await;
    }

    async fn stop(mut self) {
        self.tell_time();
        if self.has_begun {
            self.decide(Event::Stopping);
            self.announce("offline");
        }
        self.say_farewell();
        self.observers.rule_topics.rest();
        self.parts.store.note_life();
        self.finish().await;
        // What was told of rules last.
        self.finish().await;
        self.mqtt.stop(self.now).await;
        self.hear_last();
        self.keep_late();
        self.observers.recorder.close().await;
        self.parts.store.close().await;
        if let Some(shadow) = self.shadow.take() {
            shadow.stop().await;
        }
        self.observers.screen.close();
    }

    /// Keeps what MQTT still has to keep; rules hear nothing more.
    fn hear_last(&mut self) {
        while let Some(happened) = self.mqtt.next(self.now) {
            if let Happened::Keep { key, value } = happened {
                self.parts.store.keep(key, value);
            }
        }
    }

    /// Returns how long it is until rules, by the clock of the wall, or MQTT, by the steady one, have something to do.
    fn until(&self, (rules, mqtt): (Option<Timestamp>, Option<Timestamp>)) -> Duration {
        let of_rules = rules.map(|due| due.duration_since(self.now.wall));
        let of_mqtt = mqtt.map(|due| due.duration_since(self.now.steady));
        let left = of_rules.into_iter().chain(of_mqtt).min();
        let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
        // The timer counts in whole milliseconds and must not wake us before it is due.
        (clock::outside(left) + Duration::from_millis(1)).min(LONGEST_SLEEP)
    }

    fn tell_time(&mut self) {
        let reading = self.parts.clock.read();
        self.now = reading.now;
        if let Some(forward) = reading.forward {
            info!(forward_ms = forward, "The clock was set.");
            self.parts.store.note_life();
            self.decide(Event::ClockChanged { forward });
            self.note_jump(forward);
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Event(event) => {
                self.tell_others(&event);
                self.decide(event);
            }
            Input::Request(request) => request(self),
            Input::Loaded(loaded) => self.reload(*loaded),
            Input::LoadedShadow(loaded) => self.reload_shadow(*loaded),
            Input::RecalledInShadow(event) => self.tell_shadow(&event),
            Input::Stop => self.is_stopping = true,
        }
    }

    /// Lets the engine decide what `event` leads to.
    pub(super) fn decide(&mut self, event: Event) {
        if !matches!(event, Event::Recalled { .. }) {
            self.tell_shadow(&event);
        }
        let effects = self.engine.handle(self.now.wall, event);
        self.take_effects(effects);
    }

    pub(super) fn announce(&mut self, word: &'static str) {
        if let Some(message) = own(STATUS_TOPIC, word, true) {
            self.send_out(&message);
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
        self.announce_home();
        self.look_at_needs();
        info!(rules = self.ruleset.entries.len(), "Rules reloaded: {}.", rules.text());
        let reloaded = Reloaded { in_force, stale, rules, diagnostics: loaded.findings };
        self.observers.screen.document("reloaded", &reloaded);
        self.observers.broadcast.diagnostics(self.now.wall, &reloaded);
        if let Some(answer) = loaded.answer {
            // The one who asked may have gone.
            let _ = answer.send(reloaded);
        }
    }

    fn replace_rules(&mut self, ruleset: Ruleset) {
        if let Some(shadow) = &mut self.shadow {
            shadow.change_here(&ruleset);
        }
        let effects = self.engine.replace_rules(self.now.wall, ruleset.clone());
        self.observers.shown.mask(self.engine.secrets());
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
            let switched = Switched { at: self.now.wall, is_enabled: *is_enabled, by };
            self.switches.insert(rule.clone(), switched);
            self.observers.broadcast.switch(self.now.wall, rule, *is_enabled, by);
        }
        self.decide(event);
    }

    /// Tells the rules what was posted to a webhook. Returns false where no rule has one of that name.
    pub(in crate::daemon) fn post(&mut self, name: Arc<str>, body: Payload) -> bool {
        let is_known = self.engine.has_webhook(&name);
        if is_known {
            let event = Event::Webhook { name, body };
            self.tell_others(&event);
            self.decide(event);
        }
        is_known
    }

    /// Presses the button with this key, which leads to the webhook `name`. Returns false where there is none, or it was pressed.
    pub(in crate::daemon) fn press(
        &mut self,
        name: Option<&str>,
        key: &str,
        body: Payload,
        by: Option<Arc<str>>,
    ) -> bool {
        let webhook = self.engine.webhook_of_button(key);
        let is_there = webhook.is_some_and(|webhook| name.is_none_or(|name| *webhook == *name));
        if is_there {
            let event = Event::Pressed { key: key.into(), body, by };
            self.tell_others(&event);
            self.decide(event);
        }
        is_there
    }

    /// Returns the targets of Telegram that this instance asks which buttons were pressed.
    pub(in crate::daemon) fn asks_by_telegram(&self) -> Vec<TelegramTarget> {
        let asks = self.has_begun && self.parts.instance.as_ref().is_none_or(|instance| instance.tells_of("notify"));
        if asks { self.engine.asked_by_telegram() } else { Vec::new() }
    }

    /// Notes how long a question held up the loop.
    pub(in crate::daemon) fn note_question(&mut self, took: Duration) {
        let longest = &mut self.observers.counters.longest_question;
        *longest = took.max(*longest);
    }

    /// Returns what is known, for a question.
    pub(in crate::daemon) fn view(&mut self) -> HomeView<'_> {
        HomeView {
            now: self.now.wall,
            mqtt: &self.mqtt,
            instance: self.parts.instance.as_ref(),
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
            shadow: self.shadow.as_ref(),
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
