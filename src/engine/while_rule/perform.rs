//! `while` rules: a condition that begins and ends (spec 2.4).

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::Map;
use crate::model::schedule::SunDay;
use crate::rules::{Rule, Start, WhileRule};
use crate::script::{Failure, Reads};

use crate::engine::condition::judge::{Judging, Verdict};
use crate::engine::condition::tracker::tracked_conditions;
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::Due;
use crate::engine::live::table::{Fact, Interest, LiveId, LiveRule, Subscriber};
use crate::engine::run::Part;
use crate::engine::run::admission::Candidate;
use crate::engine::trigger::state::{earlier, later};
use crate::engine::while_rule::state::{Pending, Turn};
use crate::engine::{Armed, Cause, CauseKind, Engine, Fault, Gate, Outcome, Refusal, Step, StoppedBy, Trace};

/// The path of a `while` in its rule.
const PATH: &str = "while";

impl Engine {
    /// Arms what a `while` waits for, as it stands, and asks it where the home has started.
    pub(crate) fn arm_while(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get(id) else { return };
        if !matches!(slot.rule.start, Start::While(_)) {
            return;
        }
        if !slot.is_enabled() {
            // Its file may have switched it off.
            return self.abandon_while(id);
        }
        let state = &slot.while_state;
        if let Some(pending) = &state.pending {
            self.deadlines.add(pending.due, id, Due::WhilePending);
        }
        if state.begun_at.is_some() {
            self.evaluator.world.holding.insert(slot.rule.id.clone());
        }
        match state.every_due {
            Some(due) => self.deadlines.add(due, id, Due::WhileEvery),
            // A rule that changed after it had begun counts from now.
            None if state.begun_at.is_some() => self.arm_every(id, self.now()),
            None => {}
        }
    }

    /// Asks all `while` conditions, in the rules' order: after a reload, and at the start, where the daemon was last alive at
    /// `alive_at`.
    pub(crate) fn reconsider_all(&mut self, alive_at: Option<Timestamp>) {
        let is_while = |slot: &LiveRule| matches!(slot.rule.start, Start::While(_));
        let whiles = self.live.iter().filter(|(_, slot)| is_while(slot));
        let ids: Vec<LiveId> = whiles.map(|(id, _)| id.clone()).collect();
        for id in ids {
            // A `for` within it may have been over while the daemon was down.
            let over = alive_at.and_then(|alive_at| self.over_hold(&id, alive_at, self.now()));
            let cause = over.map_or(Cause::outside(CauseKind::Condition), |(due, armed)| Cause {
                armed: Some(armed),
                ..self.time_cause(due)
            });
            self.reconsider(&id, &cause);
            self.step_ready();
        }
    }

    /// Asks a `while` condition, and begins or ends the rule, at once or later.
    pub(crate) fn reconsider(&mut self, id: &LiveId, cause: &Cause) {
        if self.before_start.is_some() {
            return;
        }
        let Some(slot) = self.live.get(id) else { return };
        let rule = Arc::clone(&slot.rule);
        let Start::While(start) = &rule.start else { return };
        if !slot.is_enabled() || slot.resting_until.is_some() {
            return;
        }
        let locals = Map::new();
        let scope = self.scope(id, &rule, None, &locals);
        let mut judging = Judging::new(&scope, &slot.trackers);
        let verdict = self.evaluator.judge(&mut judging, &start.condition);
        let (reads, steps) = (judging.reads, judging.steps);
        self.listen_for_while(id, reads);
        match verdict {
            Verdict::True => self.note_true(id, start, cause, steps),
            Verdict::False(_) => self.note_false(id, start, cause, steps),
            Verdict::Unknown(_) => {
                self.note_trouble(id, cause, Outcome::Skipped(Gate::Unknown), verdict.traced(), steps);
            }
            Verdict::Failed(failure) => {
                let outcome = Outcome::Failed(Fault::from(&failure));
                self.note_trouble(id, cause, outcome, Verdict::Failed(failure).traced(), steps);
            }
        }
    }

