//! Timers that closures set by `after`: data of their rule, kept across restarts, ended when the rule changes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Name, RuleId, Value};
use crate::rules::{Action, ActionKind, OnError, Rule};
use crate::script::{Closure, ClosureId, Failure};

use crate::engine::action::perform::Act;
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::Due;
use crate::engine::live::table::{LiveId, RunKey};
use crate::engine::run::stepper::Next;
use crate::engine::run::{ActionPlace, Part, Run};
use crate::engine::trigger::state::later;
use crate::engine::{
    Armed, Cause, CauseKind, Engine, Gate, Outcome, RunId, Step, StepKind, StepResult, StoppedBy, Trace,
};

/// How many timers one rule may have at once.
const MOST_TIMERS: usize = 1000;

/// A timer of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timer {
    /// Its number: they count up within the rule.
    pub(crate) id: u64,
    /// Its name; one of that name is replaced.
    pub(crate) name: Option<Name>,
    pub(crate) due: Timestamp,
    closure: ClosureId,
    captured: Vec<Value>,
    /// The run that set it, and what led to that.
    run: RunId,
    depth: u32,
    /// Whether a timer set it.
    from_another: bool,
    /// When it was set, and what had led to that.
    #[serde(default)]
    pub(crate) armed: Option<Box<Armed>>,
}

impl Engine {
    /// Sets a timer of the rule.
    ///
    /// # Errors
    /// When the rule has too many.
    pub(crate) fn set_timer(
        &mut self,
        act: &mut Act<'_>,
        name: Option<Name>,
        delay: Duration,
        closure: &Closure,
    ) -> Result<Next, Failure> {
        if let Some(name) = &name {
            self.drop_timer(act.slot, name);
        }
        // Without any time between, a timer that sets itself would never let others have their turn.
        let now = self.now();
        let due = later(now, delay.max(Duration::from_millis(1)));
        let Some(slot) = self.live.get_mut(act.slot) else { return Ok(Next::GoOn) };
        if slot.timers.len() >= MOST_TIMERS {
            let why = format!(
                "a rule can't have more than {MOST_TIMERS} timers; give them names, so that one replaces another"
            );
            return Err(Failure { place: Some(closure.place()), ..Failure::plain(why) });
        }
        let id = slot.timers.last().map_or(1, |timer| timer.id + 1);
        let result = StepResult::TimerSet { name: name.clone(), delay };
        slot.timers.push(Timer {
            id,
            name,
            due,
            closure: closure.id(),
            captured: closure.captured().to_vec(),
            run: act.run.id,
            depth: act.run.firing.cause.depth,
            from_another: act.run.part == Part::Timer,
            armed: Some(Box::new(Armed {
                at: now,
                topic: None,
                cause: Some(act.run.firing.cause.outermost().clone()),
            })),
        });
        self.deadlines.add(due, act.slot, Due::Timer(id));
        self.unsaved.rules.insert(act.slot.clone());
        let path = Arc::clone(&act.action.path);
        self.note_step(act.run, &path, StepKind::After, result);
        Ok(Next::GoOn)
    }

    /// Ends the rule's timer `name`, if there is one.
    pub(crate) fn cancel_timer(&mut self, act: &mut Act<'_>, name: &str) {
        let was_set = self.drop_timer(act.slot, name);
        let path = Arc::clone(&act.action.path);
        let result = StepResult::TimerCancelled { name: name.into(), was_set };
        self.note_step(act.run, &path, StepKind::Cancel, result);
    }

    fn drop_timer(&mut self, id: &LiveId, name: &str) -> bool {
        let Some(slot) = self.live.get_mut(id) else { return false };
        let Some(index) = slot.timers.iter().position(|timer| timer.name.as_deref() == Some(name)) else {
            return false;
        };
        let timer = slot.timers.remove(index);
        self.deadlines.remove(timer.due, id, Due::Timer(timer.id));
        self.unsaved.rules.insert(id.clone());
        true
    }

    /// Arms the timers of a rule.
    pub(crate) fn arm_timers(&mut self, id: &LiveId) {
        let timers: Vec<(Timestamp, u64)> =
            self.live.get(id).into_iter().flat_map(|slot| &slot.timers).map(|timer| (timer.due, timer.id)).collect();
        for (due, timer) in timers {
            self.deadlines.add(due, id, Due::Timer(timer));
        }
    }

