//! A home under virtual time: an engine, a clock that jumps from deadline to deadline, and what a broker keeps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::devices::{Device, Found, SayError};
use crate::engine::{
    Alert, Answer, Effect, Engine, Event, InvariantNews, Options, Publication, RequestId, RuleByTime, RuleView,
    Snapshot, Trace,
};
use crate::lang::test_file::{Answers, Obeying};
use crate::model::{Map, Message, Origin, Payload, Qos, RuleId, Topic, Value};
use crate::rules::{LogLevel, Ruleset};

use super::call::{Call, CallKind};
use super::heard::Heard;
use super::local_clock::LocalClock;

/// How often the engine may ask for the same instant again before the home counts as stuck.
const SAME_INSTANT: usize = 100_000;

/// A home under virtual time. What comes out of it is kept, in order.
pub struct VirtualHome {
    engine: Engine,
    started_at: Timestamp,
    now: Timestamp,
    rules: Ruleset,
    options: Options,
    answers: Answers,
    /// Which devices do what they are told.
    obeying: Obeying,
    /// What these say next.
    answering: VecDeque<Message>,
    /// What survives a restart.
    saved: Snapshot,
    /// What the broker keeps.
    retained: BTreeMap<Topic, Kept>,
    /// What rules published, from the start.
    pub published: Vec<Published>,
    /// The traces of runs that ended and of rules that did not run, from the start.
    pub traces: Vec<Arc<Trace>>,
    /// What rules asked of the outside, from the start.
    pub calls: Vec<Call>,
    /// What rules and the engine logged, from the start.
    pub logs: Vec<Logged>,
    /// What a person should see, from the start.
    pub alerts: Vec<Alert>,
    /// What became of invariants, from the start.
    pub invariants: Vec<Arc<InvariantNews>>,
    /// Which `while` rules began and ended.
    pub turns: Turns,
    /// The last messages, of devices and of rules.
    pub(in crate::sim) heard: Heard,
}

/// A message that the broker keeps.
#[derive(Debug, Clone)]
struct Kept {
    message: Message,
    /// Whether the daemon has heard another one of its topic since.
    is_outdated: bool,
}

/// Which `while` rules began and ended: what has no actions leaves no trace of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// Those that hold now.
    holding: BTreeSet<RuleId>,
    /// Those that have begun at least once.
    pub began: BTreeSet<RuleId>,
    /// Those that have ended at least once.
    pub ended: BTreeSet<RuleId>,
}

impl Turns {
    /// Takes note of what holds now.
    fn note(&mut self, holding: &BTreeSet<RuleId>) {
        if self.holding == *holding {
            return;
        }
        self.began.extend(holding.difference(&self.holding).cloned());
        self.ended.extend(self.holding.difference(holding).cloned());
        self.holding.clone_from(holding);
    }
}

/// A message that a rule published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// When.
    pub at: Timestamp,
    /// What, by which rule and why.
    pub publication: Publication,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// When.
    pub at: Timestamp,
    /// The rule that spoke; `None`: the engine.
    pub rule: Option<RuleId>,
    /// How loudly.
    pub level: LogLevel,
    /// What.
    pub text: String,
}

impl VirtualHome {
    /// Starts a home at `now` in which `given` is what the broker keeps.
    #[must_use]
    pub fn start(
        now: Timestamp,
        rules: Ruleset,
        options: Options,
        given: impl IntoIterator<Item = Message>,
        answers: Answers,
    ) -> VirtualHome {
        let (engine, effects) = Engine::new(now, rules.clone(), options.clone());
        let mut home = VirtualHome {
            engine,
            started_at: now,
            now,
            rules,
            options,
            answers,
            obeying: Obeying::None,
            answering: VecDeque::new(),
            saved: Snapshot::default(),
            retained: BTreeMap::new(),
            published: Vec::new(),
            traces: Vec::new(),
            calls: Vec::new(),
            logs: Vec::new(),
            alerts: Vec::new(),
            invariants: Vec::new(),
            turns: Turns::default(),
            heard: Heard::default(),
        };
        for message in given {
            home.keep(&Message { retain: true, origin: Origin::Retained, ..message });
        }
        home.take(effects);
        home.begin();
        home
    }

