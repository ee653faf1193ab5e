//! A home that a journal happens to: the engine that runs live, and devices that do what they are told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{Answer, CauseKind, Effect, Engine, Event, Options, RequestId, Snapshot};
use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use crate::rules::Ruleset;
use crate::script::Sandbox;
use crate::sim::home::after;

use super::expected::Expected;
use super::finding::Finding;
use super::journal::{Act, Entry, Journal};
use super::obey::Obey;

/// How many deadlines may fall due in one entry of a journal; beyond, its time is cut short.
const MOST_TICKS: usize = 500;

/// How many answers of devices one message may lead to.
const MOST_ANSWERS: usize = 64;

/// What all worlds of a home share.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Home {
    pub(in crate::sim) rules: Ruleset,
    pub(in crate::sim) options: Options,
    pub(in crate::sim) obey: Obey,
    /// How many commands a topic may get in a minute, beyond one for each message from outside.
    pub(in crate::sim) at_most: usize,
    /// Whether a kill loses what may be kept late: the last second.
    pub(in crate::sim) is_lossy: bool,
    /// What isn't told, since the home's own tests say that it's meant.
    pub(in crate::sim) expected: Expected,
}

/// Returns the options of homes that start again and again, one after the other: what can be shared is made once, and what is kept is only
/// said when it's needed, unless that may be lost.
pub(in crate::sim) fn lean(options: &Options, is_lossy: bool) -> Options {
    let sandbox = options.sandbox.clone().unwrap_or_else(|| Arc::new(Sandbox::new(options.limits)));
    Options { sandbox: Some(sandbox), saves_at_once: is_lossy, ..options.clone() }
}

/// What comes out of a world, in order.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sim) enum Outcome {
    /// A rule published.
    Published(Published),
    /// A device answered.
    Answered { at: Timestamp, topic: Topic, payload: Payload },
}

/// Something that a rule published.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sim) struct Published {
    pub(in crate::sim) at: Timestamp,
    pub(in crate::sim) by: RuleId,
    pub(in crate::sim) topic: Topic,
    pub(in crate::sim) payload: Payload,
    /// Which event it followed from, by its number.
    pub(in crate::sim) event: u64,
    /// Whether no time has passed since what led to it.
    pub(in crate::sim) is_at_once: bool,
}

/// A home that a journal happens to.
pub(in crate::sim) struct World<'a> {
    home: &'a Home,
    engine: Engine,
    pub(in crate::sim) now: Timestamp,
    saved: Snapshot,
    retained: BTreeMap<Topic, Payload>,
    /// What was found, in order.
    pub(in crate::sim) found: Vec<Finding>,
    /// How many events were handled.
    pub(in crate::sim) events: u64,
    /// What came out, where that is noted.
    pub(in crate::sim) outcomes: Option<Vec<Outcome>>,
    /// The last commands of each topic, in a minute.
    commands: BTreeMap<Topic, (RuleId, VecDeque<Timestamp>)>,
    /// The last messages from outside, in a minute.
    outside: VecDeque<Timestamp>,
    /// When was last kept what may be kept late.
    kept_at: Timestamp,
    /// Whether what wasn't kept yet is lost.
    is_killed: bool,
    /// Whether only time passes.
    is_tick: bool,
}