    /// The condition is true: the rule begins, unless it has, or was refused; after `for` and `cooldown`.
    fn note_true(&mut self, id: &LiveId, start: &WhileRule, cause: &Cause, steps: Vec<Step>) {
        let now = self.now();
        let Some(slot) = self.live.get_mut(id) else { return };
        let cooldown = slot.rule.cooldown;
        let state = &mut slot.while_state;
        if state.trouble.take().is_some() {
            self.unsaved.rules_late.insert(id.clone());
        }
        let was_true = std::mem::replace(&mut state.is_true, true);
        if !was_true {
            self.unsaved.rules.insert(id.clone());
        }
        match &state.pending {
            Some(pending) if pending.what == Turn::End => self.drop_pending(id),
            Some(_) => {}
            None if state.begun_at.is_some() || state.was_refused => {}
            None => {
                let cooled = cooldown.zip(state.changed_at).map(|(cooldown, at)| later(at, cooldown));
                let due = cooled.map_or(later(now, start.hold), |cooled| cooled.max(later(now, start.hold)));
                self.turn_at(id, Pending { what: Turn::Begin, since: now, due, cause: cause.clone(), steps });
            }
        }
    }

    /// The condition is false: the rule ends, where it has begun; after `linger` and `cooldown`.
    fn note_false(&mut self, id: &LiveId, start: &WhileRule, cause: &Cause, steps: Vec<Step>) {
        let now = self.now();
        let Some(slot) = self.live.get_mut(id) else { return };
        let cooldown = slot.rule.cooldown;
        let state = &mut slot.while_state;
        if state.trouble.take().is_some() {
            self.unsaved.rules_late.insert(id.clone());
        }
        state.was_refused = false;
        if std::mem::replace(&mut state.is_true, false) {
            self.unsaved.rules.insert(id.clone());
        }
        match &state.pending {
            Some(pending) if pending.what == Turn::Begin => {
                let began = (pending.cause.clone(), pending.since, pending.due);
                self.drop_pending(id);
                self.trace_broken(id, began, steps);
            }
            Some(_) => {}
            None if state.begun_at.is_none() => {}
            None => {
                let cooled = cooldown.zip(state.changed_at).map(|(cooldown, at)| later(at, cooldown));
                let due = cooled.map_or(later(now, start.linger), |cooled| cooled.max(later(now, start.linger)));
                self.turn_at(id, Pending { what: Turn::End, since: now, due, cause: cause.clone(), steps });
            }
        }
    }

    /// Says once why a condition can't be told; the rule stays as it was.
    fn note_trouble(
        &mut self,
        id: &LiveId,
        cause: &Cause,
        outcome: Outcome,
        verdict: crate::engine::Verdict,
        mut steps: Vec<Step>,
    ) {
        let Some(slot) = self.live.get_mut(id) else { return };
        if slot.while_state.trouble.as_ref() == Some(&verdict) {
            return;
        }
        slot.while_state.trouble = Some(verdict);
        self.unsaved.rules_late.insert(id.clone());
        let rule = slot.rule.id.clone();
        let firing = Firing::of_cause(PATH.into(), cause.clone());
        steps.insert(0, self.trigger_step(&firing));
        let fault = if let Outcome::Failed(fault) = &outcome { Some(fault.clone()) } else { None };
        let (at, cause) = (self.now(), cause.clone());
        let depth = cause.depth;
        self.trace(Trace { rule: rule.clone(), run: None, at, ended_at: at, outcome, cause, steps });
        if let Some(fault) = fault {
            self.say_failed(&rule, &fault, depth);
        }
    }

    /// Says that what was true since `began` isn't any more; not where it would have begun at once.
    fn trace_broken(&mut self, id: &LiveId, (cause, since, due): (Cause, Timestamp, Timestamp), steps: Vec<Step>) {
        if due <= since {
            return;
        }
        let refusal = Refusal::HoldBroken { topic: None, since, due, value: None };
        let firing = Firing::of_cause(PATH.into(), cause.since(since));
        self.skip_with(id, &firing, Gate::Hold, steps, Some(refusal));
    }

    /// Lets a rule begin or end, now or when that is due.
    fn turn_at(&mut self, id: &LiveId, pending: Pending) {
        if pending.due <= self.now() {
            return self.turn(id, pending);
        }
        let due = pending.due;
        if let Some(slot) = self.live.get_mut(id) {
            slot.while_state.pending = Some(pending);
        }
        self.deadlines.add(due, id, Due::WhilePending);
        self.unsaved.rules.insert(id.clone());
    }

