//! From a trigger to a run: the gates in between (switch, rest, cooldown, condition, mode), and how a run begins
//! and ends (spec 2.5 to 2.7). Whatever stops a trigger is traced.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Map, RuleId, Value};
use crate::rules::{BlockId, HomeEvent, LogLevel, Mode, Per, Rule};
use crate::script::{Failure, Reads};

use crate::engine::condition::judge::{Judging, Verdict};
use crate::engine::condition::scope::{Scope, ThreadScope};
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::{Due, Owner};
use crate::engine::live::table::{Fact, LiveId, RunKey};
use crate::engine::run::threads::Threads;
use crate::engine::run::{Caller, Part, Run, Thread, Waiting};
use crate::engine::trigger::dispatch::Incoming;
use crate::engine::trigger::state::later;
use crate::engine::{
    Alert, AlertKind, Cause, CauseKind, Effect, Engine, Fault, Gate, Outcome, Refusal, RunId, Step, StepKind,
    StepResult, StoppedBy, Trace,
};

/// A run that is about to be let in, or not.
pub(crate) struct Candidate {
    pub(crate) slot: LiveId,
    pub(crate) rule: Arc<Rule>,
    pub(crate) part: Part,
    pub(crate) key: RunKey,
    pub(crate) firing: Firing,
    pub(crate) variables: Map,
    /// What was decided before.
    pub(crate) steps: Vec<Step>,
    pub(crate) caller: Option<Caller>,
    pub(crate) call_depth: u32,
}

/// What the mode made of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It runs, or waits for its turn.
    Admitted(RunId),
    /// It was dropped.
    Dropped,
}

impl Engine {
    /// Takes a rule's trigger through the gates.
    pub(crate) fn trigger(&mut self, slot_id: &LiveId, firing: Firing) {
        let Some(slot) = self.live.get(slot_id) else { return };
        let rule = Arc::clone(&slot.rule);
        if !slot.is_enabled() {
            return self.skip(slot_id, &firing, Gate::Disabled);
        }
        if let Some(until) = slot.resting_until {
            let until = Some(Refusal::Until(until));
            return self.skip_with(slot_id, &firing, Gate::Resting, Vec::new(), until);
        }
        if self.is_storm(slot_id, &firing) {
            return self.stop_storm(slot_id, &firing);
        }
        let variables = match self.compute_variables(slot_id, &rule, &firing, Map::new()) {
            Ok(variables) => variables,
            Err(failure) => return self.fail_unstarted(&rule, &firing, Vec::new(), &failure),
        };
        let key = match self.key(slot_id, &rule, &firing, &variables) {
            Ok(key) => key,
            Err(failure) => return self.fail_unstarted(&rule, &firing, Vec::new(), &failure),
        };
        if let Some(over) = self.cooling_until(slot_id, &key) {
            let until = Some(Refusal::Until(over));
            return self.skip_with(slot_id, &firing, Gate::Cooldown, Vec::new(), until);
        }
        let (verdict, steps) = self.judge_rule(slot_id, &rule, &firing, &variables);
        let part = match verdict {
            Verdict::True => Part::Then,
            Verdict::False(_) if rule.otherwise.is_some() => Part::Otherwise,
            Verdict::False(_) => return self.skip_with(slot_id, &firing, Gate::Condition, steps, None),
            Verdict::Unknown(_) => return self.skip_with(slot_id, &firing, Gate::Unknown, steps, None),
            Verdict::Failed(failure) => return self.fail_unstarted(&rule, &firing, steps, &failure),
        };
        let slot = slot_id.clone();
        let candidate = Candidate { slot, rule, part, key, firing, variables, steps, caller: None, call_depth: 0 };
        self.admit(candidate);
    }

    /// Runs a rule's `then` because a person asked for it.
    pub(crate) fn run_by_person(&mut self, rule: &RuleId) {
        let Some(slot) = self.live.find(rule).cloned() else { return };
        let firing = Firing::of_cause("person".into(), Cause::outside(CauseKind::Person));
        let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        let variables = self.compute_variables(&slot, &rule, &firing, Map::new());
        let key = variables.and_then(|variables| {
            let key = self.key(&slot, &rule, &firing, &variables)?;
            Ok((variables, key))
        });
        match key {
            Err(failure) => self.fail_unstarted(&rule, &firing, Vec::new(), &failure),
            Ok((variables, key)) => {
                let part = Part::Then;
                let steps = Vec::new();
                self.admit(Candidate { slot, rule, part, key, firing, variables, steps, caller: None, call_depth: 0 });
            }
        }
    }

