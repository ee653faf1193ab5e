//! The engine: takes events, fires what is due, and hands each thing in the inbox to the room that it is for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::devices::Registry;
use crate::model::schedule::Calendar;
use crate::model::{Message, Origin, Secrets, States, Topic, TopicFilter};
use crate::rules::{HomeEvent, Inputs, Ruleset};
use crate::script::{Interrupter, KnownDevices};

use super::core::Core;
use super::device::devices::DeviceOptions;
use super::device::{follow, known};
use super::effect::Effect;
use super::event::Event;
use super::instant::{just_before, moved};
use super::invariant::judge as invariant;
use super::kept::rows::{self, Counters};
use super::kept::snapshot::Snapshot;
use super::options::Options;
use super::people::{input, notify};
use super::run::stepper::step_ready;
use super::run::wait;
use super::trigger::message::Arrival;
use super::trigger::{at_expression, schedule};
use super::while_rule::reconsider::wake;
use super::yielding::{end, noting};
use super::{clock_change, dispatch, history, reload, waits};

/// Decides what a home does.
pub struct Engine {
    pub(super) core: Core,
    /// The messages that were told before [`Event::Started`].
    before_start: Vec<Arrival>,
    /// What was last kept of the counters.
    kept_counters: Option<Counters>,
    /// Whether the start goes on: what falls due in it is one instant.
    is_starting: bool,
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
        let mut core = Core::new(now, Arc::clone(&rules.secrets), options, saved.alive_at);
        rows::restore(&mut core, saved);
        known::begin(&mut core);
        let behind = clock_change::behind(&core);
        clock_change::shift_saved(&mut core, -behind);
        core.notices.put_in_force(&rules.targets);
        input::put_in_force(&mut core, &rules.inputs);
        reload::put_in_force(&mut core, &rules);
        if behind.is_positive() {
            clock_change::recompute_schedules(&mut core);
            clock_change::keep_shifted(&mut core);
        } else {
            clock_change::recompute_what_is_to_come(&mut core);
        }
        let mut engine = Engine { core, before_start: Vec::new(), kept_counters: None, is_starting: false };
        let effects = engine.finish();
        (engine, effects)
    }

    /// Decides what `event`, happening at `now`, leads to. Deadlines at or before `now` fire first, in
    /// order, so a late tick changes nothing. `now` never goes back, but with [`Event::ClockChanged`]: an earlier
    /// one counts as the last.
    #[must_use]
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        if let Event::ClockChanged { forward } = event {
            self.set_clock(now, SignedDuration::from_millis(forward));
            return self.finish();
        }
        let now = now.max(self.core.now());
        match event {
            Event::Started if !self.core.has_started => self.start(now),
            Event::MessageFrom { message, .. } | Event::Message(message)
                if !self.core.has_started && message.origin != Origin::Live =>
            {
                self.core.evaluator.world.now = now;
                self.before_start.push(dispatch::note_message(&mut self.core, message));
            }
            event if !self.core.has_started => {
                self.core.evaluator.world.now = now;
                self.core.inbox.push_event(event);
            }
            event => {
                self.advance(now);
                self.take(event);
                self.settle_instant();
            }
        }
        self.finish()
    }

    /// Returns what may be kept within a second and has changed since the last call: the state of topics, the last values
    /// that triggers know. All of it is [`Effect::Save`].
    #[must_use]
    pub fn flush(&mut self) -> Vec<Effect> {
        rows::save_at_once(&mut self.core);
        rows::save_late(&mut self.core, &mut self.kept_counters);
        self.finish()
    }

    /// Makes the next [`Engine::flush`] give all that must survive, whether or not it has changed.
    pub fn keep_all(&mut self) {
        self.kept_counters = None;
        rows::keep_all(&mut self.core);
    }

    /// Returns the earliest time at which the engine has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.core.first_due().filter(|_| self.core.has_started)
    }

    /// Swaps the rules; runs, holds and memory of unchanged rules continue.
    #[must_use]
    pub fn replace_rules(&mut self, now: Timestamp, rules: Ruleset) -> Vec<Effect> {
        let now = now.max(self.core.now());
        if self.core.has_started {
            self.advance(now);
        }
        // What wasn't kept yet is known by the old rules' places.
        rows::save_at_once(&mut self.core);
        self.core.secrets = Arc::new(self.core.secrets.with(&rules.secrets));
        self.core.notices.put_in_force(&rules.targets);
        input::put_in_force(&mut self.core, &rules.inputs);
        reload::replace_rules(&mut self.core, &rules);
        if self.core.has_started {
            self.reconsider_all(None);
            end::ask_all(&mut self.core);
            invariant::touch_all(&mut self.core);
            dispatch::dispatch_home_event(&mut self.core, HomeEvent::Reloaded, None, 0);
        }
        self.settle_instant();
        self.finish()
    }

    /// Notes that other rules, those which these are the shadow of, have published `message`: rules that yield take what follows from it
    /// for no hand.
    pub fn note_commanded(&mut self, message: &Message) {
        noting::note_elsewhere(&mut self.core, message);
    }

    /// From now on notes what expressions read, for [`Engine::take_asked`].
    pub fn note_reads(&mut self) {
        known::ask_all(&mut self.core);
    }

    /// Returns the filters of what has been read for the first time since the last call, for whoever must subscribe to it.
    #[must_use]
    pub fn take_asked(&mut self) -> Vec<TopicFilter> {
        self.core.evaluator.take_asked()
    }

    /// Returns what ends an evaluation that takes too long: for a watchdog on another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.core.evaluator.interrupter()
    }

    /// Returns the state of all topics.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.core.evaluator.world.states
    }

    /// Returns what nobody is shown: the secrets of the rules that are in force, or were since the start.
    #[must_use]
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.core.secrets
    }

    /// Returns the devices, with what speaks to them and reads what they say.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.core.devices.registry
    }

    /// Returns the devices as expressions see them.
    #[must_use]
    pub fn devices(&self) -> &KnownDevices {
        &self.core.evaluator.world.devices
    }

    /// Returns what was known of devices at the start: for a replay of the same home.
    #[must_use]
    pub fn device_options(&self) -> Arc<DeviceOptions> {
        Arc::clone(&self.core.options.devices)
    }

    /// Returns the inputs of the rules in force.
    #[must_use]
    pub fn inputs(&self) -> &Inputs {
        &self.core.inputs
    }

    /// Returns the home's zone and place.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.core.evaluator.world.calendar
    }

    /// Fires the deadlines until `now`, each at its own time, and lets `now` begin.
    fn advance(&mut self, now: Timestamp) {
        self.fire_due(now);
        self.core.evaluator.world.now = now;
    }

    /// Fires the deadlines until `until`, each at its own time; now, where that is past.
    fn fire_due(&mut self, until: Timestamp) {
        while let Some(due) = self.core.first_due().filter(|due| *due <= until) {
            let instant = due.max(self.core.now());
            self.core.evaluator.world.now = instant;
            let last = instant.min(until);
            let mut batch = self.core.deadlines.due_at(last);
            batch.sort_by(|(left_due, left), (right_due, right)| {
                let order = self.core.live.order(left.rule, right.rule);
                left_due.cmp(right_due).then(order).then_with(|| left.what.cmp(&right.what))
            });
            let mut expired = self.core.evaluator.world.states.expired(last).into_iter().peekable();
            for (due, deadline) in batch {
                while let Some((at, topic)) = expired.next_if(|(at, _)| *at <= due) {
                    self.expire(at, topic);
                }
                self.core.evaluator.next_sequence();
                if self.core.deadlines.take(due, &deadline) {
                    dispatch::fire(&mut self.core, due, deadline);
                    step_ready(&mut self.core);
                }
            }
            for (at, topic) in expired {
                self.expire(at, topic);
            }
            if self.core.notices.due().is_some_and(|due| due <= last) {
                notify::deliver::fire(&mut self.core);
            }
            self.settle_instant();
        }
    }

    /// The retained message of `topic` expired at `at`.
    fn expire(&mut self, at: Timestamp, topic: Topic) {
        self.core.evaluator.next_sequence();
        dispatch::expire(&mut self.core, at, topic);
        step_ready(&mut self.core);
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
            | Event::RunRule { .. }
            | Event::Resume(_)
            | Event::MessageFrom { .. }
            | Event::Alert(_)
            | Event::Recalled { .. }
            | Event::Pressed { .. }
            | Event::Interrupted { .. } => self.core.inbox.push_event(event),
        }
    }

    /// Handles what waits in the inbox, and what that leads to, until nothing is left to do now.
    fn settle(&mut self) {
        step_ready(&mut self.core);
        waits::note(&mut self.core);
        while let Some(incoming) = self.core.inbox.pop() {
            if incoming.is_counted() {
                self.core.evaluator.next_sequence();
            }
            dispatch::handle(&mut self.core, incoming);
            step_ready(&mut self.core);
            waits::note(&mut self.core);
        }
    }

    /// Lets an instant settle, and judges the invariants then. What rules do about what was broken is judged again.
    fn settle_instant(&mut self) {
        self.settle();
        while !self.is_starting && invariant::judge_settled(&mut self.core) {
            self.settle();
        }
    }

    /// Begins: what was restored is there, and the retained messages have been told. The rules wake up in this order: the
    /// retained messages, what fell due meanwhile, what came since, and the event `started` (docs/language/restarts.md).
    fn start(&mut self, now: Timestamp) {
        (self.core.has_started, self.is_starting) = (true, true);
        let pending = self.core.inbox.take();
        self.core.evaluator.world.now = now;
        // What expired meanwhile begins nothing; holds that were over before that come in their order.
        self.core.evaluator.world.states.clear_expired(now);
        follow::follow_changes(&mut self.core);
        for arrival in std::mem::take(&mut self.before_start) {
            self.core.evaluator.next_sequence();
            let cause = dispatch::message_cause(&self.core, &arrival.message, 0, None);
            dispatch::dispatch(&mut self.core, &arrival, &cause);
            step_ready(&mut self.core);
        }
        self.settle();
        self.reconsider_all(self.core.alive_at);
        end::ask_all(&mut self.core);
        let pending = wait::put_all_in_order(&mut self.core, pending);
        self.settle();
        self.catch_up_schedules();
        self.advance(now);
        input::tell_all(&mut self.core);
        notify::deliver::begin(&mut self.core);
        self.core.inbox.append(pending);
        self.settle();
        dispatch::dispatch_home_event(&mut self.core, HomeEvent::Started, None, 0);
        self.is_starting = false;
        invariant::touch_all(&mut self.core);
        self.settle_instant();
    }

    /// Asks all `while` conditions, in the rules' order: after a reload, and at the start, where the daemon was last alive
    /// at `alive_at`.
    fn reconsider_all(&mut self, alive_at: Option<Timestamp>) {
        for id in self.core.live.while_rules() {
            wake(&mut self.core, id, alive_at);
            step_ready(&mut self.core);
        }
    }

    /// At the start: schedules that were due while the daemon was down fire once, if they catch up; in their order among all
    /// that fell due then.
    fn catch_up_schedules(&mut self) {
        let core = &mut self.core;
        let mut caught_up = Vec::new();
        for id in core.live.ids() {
            for missed in schedule::missed(core, id) {
                let Some(trigger) = missed.trigger() else { continue };
                schedule::rearm(core, id, missed.index, trigger);
                if matches!(trigger.kind, crate::rules::TriggerKind::AtExpression { .. }) {
                    at_expression::recheck_rule(core, id, missed.index);
                }
                if missed.catches_up {
                    caught_up.push(missed);
                }
            }
        }
        clock_change::in_order(core, &mut caught_up);
        for missed in caught_up {
            self.fire_due(just_before(missed.due));
            self.core.evaluator.next_sequence();
            dispatch::fire_late(&mut self.core, &missed);
            self.settle();
        }
    }

    /// The clock was set `forward`, and shows `now`.
    fn set_clock(&mut self, now: Timestamp, forward: SignedDuration) {
        if !self.core.has_started {
            self.core.evaluator.world.now = now;
            return;
        }
        let before = moved(now, -forward).max(self.core.now());
        self.advance(before);
        let step = now.duration_since(before);
        clock_change::shift(&mut self.core, step);
        self.core.evaluator.world.now = now;
        let missed = if step >= clock_change::SMALL_STEP { clock_change::passed_over(&self.core) } else { Vec::new() };
        if step.abs() >= clock_change::SMALL_STEP {
            clock_change::recompute_schedules(&mut self.core);
        }
        for missed in missed {
            self.core.evaluator.next_sequence();
            dispatch::fire_late(&mut self.core, &missed);
        }
        // What a small step forward passed over.
        self.advance(now);
        self.reconsider_all(None);
        clock_change::recheck_waits(&mut self.core);
        invariant::touch_all(&mut self.core);
        self.settle_instant();
    }

    /// Ends a call: says what must be kept, and hands over what the shell must do.
    fn finish(&mut self) -> Vec<Effect> {
        // That of a large home takes too long even for a debug build.
        debug_assert!(self.core.live.len() > 64 || self.inconsistencies().is_empty(), "{:?}", self.inconsistencies());
        if self.core.options.saves_at_once {
            rows::save_at_once(&mut self.core);
        }
        history::recall(&mut self.core);
        std::mem::take(&mut self.core.effects)
    }
}