    fn drop_pending(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get_mut(id) else { return };
        if let Some(pending) = slot.while_state.pending.take() {
            self.deadlines.remove(pending.due, id, Due::WhilePending);
            self.unsaved.rules.insert(id.clone());
        }
    }

    /// What was put off is due.
    pub(crate) fn fire_while_pending(&mut self, id: &LiveId, due: Timestamp) {
        let Some(slot) = self.live.get_mut(id) else { return };
        let Some(mut pending) = slot.while_state.pending.take_if(|pending| pending.due == due) else { return };
        if let Some(until) = slot.resting_until {
            pending.due = until;
            slot.while_state.pending = Some(pending);
            self.deadlines.add(until, id, Due::WhilePending);
            self.unsaved.rules.insert(id.clone());
            return;
        }
        self.unsaved.rules.insert(id.clone());
        self.turn(id, pending);
    }

    fn turn(&mut self, id: &LiveId, Pending { what, since, cause, steps, .. }: Pending) {
        let cause = if since < self.now() { cause.since(since) } else { cause };
        match what {
            Turn::Begin => self.begin_while(id, &cause, steps),
            Turn::End => self.end_while(id, &cause, steps),
        }
    }

    /// The condition has become true: asks `if`, and begins.
    fn begin_while(&mut self, id: &LiveId, cause: &Cause, mut steps: Vec<Step>) {
        let Some(rule) = self.live.get(id).map(|slot| Arc::clone(&slot.rule)) else { return };
        let firing = Firing::of_cause(PATH.into(), cause.clone());
        if self.is_storm(id, &firing) {
            return self.stop_storm(id, &firing);
        }
        let variables = match self.compute_variables(id, &rule, &firing, Map::new()) {
            Ok(variables) => variables,
            Err(failure) => {
                self.refuse_while(id);
                return self.fail_unstarted(&rule, &firing, steps, &failure);
            }
        };
        let (verdict, judged) = self.judge_rule(id, &rule, &firing, &variables);
        steps.extend(judged);
        let gate = match verdict {
            Verdict::True => None,
            Verdict::False(_) => Some(Gate::Condition),
            Verdict::Unknown(_) => Some(Gate::Unknown),
            Verdict::Failed(failure) => {
                self.refuse_while(id);
                return self.fail_unstarted(&rule, &firing, steps, &failure);
            }
        };
        if let Some(gate) = gate {
            self.refuse_while(id);
            return self.skip_with(id, &firing, gate, steps, None);
        }
        let now = self.now();
        let Some(slot) = self.live.get_mut(id) else { return };
        slot.while_state.begun_at = Some(now);
        slot.while_state.begun_by = Some(cause.outermost().clone());
        slot.while_state.changed_at = Some(now);
        slot.while_state.variables.clone_from(&variables);
        self.unsaved.rules.insert(id.clone());
        self.arm_every(id, now);
        self.note_holds(id, cause);
        if rule.then.is_none() {
            return self.trace_named_condition(&rule, &firing, steps);
        }
        self.run_part(id, Part::Then, firing, variables, steps);
    }

    /// A condition with a name runs nothing when it begins: its trace says that it has, and why.
    fn trace_named_condition(&mut self, rule: &Rule, firing: &Firing, mut steps: Vec<Step>) {
        steps.insert(0, self.trigger_step(firing));
        let (rule, at, cause) = (rule.id.clone(), self.now(), firing.cause.clone());
        self.trace(Trace { rule, run: None, at, ended_at: at, outcome: Outcome::Finished, cause, steps });
    }

    fn refuse_while(&mut self, id: &LiveId) {
        if let Some(slot) = self.live.get_mut(id) {
            slot.while_state.was_refused = true;
            self.unsaved.rules.insert(id.clone());
        }
    }

