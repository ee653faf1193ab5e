//! Arms what a trigger waits for: its place in the topic index, and its deadlines. Fires what is due.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Topic, TopicFilter, Value};
use crate::rules::{Rule, Start, Trigger, TriggerKind};
use crate::script::Reads;

use super::deadline::{Deadline, Due, Owner};
use super::occasion::Occasion;
use super::slot::{Heard, Listener, SlotId, Watched};
use super::tracker::{Tracker, topic_filter, tracked_conditions};
use super::tracks::Soon;
use super::trigger::{OutsideFirst, Track, TriggerState, earlier, later};
use super::{Armed, Cause, CauseKind, Engine, Step};

impl Engine {
    /// Makes a new slot's triggers and trackers look at the state, and arms them.
    pub(super) fn wake_slot(&mut self, id: &SlotId) {
        let Some(slot) = self.slots.get(id) else { return };
        let rule = Arc::clone(&slot.rule);
        if let Start::When(triggers) = &rule.start
            && slot.triggers.len() != triggers.len()
        {
            let states: Vec<_> = triggers.iter().map(|trigger| self.first_look(trigger, OutsideFirst::No)).collect();
            // When a schedule is due is kept, so that the next start knows what it missed.
            if states.iter().any(|state| state.due.is_some()) {
                self.unsaved.rules.insert(id.clone());
            }
            if let Some(slot) = self.slots.get_mut(id) {
                slot.triggers = states;
            }
        }
        self.wake_trackers(id, &rule);
        self.arm_slot(id);
    }

    /// Arms what a slot's triggers, trackers and `while` wait for, as they stand.
    pub(super) fn arm_slot(&mut self, id: &SlotId) {
        let Some(slot) = self.slots.get(id) else { return };
        let rule = Arc::clone(&slot.rule);
        if let Some(until) = slot.resting_until {
            self.deadlines.add(until, id, Due::Rested);
        }
        if let Start::When(triggers) = &rule.start {
            let states = slot.triggers.clone();
            self.arm(id, Owner::Rule, triggers, &states);
            for (index, trigger) in numbered(triggers) {
                if matches!(trigger.kind, TriggerKind::AtExpression { .. }) && trigger.enabled {
                    self.ask_at(id, Owner::Rule, index);
                }
            }
        }
        for (index, (_, condition)) in numbered(&tracked_conditions(&rule)) {
            if let Some(filter) = topic_filter(&condition.topic) {
                self.slots.index.insert(&filter, Listener { slot: id.clone(), what: Heard::Tracker(index) });
            }
        }
        self.arm_timers(id);
        self.arm_while(id);
    }

