//! Waits: what a `wait`, or the `until` of a `repeat` with `every`, listens for, and what happens when it hears it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Map, Value};
use crate::rules::{ActionKind, FormedTriggers, OnTimeout, Rule, Trigger, TriggerKind, Wait, WaitFor};
use crate::script::{Failure, Reads};

use crate::engine::condition::scope::ThreadScope;
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::{Due, Owner};
use crate::engine::live::table::{Interest, LiveId, Subscriber};
use crate::engine::run::stepper::Next;
use crate::engine::run::{ActionPlace, Formed, Frame, OpenWait, Run, Thread, Waiting};
use crate::engine::trigger::arm::numbered;
use crate::engine::trigger::dispatch::holds;
use crate::engine::trigger::state::{OutsideFirst, later};
use crate::engine::{Cause, CauseKind, Engine, Outcome, RunId, StepKind, StepResult, StopReason, WaitsFor};

impl Engine {
    /// Does a `wait`: goes on at once where its condition holds already.
    pub(crate) fn begin_wait(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        at: ActionPlace,
        wait: &Wait,
    ) -> Result<Next, Failure> {
        let now = self.now();
        let timeout = match &wait.timeout {
            None => None,
            Some(timeout) => {
                let locals = run.variables.clone();
                let firing = run.firing.clone();
                let mut scope = self.scope(slot, rule, Some(&firing), &locals);
                scope.thread = run.threads.get(thread).map(Thread::scope).unwrap_or_default();
                Some(later(now, self.evaluator.duration(&scope, timeout, &mut Reads::default())?))
            }
        };
        let awaited = match &wait.what {
            WaitFor::Triggers(triggers) => Some(Awaited::Fixed(triggers)),
            WaitFor::Formed(formed) => Some(Awaited::Formed(self.form_triggers(slot, rule, run, thread, at, formed)?)),
            WaitFor::Until(_) => None,
        };
        if let Some(action) = at.action(rule) {
            let events = match &awaited {
                Some(awaited) => awaited.triggers().iter().map(crate::engine::Awaited::from).collect(),
                None => crate::engine::Awaited::of_action(&action.kind),
            };
            let result = StepResult::WaitsFor(WaitsFor::Events { events, until: timeout });
            self.note_step(run, &action.path, StepKind::Wait, result);
        }
        if let Some(awaited) = awaited {
            self.open_trigger_wait(slot, rule, run, thread, at, awaited, timeout)?;
        }
        if let WaitFor::Until(condition) = &wait.what {
            let (verdict, reads) = self.judge_condition_in_run(slot, rule, run, thread, condition)?;
            if holds(&verdict) {
                if let Some(thread) = run.threads.get_mut(thread) {
                    thread.wait = wait_variable(None, TimedOut::No);
                }
                return Ok(Next::GoOn);
            }
            self.open_condition_wait(slot, run, thread, at, reads, timeout);
        }
        Ok(Next::Wait(Waiting::OpenWait))
    }

    /// Makes a thread listen for triggers.
    #[expect(clippy::too_many_arguments, reason = "a run at work can't be borrowed through the engine")]
    pub(crate) fn open_trigger_wait(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        at: ActionPlace,
        awaited: Awaited<'_>,
        timeout: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let mut states = Vec::new();
        for trigger in awaited.triggers() {
            let mut state = self.first_look(trigger, OutsideFirst::Yes);
            if let TriggerKind::AtExpression { expression, weekdays, .. } = &trigger.kind {
                let thread = run.threads.get(thread).map(Thread::scope).unwrap_or_default();
                let (now, locals) = (self.now(), run.known());
                let (due, reads) = self.evaluate_at(slot, rule, expression, *weekdays, &locals, thread, now);
                state.due = match due {
                    Err(failure) if failure.without_value.is_some() => None,
                    due => due?,
                };
                state.recheck_at = self.next_recheck(&reads);
                state.reads = reads;
            }
            states.push(state);
        }
        let id = run.next_wait;
        self.arm(slot, Owner::OpenWait(run.id, id), awaited.triggers(), &states);
        let formed = match awaited {
            Awaited::Fixed(_) => None,
            Awaited::Formed(formed) => Some(formed),
        };
        let wait =
            OpenWait { id, depth: 0, at, triggers: states, formed, reads: Reads::default(), recheck_at: None, timeout };
        self.open_wait(slot, run, thread, wait);
        Ok(())
    }