impl<'a> World<'a> {
    /// Starts a home at `start`.
    pub(in crate::sim) fn start(home: &'a Home, start: Timestamp) -> World<'a> {
        World::begin(home, start, None)
    }

    /// Starts a home, and notes what comes of it from the first moment on: what is due then, too.
    pub(in crate::sim) fn start_noting(home: &'a Home, start: Timestamp) -> World<'a> {
        World::begin(home, start, Some(Vec::new()))
    }

    fn begin(home: &'a Home, start: Timestamp, outcomes: Option<Vec<Outcome>>) -> World<'a> {
        let (engine, effects) = Engine::new(start, home.rules.clone(), home.options.clone());
        let mut world = World {
            home,
            engine,
            now: start,
            saved: Snapshot::default(),
            retained: BTreeMap::new(),
            found: Vec::new(),
            events: 0,
            outcomes,
            commands: BTreeMap::new(),
            outside: VecDeque::new(),
            kept_at: start,
            is_killed: false,
            is_tick: false,
        };
        world.take(effects);
        world.handle(Event::Started);
        world
    }

    /// Starts a home, and lets a journal happen to it, up to the first finding.
    pub(in crate::sim) fn play(home: &'a Home, journal: &Journal) -> World<'a> {
        let mut world = World::start(home, journal.start);
        for entry in &journal.entries {
            world.apply(entry);
            if !world.found.is_empty() {
                break;
            }
        }
        world
    }

    /// From now on notes what comes out.
    pub(in crate::sim) fn note_outcomes(&mut self) {
        self.outcomes = Some(Vec::new());
    }

    /// Lets something happen.
    pub(in crate::sim) fn apply(&mut self, entry: &Entry) {
        self.advance(after(self.now, entry.after));
        if self.home.is_lossy && self.now.duration_since(self.kept_at) >= SignedDuration::from_secs(1) {
            self.keep_late();
        }
        match &entry.act {
            Act::Say { topic, payload, retain } => self.say(topic, payload, *retain),
            Act::Pass => {}
            Act::Restart(down) => {
                self.handle(Event::Stopping);
                self.restart(after(self.now, *down));
            }
            Act::Kill(down) => {
                self.is_killed = self.home.is_lossy;
                self.restart(after(self.now, *down));
            }
            Act::Reload => {
                let effects = self.engine.replace_rules(self.now, self.home.rules.clone());
                self.take(effects);
            }
            Act::Webhook(name) => {
                self.note_outside();
                self.handle(Event::Webhook { name: name.clone(), body: Payload::default() });
            }
            Act::Client(id, true) => self.handle(Event::ClientConnected(id.clone())),
            Act::Client(id, false) => self.handle(Event::ClientDisconnected(id.clone())),
        }
    }

    /// Lets time pass: what is due fires at its own time.
    pub(in crate::sim) fn advance(&mut self, until: Timestamp) {
        for _ in 0..MOST_TICKS {
            let Some(due) = self.engine.next_deadline().filter(|due| *due <= until) else { break };
            self.now = self.now.max(due);
            self.handle(Event::Tick);
        }
        self.now = self.now.max(until);
    }

    /// Returns how long it is until something is due next, in whole milliseconds, as tests tell it.
    pub(in crate::sim) fn until_due(&self) -> Option<Duration> {
        let left = Duration::try_from(self.engine.next_deadline()?.duration_since(self.now)).unwrap_or_default();
        let ms = left.as_nanos().div_ceil(1_000_000);
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
    }

    fn say(&mut self, topic: &Topic, payload: &Payload, retain: bool) {
        self.note_outside();
        self.keep(topic, payload, retain);
        self.handle(Event::Message(message(topic, payload, retain, Origin::Live)));
    }

    /// Starts again from what was saved, at `at`.
    fn restart(&mut self, at: Timestamp) {
        self.restore(at);
        let retained: Vec<_> = self.retained.iter().map(|(topic, payload)| (topic.clone(), payload.clone())).collect();
        for (topic, payload) in retained {
            self.handle(Event::Message(message(&topic, &payload, true, Origin::Retained)));
        }
        self.handle(Event::Started);
    }

    /// Continues from what was saved, as if there had been no time in between.
    pub(in crate::sim) fn restart_at_once(&mut self) {
        self.restore(self.now);
        self.handle(Event::Started);
    }

    fn restore(&mut self, at: Timestamp) {
        if !std::mem::take(&mut self.is_killed) {
            self.keep_late();
        }
        self.saved.alive_at = Some(self.now);
        self.now = self.now.max(at);
        let (rules, options) = (self.home.rules.clone(), self.home.options.clone());
        let (engine, effects) = Engine::restore(self.now, rules, self.saved.clone(), options);
        self.engine = engine;
        self.take(effects);
    }

    /// Returns what is kept, for comparing states.
    pub(in crate::sim) fn state(&mut self) -> &Snapshot {
        self.keep_late();
        &self.saved
    }

    /// Keeps what may be kept late, and what follows from that.
    fn keep_late(&mut self) {
        for _ in 0..2 {
            let late = self.engine.flush();
            self.take(late);
        }
        self.kept_at = self.now;
    }

    fn handle(&mut self, event: Event) {
        self.events += 1;
        self.is_tick = event == Event::Tick;
        let effects = self.engine.handle(self.now, event);
        self.take(effects);
    }

    /// Takes effects, answers what is asked, and lets devices do what they are told.
    fn take(&mut self, effects: Vec<Effect>) {
        let mut answers: VecDeque<(RequestId, Answer)> = VecDeque::new();
        let mut said: VecDeque<(Topic, Payload)> = VecDeque::new();
        self.note(effects, &mut answers, &mut said);
        for _ in 0..MOST_ANSWERS {
            let effects = if let Some((request, answer)) = answers.pop_front() {
                self.engine.handle(self.now, Event::Answered { request, answer })
            } else if let Some((topic, payload)) = said.pop_front() {
                if let Some(outcomes) = &mut self.outcomes {
                    outcomes.push(Outcome::Answered { at: self.now, topic: topic.clone(), payload: payload.clone() });
                }
                self.keep(&topic, &payload, false);
                self.engine.handle(self.now, Event::Message(message(&topic, &payload, false, Origin::Live)))
            } else {
                return;
            };
            self.events += 1;
            self.note(effects, &mut answers, &mut said);
        }
        // Devices and rules that answer each other without end.
        let most = self.commands.iter().max_by_key(|(_, (_, times))| times.len());
        self.found
            .extend(most.map(|(topic, (rule, _))| Finding::Commanded { topic: topic.clone(), rule: rule.clone() }));
    }

    fn note(
        &mut self,
        effects: Vec<Effect>,
        answers: &mut VecDeque<(RequestId, Answer)>,
        said: &mut VecDeque<(Topic, Payload)>,
    ) {
        for effect in effects {
            match effect {
                Effect::Publish(publication) => {
                    let message = publication.message;
                    self.keep(&message.topic, &message.payload, message.retain);
                    self.note_command(&message.topic, &publication.rule);
                    let state =
                        |topic: &Topic| self.engine.states().get(topic.as_str()).map(|state| state.payload.clone());
                    said.extend(self.home.obey.answers(&message.topic, &message.payload, &state));
                    let is_at_once = match &publication.cause.kind {
                        CauseKind::Message { .. } => !self.is_tick,
                        CauseKind::Time { due, .. } => *due == self.now,
                        _ => true,
                    };
                    if let Some(outcomes) = &mut self.outcomes {
                        let Message { topic, payload, .. } = message;
                        let (at, by, event) = (self.now, publication.rule, self.events);
                        outcomes.push(Outcome::Published(Published { at, by, topic, payload, event, is_at_once }));
                    }
                }
                Effect::Tell(message) => self.keep(&message.topic, &message.payload, message.retain),
                Effect::Save { key, value } => self.saved.apply(&key, value.as_ref()),
                Effect::Alert(alert) => {
                    let finding = Finding::of(&alert);
                    self.found.extend(finding.filter(|finding| !self.home.expected.includes(finding)));
                }
                Effect::Http { request, .. } | Effect::Deliver { request, .. } => {
                    answers.push_back((request, ended(200)));
                }
                Effect::Exec { request, .. } => answers.push_back((request, ended(0))),
                // The alert of an invariant tells what became of it.
                Effect::Trace(_)
                | Effect::Log { .. }
                | Effect::Recall(_)
                | Effect::Notify { .. }
                | Effect::Invariant(_) => {}
            }
        }
    }

    fn keep(&mut self, topic: &Topic, payload: &Payload, retain: bool) {
        if !retain {
            return;
        }
        if payload.is_empty() {
            self.retained.remove(topic);
        } else {
            self.retained.insert(topic.clone(), payload.clone());
        }
    }

    fn note_outside(&mut self) {
        self.outside.push_back(self.now);
        forget(&mut self.outside, self.now);
    }

    fn note_command(&mut self, topic: &Topic, rule: &RuleId) {
        let (_, times) = match self.commands.get_mut(topic) {
            Some(known) => known,
            None => self.commands.entry(topic.clone()).or_insert_with(|| (rule.clone(), VecDeque::new())),
        };
        times.push_back(self.now);
        forget(times, self.now);
        if times.len() > self.home.at_most {
            let count = times.len();
            forget(&mut self.outside, self.now);
            if count - self.outside.len().min(count) > self.home.at_most {
                self.found.push(Finding::Commanded { topic: topic.clone(), rule: rule.clone() });
            }
        }
    }
}

/// Forgets what was more than a minute ago.
fn forget(times: &mut VecDeque<Timestamp>, now: Timestamp) {
    let minute = SignedDuration::from_secs(60);
    while times.front().is_some_and(|at| now.duration_since(*at) > minute) {
        times.pop_front();
    }
}

fn ended(status: i64) -> Answer {
    Answer::Ended { status, body: Payload::default(), retry_after: None }
}

fn message(topic: &Topic, payload: &Payload, retain: bool, origin: Origin) -> Message {
    Message { topic: topic.clone(), payload: payload.clone(), qos: Qos::default(), retain, origin, expires_at: None }
}
