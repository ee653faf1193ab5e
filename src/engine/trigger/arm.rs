//! Arms what a trigger waits for: its place in the topic index, and its deadlines. Fires what is due.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Topic, TopicFilter, Value};
use crate::rules::{Rule, Start, Trigger, TriggerKind};
use crate::script::Reads;

use crate::engine::condition::tracker::{Tracker, topic_filter, tracked_conditions};
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::{Deadline, Due, Owner};
use crate::engine::live::table::{Fact, Interest, LiveId, Subscriber};
use crate::engine::live::tracks::Soon;
use crate::engine::trigger::state::{OutsideFirst, Track, TriggerState, earlier, later};
use crate::engine::{Armed, Cause, CauseKind, Engine, Step, StepKind, StepResult};

impl Engine {
    /// Makes a new slot's triggers and trackers look at the state, and arms them.
    pub(crate) fn activate(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get(id) else { return };
        let rule = Arc::clone(&slot.rule);
        if let Start::When(triggers) = &rule.start
            && slot.triggers.len() != triggers.len()
        {
            let states: Vec<_> = triggers.iter().map(|trigger| self.first_look(trigger, OutsideFirst::No)).collect();
            // When a schedule is due is kept, so that the next start knows what it missed.
            if states.iter().any(|state| state.due.is_some()) {
                self.unsaved.rules.insert(id.clone());
            }
            if let Some(slot) = self.live.get_mut(id) {
                slot.triggers = states;
            }
        }
        self.wake_trackers(id, &rule);
        self.arm_rule(id);
    }

    /// Arms what a slot's triggers, trackers and `while` wait for, as they stand.
    pub(crate) fn arm_rule(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get(id) else { return };
        let rule = Arc::clone(&slot.rule);
        if let Some(until) = slot.resting_until {
            self.deadlines.add(until, id, Due::Rested);
        }
        if let Start::When(triggers) = &rule.start {
            let states = slot.triggers.clone();
            self.arm(id, Owner::Rule, triggers, &states);
            for (index, trigger) in numbered(triggers) {
                if matches!(trigger.kind, TriggerKind::AtExpression { .. }) && trigger.enabled {
                    self.recheck_at_expression(id, Owner::Rule, index);
                }
            }
        }
        for (index, (_, condition)) in numbered(&tracked_conditions(&rule)) {
            if let Some(filter) = topic_filter(&condition.topic) {
                self.live.index.insert(&filter, Subscriber { slot: id.clone(), what: Interest::Tracker(index) });
            }
        }
        self.arm_timers(id);
        self.arm_while(id);
    }

    /// Makes what came back from the store look at the topics that have been silent since its first look: nothing is kept
    /// of those.
    pub(crate) fn look_at_the_rest(&mut self, id: &LiveId) {
        let Some(rule) = self.live.get(id).map(|slot| Arc::clone(&slot.rule)) else { return };
        let triggers = if let Start::When(triggers) = &rule.start { triggers.as_slice() } else { &[] };
        let looks: Vec<_> = triggers.iter().map(|trigger| self.first_look(trigger, OutsideFirst::No)).collect();
        let tracked = tracked_conditions(&rule);
        let Some(slot) = self.live.get_mut(id) else { return };
        for (state, look) in slot.triggers.iter_mut().zip(looks) {
            for (topic, track) in look.topics {
                state.topics.entry(topic).or_insert(track);
            }
        }
        for tracker in &mut slot.trackers {
            if let Some((_, condition)) = tracked.iter().find(|(path, _)| **path == tracker.path) {
                tracker.look(condition, &self.evaluator.world.states);
            }
        }
    }

