//! Who hears what: messages go to the rules that listen, in the rules' order (spec 2.10).

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Message, Origin, Payload, RuleId, Topic, Value, matches_star};
use crate::rules::{ClientChange, HomeEvent, Rule, Start, StateTrigger, Trigger, TriggerKind};
use crate::script::{Failure, Reads};

use crate::engine::condition::judge::Verdict;
use crate::engine::condition::scope::{Scope, ThreadScope};
use crate::engine::condition::tracker::tracked_conditions;
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::{Due, Owner};
use crate::engine::live::table::{Fact, Interest, LiveId, LiveRule, Subscriber};
use crate::engine::live::tracks::Soon;
use crate::engine::trigger::state::{Change, Hold, News, later};
use crate::engine::{Cause, CauseKind, Effect, Engine, Event, Fault, Gate, Outcome, Refusal, RunId, StepKind, elapsed};

/// What waits to be handled.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message from outside, or one that a rule published.
    Message {
        message: Message,
        /// How many publications of rules led to it, itself included.
        depth: u32,
        /// The run that published it.
        run: Option<RunId>,
    },
    /// Something that expressions read, beside topics, has changed; and what changed it.
    Changed { fact: Fact, cause: Cause },
    /// One of the daemon's own events, and the rule that it is about.
    Home { event: HomeEvent, rule: Option<RuleId>, depth: u32 },
    /// What a run waited for won't come: an answer when the daemon stopped, or a run that it ended itself.
    WaitFailed { run: RunId, thread: u32, why: Failure },
    /// An `until` is asked once more after a restart or a reload.
    RecheckWait { run: RunId, wait: u64 },
    /// An event of the shell, other than a message.
    Event(Event),
}

impl Incoming {
    /// Returns whether it has a number of its own. What only follows from another, or from a restart, has none.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self, Incoming::Message { .. } | Incoming::Home { .. } | Incoming::Event(_))
    }
}

/// A message whose state has been noted.
#[derive(Debug)]
pub(crate) struct Arrival {
    message: Message,
    /// The rules that `each: {topic: …}` made for it.
    made: Vec<LiveId>,
    /// Whether somebody spoke: a broker that replays what is known already says nothing new.
    is_news: bool,
}