    /// The condition has become false: what is left of `then` ends, and `else` runs.
    fn end_while(&mut self, id: &LiveId, cause: &Cause, steps: Vec<Step>) {
        self.forget_begun(id, cause);
        if let Some(slot) = self.live.get_mut(id) {
            slot.while_state.changed_at = Some(self.evaluator.world.now);
        }
        self.cancel_runs(id, StoppedBy::WhileEnded);
        let Some(rule) = self.live.get(id).map(|slot| Arc::clone(&slot.rule)) else { return };
        let firing = Firing::of_cause(PATH.into(), cause.clone());
        if rule.otherwise.is_none() {
            return self.skip_with(id, &firing, Gate::Condition, steps, None);
        }
        match self.variables_of_begun(id, &rule, &firing) {
            Ok(variables) => self.run_part(id, Part::Otherwise, firing, variables, steps),
            Err(failure) => self.fail_unstarted(&rule, &firing, steps, &failure),
        }
    }

    /// Ends a `while` that was switched off: no `else`, and nothing put off.
    pub(crate) fn abandon_while(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get_mut(id) else { return };
        if !matches!(slot.rule.start, Start::While(_)) {
            return;
        }
        let was_true = std::mem::take(&mut slot.while_state.is_true);
        let was_refused = std::mem::take(&mut slot.while_state.was_refused);
        if was_true || was_refused {
            self.unsaved.rules.insert(id.clone());
        }
        self.drop_pending(id);
        self.forget_begun(id, &Cause::outside(CauseKind::Condition));
    }

    fn forget_begun(&mut self, id: &LiveId, cause: &Cause) {
        let Some(slot) = self.live.get_mut(id) else { return };
        let was_begun = slot.while_state.begun_at.take().is_some();
        slot.while_state.begun_by = None;
        if let Some(due) = slot.while_state.every_due.take() {
            self.deadlines.remove(due, id, Due::WhileEvery);
        }
        if was_begun {
            self.unsaved.rules.insert(id.clone());
            self.note_holds(id, cause);
        }
    }

    /// Keeps `holds()` true to what is so, and tells those who asked. They have the same cause: nothing needs have run.
    fn note_holds(&mut self, id: &LiveId, cause: &Cause) {
        let Some(slot) = self.live.get(id) else { return };
        let rule = slot.rule.id.clone();
        if slot.while_state.begun_at.is_some() {
            self.evaluator.world.holding.insert(rule.clone());
        } else {
            self.evaluator.world.holding.remove(&rule);
        }
        self.note_changed(Fact::Holds(rule), Cause { depth: cause.depth + 1, ..cause.clone() });
    }

    fn arm_every(&mut self, id: &LiveId, from: Timestamp) {
        let Some(slot) = self.live.get_mut(id) else { return };
        let Start::While(WhileRule { every: Some(every), .. }) = &slot.rule.start else { return };
        let due = later(from, *every);
        slot.while_state.every_due = Some(due);
        self.deadlines.add(due, id, Due::WhileEvery);
        self.unsaved.rules.insert(id.clone());
    }

    /// `then` runs again.
    pub(crate) fn fire_while_every(&mut self, id: &LiveId, due: Timestamp) {
        let Some(slot) = self.live.get_mut(id) else { return };
        if slot.while_state.every_due.take_if(|every| *every == due).is_none() {
            return;
        }
        let rule = Arc::clone(&slot.rule);
        // After downtime the next one counts from now; a tick that is merely late counts from when it was due.
        self.arm_every(id, due.max(self.now()));
        let mut cause = self.time_cause(due);
        cause.armed = self.begin_of(id);
        let firing = Firing::of_cause(PATH.into(), cause);
        if self.live.get(id).is_some_and(|slot| slot.resting_until.is_some()) {
            return self.skip_with(id, &firing, Gate::Resting, Vec::new(), None);
        }
        match self.variables_of_begun(id, &rule, &firing) {
            Ok(variables) => self.run_part(id, Part::Then, firing, variables, Vec::new()),
            Err(failure) => self.fail_unstarted(&rule, &firing, Vec::new(), &failure),
        }
    }

    /// Returns when a `while` began, and what led to that.
    fn begin_of(&self, id: &LiveId) -> Option<Box<Armed>> {
        let state = &self.live.get(id)?.while_state;
        Some(Box::new(Armed { at: state.begun_at?, topic: None, cause: state.begun_by.clone() }))
    }

    /// Returns the cause of asking a condition at `due`: where a `for` within it is over then, what began that.
    pub(crate) fn recheck_cause(&self, id: &LiveId, due: Timestamp) -> Cause {
        let just_before = earlier(due, Duration::from_nanos(1));
        let armed = self.over_hold(id, just_before, due).map(|(_, armed)| armed);
        Cause { armed, ..self.time_cause(due) }
    }