    /// Computes the rule's `let`; a name that is among the `given` has that value.
    ///
    /// # Errors
    /// When a template fails.
    pub(crate) fn compute_variables(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        firing: &Firing,
        given: Map,
    ) -> Result<Map, Failure> {
        let mut locals = given;
        let own: Vec<_> = rule.variables.iter().filter(|(name, _)| !locals.contains_key(name)).collect();
        for (name, template) in own {
            let scope = self.scope(slot, rule, Some(firing), &locals);
            let value = self.evaluator.render(&scope, template, &mut Reads::default())?;
            locals.insert(Arc::clone(name), value);
        }
        Ok(locals)
    }

    /// Returns which runs this one counts as the same as.
    ///
    /// # Errors
    /// When an expression of `per` fails.
    pub(crate) fn key(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        firing: &Firing,
        variables: &Map,
    ) -> Result<RunKey, Failure> {
        match &rule.per {
            Per::Captures => Ok(RunKey::of_captures(&firing.captures)),
            Per::Expressions(expressions) => {
                let mut values = Vec::new();
                for expression in expressions {
                    let scope = self.scope(slot, rule, Some(firing), variables);
                    values.push(self.evaluator.value(&scope, expression, &mut Reads::default())?);
                }
                Ok(RunKey(Value::List(Arc::new(values)).to_string().into()))
            }
        }
    }

    /// Judges the rule's `if`.
    pub(crate) fn judge_rule(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        firing: &Firing,
        variables: &Map,
    ) -> (Verdict, Vec<Step>) {
        let Some(condition) = &rule.condition else { return (Verdict::True, Vec::new()) };
        let each_message = self.each_message(rule);
        let Some(known) = self.live.get(slot) else { return (Verdict::True, Vec::new()) };
        let scope = Scope {
            rule,
            memory: Arc::clone(&known.memory),
            firing: Some(firing),
            locals: variables,
            thread: ThreadScope::default(),
            each_message,
        };
        let mut judging = Judging::new(&scope, &known.trackers);
        let verdict = self.evaluator.judge(&mut judging, condition);
        (verdict, judging.steps)
    }