    /// Makes what came back from the store look at the topics that have been silent since its first look: nothing is kept
    /// of those.
    pub(super) fn look_at_the_rest(&mut self, id: &SlotId) {
        let Some(rule) = self.slots.get(id).map(|slot| Arc::clone(&slot.rule)) else { return };
        let triggers = if let Start::When(triggers) = &rule.start { triggers.as_slice() } else { &[] };
        let looks: Vec<_> = triggers.iter().map(|trigger| self.first_look(trigger, OutsideFirst::No)).collect();
        let tracked = tracked_conditions(&rule);
        let Some(slot) = self.slots.get_mut(id) else { return };
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

    fn wake_trackers(&mut self, id: &SlotId, rule: &Rule) {
        let tracked = tracked_conditions(rule);
        let Some(slot) = self.slots.get_mut(id) else { return };
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
    pub(super) fn first_look(&self, trigger: &Trigger, outside_first: OutsideFirst) -> TriggerState {
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
    pub(super) fn arm(&mut self, slot: &SlotId, owner: Owner, triggers: &[Trigger], states: &[TriggerState]) {
        for ((index, trigger), state) in numbered(triggers).zip(states) {
            if !trigger.enabled {
                continue;
            }
            let listener = Listener { slot: slot.clone(), what: Heard::Trigger(owner, index) };
            match &trigger.kind {
                TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => {
                    self.slots.index.insert(filter, listener);
                }
                TriggerKind::State(state) => self.slots.index.insert(&state.filter, listener),
                TriggerKind::Client { .. } | TriggerKind::Event(_) | TriggerKind::Webhook(_) => {
                    self.slots.callable.insert(listener);
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
    pub(super) fn disarm(&mut self, slot: &SlotId, owner: Owner, triggers: &[Trigger], states: &[TriggerState]) {
        for ((index, trigger), state) in numbered(triggers).zip(states) {
            if !trigger.enabled {
                continue;
            }
            let listener = Listener { slot: slot.clone(), what: Heard::Trigger(owner, index) };
            match &trigger.kind {
                TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => {
                    self.slots.index.remove(filter, &listener);
                }
                TriggerKind::State(state) => self.slots.index.remove(&state.filter, &listener),
                TriggerKind::Client { .. } | TriggerKind::Event(_) | TriggerKind::Webhook(_) => {
                    self.slots.callable.remove(&listener);
                }
                TriggerKind::AtExpression { .. } => self.unlisten_for_at(slot, owner, index, &state.reads),
                TriggerKind::Schedule { .. } => {}
            }
            for (due, what) in dues(owner, index, state) {
                self.deadlines.remove(due, slot, what);
            }
        }
    }

    /// Makes `listener` hear what was read.
    pub(super) fn listen(&mut self, listener: &Listener, reads: &Reads) {
        for filter in filters(reads) {
            self.slots.index.insert(&filter, listener.clone());
        }
        for watched in watched(&listener.slot, reads) {
            self.slots.watch(watched, listener);
        }
    }

    /// Takes back what [`Engine::listen`] did.
    pub(super) fn unlisten(&mut self, listener: &Listener, reads: &Reads) {
        for filter in filters(reads) {
            self.slots.index.remove(&filter, listener);
        }
        for watched in watched(&listener.slot, reads) {
            self.slots.unwatch(&watched, listener);
        }
    }

    pub(super) fn listen_for_at(&mut self, slot: &SlotId, owner: Owner, index: u16, reads: &Reads) {
        self.listen(&Listener { slot: slot.clone(), what: Heard::At(owner, index) }, reads);
    }

    pub(super) fn unlisten_for_at(&mut self, slot: &SlotId, owner: Owner, index: u16, reads: &Reads) {
        self.unlisten(&Listener { slot: slot.clone(), what: Heard::At(owner, index) }, reads);
    }

    /// Fires a deadline, where it is still due: what came before it may have taken it back.
    pub(super) fn fire(&mut self, deadline: Deadline) {
        let Deadline { due, slot, what } = deadline;
        match what {
            Due::Trigger(owner, index, None) => self.fire_schedule(&slot, owner, index, due),
            Due::Trigger(owner, index, Some(topic)) => self.fire_topic(&slot, owner, index, due, &topic),
            Due::AtRecheck(owner, index) => self.ask_at(&slot, owner, index),
            Due::WhilePending => self.fire_while_pending(&slot, due),
            Due::WhileRecheck => {
                let cause = self.recheck_cause(&slot, due);
                self.reconsider(&slot, &cause);
            }
            Due::WhileEvery => self.fire_while_every(&slot, due),
            Due::Wake(run, thread) => self.wake(run, thread, due),
            Due::Timeout(run, ear) => self.ear_times_out(run, ear),
            Due::UntilRecheck(run, ear) => {
                let cause = self.time_cause(due);
                self.ask_until(run, ear, &cause);
            }
            Due::Rested => self.end_rest(&slot),
            Due::Timer(id) => self.fire_timer(&slot, id, due),
        }
    }

    /// A hold is over, or a topic has been silent for too long.
    fn fire_topic(&mut self, slot: &SlotId, owner: Owner, index: u16, due: Timestamp, topic: &Topic) {
        let Some(rule) = self.slots.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        let Some(trigger) = self.trigger_of(&rule, owner, index) else { return };
        let Some(track) = self.trigger_state_mut(slot, owner, index).and_then(|state| state.topics.get_mut(topic))
        else {
            return;
        };
        let occasion = match &trigger.kind {
            TriggerKind::State(state) => {
                let Some(hold) = track.hold.take_if(|hold| hold.due == due) else { return };
                track.is_spent = state.range.is_some();
                let mut occasion = hold.occasion;
                occasion.cause = occasion.cause.since(hold.since);
                occasion.value = track.last.clone();
                if let Some(known) = self.evaluator.world.states.get(topic.as_str()) {
                    occasion.payload = Some(known.payload.clone());
                }
                occasion
            }
            TriggerKind::Silent { filter, hold } => {
                if track.silent_at.take_if(|at| *at == due).is_none() {
                    return;
                }
                let known = self.evaluator.world.states.get(topic.as_str());
                let mut occasion = self.time_occasion(&trigger, due).with_state(filter, topic, known);
                let spoke_at = earlier(due, *hold);
                occasion.cause.armed = Some(Box::new(Armed { at: spoke_at, topic: Some(topic.clone()), cause: None }));
                occasion
            }
            _ => return,
        };
        self.note_track(slot, owner, index, topic, Soon::AtOnce);
        self.occasion_for(slot, owner, occasion);
    }

    /// Gives an occasion to the rule or the run that waits for it.
    pub(super) fn occasion_for(&mut self, slot: &SlotId, owner: Owner, occasion: Occasion) {
        match owner {
            Owner::Rule => self.trigger(slot, occasion),
            Owner::Ear(run, ear) => self.ear_heard(run, ear, Some(occasion)),
        }
    }

    pub(super) fn time_occasion(&self, trigger: &Trigger, due: Timestamp) -> Occasion {
        let mut occasion = Occasion::of_cause(Arc::clone(&trigger.path), self.time_cause(due));
        occasion.trigger_id.clone_from(&trigger.id);
        occasion
    }

    /// Returns the cause of what is due; it is late where that was before now, after downtime.
    pub(super) fn time_cause(&self, due: Timestamp) -> Cause {
        Cause::outside(CauseKind::Time { due, late: due < self.now() })
    }

    /// Returns what a trigger remembers.
    pub(super) fn trigger_state_mut(&mut self, slot: &SlotId, owner: Owner, index: u16) -> Option<&mut TriggerState> {
        let states = match owner {
            Owner::Rule => &mut self.slots.get_mut(slot)?.triggers,
            Owner::Ear(run, ear) => &mut self.runs.get_mut(&run)?.ear_mut(ear)?.triggers,
        };
        states.get_mut(usize::from(index))
    }

    /// Notes that what a trigger remembers beside topics must be kept.
    pub(super) fn note_trigger_changed(&mut self, slot: &SlotId, owner: Owner) {
        match owner {
            Owner::Rule => self.unsaved.rules.insert(slot.clone()),
            Owner::Ear(run, _) => self.unsaved.runs.insert(run),
        };
    }

    /// Returns the step that says what triggered a run.
    pub(super) fn trigger_step(&self, occasion: &Occasion) -> Step {
        let mut values = Vec::with_capacity(1 + occasion.named.len());
        if let Some(payload) = &occasion.payload {
            values.push(("msg".into(), payload.value().clone()));
        }
        for (name, capture) in &occasion.named {
            values.push((Arc::clone(name).into(), Value::Text(Arc::clone(capture))));
        }
        let result = occasion.cause.told(&self.evaluator.world.calendar.zone, self.now());
        Step { values, ..Step::new(&occasion.path, self.now(), "trigger", result) }
    }
}

/// Returns items with their numbers, as triggers and trackers are numbered.
pub(super) fn numbered<T>(items: &[T]) -> impl Iterator<Item = (u16, &T)> {
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
fn watched(slot: &SlotId, reads: &Reads) -> Vec<Watched> {
    let holds = reads.holds.iter().cloned().map(Watched::Holds);
    let running = reads.running.iter().cloned().map(Watched::Running);
    holds.chain(running).chain(reads.memory.then(|| Watched::Memory(slot.clone()))).collect()
}

/// Returns the filters of all that was read.
fn filters(reads: &Reads) -> Vec<TopicFilter> {
    let topics = reads.topics.iter().filter_map(|topic| TopicFilter::parse(topic.as_str()).ok());
    reads.filters.iter().cloned().chain(topics).collect()
}
