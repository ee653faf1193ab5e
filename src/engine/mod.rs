//! The core: decides what an event leads to. It has no clock, no files and no sockets; time is told to it.
//!
//! One message, from end to end: [`Engine::handle`] fires the deadlines that are due (`live::deadlines`),
//! `trigger::dispatch` notes the state and finds the subscribers, `trigger` decides whether a trigger fires,
//! `run::admission` whether its rule may run, `run::stepper` does the actions one by one (`action`), and what they publish
//! goes through the same way before `handle` returns.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod clock_change;
mod condition;
mod effect;
mod event;
mod firing;
mod live;
mod loop_guard;
mod options;
mod reload;
mod run;
mod snapshot;
mod trace;
mod trigger;
mod view;
mod while_rule;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use effect::{ALERT_TOPIC, Alert, AlertKind, Effect, HttpCall, Publication, RequestId};
pub use event::{Answer, Event};
pub use options::Options;
pub use snapshot::{SaveKey, Snapshot};
pub use trace::{
    Armed, Awaited, Cause, CauseKind, Fault, Gate, Loop, Outcome, Refusal, RunId, Step, StepKind, StepResult,
    StopReason, StoppedBy, Trace, Verdict, WaitsFor, WhyFalse,
};
pub use view::{ArmedHold, RuleView};

use crate::model::{Message, Origin, RuleId, States};
use crate::rules::{HomeEvent, Ruleset};
use crate::script::Interrupter;

use condition::evaluator::Evaluator;
use live::deadlines::Deadlines;
use live::saved::{SavedRule, Unsaved};
use live::table::{LiveRules, Subscriber};
use run::Run;
use trigger::dispatch::{Arrival, Incoming};

/// Decides what a home does.
pub struct Engine {
    options: Options,
    evaluator: Evaluator,
    live: LiveRules,
    /// The runs that haven't ended.
    runs: BTreeMap<RunId, Run>,
    /// Runs that go on as soon as the one at work waits.
    ready: VecDeque<RunId>,
    /// The run at work, and what ended it, if something did.
    at_work: Option<(RunId, Option<StoppedBy>)>,
    /// The run that was stopped as a loop, until it has ended.
    looping: Option<RunId>,
    deadlines: Deadlines,
    /// What comes after the message or deadline being handled.
    inbox: VecDeque<Incoming>,
    /// Who hears the message being handled: empty in between.
    subscribers: Vec<Subscriber>,
    /// The messages told before [`Event::Started`]; `None` after it.
    before_start: Option<Vec<Arrival>>,
    /// When the daemon was last alive before this start; `None` at the very first.
    alive_at: Option<Timestamp>,
    next_run: u64,
    next_request: u64,
    /// What is kept of rules that aren't in force now.
    dormant: BTreeMap<RuleId, SavedRule>,
    unsaved: Unsaved,
    effects: Vec<Effect>,
}

impl Engine {
    /// Returns the engine of a home without a past.
    #[must_use]
    pub fn new(now: Timestamp, rules: Ruleset, options: Options) -> (Engine, Vec<Effect>) {
        Engine::restore(now, rules, Snapshot::default(), options)
    }

    /// Continues from what was saved. Until [`Event::Started`] is handled, messages only fill the state.
    #[must_use]
    pub fn restore(now: Timestamp, rules: Ruleset, saved: Snapshot, options: Options) -> (Engine, Vec<Effect>) {
        let mut engine = Engine {
            evaluator: Evaluator::new(now, &options),
            options,
            live: LiveRules::default(),
            runs: BTreeMap::new(),
            ready: VecDeque::new(),
            at_work: None,
            looping: None,
            deadlines: Deadlines::default(),
            inbox: VecDeque::new(),
            subscribers: Vec::new(),
            before_start: Some(Vec::new()),
            alive_at: saved.alive_at,
            next_run: 1,
            next_request: 1,
            dormant: BTreeMap::new(),
            unsaved: Unsaved::default(),
            effects: Vec::new(),
        };
        engine.restore_saved(saved);
        let behind = engine.clock_behind();
        engine.shift_saved(-behind);
        engine.put_in_force(&rules);
        if behind.is_positive() {
            engine.recompute_schedules();
            engine.keep_shifted();
        } else {
            engine.recompute_what_is_to_come();
        }
        let effects = engine.finish();
        (engine, effects)
    }