    /// Makes the triggers that a thread is to listen for, of texts that read its variables.
    pub(crate) fn form_triggers(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        run: &Run,
        thread: u32,
        at: ActionPlace,
        formed: &FormedTriggers,
    ) -> Result<Formed, Failure> {
        let mut scope = self.scope(slot, rule, Some(&run.firing), &run.variables);
        scope.thread = run.threads.get(thread).map(Thread::scope).unwrap_or_default();
        let render = |text| self.evaluator.render(&scope, text, &mut Reads::default());
        let values = formed.texts.iter().map(render).collect::<Result<Vec<Value>, Failure>>()?;
        let place = at.action(rule).map(|action| action.place.clone());
        let triggers = (formed.form)(&values).map_err(|message| Failure { place, ..Failure::plain(message) })?;
        Ok(Formed { values, triggers: triggers.into() })
    }

    /// Makes a thread listen for what its condition read.
    pub(crate) fn open_condition_wait(
        &mut self,
        slot: &LiveId,
        run: &mut Run,
        thread: u32,
        at: ActionPlace,
        reads: Reads,
        timeout: Option<Timestamp>,
    ) {
        let id = run.next_wait;
        let recheck_at = self.next_recheck(&reads);
        self.listen_for_until(slot, run.id, id, &reads, recheck_at);
        let wait = OpenWait { id, depth: 0, at, triggers: Vec::new(), formed: None, reads, recheck_at, timeout };
        self.open_wait(slot, run, thread, wait);
    }

    fn open_wait(&mut self, slot: &LiveId, run: &mut Run, thread: u32, mut wait: OpenWait) {
        run.next_wait += 1;
        if let Some(timeout) = wait.timeout {
            self.deadlines.add(timeout, slot, Due::Timeout(run.id, wait.id));
        }
        if let Some(thread) = run.threads.get_mut(thread) {
            wait.depth = thread.frames.len();
            thread.waits.push(wait);
        }
    }

    /// Arms an wait anew, after a restart or a reload.
    pub(crate) fn arm_wait(&mut self, slot: &LiveId, rule: &Rule, run: RunId, wait: &OpenWait) {
        self.arm(slot, Owner::OpenWait(run, wait.id), wait.triggers(rule), &wait.triggers);
        if let Some(timeout) = wait.timeout {
            self.deadlines.add(timeout, slot, Due::Timeout(run, wait.id));
        }
        self.listen_for_until(slot, run, wait.id, &wait.reads, wait.recheck_at);
    }

    /// Takes back what an wait listens for.
    pub(crate) fn disarm_wait(&mut self, slot: &LiveId, rule: &Rule, run: RunId, wait: &OpenWait) {
        self.disarm(slot, Owner::OpenWait(run, wait.id), wait.triggers(rule), &wait.triggers);
        if let Some(timeout) = wait.timeout {
            self.deadlines.remove(timeout, slot, Due::Timeout(run, wait.id));
        }
        self.unlisten_for_until(slot, run, wait);
    }

    fn listen_for_until(&mut self, slot: &LiveId, run: RunId, wait: u64, reads: &Reads, recheck_at: Option<Timestamp>) {
        self.listen(&Subscriber { slot: slot.clone(), what: Interest::Until(run, wait) }, reads);
        if let Some(at) = recheck_at {
            self.deadlines.add(at, slot, Due::UntilRecheck(run, wait));
        }
    }

    fn unlisten_for_until(&mut self, slot: &LiveId, run: RunId, wait: &OpenWait) {
        self.unlisten(&Subscriber { slot: slot.clone(), what: Interest::Until(run, wait.id) }, &wait.reads);
        if let Some(at) = wait.recheck_at {
            self.deadlines.remove(at, slot, Due::UntilRecheck(run, wait.id));
        }
    }