    fn wake_trackers(&mut self, id: &LiveId, rule: &Rule) {
        let tracked = tracked_conditions(rule);
        let Some(slot) = self.live.get_mut(id) else { return };
        let mut known = std::mem::take(&mut slot.trackers);
        let trackers = tracked.iter().map(|(path, condition)| {
            if let Some(index) = known.iter().position(|tracker| tracker.path == **path) {
                return known.swap_remove(index);
            }
            let mut tracker = Tracker { path: Arc::clone(path), ..Tracker::default() };
            tracker.look(condition, &self.evaluator.world.states);
            tracker
        });
        slot.trackers = trackers.collect();
    }

    /// Returns what a trigger knows when it first looks at the state.
    pub(crate) fn first_look(&self, trigger: &Trigger, outside_first: OutsideFirst) -> TriggerState {
        let now = self.now();
        let states = &self.evaluator.world.states;
        let mut look = TriggerState::default();
        match &trigger.kind {
            TriggerKind::State(state) => {
                look.topics = states
                    .matching(&state.filter)
                    .map(|(topic, known)| {
                        let value = known.payload.value().at(&state.field);
                        (topic.clone(), Track::first_look(state, value, outside_first))
                    })
                    .collect();
            }
            TriggerKind::Silent { filter, hold } => {
                look.topics = states
                    .matching(filter)
                    .map(|(topic, known)| {
                        let since = if outside_first == OutsideFirst::Yes { now } else { known.at };
                        let track = Track { silent_at: Some(later(since, *hold)), ..Track::default() };
                        (topic.clone(), track)
                    })
                    .collect();
            }
            TriggerKind::Schedule { schedule, .. } => look.due = self.next_due(schedule, now),
            TriggerKind::Topic { .. }
            | TriggerKind::AtExpression { .. }
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_)
            | TriggerKind::Webhook(_) => {}
        }
        look
    }

    /// Arms triggers as their states say.
    pub(crate) fn arm(&mut self, slot: &LiveId, owner: Owner, triggers: &[Trigger], states: &[TriggerState]) {
        for ((index, trigger), state) in numbered(triggers).zip(states) {
            if !trigger.enabled {
                continue;
            }
            let subscriber = Subscriber { slot: slot.clone(), what: Interest::Trigger(owner, index) };
            match &trigger.kind {
                TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => {
                    self.live.index.insert(filter, subscriber);
                }
                TriggerKind::State(state) => self.live.index.insert(&state.filter, subscriber),
                TriggerKind::Client { .. } | TriggerKind::Event(_) | TriggerKind::Webhook(_) => {
                    self.live.callable.insert(subscriber);
                }
                TriggerKind::AtExpression { .. } => self.listen_for_at(slot, owner, index, &state.reads),
                TriggerKind::Schedule { .. } => {}
            }
            for (due, what) in dues(owner, index, state) {
                self.deadlines.add(due, slot, what);
            }
        }
    }

    /// Takes back what [`Engine::arm`] did.
    pub(crate) fn disarm(&mut self, slot: &LiveId, owner: Owner, triggers: &[Trigger], states: &[TriggerState]) {
        for ((index, trigger), state) in numbered(triggers).zip(states) {
            if !trigger.enabled {
                continue;
            }
            let subscriber = Subscriber { slot: slot.clone(), what: Interest::Trigger(owner, index) };
            match &trigger.kind {
                TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => {
                    self.live.index.remove(filter, &subscriber);
                }
                TriggerKind::State(state) => self.live.index.remove(&state.filter, &subscriber),
                TriggerKind::Client { .. } | TriggerKind::Event(_) | TriggerKind::Webhook(_) => {
                    self.live.callable.remove(&subscriber);
                }
                TriggerKind::AtExpression { .. } => self.unlisten_for_at(slot, owner, index, &state.reads),
                TriggerKind::Schedule { .. } => {}
            }
            for (due, what) in dues(owner, index, state) {
                self.deadlines.remove(due, slot, what);
            }
        }
    }

    /// Makes `subscriber` hear what was read.
    pub(crate) fn listen(&mut self, subscriber: &Subscriber, reads: &Reads) {
        for filter in filters(reads) {
            self.live.index.insert(&filter, subscriber.clone());
        }
        for fact in fact(&subscriber.slot, reads) {
            self.live.watch(fact, subscriber);
        }
    }

    /// Takes back what [`Engine::listen`] did.
    pub(crate) fn unlisten(&mut self, subscriber: &Subscriber, reads: &Reads) {
        for filter in filters(reads) {
            self.live.index.remove(&filter, subscriber);
        }
        for fact in fact(&subscriber.slot, reads) {
            self.live.unwatch(&fact, subscriber);
        }
    }

    pub(crate) fn listen_for_at(&mut self, slot: &LiveId, owner: Owner, index: u16, reads: &Reads) {
        self.listen(&Subscriber { slot: slot.clone(), what: Interest::At(owner, index) }, reads);
    }

    pub(crate) fn unlisten_for_at(&mut self, slot: &LiveId, owner: Owner, index: u16, reads: &Reads) {
        self.unlisten(&Subscriber { slot: slot.clone(), what: Interest::At(owner, index) }, reads);
    }

    /// Fires a deadline, where it is still due: what came before it may have taken it back.
    pub(crate) fn fire(&mut self, deadline: Deadline) {
        let Deadline { due, slot, what } = deadline;
        match what {
            Due::Trigger(owner, index, None) => self.fire_schedule(&slot, owner, index, due),
            Due::Trigger(owner, index, Some(topic)) => self.fire_topic(&slot, owner, index, due, &topic),
            Due::AtRecheck(owner, index) => self.recheck_at_expression(&slot, owner, index),
            Due::WhilePending => self.fire_while_pending(&slot, due),
            Due::WhileRecheck => {
                let cause = self.recheck_cause(&slot, due);
                self.reconsider(&slot, &cause);
            }
            Due::WhileEvery => self.fire_while_every(&slot, due),
            Due::Wake(run, thread) => self.wake(run, thread, due),
            Due::Timeout(run, wait) => self.wait_times_out(run, wait),
            Due::UntilRecheck(run, wait) => {
                let cause = self.time_cause(due);
                self.recheck_until(run, wait, &cause);
            }
            Due::Rested => self.end_rest(&slot),
            Due::Timer(id) => self.fire_timer(&slot, id, due),
        }
    }

    /// A hold is over, or a topic has been silent for too long.
    fn fire_topic(&mut self, slot: &LiveId, owner: Owner, index: u16, due: Timestamp, topic: &Topic) {
        let Some(rule) = self.live.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        let Some(trigger) = self.trigger_of(&rule, owner, index) else { return };
        let Some(track) = self.trigger_state_mut(slot, owner, index).and_then(|state| state.topics.get_mut(topic))
        else {
            return;
        };
        let firing = match &trigger.kind {
            TriggerKind::State(state) => {
                let Some(hold) = track.hold.take_if(|hold| hold.due == due) else { return };
                track.is_spent = state.range.is_some();
                let mut firing = hold.firing;
                firing.cause = firing.cause.since(hold.since);
                firing.value = track.last.clone();
                if let Some(known) = self.evaluator.world.states.get(topic.as_str()) {
                    firing.payload = Some(known.payload.clone());
                }
                firing
            }
            TriggerKind::Silent { filter, hold } => {
                if track.silent_at.take_if(|at| *at == due).is_none() {
                    return;
                }
                let known = self.evaluator.world.states.get(topic.as_str());
                let mut firing = self.time_firing(&trigger, due).with_state(filter, topic, known);
                let spoke_at = earlier(due, *hold);
                firing.cause.armed = Some(Box::new(Armed { at: spoke_at, topic: Some(topic.clone()), cause: None }));
                firing
            }
            _ => return,
        };
        self.note_track(slot, owner, index, topic, Soon::AtOnce);
        self.deliver(slot, owner, firing);
    }

    /// Gives an firing to the rule or the run that waits for it.
    pub(crate) fn deliver(&mut self, slot: &LiveId, owner: Owner, firing: Firing) {
        match owner {
            Owner::Rule => self.trigger(slot, firing),
            Owner::OpenWait(run, wait) => self.wait_fires(run, wait, Some(firing)),
        }
    }

    pub(crate) fn time_firing(&self, trigger: &Trigger, due: Timestamp) -> Firing {
        let mut firing = Firing::of_cause(Arc::clone(&trigger.path), self.time_cause(due));
        firing.trigger_id.clone_from(&trigger.id);
        firing
    }

    /// Returns the cause of what is due; it is late where that was before now, after downtime.
    pub(crate) fn time_cause(&self, due: Timestamp) -> Cause {
        Cause::outside(CauseKind::Time { due, late: due < self.now() })
    }

    /// Returns what a trigger remembers.
    pub(crate) fn trigger_state_mut(&mut self, slot: &LiveId, owner: Owner, index: u16) -> Option<&mut TriggerState> {
        let states = match owner {
            Owner::Rule => &mut self.live.get_mut(slot)?.triggers,
            Owner::OpenWait(run, wait) => &mut self.runs.get_mut(&run)?.wait_mut(wait)?.triggers,
        };
        states.get_mut(usize::from(index))
    }

    /// Notes that what a trigger remembers beside topics must be kept.
    pub(crate) fn note_trigger_changed(&mut self, slot: &LiveId, owner: Owner) {
        match owner {
            Owner::Rule => self.unsaved.rules.insert(slot.clone()),
            Owner::OpenWait(run, _) => self.unsaved.runs.insert(run),
        };
    }

    /// Returns the step that says what triggered a run.
    pub(crate) fn trigger_step(&self, firing: &Firing) -> Step {
        let mut values = Vec::with_capacity(1 + firing.named.len());
        if let Some(payload) = &firing.payload {
            values.push(("msg".into(), payload.value().clone()));
        }
        for (name, capture) in &firing.named {
            values.push((Arc::clone(name).into(), Value::Text(Arc::clone(capture))));
        }
        let result = StepResult::Caused(firing.cause.clone());
        Step { values, ..Step::new(&firing.path, self.now(), StepKind::Trigger, result) }
    }
}