impl Engine {
    /// Handles one thing from the inbox.
    pub(crate) fn hear(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Message { message, depth, run } => {
                let cause = self.message_cause(&message, depth, run);
                let arrival = self.note_message(message);
                self.dispatch(&arrival, &cause);
            }
            Incoming::Changed { fact, cause } => self.tell_readers(&fact, &cause),
            Incoming::Home { event, rule, depth } => self.dispatch_home_event(event, rule.as_ref(), depth),
            Incoming::WaitFailed { run, thread, why } => self.fail_waiting(run, thread, StepKind::Answer, &why),
            Incoming::RecheckWait { run, wait } => self.recheck_wait(run, wait),
            Incoming::Event(event) => self.handle_event(event),
        }
    }

    /// Handles a message that was arrival before the start.
    pub(crate) fn handle_arrival(&mut self, arrival: Arrival) {
        let cause = self.message_cause(&arrival.message, 0, None);
        self.dispatch(&arrival, &cause);
    }

    /// Notes a message in the state, and makes the rules that wait for its topic.
    pub(crate) fn note_message(&mut self, message: Message) -> Arrival {
        let now = self.now();
        let (made, errors) = self.live.make_for_topic(&message.topic);
        if !made.is_empty() {
            self.evaluator.world.rule_names = self.live.names();
        }
        for id in &made {
            self.adopt(id);
            self.activate(id);
        }
        for (rule, error) in errors {
            self.say(Some(&rule), crate::rules::LogLevel::Error, error);
        }
        let before = self.evaluator.world.states.note(now, &message);
        let is_known = before.is_some_and(|before| before.payload == message.payload);
        let is_news = message.origin != Origin::Retained || !is_known;
        Arrival { message, made, is_news }
    }

    fn message_cause(&self, message: &Message, depth: u32, run: Option<RunId>) -> Cause {
        let kind = CauseKind::Message {
            sequence: self.evaluator.sequence,
            topic: message.topic.clone(),
            origin: message.origin,
        };
        Cause { kind, depth, run, armed: None }
    }

    /// Tells a message to all that listen to its topic, in order.
    fn dispatch(&mut self, arrival: &Arrival, cause: &Cause) {
        let mut subscribers = std::mem::take(&mut self.subscribers);
        self.live.index.find(&arrival.message.topic, &mut subscribers);
        subscribers.extend(arrival.made.iter().map(|slot| Subscriber { slot: slot.clone(), what: Interest::While }));
        subscribers.sort_unstable();
        subscribers.dedup();
        let mut fired: Option<LiveId> = None;
        for Subscriber { slot, what } in subscribers.drain(..) {
            match what {
                Interest::Tracker(index) => self.track(&slot, index, &arrival.message),
                Interest::Trigger(owner, index) => {
                    let firing = self.dispatch_to_trigger(&slot, owner, index, arrival, cause);
                    match (owner, firing) {
                        (_, None) => {}
                        // One message makes one run, of the first trigger that it matches.
                        (Owner::Rule, Some(firing)) => {
                            if fired.as_ref() != Some(&slot) {
                                fired = Some(slot.clone());
                                self.trigger(&slot, firing);
                            }
                        }
                        (Owner::OpenWait(run, wait), Some(firing)) => self.wait_fires(run, wait, Some(firing)),
                    }
                }
                Interest::At(owner, index) => self.recheck_at_expression(&slot, owner, index),
                Interest::While => {
                    if self.before_start.is_none() {
                        self.reconsider(&slot, cause);
                    }
                }
                Interest::Until(run, wait) => self.recheck_until(run, wait, cause),
            }
            self.step_ready();
        }
        // The room is used again.
        self.subscribers = subscribers;
    }

    /// Notes since when a `state` condition holds.
    fn track(&mut self, slot_id: &LiveId, index: u16, message: &Message) {
        let now = self.now();
        let Some(slot) = self.live.get_mut(slot_id) else { return };
        let rule = Arc::clone(&slot.rule);
        let tracked = tracked_conditions(&rule);
        let (Some((_, condition)), Some(tracker)) =
            (tracked.get(usize::from(index)), slot.trackers.get_mut(usize::from(index)))
        else {
            return;
        };
        if tracker.note(condition, &message.topic, message.payload.value(), now) {
            self.note_tracker_changed(slot_id, index, &message.topic);
        }
    }

    /// Tells a message to one trigger. Returns what it sets where it fires.
    fn dispatch_to_trigger(
        &mut self,
        slot: &LiveId,
        owner: Owner,
        index: u16,
        arrival: &Arrival,
        cause: &Cause,
    ) -> Option<Firing> {
        let rule = Arc::clone(&self.live.get(slot)?.rule);
        let trigger = self.trigger_of(&rule, owner, index)?;
        let message = &arrival.message;
        let firing = |filter| {
            let mut firing = Firing::of_cause(Arc::clone(&trigger.path), cause.clone());
            firing.trigger_id.clone_from(&trigger.id);
            firing.with_message(filter, message)
        };
        match &trigger.kind {
            TriggerKind::Topic { filter, payload, condition, retained } => {
                let replayed = matches!(message.origin, Origin::Retained | Origin::Restored);
                if replayed && !(*retained && message.origin == Origin::Retained) {
                    return None;
                }
                let value = message.payload.value();
                if !payload.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| value.matches(wanted))) {
                    return None;
                }
                let firing = firing(filter);
                match condition {
                    None => Some(firing),
                    Some(condition) => self.where_holds(slot, owner, condition, &firing).then_some(firing),
                }
            }
            TriggerKind::State(state) => {
                let fires = self.dispatch_to_state(slot, owner, index, state, arrival, || firing(&state.filter))?;
                Some(fires)
            }
            TriggerKind::Silent { hold, .. } => {
                if arrival.is_news {
                    self.reset_silence(slot, owner, index, message, *hold);
                }
                None
            }
            TriggerKind::Schedule { .. }
            | TriggerKind::AtExpression { .. }
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_)
            | TriggerKind::Webhook(_) => None,
        }
    }

    /// Returns whether a trigger's `where` holds; unknown counts as false, a failure is the rule's.
    fn where_holds(
        &mut self,
        slot: &LiveId,
        owner: Owner,
        condition: &crate::rules::Question,
        firing: &Firing,
    ) -> bool {
        let Some(rule) = self.live.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return false };
        let (locals, thread) = match owner {
            Owner::Rule => (crate::model::Map::new(), ThreadScope::default()),
            Owner::OpenWait(run, wait) => {
                let (mut known, thread) = self.run_scope(run, wait);
                // What the message that is asked about sets hides what the run's own trigger has set.
                known.retain(|name, _| firing.get(name).is_none());
                (known, thread)
            }
        };
        let scope = Scope {
            rule: &rule,
            memory: self.memory(slot),
            firing: Some(firing),
            locals: &locals,
            thread,
            each_message: Value::Null,
        };
        let failure = match self.evaluator.answer(&scope, condition, &mut Reads::default()) {
            Ok(Value::Bool(holds)) => return holds,
            Ok(Value::Null) | Err(Failure { without_value: Some(_), .. }) => return false,
            Ok(value) => {
                condition.failure(format!("`where` must give true or false, and gives {}: {value}", value.kind()))
            }
            Err(failure) => failure,
        };
        self.fail_unstarted(&rule, firing, Vec::new(), &failure);
        false
    }

    /// Tells a message to a `state` trigger: it fires, its hold begins or is broken, or nothing.
    fn dispatch_to_state(
        &mut self,
        slot: &LiveId,
        owner: Owner,
        index: u16,
        state: &StateTrigger,
        arrival: &Arrival,
        firing: impl FnOnce() -> Firing,
    ) -> Option<Firing> {
        let now = self.now();
        let topic = &arrival.message.topic;
        let news = self.news_of(state, arrival.message.origin);
        let value = arrival.message.payload.value().at(&state.field);
        let track = self.trigger_state_mut(slot, owner, index)?.topics.entry(topic.clone()).or_default();
        let change = track.hear(state, value, news);
        if change == Change::None {
            self.note_track(slot, owner, index, topic, Soon::Late);
            return None;
        }
        let broken = track.hold.take();
        let begins = match change {
            Change::None | Change::Breaks => None,
            Change::Begins { old } => Some(Firing { old, value: value.cloned().unwrap_or_default(), ..firing() }),
        };
        if begins.is_some() && state.hold.is_none() {
            track.is_spent = state.range.is_some();
        }
        if let Some(hold) = broken {
            self.drop_hold(slot, owner, index, topic, &hold, value);
        } else {
            self.note_track(slot, owner, index, topic, Soon::Late);
        }
        let firing = begins?;
        let Some(hold) = state.hold else {
            self.note_track(slot, owner, index, topic, Soon::AtOnce);
            return Some(firing);
        };
        self.arm_hold(slot, owner, index, topic, Hold { since: now, due: later(now, hold), firing });
        None
    }

    /// A hold begins, unless the rule is switched off: then it has nothing armed.
    fn arm_hold(&mut self, slot: &LiveId, owner: Owner, index: u16, topic: &Topic, hold: Hold) {
        if owner == Owner::Rule && !self.live.get(slot).is_some_and(LiveRule::is_enabled) {
            return self.skip(slot, &hold.firing, Gate::Disabled);
        }
        self.deadlines.add(hold.due, slot, Due::Trigger(owner, index, Some(topic.clone())));
        if let Some(state) = self.trigger_state_mut(slot, owner, index) {
            state.topics.entry(topic.clone()).or_default().hold = Some(hold);
        }
        self.note_track(slot, owner, index, topic, Soon::AtOnce);
    }

    /// A hold was broken before its time.
    fn drop_hold(
        &mut self,
        slot: &LiveId,
        owner: Owner,
        index: u16,
        topic: &Topic,
        hold: &Hold,
        value: Option<&Value>,
    ) {
        self.deadlines.remove(hold.due, slot, Due::Trigger(owner, index, Some(topic.clone())));
        self.note_track(slot, owner, index, topic, Soon::AtOnce);
        if owner == Owner::Rule {
            let (topic, value) = (Some(topic.clone()), value.cloned());
            let refusal = Refusal::HoldBroken { topic, since: hold.since, due: hold.due, value };
            let cause = hold.firing.cause.clone().since(hold.since);
            let firing = Firing { cause, ..hold.firing.clone() };
            self.skip_with(slot, &firing, Gate::Hold, Vec::new(), Some(refusal));
        }
    }

    /// What a message of this origin is to a `state` trigger.
    fn news_of(&self, state: &StateTrigger, origin: Origin) -> News {
        match origin {
            Origin::Live | Origin::Own => News::Live,
            Origin::Restored => News::Filling,
            Origin::Retained => {
                let down = self.alive_at.map(|alive_at| elapsed(alive_at, self.now()));
                let caught = down.zip(state.catch_up).is_some_and(|(down, catch_up)| down <= catch_up);
                if caught { News::Missed } else { News::Filling }
            }
        }
    }

    /// A topic speaks: a `silent` trigger counts anew.
    fn reset_silence(&mut self, slot: &LiveId, owner: Owner, index: u16, message: &Message, hold: std::time::Duration) {
        let due_at = later(self.now(), hold);
        let Some(state) = self.trigger_state_mut(slot, owner, index) else { return };
        let track = state.topics.entry(message.topic.clone()).or_default();
        let before = track.silent_at.replace(due_at);
        let due = Due::Trigger(owner, index, Some(message.topic.clone()));
        if let Some(before) = before {
            self.deadlines.remove(before, slot, due.clone());
        } else {
            self.note_track(slot, owner, index, &message.topic, Soon::AtOnce);
        }
        self.note_track(slot, owner, index, &message.topic, Soon::Late);
        self.deadlines.add(due_at, slot, due);
    }

    /// Handles an event of the shell that is no message.
    fn handle_event(&mut self, event: Event) {
        match event {
            Event::ClientConnected(client) => self.dispatch_client(&client, ClientChange::Connected),
            Event::ClientDisconnected(client) => self.dispatch_client(&client, ClientChange::Disconnected),
            Event::Webhook { name, body } => self.dispatch_webhook(&name, &body),
            Event::Answered { request, answer } => self.handle_answer(request, answer),
            Event::Switch { rule, is_enabled } => {
                if let Some(slot) = self.live.find(&rule).cloned() {
                    self.switch(&slot, is_enabled);
                }
            }
            Event::RunRule(rule) => self.run_by_person(&rule),
            Event::Interrupted { rule, by } => {
                if let Some(slot) = self.live.find(&rule).cloned() {
                    self.cancel_runs(&slot, by);
                }
            }
            Event::Alert(alert) => {
                self.queue_alert(&alert, 0);
                self.effects.push(Effect::Alert(alert));
            }
            Event::Stopping => self.dispatch_home_event(HomeEvent::Stopping, None, 0),
            Event::Message(message) => self.inbox.push_back(Incoming::Message { message, depth: 0, run: None }),
            Event::Tick | Event::Started | Event::ClockChanged { .. } => {}
        }
    }

    fn dispatch_client(&mut self, client: &Arc<str>, change: ClientChange) {
        let cause = Cause::outside(CauseKind::Client(Arc::clone(client)));
        let wanted = |trigger: &Trigger| match &trigger.kind {
            TriggerKind::Client { pattern, is } => *is == change && matches_star(pattern, client),
            _ => false,
        };
        self.call(&cause, wanted, |firing| firing.client = Some(Arc::clone(client)));
    }

    fn dispatch_webhook(&mut self, name: &Arc<str>, body: &Payload) {
        let cause = Cause::outside(CauseKind::Webhook(Arc::clone(name)));
        let wanted = |trigger: &Trigger| matches!(&trigger.kind, TriggerKind::Webhook(known) if known == name);
        self.call(&cause, wanted, |firing| firing.payload = Some(body.clone()));
    }

    /// Tells one of the daemon's own events, which is about `rule`.
    pub(crate) fn dispatch_home_event(&mut self, event: HomeEvent, rule: Option<&RuleId>, depth: u32) {
        let word = HomeEvent::ALL.iter().find(|(_, known)| *known == event).map_or("", |(word, _)| word);
        let cause = Cause { kind: CauseKind::Event(word.into()), depth, run: None, armed: None };
        let wanted = |trigger: &Trigger| matches!(trigger.kind, TriggerKind::Event(known) if known == event);
        self.call(&cause, wanted, |firing| firing.rule = rule.cloned());
    }

    /// Fires the triggers that no topic sets off and that `wanted` picks, in the rules' order.
    fn call(&mut self, cause: &Cause, wanted: impl Fn(&Trigger) -> bool, set: impl Fn(&mut Firing)) {
        let mut fired: Option<LiveId> = None;
        let subscribers: Vec<Subscriber> = self.live.callable.iter().cloned().collect();
        for Subscriber { slot, what } in subscribers {
            let Interest::Trigger(owner, index) = what else { continue };
            let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { continue };
            let Some(trigger) = self.trigger_of(&rule, owner, index).filter(|trigger| wanted(trigger)) else {
                continue;
            };
            let mut firing = Firing::of_cause(Arc::clone(&trigger.path), cause.clone());
            firing.trigger_id.clone_from(&trigger.id);
            set(&mut firing);
            match owner {
                Owner::Rule if fired.as_ref() == Some(&slot) => {}
                Owner::Rule => {
                    fired = Some(slot.clone());
                    self.trigger(&slot, firing);
                }
                Owner::OpenWait(run, wait) => self.wait_fires(run, wait, Some(firing)),
            }
            self.step_ready();
        }
    }

    /// Returns the triggers that no topic sets off, with their places.
    pub(crate) fn callable_triggers(&self) -> impl Iterator<Item = (&LiveId, Owner, Cow<'_, Trigger>)> {
        self.live.callable.iter().filter_map(|Subscriber { slot, what }| {
            let Interest::Trigger(owner, index) = *what else { return None };
            let rule = &self.live.get(slot)?.rule;
            self.trigger_of(rule, owner, index).map(|trigger| (slot, owner, trigger))
        })
    }

    /// Returns a rule's trigger: one of `when`, or of a `wait` of one of its runs.
    pub(crate) fn trigger_of<'a>(&self, rule: &'a Rule, owner: Owner, index: u16) -> Option<Cow<'a, Trigger>> {
        let index = usize::from(index);
        match (owner, &rule.start) {
            (Owner::Rule, Start::When(triggers)) => triggers.get(index).map(Cow::Borrowed),
            (Owner::Rule, Start::While(_)) => None,
            (Owner::OpenWait(run, wait), _) => self.runs.get(&run)?.wait(wait)?.trigger(rule, index),
        }
    }

    /// A run that never began has failed: says so everywhere.
    pub(crate) fn fail_unstarted(
        &mut self,
        rule: &Rule,
        firing: &Firing,
        mut steps: Vec<crate::engine::Step>,
        failure: &Failure,
    ) {
        let fault = Fault::from(failure);
        steps.insert(0, self.trigger_step(firing));
        let now = self.now();
        self.trace(crate::engine::Trace {
            rule: rule.id.clone(),
            run: None,
            at: now,
            ended_at: now,
            outcome: Outcome::Failed(fault.clone()),
            cause: firing.cause.clone(),
            steps,
        });
        self.say_failed(&rule.id, &fault, firing.cause.depth);
        self.count_interruptions(&rule.id);
    }
}

/// What an unknown verdict counts as where only yes or no is asked.
pub(crate) fn holds(verdict: &Verdict) -> bool {
    *verdict == Verdict::True
}