    /// Returns the time of the virtual clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the local clock.
    pub(in crate::sim) fn clock(&self) -> LocalClock {
        LocalClock::new(&self.options.calendar, self.started_at)
    }

    /// Returns the engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the engine, to be asked how its rules stand.
    #[must_use]
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Returns how the rule `id` stands now; `None` where there is no such rule.
    pub(in crate::sim) fn view(&mut self, id: &RuleId) -> Option<RuleView> {
        self.engine.view(id, self.now)
    }

    /// Returns what time alone says now of the conditions of the rule `id`; `None` where there is no such rule.
    pub(in crate::sim) fn by_time(&mut self, id: &RuleId) -> Option<RuleByTime> {
        self.engine.by_time(id)
    }

    /// Returns `published` without the secrets of the rules.
    #[must_use]
    pub fn masked(&self, published: &[Published]) -> Vec<Published> {
        let secrets = self.engine.secrets();
        let mask = |published: &Published| {
            let mut published = published.clone();
            if let Some(message) = secrets.mask_message(&published.publication.message) {
                published.publication.message = message;
            }
            published
        };
        published.iter().map(mask).collect()
    }

    /// Returns `text` without the secrets of the rules.
    #[must_use]
    pub fn masked_text(&self, text: String) -> String {
        self.engine.secrets().mask_text(&text).unwrap_or(text)
    }

    /// Returns the rules that are in force.
    #[must_use]
    pub fn rules(&self) -> &Ruleset {
        &self.rules
    }

    /// Returns the settings that decisions depend on.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Lets a device publish a message.
    pub fn publish(&mut self, message: Message) {
        self.pass_on(&message);
        self.heard.note(self.now, &message);
        self.handle(Event::Message(message));
    }

    /// Lets something happen now.
    pub fn handle(&mut self, event: Event) {
        let effects = self.engine.handle(self.now, event);
        self.take(effects);
        // Devices that do what they are told say so at once.
        let mut answers = 0;
        while let Some(message) = self.answering.pop_front().filter(|_| answers < SAME_INSTANT) {
            answers += 1;
            self.pass_on(&message);
            self.heard.note(self.now, &message);
            let effects = self.engine.handle(self.now, Event::Message(message));
            self.take(effects);
        }
    }

    /// Returns the devices that do what they are told.
    #[must_use]
    pub fn obeying(&self) -> &Obeying {
        &self.obeying
    }

    /// Makes these devices do what they are told.
    pub fn obey(&mut self, obeying: Obeying) {
        self.obeying = obeying;
    }

    /// Returns the messages by which a device says this; what else its topics said last stays.
    pub(in crate::sim) fn says(&self, device: &Device, values: &Map) -> Result<Vec<(Topic, Payload)>, Vec<SayError>> {
        let states = self.engine.states();
        let last = |topic: &Topic| states.get(topic.as_str()).map(|state| state.payload.clone());
        let said = device.says(values, &last)?;
        Ok(said.into_iter().map(|publication| (publication.topic, publication.payload)).collect())
    }

    /// Returns what a device last said of a property.
    pub(in crate::sim) fn said(&self, device: &Device, property: &str) -> Option<Value> {
        let topic = self.engine.devices().get(&device.id)?.topic(property)?;
        let state = self.engine.states().get(topic.as_str())?;
        Some(state.payload.value().clone()).filter(|value| !value.is_null())
    }