    /// Returns the scope of a rule's expression outside a run's thread.
    pub(crate) fn scope<'a>(
        &self,
        slot: &LiveId,
        rule: &'a Rule,
        firing: Option<&'a Firing>,
        locals: &'a Map,
    ) -> Scope<'a> {
        Scope {
            rule,
            memory: self.memory(slot),
            firing,
            locals,
            thread: ThreadScope::default(),
            each_message: self.each_message(rule),
        }
    }

    pub(crate) fn memory(&self, slot: &LiveId) -> Arc<Map> {
        self.live.get(slot).map(|slot| Arc::clone(&slot.memory)).unwrap_or_default()
    }

    /// Returns the last message of the topic that an instance of `each: {topic: …}` is for.
    pub(crate) fn each_message(&self, rule: &Rule) -> Value {
        let Some(topic) = &rule.each_topic else { return Value::Null };
        let state = self.evaluator.world.states.get(topic.as_str());
        state.map(|state| state.payload.value().clone()).unwrap_or_default()
    }

    /// Returns when the cooldown of these runs is over; `None` where it is.
    fn cooling_until(&self, slot: &LiveId, key: &RunKey) -> Option<Timestamp> {
        let over = self.live.get(slot)?.cooldowns.get(key)?;
        (*over > self.now()).then_some(*over)
    }

    /// Lets a candidate in, as the rule's mode says.
    pub(crate) fn admit(&mut self, candidate: Candidate) -> Admission {
        let (slot_id, rule) = (candidate.slot.clone(), Arc::clone(&candidate.rule));
        let mut known = self.live.get(&slot_id).into_iter().flat_map(|slot| slot.runs_of(&candidate.key));
        let first = known.next();
        let count = usize::from(first.is_some()) + known.count();
        let is_busy = count > 0;
        let is_full = count >= rule.max;
        let drop = match rule.mode {
            Mode::Single => is_busy,
            Mode::Queued | Mode::Parallel => is_full,
            Mode::Restart => false,
        };
        if drop {
            let since = first.and_then(|first| self.runs.get(&first)).map(|run| run.started_at);
            let max = if rule.mode == Mode::Single { 1 } else { rule.max };
            let refusal = Refusal::Busy { runs: count, since, max };
            self.skip_with(&slot_id, &candidate.firing, Gate::Mode, candidate.steps, Some(refusal));
            return Admission::Dropped;
        }
        if rule.mode == Mode::Restart {
            self.cancel_key(&slot_id, &candidate.key, StoppedBy::Restart);
        }
        if self.runs.len() >= self.options.runs {
            let failure = crate::script::Failure::plain(format!(
                "{} runs go on at once already (`limits: runs` of homerule.yaml)",
                self.runs.len()
            ));
            self.fail_unstarted(&rule, &candidate.firing, candidate.steps, &failure);
            return Admission::Dropped;
        }
        let must_wait = rule.mode == Mode::Queued && is_busy;
        Admission::Admitted(self.begin(candidate, must_wait))
    }

    fn begin(&mut self, candidate: Candidate, is_queued: bool) -> RunId {
        let Candidate { slot: slot_id, rule, part, key, firing, variables, mut steps, caller, call_depth } = candidate;
        let id = self.next_run_id();
        let block = match part {
            Part::Then => rule.then,
            Part::Otherwise => rule.otherwise,
            Part::Timer => None,
        };
        steps.insert(0, self.trigger_step(&firing));
        let run = Run {
            id,
            rule: rule.id.clone(),
            fingerprint: rule.fingerprint,
            slot: Some(slot_id.clone()),
            key: key.clone(),
            part,
            started_at: self.now(),
            firing,
            variables,
            threads: Threads::first(Thread::new(block.unwrap_or(BlockId(u32::MAX)))),
            next_thread: 1,
            next_wait: 1,
            caller,
            call_depth,
            is_queued,
            turns: 0,
            turns_at: self.now(),
            steps,
        };
        let Some(slot) = self.live.get_mut(&slot_id) else { return id };
        let was_idle = slot.runs.is_empty();
        slot.runs.insert((key, id));
        if was_idle {
            self.note_running(&rule.id, 1, run.as_cause());
        }
        self.unsaved.runs.insert(id);
        self.runs.insert(id, run);
        if !is_queued {
            self.start_run(id);
        }
        id
    }

    /// Starts a run that has been let in: its cooldown counts, and its first action is next.
    fn start_run(&mut self, id: RunId) {
        let now = self.now();
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.is_queued = false;
        run.started_at = now;
        let (slot_id, key, part) = (run.slot.clone(), run.key.clone(), run.part);
        self.unsaved.runs.insert(id);
        self.ready.push_back(id);
        let Some(slot_id) = slot_id else { return };
        let Some(slot) = self.live.get_mut(&slot_id) else { return };
        if let (Some(cooldown), Part::Then, crate::rules::Start::When(_)) = (slot.rule.cooldown, part, &slot.rule.start)
        {
            slot.cooldowns.retain(|_, over| *over > now);
            slot.cooldowns.insert(key, later(now, cooldown));
            self.unsaved.rules.insert(slot_id);
        }
    }

    /// Ends a run that stands in no list any more: says how it ended, and lets those go on that waited for it.
    pub(crate) fn end_run(&mut self, mut run: Run, outcome: Outcome) {
        let mut next = None;
        // The rule of a run that a reload ends may be gone.
        if let Some(slot_id) = run.slot.clone() {
            for (thread_id, thread) in std::mem::take(&mut run.threads) {
                self.release_thread(&slot_id, run.id, thread_id, &thread);
            }
            next = self.leave_slot(&slot_id, &run);
        }
        self.unsaved.runs.insert(run.id);
        let depth = run.firing.cause.depth;
        let now = self.now();
        self.trace(Trace {
            rule: run.rule.clone(),
            run: Some(run.id),
            at: run.started_at,
            ended_at: now,
            outcome: outcome.clone(),
            cause: run.firing.cause.clone(),
            steps: run.steps,
        });
        // A loop was said when it was stopped.
        let is_said = self.looping.take_if(|looping| *looping == run.id).is_some();
        if let Outcome::Failed(fault) = &outcome
            && !is_said
        {
            self.say_failed(&run.rule, fault, depth);
        }
        self.count_interruptions(&run.rule);
        if let Some(caller) = run.caller {
            self.callee_ended(caller, &run.rule, &outcome);
        }
        if let Some(next) = next {
            self.start_run(next);
        }
    }

    /// Takes a run out of its rule's list. Returns the run whose turn it is then.
    fn leave_slot(&mut self, slot_id: &LiveId, run: &Run) -> Option<RunId> {
        let slot = self.live.get_mut(slot_id)?;
        slot.runs.remove(&(run.key.clone(), run.id));
        let first = slot.runs_of(&run.key).next();
        let is_idle = slot.runs.is_empty();
        if is_idle {
            self.note_running(&run.rule, 0, run.as_cause());
        }
        first.filter(|first| self.runs.get(first).is_some_and(|run| run.is_queued))
    }

    /// Keeps `running()` true to what is so, and tells those who asked.
    fn note_running(&mut self, rule: &RuleId, count: usize, cause: Cause) {
        let running = &mut self.evaluator.world.running;
        if count == 0 {
            running.remove(rule);
        } else {
            running.insert(rule.clone(), count);
        }
        self.note_changed(Fact::Running(rule.clone()), cause);
    }

    /// Ends all runs of a rule.
    pub(crate) fn cancel_runs(&mut self, slot: &LiveId, by: StoppedBy) {
        let keys: BTreeSet<RunKey> =
            self.live.get(slot).into_iter().flat_map(|slot| slot.runs.iter().map(|(key, _)| key.clone())).collect();
        for key in keys {
            self.cancel_key(slot, &key, by);
        }
    }

    /// Ends the runs of one key, those that wait for their turn first.
    fn cancel_key(&mut self, slot: &LiveId, key: &RunKey, by: StoppedBy) {
        let runs: Vec<RunId> = self.live.get(slot).into_iter().flat_map(|slot| slot.runs_of(key)).rev().collect();
        for run in runs {
            self.cancel_run(run, by);
        }
    }

    /// Ends a run. The one at work ends as soon as its action is done.
    pub(crate) fn cancel_run(&mut self, id: RunId, by: StoppedBy) {
        if let Some((at_work, ended_by)) = &mut self.at_work
            && *at_work == id
        {
            ended_by.get_or_insert(by);
            return;
        }
        let Some(run) = self.runs.remove(&id) else { return };
        for thread in run.threads.values() {
            if let Some(Waiting::Run(callee)) = thread.waiting {
                self.cancel_run(callee, StoppedBy::Caller);
            }
        }
        self.end_run(run, Outcome::Cancelled(by));
    }

    /// Says that a rule failed: in the log, as an alert, and to the rules that listen for it. Failures that set each
    /// other off without end are a loop.
    pub(crate) fn say_failed(&mut self, rule: &RuleId, fault: &Fault, depth: u32) {
        let message = fault.to_string();
        self.say(Some(rule), LogLevel::Error, message.clone());
        let alert = Alert { kind: AlertKind::RuleFailed, rule: Some(rule.clone()), message };
        if depth < self.options.chain {
            self.queue_alert(&alert, depth + 1);
            let (event, rule) = (HomeEvent::RuleFailed, Some(rule.clone()));
            self.inbox.push_back(Incoming::Home { event, rule, depth: depth + 1 });
            self.effects.push(Effect::Alert(alert));
        } else {
            self.effects.push(Effect::Alert(alert));
            self.stop_failures(rule);
        }
    }

    pub(crate) fn skip(&mut self, slot: &LiveId, firing: &Firing, gate: Gate) {
        self.skip_with(slot, firing, gate, Vec::new(), None);
    }

    /// Traces that a rule didn't run, and why.
    pub(crate) fn skip_with(
        &mut self,
        slot: &LiveId,
        firing: &Firing,
        gate: Gate,
        mut steps: Vec<Step>,
        refusal: Option<Refusal>,
    ) {
        let Some(rule) = self.live.get(slot).map(|slot| slot.rule.id.clone()) else { return };
        steps.insert(0, self.trigger_step(firing));
        let now = self.now();
        if let Some(refusal) = refusal {
            steps.push(Step::new(&firing.path, now, StepKind::Gate(gate), StepResult::Refused(refusal)));
        }
        let cause = firing.cause.clone();
        let outcome = Outcome::Skipped(gate);
        self.trace(Trace { rule, run: None, at: now, ended_at: now, outcome, cause, steps });
    }

    /// Switches a rule on or off, until its file says otherwise.
    pub(crate) fn switch(&mut self, id: &LiveId, is_enabled: bool) {
        let Some(slot) = self.live.get_mut(id) else { return };
        let was_enabled = slot.is_enabled();
        slot.switch = Some(is_enabled);
        self.unsaved.rules.insert(id.clone());
        if was_enabled == is_enabled {
            return;
        }
        if is_enabled {
            let cause = Cause::outside(CauseKind::Person);
            self.reconsider(id, &cause);
        } else {
            self.drop_holds(id);
            self.abandon_while(id);
        }
    }

    /// Drops what `for` has armed.
    fn drop_holds(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get_mut(id) else { return };
        for (index, state) in (0..=u16::MAX).zip(&mut slot.triggers) {
            for (topic, track) in &mut state.topics {
                if let Some(hold) = track.hold.take() {
                    self.deadlines.remove(hold.due, id, Due::Trigger(Owner::Rule, index, Some(topic.clone())));
                }
            }
        }
    }

    /// Returns how a run ends by a failure.
    pub(crate) fn failed(failure: &Failure) -> Outcome {
        Outcome::Failed(Fault::from(failure))
    }
}
