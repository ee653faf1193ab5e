//! The wall clock was set: what lasts a time keeps what remains of it, what is due at a time of day is computed anew.
//!
//! So a computer that learns the time after its start ends no delay early, and one whose clock goes back an hour
//! doesn't stand still for one. Where it is set by less than a minute, no time of day is left out. A fixed time that has
//! fired doesn't fire again where the clock goes back by up to a day; further back, it had been wrong altogether, and what
//! it showed would keep schedules waiting for ever. What a clock that is set forward passes over counts as missed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::schedule::Schedule;
use crate::rules::{Start, Trigger, TriggerKind};

use super::Engine;
use super::live::deadlines::{Due, Owner};
use super::live::saved::SavedRule;
use super::live::table::{LiveId, LiveRule};
use super::run::timer::Timer;
use super::run::{Frame, Run, Waiting};
use super::trigger::arm::numbered;
use super::trigger::dispatch::Incoming;
use super::trigger::state::{TriggerState, later};
use super::while_rule::state::WhileState;

/// A step by which clocks are put right, not set to another time.
const SMALL_STEP: SignedDuration = SignedDuration::from_mins(1);

/// So far back, a clock that is set shows times that were once before.
const REPEATED: SignedDuration = SignedDuration::from_hours(24);

/// Moves all instants from which, or until which, something lasts.
pub(crate) trait Shift {
    /// Moves them by so much: later where it is positive.
    fn shift(&mut self, by: SignedDuration);
}

impl Engine {
    /// The clock was set `forward`, and shows `now`.
    pub(crate) fn set_clock(&mut self, now: Timestamp, forward: i64) {
        if self.before_start.is_some() {
            self.evaluator.world.now = now;
            return;
        }
        let by = SignedDuration::from_millis(forward);
        let before = moved(now, -by).max(self.now());
        self.advance(before);
        let step = now.duration_since(before);
        self.shift(step);
        self.evaluator.world.now = now;
        let missed = if step >= SMALL_STEP { self.passed_over() } else { Vec::new() };
        if step.abs() >= SMALL_STEP {
            self.recompute_schedules();
        }
        self.catch_up_passed_over(missed);
        // What a small step forward passed over.
        self.advance(now);
        self.reconsider_all(None);
        let untils = self.runs.values().flat_map(|run| run.waits().map(|wait| (run.id, wait.id)));
        let untils: Vec<_> = untils.map(|(run, wait)| Incoming::RecheckWait { run, wait }).collect();
        self.inbox.extend(untils);
        self.settle();
    }

    /// Returns how far the clock is behind the time at which the daemon was last alive: it was set back while the daemon
    /// was down, as that of a computer without a battery is at each start.
    pub(crate) fn clock_behind(&self) -> SignedDuration {
        let behind = self.alive_at.map(|alive_at| alive_at.duration_since(self.now()));
        behind.filter(SignedDuration::is_positive).unwrap_or_default()
    }

    /// Moves what was saved, before it is put in force: else what lasts would end when the clock shows that time again.
    pub(crate) fn shift_saved(&mut self, by: SignedDuration) {
        if by.is_zero() {
            return;
        }
        self.alive_at.shift(by);
        self.evaluator.world.states.shift(by);
        self.dormant.values_mut().for_each(|rule| rule.shift(by));
        self.runs.values_mut().for_each(|run| run.shift(by));
    }

    /// Makes what [`Engine::shift_saved`] moved be kept.
    pub(crate) fn keep_shifted(&mut self) {
        self.evaluator.world.states.change_all();
        self.unsaved.rules.extend(self.live.ids());
        self.unsaved.runs.extend(self.runs.keys().copied());
        self.unsaved.dormant.extend(self.dormant.keys().cloned());
        self.mark_tracks_unsaved();
    }

    fn shift(&mut self, by: SignedDuration) {
        self.evaluator.world.states.shift(by);
        self.evaluator.world.states.change_all();
        for id in self.live.ids() {
            if let Some(slot) = self.live.get_mut(&id) {
                slot.shift(by);
            }
            self.unsaved.rules.insert(id);
        }
        self.mark_tracks_unsaved();
        for (id, run) in &mut self.runs {
            run.shift(by);
            self.unsaved.runs.insert(*id);
        }
        self.deadlines.shift(by);
    }