    /// Removes the waits of a thread that stand at `depth` or deeper, where they are no more.
    pub(crate) fn close_waits(&mut self, slot: &LiveId, rule: &Rule, run: &mut Run, thread: u32, depth: usize) {
        let Some(thread) = run.threads.get_mut(thread) else { return };
        let (dropped, kept) = std::mem::take(&mut thread.waits).into_iter().partition(|wait| wait.depth >= depth);
        thread.waits = kept;
        let dropped: Vec<OpenWait> = dropped;
        for wait in &dropped {
            self.disarm_wait(slot, rule, run.id, wait);
        }
    }

    /// An wait has heard what it listens for: a `wait` goes on, a `repeat` ends.
    pub(crate) fn wait_fires(&mut self, run: RunId, wait: u64, firing: Option<Firing>) {
        self.end_wait(run, wait, firing, TimedOut::No);
    }

    /// The time of a `wait` is over.
    pub(crate) fn wait_times_out(&mut self, run: RunId, wait: u64) {
        self.end_wait(run, wait, None, TimedOut::Yes);
    }

    fn end_wait(&mut self, id: RunId, wait: u64, firing: Option<Firing>, timed_out: TimedOut) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let outcome = self.end_wait_of(&mut run, wait, firing, timed_out);
        match outcome {
            Some(outcome) => self.end_run(run, outcome),
            None => {
                self.unsaved.runs.insert(id);
                self.runs.insert(id, run);
                self.ready.push_back(id);
            }
        }
    }

    /// Returns how the run ends, where the time of a `wait` is over and that stops it.
    fn end_wait_of(
        &mut self,
        run: &mut Run,
        wait: u64,
        firing: Option<Firing>,
        timed_out: TimedOut,
    ) -> Option<Outcome> {
        let slot = run.slot.clone()?;
        let rule = Arc::clone(&self.live.get(&slot)?.rule);
        let thread = run.thread_of_wait(wait)?;
        let at = run.wait(wait).map(|wait| wait.at)?;
        let action = at.action(&rule)?;
        if let Some(firing) = &firing {
            let step = self.trigger_step(firing);
            run.note(step);
            if matches!(firing.cause.kind, CauseKind::Message { .. }) {
                // A message from outside begins a new chain.
                run.firing.cause.depth = firing.cause.depth;
            }
        }
        self.return_to_wait(&slot, run, thread, wait);
        let ActionKind::Wait(wait) = &action.kind else { return None };
        if timed_out == TimedOut::Yes {
            self.note_step(run, &action.path, StepKind::Wait, StepResult::TimedOut);
        }
        let thread = run.threads.get_mut(thread)?;
        thread.wait = wait_variable(firing.as_ref(), timed_out);
        match (timed_out, wait.on_timeout) {
            (TimedOut::No, _) | (TimedOut::Yes, OnTimeout::Continue) => None,
            (TimedOut::Yes, OnTimeout::Stop) => Some(Outcome::Stopped(StopReason::WaitTimedOut)),
            (TimedOut::Yes, OnTimeout::Do(block)) => {
                thread.frames.push(Frame::Block { block, next: 0 });
                None
            }
        }
    }

    /// Asks an wait's expressions once more, after a restart or a reload.
    pub(crate) fn recheck_wait(&mut self, id: RunId, wait: u64) {
        let Some(run) = self.runs.get(&id) else { return };
        let Some(slot) = run.slot.clone() else { return };
        let triggers = run.wait(wait).map_or(0, |wait| wait.triggers.len());
        for (index, ()) in numbered(&vec![(); triggers]) {
            self.recheck_at_expression(&slot, Owner::OpenWait(id, wait), index);
        }
        self.recheck_until(id, wait, &Cause::outside(CauseKind::Condition));
    }

    /// Asks an `until` again, since something that it read may be different.
    pub(crate) fn recheck_until(&mut self, id: RunId, wait: u64, cause: &Cause) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let asked = self.recheck_until_of(&mut run, wait);
        let thread = run.thread_of_wait(wait);
        self.runs.insert(id, run);
        match (asked, thread) {
            (Some(Ok(true)), _) => {
                if let Some(run) = self.runs.get_mut(&id) {
                    let depth = &mut run.firing.cause.depth;
                    *depth = match &cause.kind {
                        CauseKind::Message { .. } => cause.depth,
                        _ => cause.depth.max(*depth),
                    };
                }
                self.wait_fires(id, wait, None);
            }
            (Some(Err(failure)), Some(_)) => self.fail_wait(id, wait, StepKind::Until, &failure),
            _ => {}
        }
    }

    /// Fails the action that an wait belongs to, with all that is under way within it.
    pub(crate) fn fail_wait(&mut self, id: RunId, wait: u64, kind: StepKind, failure: &Failure) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let thread = run.thread_of_wait(wait);
        if let (Some(thread), Some(slot)) = (thread, run.slot.clone()) {
            self.return_to_wait(&slot, &mut run, thread, wait);
            if let Some(thread) = run.threads.get_mut(thread) {
                thread.waiting = Some(Waiting::OpenWait);
            }
        }
        self.runs.insert(id, run);
        if let Some(thread) = thread {
            self.fail_waiting(id, thread, kind, failure);
        }
    }

    /// Takes a thread back to the action that an wait belongs to: what is within a `repeat` ends with it.
    fn return_to_wait(&mut self, slot: &LiveId, run: &mut Run, thread: u32, wait: u64) {
        let Some(depth) = run.wait(wait).map(|wait| wait.depth) else { return };
        let Some(rule) = self.live.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        self.end_branches(slot, run, thread);
        if let Some(inner) = run.threads.get_mut(thread) {
            inner.frames.truncate(depth);
            match inner.waiting.take() {
                Some(Waiting::Time(due)) => self.deadlines.remove(due, slot, Due::Wake(run.id, thread)),
                Some(Waiting::Run(callee)) => self.cancel_run(callee, crate::engine::StoppedBy::Caller),
                _ => {}
            }
        }
        self.close_waits(slot, &rule, run, thread, depth);
    }

    /// Returns whether an `until` holds now, and makes it listen for what it read.
    fn recheck_until_of(&mut self, run: &mut Run, wait: u64) -> Option<Result<bool, Failure>> {
        let slot = run.slot.clone()?;
        let rule = Arc::clone(&self.live.get(&slot)?.rule);
        let thread = run.thread_of_wait(wait)?;
        let condition = run.wait(wait)?.condition(&rule)?;
        let steps = run.steps.len();
        let (verdict, reads) = match self.judge_condition_in_run(&slot, &rule, run, thread, condition) {
            Ok(judged) => judged,
            Err(failure) => return Some(Err(failure)),
        };
        let is_true = holds(&verdict);
        if !is_true {
            // Only the answer that ends it belongs in the trace.
            run.steps.truncate(steps);
        }
        let run_id = run.id;
        let recheck_at = self.next_recheck(&reads);
        let known = run.wait_mut(wait)?;
        self.unlisten_for_until(&slot, run_id, known);
        self.listen_for_until(&slot, run_id, wait, &reads, recheck_at);
        known.reads = reads;
        known.recheck_at = recheck_at;
        Some(Ok(is_true))
    }

    /// Returns what a run knows, and the thread that has the wait `wait`.
    pub(crate) fn run_scope(&self, run: RunId, wait: u64) -> (Map, ThreadScope) {
        let Some(run) = self.runs.get(&run) else { return (Map::new(), ThreadScope::default()) };
        let thread = run.thread_of_wait(wait).and_then(|thread| run.threads.get(thread));
        (run.known(), thread.map(Thread::scope).unwrap_or_default())
    }
}

/// The triggers that a thread is to listen for.
pub(crate) enum Awaited<'a> {
    /// Those of the rule.
    Fixed(&'a [Trigger]),
    /// Those that the run has made.
    Formed(Formed),
}

impl Awaited<'_> {
    fn triggers(&self) -> &[Trigger] {
        match self {
            Awaited::Fixed(triggers) => triggers,
            Awaited::Formed(formed) => &formed.triggers,
        }
    }
}

/// Whether a `wait` ended because its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimedOut {
    Yes,
    No,
}

/// Returns what the variable `wait` is after a `wait`.
fn wait_variable(firing: Option<&Firing>, timed_out: TimedOut) -> Value {
    let mut wait = firing.map(Firing::to_map).unwrap_or_default();
    wait.insert("timed_out".into(), Value::Bool(timed_out == TimedOut::Yes));
    Value::Map(wait.into())
}