    /// Lets the devices that a message commands say that they did it, where they do what they are told.
    fn answer_as_told(&mut self, message: &Message) {
        if self.obeying == Obeying::None {
            return;
        }
        let registry = self.engine.registry();
        let mut told: BTreeMap<Arc<str>, Vec<(Arc<str>, Value)>> = BTreeMap::new();
        for reading in registry.commanded(&message.topic, &message.payload) {
            told.entry(reading.device).or_default().push((reading.property, reading.value));
        }
        for (id, values) in told {
            let Some(device) = self.engine.registry().device(&id).cloned() else { continue };
            let obeys = match &self.obeying {
                Obeying::None => false,
                Obeying::All => true,
                Obeying::Some(names) => names.iter().any(
                    |name| matches!(self.engine.registry().find(name), Found::One(found) if found.id == device.id),
                ),
            };
            let done = device.obeyed(&values);
            if let (true, Ok(said)) = (obeys && !done.is_empty(), self.says(&device, &done)) {
                let message = |(topic, payload)| Message {
                    topic,
                    payload,
                    qos: Qos::AtLeastOnce,
                    retain: false,
                    origin: Origin::Live,
                    expires_at: None,
                };
                self.answering.extend(said.into_iter().map(message));
            }
        }
    }

    /// Lets time pass up to `until`: what is due fires at its own time, in order. A time before now is now.
    pub fn advance(&mut self, until: Timestamp) {
        let mut at_this_instant = 0;
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= until) {
            at_this_instant = if due > self.now { 0 } else { at_this_instant + 1 };
            if at_this_instant > SAME_INSTANT {
                break;
            }
            self.now = self.now.max(due);
            self.handle(Event::Tick);
        }
        if until > self.now {
            self.now = until;
        }
    }

    /// Lets `time` pass.
    pub fn pass(&mut self, time: Duration) {
        self.advance(after(self.now, time));
    }

    /// Replaces the rules, as a reload does.
    pub fn replace_rules(&mut self, rules: Ruleset) {
        self.rules = rules.clone();
        let effects = self.engine.replace_rules(self.now, rules);
        self.take(effects);
    }

    /// Stops the daemon. Until [`VirtualHome::restart`] nothing hears what devices publish.
    pub fn stop(&mut self) {
        self.handle(Event::Stopping);
        self.kill();
    }

    /// Ends the daemon without a word to the rules; what it keeps is kept. Until [`VirtualHome::restart`] nothing hears what devices publish.
    pub fn kill(&mut self) {
        let effects = self.engine.flush();
        self.take(effects);
        let effects = self.engine.flush();
        self.take(effects);
        self.saved.alive_at = Some(self.now);
    }

    /// Lets the broker alone hear a message, while the daemon is down at `at`.
    pub fn publish_while_down(&mut self, at: Timestamp, message: &Message) {
        self.now = self.now.max(at);
        self.keep(message);
    }

    /// Starts the daemon again at `at` from what it saved.
    pub fn restart(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        let (engine, effects) = Engine::restore(self.now, self.rules.clone(), self.saved.clone(), self.options.clone());
        self.engine = engine;
        self.take(effects);
        self.begin();
    }

    /// Returns what rules published since this was last asked, and forgets all else that is kept of what happened: so a
    /// long replay needs no more room than a short one.
    pub fn take_published(&mut self) -> Vec<Published> {
        self.traces.clear();
        self.calls.clear();
        self.logs.clear();
        self.alerts.clear();
        self.heard.clear();
        std::mem::take(&mut self.published)
    }

    /// Ends all runs, so that their traces are there.
    pub fn end(&mut self) {
        let turns = self.turns.clone();
        let effects = self.engine.replace_rules(self.now, Ruleset::default());
        self.take(effects);
        // That was no end of theirs.
        self.turns = turns;
    }

    /// Tells the engine what the broker keeps, and that the daemon started.
    fn begin(&mut self) {
        let retained: Vec<Kept> = self.retained.values().cloned().collect();
        for Kept { message, is_outdated } in retained {
            let known = self.engine.states().get(message.topic.as_str());
            // As the daemon: what a later message that isn't retained has made untrue is not told.
            if !(is_outdated && known.is_some_and(|known| known.payload != message.payload)) {
                let message = Message { origin: Origin::Retained, ..message };
                self.heard.note(self.now, &message);
                self.handle(Event::Message(message));
            }
        }
        self.handle(Event::Started);
    }

    /// Lets the broker hear a message that the daemon hears too.
    fn pass_on(&mut self, message: &Message) {
        if let Some(kept) = self.retained.get_mut(&message.topic) {
            kept.is_outdated = true;
        }
        self.keep(message);
    }

    /// Keeps a retained message as a broker does: an empty one deletes.
    fn keep(&mut self, message: &Message) {
        if !message.retain {
            return;
        }
        if message.payload.is_empty() {
            self.retained.remove(&message.topic);
        } else {
            self.retained.insert(message.topic.clone(), Kept { message: message.clone(), is_outdated: false });
        }
    }

    /// Takes effects and answers calls at once, until there is nothing more to answer.
    fn take(&mut self, effects: Vec<Effect>) {
        let mut answers = self.note(effects);
        while let Some((request, answer)) = answers.pop_front() {
            let effects = self.engine.handle(self.now, Event::Answered { request, answer });
            answers.extend(self.note(effects));
        }
    }

    /// Notes effects, and returns what is answered to those that ask something.
    fn note(&mut self, effects: Vec<Effect>) -> VecDeque<(RequestId, Answer)> {
        let at = self.now;
        self.turns.note(self.engine.holding());
        let mut answers = VecDeque::new();
        for effect in effects {
            match effect {
                Effect::Publish(publication) => {
                    self.answer_as_told(&publication.message);
                    self.pass_on(&publication.message);
                    self.heard.note(at, &publication.message);
                    self.published.push(Published { at, publication });
                }
                Effect::Tell(message) => {
                    self.pass_on(&message);
                    self.heard.note(at, &message);
                }
                Effect::Save { key, value } => self.saved.apply(&key, value.as_ref()),
                Effect::Trace(trace) => self.traces.push(trace),
                Effect::Log { rule, level, text } => self.logs.push(Logged { at, rule, level, text }),
                Effect::Alert(alert) => self.alerts.push(alert),
                Effect::Invariant(news) => self.invariants.push(news),
                // Tests have no past; a replay begins with what the recorder knows.
                Effect::Recall(_) => {}
                Effect::Http { request, rule: _, call } => {
                    answers.push_back((request, self.answer(&call.url, 200)));
                    self.calls.push(Call { at, kind: CallKind::Http(call) });
                }
                Effect::Notify { notice, is_published } => {
                    let published = is_published.then(|| self.published.len().saturating_sub(1));
                    self.calls.push(Call { at, kind: CallKind::Notify(Box::new(notice), published) });
                }
                Effect::Deliver { request, target, .. } => answers.push_back((request, self.delivery(&target))),
                Effect::Exec { request, rule: _, command, timeout: _ } => {
                    let program = command.first().map_or("", String::as_str);
                    answers.push_back((request, self.answer(program, 0)));
                    self.calls.push(Call { at, kind: CallKind::Exec(command) });
                }
            }
        }
        answers
    }

    /// Returns what a target of notifications answers: that it has it, unless the test says else.
    fn delivery(&self, target: &str) -> Answer {
        let (status, body) = self.answers.get(target).unwrap_or_default();
        // A test that gives no status means a good one.
        Answer::Ended { status: if status == 0 { 200 } else { status }, body, retry_after: None }
    }

    /// Returns what `name` answers: what the test says, or `otherwise` with nothing in it.
    fn answer(&self, name: &str, otherwise: i64) -> Answer {
        let (status, body) = self.answers.get(name).unwrap_or((otherwise, Payload::default()));
        Answer::Ended { status, body, retry_after: None }
    }
}

/// Returns the instant `time` after `from`; the last one that can be told where that is too far.
pub(in crate::sim) fn after(from: Timestamp, time: Duration) -> Timestamp {
    SignedDuration::try_from(time).ok().and_then(|time| from.checked_add(time).ok()).unwrap_or(Timestamp::MAX)
}