    /// Returns the rules' schedules that catch up and were due at times that the clock, set forward, passed over, with the
    /// last of those times.
    fn passed_over(&mut self) -> Vec<(LiveId, u16, Timestamp)> {
        let now = self.now();
        let mut missed = Vec::new();
        for slot in self.live.ids() {
            let Some(known) = self.live.get(&slot) else { continue };
            let Start::When(triggers) = &known.rule.start else { continue };
            for ((index, trigger), state) in numbered(triggers).zip(&known.triggers) {
                let (due, catch_up) = match &trigger.kind {
                    TriggerKind::Schedule { schedule, catch_up: Some(catch_up) } => {
                        let since = moved(now, -SignedDuration::try_from(*catch_up).unwrap_or(SignedDuration::MAX));
                        let since = since.max(state.due.map_or(now, |due| moved(due, -SignedDuration::from_nanos(1))));
                        (schedule.last(since, now, &self.evaluator.world.calendar), *catch_up)
                    }
                    TriggerKind::AtExpression { catch_up: Some(catch_up), .. } => (state.due, *catch_up),
                    _ => continue,
                };
                let is_missed = |due: &Timestamp| {
                    *due < now && later(*due, catch_up) >= now && state.fired_at.is_none_or(|fired| fired < *due)
                };
                missed.extend(due.filter(is_missed).filter(|_| trigger.enabled).map(|due| (slot.clone(), index, due)));
            }
        }
        missed
    }

    /// Fires, late, what was passed over.
    fn catch_up_passed_over(&mut self, mut missed: Vec<(LiveId, u16, Timestamp)>) {
        missed.sort_by(|left, right| (left.2, &left.0, left.1).cmp(&(right.2, &right.0, right.1)));
        for (slot, index, due) in missed {
            let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { continue };
            let Some(trigger) = self.trigger_of(&rule, Owner::Rule, index) else { continue };
            let Some(state) = self.trigger_state_mut(&slot, Owner::Rule, index) else { continue };
            state.fired_at = Some(due);
            self.note_trigger_changed(&slot, Owner::Rule);
            self.evaluator.next_sequence();
            let firing = self.time_firing(&trigger, due);
            self.trigger(&slot, firing);
            self.step_ready();
        }
    }

    /// After a start: a zone that is another one, or whose rules are, makes what is still to come due at other instants.
    pub(crate) fn recompute_what_is_to_come(&mut self) {
        let now = self.now();
        let before_now = moved(now, -SignedDuration::from_nanos(1));
        for slot in self.live.ids() {
            let Some(known) = self.live.get(&slot) else { continue };
            let rule = Arc::clone(&known.rule);
            let Start::When(triggers) = &rule.start else { continue };
            for (index, trigger) in numbered(triggers).filter(|(_, trigger)| trigger.enabled) {
                let TriggerKind::Schedule { schedule, .. } = &trigger.kind else { continue };
                let Some(state) = self.trigger_state_mut(&slot, Owner::Rule, index) else { continue };
                let (due, fired_at) = (state.due, state.fired_at);
                let next = self.next_unfired(schedule, fired_at, before_now);
                if due.is_none_or(|due| due >= now) && due != next {
                    self.set_due(&slot, Owner::Rule, index, next);
                }
            }
        }
    }

    /// Returns when a schedule that fired for `fired_at` is due next, strictly after `after`.
    fn next_unfired(&self, schedule: &Schedule, fired_at: Option<Timestamp>, after: Timestamp) -> Option<Timestamp> {
        let repeated = if schedule.is_fixed() { REPEATED } else { SMALL_STEP };
        let after = fired_at.filter(|fired_at| is_repeated(*fired_at, after, repeated)).unwrap_or(after);
        schedule.next(after, &self.evaluator.world.calendar)
    }

    /// Computes anew when schedules are due: those of rules, and those that runs wait for.
    pub(crate) fn recompute_schedules(&mut self) {
        for slot in self.live.ids() {
            let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { continue };
            if let Start::When(triggers) = &rule.start {
                self.recompute(&slot, Owner::Rule, triggers);
            }
        }
        let runs = self.runs.values().flat_map(|run| run.waits().map(|wait| (run.slot.clone(), run.id, wait.id)));
        for (slot, run, wait) in runs.collect::<Vec<_>>() {
            let Some(slot) = slot else { continue };
            let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { continue };
            let Some(wait_of_run) = self.runs.get(&run).and_then(|run| run.wait(wait)) else { continue };
            let triggers = wait_of_run.triggers(&rule).to_vec();
            self.recompute(&slot, Owner::OpenWait(run, wait), &triggers);
        }
    }