    /// Decides what `event`, happening at `now`, leads to. Deadlines at or before `now` fire first, in
    /// order, so a late tick changes nothing. `now` never goes back, but with [`Event::ClockChanged`]: an earlier
    /// one counts as the last.
    #[must_use]
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        if let Event::ClockChanged { forward } = event {
            self.set_clock(now, forward);
            return self.finish();
        }
        let now = now.max(self.now());
        match (self.before_start.is_some(), event) {
            (true, Event::Started) => self.start(now),
            (true, Event::Message(message)) if message.origin != Origin::Live => {
                self.evaluator.world.now = now;
                self.tell_before_start(message);
            }
            (true, event) => {
                self.evaluator.world.now = now;
                self.queue(event);
            }
            (false, event) => {
                self.advance(now);
                self.take(event);
                self.settle();
            }
        }
        self.finish()
    }

    /// Returns what may be kept late (spec 2.6: within a second) and has changed since the last call: the
    /// state of topics, the last values that triggers know. All of it is [`Effect::Save`].
    #[must_use]
    pub fn flush(&mut self) -> Vec<Effect> {
        self.save_late();
        self.finish()
    }

    /// Makes the next [`Engine::flush`] give all that must survive, whether or not it has changed.
    pub fn keep_all(&mut self) {
        self.mark_all_unsaved();
    }

    /// Returns the earliest time at which the engine has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.before_start.is_some() {
            return None;
        }
        self.deadlines.first()
    }

    /// Swaps the rules; runs, holds and memory of unchanged rules continue.
    #[must_use]
    pub fn replace_rules(&mut self, now: Timestamp, rules: Ruleset) -> Vec<Effect> {
        let now = now.max(self.now());
        if self.before_start.is_none() {
            self.advance(now);
        }
        self.reload(&rules);
        self.settle();
        self.finish()
    }

    /// Returns what ends an evaluation that takes too long: for a watchdog on another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.evaluator.interrupter()
    }

    /// Returns the state of all topics.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.evaluator.world.states
    }

    /// Returns whether the rule `id` is switched on; `None` where there is no such rule.
    #[must_use]
    pub fn is_enabled(&self, id: &RuleId) -> Option<bool> {
        let slot = self.live.find(id).and_then(|slot| self.live.get(slot))?;
        Some(slot.is_enabled())
    }

    /// Returns the ids of the rules in force, instances of `each` too, in their order.
    pub fn rule_ids(&self) -> impl Iterator<Item = &RuleId> {
        self.live.iter().map(|(_, slot)| &slot.rule.id)
    }

    /// Returns the `while` rules that have begun and not ended.
    #[must_use]
    pub fn holding(&self) -> &BTreeSet<RuleId> {
        &self.evaluator.world.holding
    }

    /// Returns how many runs haven't ended.
    #[must_use]
    pub fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// Returns whether a rule in force has a webhook of this name.
    #[must_use]
    pub fn has_webhook(&self, name: &str) -> bool {
        self.callable_triggers().any(
            |(_, _, trigger)| matches!(&trigger.kind, crate::rules::TriggerKind::Webhook(known) if **known == *name),
        )
    }

    /// Returns the webhooks of the rules in force.
    #[must_use]
    pub fn webhooks(&self) -> BTreeSet<Arc<str>> {
        let name = |kind: &crate::rules::TriggerKind| match kind {
            crate::rules::TriggerKind::Webhook(name) => Some(Arc::clone(name)),
            _ => None,
        };
        self.callable_triggers().filter_map(|(_, _, trigger)| name(&trigger.kind)).collect()
    }

    fn now(&self) -> Timestamp {
        self.evaluator.world.now
    }

    /// Fires the deadlines until `now`, each at its own time, and lets `now` begin.
    fn advance(&mut self, now: Timestamp) {
        while let Some(due) = self.deadlines.first().filter(|due| *due <= now) {
            let instant = due.max(self.now());
            self.evaluator.world.now = instant;
            let mut batch = Vec::new();
            while let Some(deadline) = self.deadlines.take_due(instant) {
                batch.push(deadline);
            }
            for deadline in batch {
                self.evaluator.next_sequence();
                self.fire(deadline);
                self.step_ready();
            }
            self.settle();
        }
        self.evaluator.world.now = now;
    }

    /// Takes an event that happens now.
    fn take(&mut self, event: Event) {
        match event {
            Event::Tick | Event::Started | Event::ClockChanged { .. } => {}
            Event::Stopping
            | Event::Message(_)
            | Event::ClientConnected(_)
            | Event::ClientDisconnected(_)
            | Event::Webhook { .. }
            | Event::Answered { .. }
            | Event::Switch { .. }
            | Event::RunRule(_)
            | Event::Alert(_)
            | Event::Interrupted { .. } => self.queue(event),
        }
    }

    /// Puts an event behind what is being handled.
    fn queue(&mut self, event: Event) {
        self.inbox.push_back(match event {
            Event::Message(message) => Incoming::Message { message, depth: 0, run: None },
            event => Incoming::Event(event),
        });
    }

    /// Handles what waits in the inbox, and what that leads to, until nothing is left to do now.
    fn settle(&mut self) {
        self.step_ready();
        while let Some(incoming) = self.inbox.pop_front() {
            if incoming.is_counted() {
                self.evaluator.next_sequence();
            }
            self.hear(incoming);
            self.step_ready();
        }
    }

    /// Begins: the retained messages have been told, so the rules wake up (spec 2.10, issue of the start's
    /// order: what was restored, retained messages, what fell due meanwhile, then what came since, then `started`).
    fn start(&mut self, now: Timestamp) {
        let told = self.before_start.take().unwrap_or_default();
        let pending = std::mem::take(&mut self.inbox);
        self.evaluator.world.now = now;
        for told in told {
            self.evaluator.next_sequence();
            self.handle_arrival(told);
            self.step_ready();
        }
        self.settle();
        self.reconsider_all(self.alive_at);
        self.catch_up_schedules();
        self.settle();
        self.advance(now);
        self.inbox.extend(pending);
        self.settle();
        self.dispatch_home_event(HomeEvent::Started, None, 0);
        self.settle();
    }

    /// Ends a call: says what must be kept, and hands over what the shell must do.
    fn finish(&mut self) -> Vec<Effect> {
        self.save_at_once();
        std::mem::take(&mut self.effects)
    }

    fn trace(&mut self, trace: Trace) {
        self.effects.push(Effect::Trace(std::sync::Arc::new(trace)));
    }

    fn next_run_id(&mut self) -> RunId {
        let id = RunId(self.next_run);
        self.next_run += 1;
        id
    }

    /// Notes a message that arrived before the start.
    fn tell_before_start(&mut self, message: Message) {
        let told = self.note_message(message);
        if let Some(before_start) = &mut self.before_start {
            before_start.push(told);
        }
    }
}

/// Returns how long it is from `since` to `now`; none where that is in the future.
fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}