    /// A timer is due: its closure is called, in a run of its own.
    pub(crate) fn fire_timer(&mut self, slot_id: &LiveId, id: u64, due: Timestamp) {
        let now = self.now();
        let Some(slot) = self.live.get_mut(slot_id) else { return };
        let rule = Arc::clone(&slot.rule);
        let Some(index) = slot.timers.iter().position(|timer| timer.id == id && timer.due == due) else { return };
        let timer = slot.timers.remove(index);
        let is_resting = slot.resting_until.is_some_and(|until| until > now);
        self.unsaved.rules.insert(slot_id.clone());
        let firing = Firing::of_cause("after".into(), timer.cause(now));
        if is_resting {
            self.trace_timer(&rule.id, &firing, &timer, Outcome::Skipped(Gate::Resting));
            return;
        }
        if timer.from_another && self.is_timer_storm(slot_id) {
            self.stop_storm(slot_id, &firing);
            return;
        }
        let Some(closure) = closure_of(&rule, &timer) else {
            self.trace_timer(&rule.id, &firing, &timer, Outcome::Cancelled(StoppedBy::Reload));
            return;
        };
        self.run_timer(slot_id, &rule, firing, &timer, closure);
    }

    fn run_timer(&mut self, slot: &LiveId, rule: &Rule, firing: Firing, timer: &Timer, closure: Closure) {
        let id = self.next_run_id();
        let mut run = Run {
            id,
            rule: rule.id.clone(),
            fingerprint: rule.fingerprint,
            slot: Some(slot.clone()),
            key: RunKey(format!("after {}", timer.id).into()),
            part: Part::Timer,
            started_at: self.now(),
            steps: vec![self.timer_step(timer, &firing)],
            firing,
            variables: crate::model::Map::new(),
            threads: crate::engine::run::threads::Threads::default(),
            next_thread: 1,
            next_wait: 1,
            caller: None,
            call_depth: 0,
            is_queued: false,
            turns: 0,
            turns_at: self.now(),
        };
        let place = closure.place();
        let action = Action { kind: ActionKind::Script(closure), on_error: OnError::Fail, path: "after".into(), place };
        let nowhere = ActionPlace { block: crate::rules::BlockId(u32::MAX), index: 0 };
        self.at_work = Some((id, None));
        let done = self.act(slot, rule, &mut run, 0, nowhere, &action);
        self.at_work = None;
        let outcome = match done {
            Ok(Next::End(outcome)) => outcome,
            Ok(_) => Outcome::Finished,
            Err(failure) => Engine::failed(&failure),
        };
        self.end_run(run, outcome);
    }

    /// Says of timers that they ended with the rule that set them.
    pub(crate) fn say_timers_ended(&mut self, rule: &RuleId, timers: &[Timer]) {
        for timer in timers {
            let firing = Firing::of_cause("after".into(), timer.cause(self.now()));
            self.trace_timer(rule, &firing, timer, Outcome::Cancelled(StoppedBy::Reload));
        }
    }

    fn trace_timer(&mut self, rule: &RuleId, firing: &Firing, timer: &Timer, outcome: Outcome) {
        let now = self.now();
        let steps = vec![self.timer_step(timer, firing)];
        let (rule, cause) = (rule.clone(), firing.cause.clone());
        self.trace(Trace { rule, run: None, at: now, ended_at: now, outcome, cause, steps });
    }

    fn timer_step(&self, timer: &Timer, firing: &Firing) -> Step {
        let result = StepResult::TimerDue { name: timer.name.clone(), cause: Box::new(firing.cause.clone()) };
        Step::new(&"after".into(), self.now(), StepKind::Timer, result)
    }
}

impl Timer {
    /// Returns what leads to what it does, or would have.
    fn cause(&self, now: Timestamp) -> Cause {
        let kind = CauseKind::Time { due: self.due, late: self.due < now };
        Cause { kind, depth: self.depth, run: Some(self.run), armed: self.armed.clone() }
    }
}

/// Returns the closure that a timer calls; `None` where the rule has it no more.
fn closure_of(rule: &Rule, timer: &Timer) -> Option<Closure> {
    let any = rule.closures().next()?;
    any.find(&timer.closure, timer.captured.clone())
}