    /// Returns when a `for` within a condition was over last, after `from` up to `until`, and what began it.
    fn over_hold(&self, id: &LiveId, from: Timestamp, until: Timestamp) -> Option<(Timestamp, Box<Armed>)> {
        let slot = self.live.get(id)?;
        let tracked = tracked_conditions(&slot.rule);
        let holds = slot.trackers.iter().zip(&tracked).flat_map(|(tracker, (_, condition))| {
            let due = |since: Timestamp| condition.hold.map(|hold| later(since, hold));
            tracker.since.iter().filter_map(move |(topic, since)| Some((due(*since)?, topic, *since)))
        });
        let over = holds.filter(|(due, ..)| *due > from && *due <= until).max_by_key(|(due, ..)| *due);
        over.map(|(due, topic, at)| (due, Box::new(Armed { at, topic: Some(topic.clone()), cause: None })))
    }

    /// Returns the rule's `let` as they were when it began; computed now where the rule has others since.
    fn variables_of_begun(&mut self, id: &LiveId, rule: &Rule, firing: &Firing) -> Result<Map, Failure> {
        let known = self.live.get(id).map(|slot| slot.while_state.variables.clone()).unwrap_or_default();
        if rule.variables.iter().all(|(name, _)| known.contains_key(name)) {
            return Ok(known);
        }
        self.compute_variables(id, rule, firing, Map::new())
    }

    /// Runs a list of a `while`, through the rule's mode.
    fn run_part(&mut self, id: &LiveId, part: Part, firing: Firing, variables: Map, steps: Vec<Step>) {
        let Some(rule) = self.live.get(id).map(|slot| Arc::clone(&slot.rule)) else { return };
        let list = match part {
            Part::Then => rule.then,
            Part::Otherwise => rule.otherwise,
            Part::Timer => None,
        };
        if list.is_none() {
            return;
        }
        let key = match self.key(id, &rule, &firing, &variables) {
            Ok(key) => key,
            Err(failure) => return self.fail_unstarted(&rule, &firing, steps, &failure),
        };
        let slot = id.clone();
        self.admit(Candidate { slot, rule, part, key, firing, variables, steps, caller: None, call_depth: 0 });
    }

    /// Makes a `while` hear what its condition read.
    fn listen_for_while(&mut self, id: &LiveId, reads: Reads) {
        let recheck = self.next_recheck(&reads);
        let Some(slot) = self.live.get_mut(id) else { return };
        let old_recheck = std::mem::replace(&mut slot.while_state.recheck_at, recheck);
        let old_reads = std::mem::replace(&mut slot.while_state.reads, reads.clone());
        if let Some(at) = old_recheck.filter(|at| Some(*at) != recheck) {
            self.deadlines.remove(at, id, Due::WhileRecheck);
        }
        if let Some(at) = recheck {
            self.deadlines.add(at, id, Due::WhileRecheck);
        }
        if old_reads != reads {
            let subscriber = Subscriber { slot: id.clone(), what: Interest::While };
            self.unlisten(&subscriber, &old_reads);
            self.listen(&subscriber, &reads);
        }
    }

    /// Returns when what was read may give another answer though no message comes: at a known time, each minute
    /// on the minute where the time was read, at sunrise and sunset where the sun was.
    pub(crate) fn next_recheck(&self, reads: &Reads) -> Option<Timestamp> {
        let now = self.now();
        let mut first = reads.next_change.filter(|at| *at > now);
        let mut consider = |at: Option<Timestamp>| {
            if let Some(at) = at {
                first = Some(first.map_or(at, |known| known.min(at)));
            }
        };
        if reads.clock || reads.sun {
            consider(next_minute(now));
        }
        if reads.sun {
            consider(SunDay::next_change(now, &self.evaluator.world.calendar));
        }
        first
    }
}

/// Returns the next full minute after `now`.
fn next_minute(now: Timestamp) -> Option<Timestamp> {
    let second = now.as_second();
    let into_minute = second.rem_euclid(60);
    Timestamp::from_second(second - into_minute).ok()?.checked_add(SignedDuration::from_secs(60)).ok()
}