/// Returns items with their numbers, as triggers and trackers are numbered.
pub(crate) fn numbered<T>(items: &[T]) -> impl Iterator<Item = (u16, &T)> {
    (0..=u16::MAX).zip(items)
}

/// Returns the deadlines that a trigger's state asks for.
fn dues(owner: Owner, index: u16, state: &TriggerState) -> Vec<(Timestamp, Due)> {
    let mut dues = Vec::new();
    if let Some(due) = state.due {
        dues.push((due, Due::Trigger(owner, index, None)));
    }
    if let Some(at) = state.recheck_at {
        dues.push((at, Due::AtRecheck(owner, index)));
    }
    for (topic, track) in &state.topics {
        let what = || Due::Trigger(owner, index, Some(topic.clone()));
        dues.extend(track.hold.as_ref().map(|hold| (hold.due, what())));
        dues.extend(track.silent_at.map(|at| (at, what())));
    }
    dues
}

/// Returns what a rule read beside topics.
fn fact(slot: &LiveId, reads: &Reads) -> Vec<Fact> {
    let holds = reads.holds.iter().cloned().map(Fact::Holds);
    let running = reads.running.iter().cloned().map(Fact::Running);
    holds.chain(running).chain(reads.memory.then(|| Fact::Memory(slot.clone()))).collect()
}

/// Returns the filters of all that was read.
fn filters(reads: &Reads) -> Vec<TopicFilter> {
    let topics = reads.topics.iter().filter_map(|topic| TopicFilter::parse(topic.as_str()).ok());
    reads.filters.iter().cloned().chain(topics).collect()
}