    fn recompute(&mut self, slot: &LiveId, owner: Owner, triggers: &[Trigger]) {
        let now = self.now();
        for (index, trigger) in numbered(triggers).filter(|(_, trigger)| trigger.enabled) {
            match &trigger.kind {
                TriggerKind::Schedule { schedule, .. } => {
                    let fired_at = self.trigger_state_mut(slot, owner, index).and_then(|state| state.fired_at);
                    let next = self.next_unfired(schedule, fired_at, now);
                    self.set_due(slot, owner, index, next);
                }
                TriggerKind::AtExpression { .. } => {
                    self.set_due(slot, owner, index, None);
                    if let Some(state) = self.trigger_state_mut(slot, owner, index) {
                        state.fired_at = state.fired_at.filter(|fired_at| is_repeated(*fired_at, now, REPEATED));
                    }
                    self.recheck_at_expression(slot, owner, index);
                }
                TriggerKind::Topic { .. }
                | TriggerKind::State(_)
                | TriggerKind::Silent { .. }
                | TriggerKind::Client { .. }
                | TriggerKind::Event(_)
                | TriggerKind::Webhook(_) => {}
            }
        }
    }
}

impl Due {
    /// Returns whether it ends something that lasts a time, and is not due at a time of day.
    pub(crate) fn ends_a_time(&self) -> bool {
        match self {
            Due::Trigger(_, _, topic) => topic.is_some(),
            Due::WhilePending | Due::WhileEvery | Due::Wake(..) | Due::Timeout(..) | Due::Rested | Due::Timer(_) => {
                true
            }
            Due::AtRecheck(..) | Due::WhileRecheck | Due::UntilRecheck(..) => false,
        }
    }
}

impl Shift for Timestamp {
    fn shift(&mut self, by: SignedDuration) {
        *self = moved(*self, by);
    }
}

impl<T: Shift> Shift for Option<T> {
    fn shift(&mut self, by: SignedDuration) {
        if let Some(value) = self {
            value.shift(by);
        }
    }
}

impl Shift for LiveRule {
    fn shift(&mut self, by: SignedDuration) {
        self.resting_until.shift(by);
        self.triggers.iter_mut().for_each(|trigger| trigger.shift(by));
        self.while_state.shift(by);
        self.trackers.iter_mut().flat_map(|tracker| tracker.since.values_mut()).for_each(|since| since.shift(by));
        self.cooldowns.values_mut().for_each(|over| over.shift(by));
        self.storm.iter_mut().for_each(|at| at.shift(by));
        self.timers.iter_mut().for_each(|timer| timer.shift(by));
    }
}

impl Shift for SavedRule {
    fn shift(&mut self, by: SignedDuration) {
        self.resting_until.shift(by);
        self.triggers.iter_mut().for_each(|trigger| trigger.shift(by));
        self.while_state.shift(by);
        self.trackers.iter_mut().flat_map(|tracker| tracker.since.values_mut()).for_each(|since| since.shift(by));
        self.cooldowns.iter_mut().for_each(|(_, over)| over.shift(by));
        self.storm.iter_mut().for_each(|at| at.shift(by));
        self.timers.iter_mut().for_each(|timer| timer.shift(by));
    }
}

impl Shift for TriggerState {
    fn shift(&mut self, by: SignedDuration) {
        for track in self.topics.values_mut() {
            if let Some(hold) = &mut track.hold {
                hold.since.shift(by);
                hold.due.shift(by);
            }
            track.silent_at.shift(by);
        }
    }
}

impl Shift for Timer {
    fn shift(&mut self, by: SignedDuration) {
        self.due.shift(by);
        if let Some(armed) = &mut self.armed {
            armed.at.shift(by);
        }
    }
}

impl Shift for WhileState {
    fn shift(&mut self, by: SignedDuration) {
        self.begun_at.shift(by);
        if let Some(pending) = &mut self.pending {
            pending.since.shift(by);
            pending.due.shift(by);
        }
        self.changed_at.shift(by);
        self.every_due.shift(by);
    }
}

impl Shift for Run {
    fn shift(&mut self, by: SignedDuration) {
        self.turns_at.shift(by);
        for thread in self.threads.values_mut() {
            if let Some(Waiting::Time(due)) = &mut thread.waiting {
                due.shift(by);
            }
            for wait in &mut thread.waits {
                wait.timeout.shift(by);
                wait.triggers.iter_mut().for_each(|trigger| trigger.shift(by));
            }
            for frame in &mut thread.frames {
                if let Frame::Repeat(repeat) = frame {
                    repeat.turn_due.shift(by);
                }
            }
        }
    }
}

/// Returns whether the clock, which shows `now`, will show `fired_at` again within `repeated`.
fn is_repeated(fired_at: Timestamp, now: Timestamp, repeated: SignedDuration) -> bool {
    fired_at > now && fired_at.duration_since(now) <= repeated
}

/// Returns `at`, moved; the end of time where that is beyond it.
fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}
