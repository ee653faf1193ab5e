//! Waits: what a `wait`, or the `until` of a `repeat` with `every`, listens for, and what happens when it hears it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Map, Value};
use crate::rules::{ActionKind, FormedTriggers, OnTimeout, Rule, Trigger, TriggerKind, Wait, WaitFor};
use crate::script::{Failure, Reads};

use super::alarms::numbered;
use super::deadline::{Due, Owner};
use super::hearing::holds;
use super::occasion::Occasion;
use super::run::{ActionPlace, Ear, Formed, Frame, Run, Thread, Waiting};
use super::scope::ThreadScope;
use super::slot::{Heard, Listener, SlotId};
use super::stepping::Next;
use super::trigger::{OutsideFirst, later};
use super::{Cause, CauseKind, Engine, Outcome, RunId};

impl Engine {
    /// Does a `wait`: goes on at once where its condition holds already.
    pub(super) fn begin_wait(
        &mut self,
        slot: &SlotId,
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
                let occasion = run.occasion.clone();
                let mut scope = self.scope(slot, rule, Some(&occasion), &locals);
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
            let until = timeout.map_or(String::new(), |timeout| format!(", until {}", self.local_text(timeout)));
            let what = awaited.as_ref().map(|awaited| Trigger::awaited_of(awaited.triggers()));
            let said = format!("for {}{until}", what.or_else(|| action.kind.awaited()).unwrap_or_default());
            self.note_step(run, &action.path, "wait", said);
        }
        if let Some(awaited) = awaited {
            self.add_trigger_ear(slot, rule, run, thread, at, awaited, timeout)?;
        }
        if let WaitFor::Until(condition) = &wait.what {
            let (verdict, reads) = self.judge_condition_in_run(slot, rule, run, thread, condition)?;
            if holds(&verdict) {
                if let Some(thread) = run.threads.get_mut(thread) {
                    thread.wait = wait_variable(None, TimedOut::No);
                }
                return Ok(Next::GoOn);
            }
            self.add_condition_ear(slot, run, thread, at, reads, timeout);
        }
        Ok(Next::Wait(Waiting::Ear))
    }

    /// Makes a thread listen for triggers.
    #[expect(clippy::too_many_arguments, reason = "a run at work can't be borrowed through the engine")]
    pub(super) fn add_trigger_ear(
        &mut self,
        slot: &SlotId,
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
        let id = run.next_ear;
        self.arm(slot, Owner::Ear(run.id, id), awaited.triggers(), &states);
        let formed = match awaited {
            Awaited::Fixed(_) => None,
            Awaited::Formed(formed) => Some(formed),
        };
        let ear =
            Ear { id, depth: 0, at, triggers: states, formed, reads: Reads::default(), recheck_at: None, timeout };
        self.add_ear(slot, run, thread, ear);
        Ok(())
    }

    /// Makes the triggers that a thread is to listen for, of texts that read its variables.
    pub(super) fn form_triggers(
        &mut self,
        slot: &SlotId,
        rule: &Rule,
        run: &Run,
        thread: u32,
        at: ActionPlace,
        formed: &FormedTriggers,
    ) -> Result<Formed, Failure> {
        let mut scope = self.scope(slot, rule, Some(&run.occasion), &run.variables);
        scope.thread = run.threads.get(thread).map(Thread::scope).unwrap_or_default();
        let render = |text| self.evaluator.render(&scope, text, &mut Reads::default());
        let values = formed.texts.iter().map(render).collect::<Result<Vec<Value>, Failure>>()?;
        let place = at.action(rule).map(|action| action.place.clone());
        let triggers = (formed.form)(&values).map_err(|message| Failure { place, ..Failure::plain(message) })?;
        Ok(Formed { values, triggers: triggers.into() })
    }

    /// Makes a thread listen for what its condition read.
    pub(super) fn add_condition_ear(
        &mut self,
        slot: &SlotId,
        run: &mut Run,
        thread: u32,
        at: ActionPlace,
        reads: Reads,
        timeout: Option<Timestamp>,
    ) {
        let id = run.next_ear;
        let recheck_at = self.next_recheck(&reads);
        self.listen_for_until(slot, run.id, id, &reads, recheck_at);
        let ear = Ear { id, depth: 0, at, triggers: Vec::new(), formed: None, reads, recheck_at, timeout };
        self.add_ear(slot, run, thread, ear);
    }

    fn add_ear(&mut self, slot: &SlotId, run: &mut Run, thread: u32, mut ear: Ear) {
        run.next_ear += 1;
        if let Some(timeout) = ear.timeout {
            self.deadlines.add(timeout, slot, Due::Timeout(run.id, ear.id));
        }
        if let Some(thread) = run.threads.get_mut(thread) {
            ear.depth = thread.frames.len();
            thread.ears.push(ear);
        }
    }

    /// Arms an ear anew, after a restart or a reload.
    pub(super) fn arm_ear(&mut self, slot: &SlotId, rule: &Rule, run: RunId, ear: &Ear) {
        self.arm(slot, Owner::Ear(run, ear.id), ear.triggers(rule), &ear.triggers);
        if let Some(timeout) = ear.timeout {
            self.deadlines.add(timeout, slot, Due::Timeout(run, ear.id));
        }
        self.listen_for_until(slot, run, ear.id, &ear.reads, ear.recheck_at);
    }

    /// Takes back what an ear listens for.
    pub(super) fn disarm_ear(&mut self, slot: &SlotId, rule: &Rule, run: RunId, ear: &Ear) {
        self.disarm(slot, Owner::Ear(run, ear.id), ear.triggers(rule), &ear.triggers);
        if let Some(timeout) = ear.timeout {
            self.deadlines.remove(timeout, slot, Due::Timeout(run, ear.id));
        }
        self.unlisten_for_until(slot, run, ear);
    }

    fn listen_for_until(&mut self, slot: &SlotId, run: RunId, ear: u64, reads: &Reads, recheck_at: Option<Timestamp>) {
        self.listen(&Listener { slot: slot.clone(), what: Heard::Until(run, ear) }, reads);
        if let Some(at) = recheck_at {
            self.deadlines.add(at, slot, Due::UntilRecheck(run, ear));
        }
    }

    fn unlisten_for_until(&mut self, slot: &SlotId, run: RunId, ear: &Ear) {
        self.unlisten(&Listener { slot: slot.clone(), what: Heard::Until(run, ear.id) }, &ear.reads);
        if let Some(at) = ear.recheck_at {
            self.deadlines.remove(at, slot, Due::UntilRecheck(run, ear.id));
        }
    }

    /// Removes the ears of a thread that stand at `depth` or deeper, where they are no more.
    pub(super) fn drop_ears(&mut self, slot: &SlotId, rule: &Rule, run: &mut Run, thread: u32, depth: usize) {
        let Some(thread) = run.threads.get_mut(thread) else { return };
        let (dropped, kept) = std::mem::take(&mut thread.ears).into_iter().partition(|ear| ear.depth >= depth);
        thread.ears = kept;
        let dropped: Vec<Ear> = dropped;
        for ear in &dropped {
            self.disarm_ear(slot, rule, run.id, ear);
        }
    }

    /// An ear has heard what it listens for: a `wait` goes on, a `repeat` ends.
    pub(super) fn ear_heard(&mut self, run: RunId, ear: u64, occasion: Option<Occasion>) {
        self.end_ear(run, ear, occasion, TimedOut::No);
    }

    /// The time of a `wait` is over.
    pub(super) fn ear_times_out(&mut self, run: RunId, ear: u64) {
        self.end_ear(run, ear, None, TimedOut::Yes);
    }

    fn end_ear(&mut self, id: RunId, ear: u64, occasion: Option<Occasion>, timed_out: TimedOut) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let outcome = self.end_ear_of(&mut run, ear, occasion, timed_out);
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
    fn end_ear_of(
        &mut self,
        run: &mut Run,
        ear: u64,
        occasion: Option<Occasion>,
        timed_out: TimedOut,
    ) -> Option<Outcome> {
        let slot = run.slot.clone()?;
        let rule = Arc::clone(&self.slots.get(&slot)?.rule);
        let thread = run.thread_of_ear(ear)?;
        let at = run.ear(ear).map(|ear| ear.at)?;
        let action = at.action(&rule)?;
        if let Some(occasion) = &occasion {
            let step = self.trigger_step(occasion);
            run.note(step);
            if matches!(occasion.cause.kind, CauseKind::Message { .. }) {
                // A message from outside begins a new chain.
                run.occasion.cause.depth = occasion.cause.depth;
            }
        }
        self.return_to_ear(&slot, run, thread, ear);
        let ActionKind::Wait(wait) = &action.kind else { return None };
        if timed_out == TimedOut::Yes {
            self.note_step(run, &action.path, "wait", "timed out");
        }
        let thread = run.threads.get_mut(thread)?;
        thread.wait = wait_variable(occasion.as_ref(), timed_out);
        match (timed_out, wait.on_timeout) {
            (TimedOut::No, _) | (TimedOut::Yes, OnTimeout::Continue) => None,
            (TimedOut::Yes, OnTimeout::Stop) => Some(Outcome::Stopped("the `wait` timed out".to_owned())),
            (TimedOut::Yes, OnTimeout::Do(block)) => {
                thread.frames.push(Frame::Block { block, next: 0 });
                None
            }
        }
    }

    /// Asks an ear's expressions once more, after a restart or a reload.
    pub(super) fn ask_ear(&mut self, id: RunId, ear: u64) {
        let Some(run) = self.runs.get(&id) else { return };
        let Some(slot) = run.slot.clone() else { return };
        let triggers = run.ear(ear).map_or(0, |ear| ear.triggers.len());
        for (index, ()) in numbered(&vec![(); triggers]) {
            self.ask_at(&slot, Owner::Ear(id, ear), index);
        }
        self.ask_until(id, ear, &Cause::outside(CauseKind::Condition));
    }

    /// Asks an `until` again, since something that it read may be different.
    pub(super) fn ask_until(&mut self, id: RunId, ear: u64, cause: &Cause) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let asked = self.ask_until_of(&mut run, ear);
        let thread = run.thread_of_ear(ear);
        self.runs.insert(id, run);
        match (asked, thread) {
            (Some(Ok(true)), _) => {
                if let Some(run) = self.runs.get_mut(&id) {
                    let depth = &mut run.occasion.cause.depth;
                    *depth = match &cause.kind {
                        CauseKind::Message { .. } => cause.depth,
                        _ => cause.depth.max(*depth),
                    };
                }
                self.ear_heard(id, ear, None);
            }
            (Some(Err(failure)), Some(_)) => self.fail_ear(id, ear, "until", &failure),
            _ => {}
        }
    }

    /// Fails the action that an ear belongs to, with all that is under way within it.
    pub(super) fn fail_ear(&mut self, id: RunId, ear: u64, what: &'static str, failure: &Failure) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let thread = run.thread_of_ear(ear);
        if let (Some(thread), Some(slot)) = (thread, run.slot.clone()) {
            self.return_to_ear(&slot, &mut run, thread, ear);
            if let Some(thread) = run.threads.get_mut(thread) {
                thread.waiting = Some(Waiting::Ear);
            }
        }
        self.runs.insert(id, run);
        if let Some(thread) = thread {
            self.fail_waiting(id, thread, what, failure);
        }
    }

    /// Takes a thread back to the action that an ear belongs to: what is within a `repeat` ends with it.
    fn return_to_ear(&mut self, slot: &SlotId, run: &mut Run, thread: u32, ear: u64) {
        let Some(depth) = run.ear(ear).map(|ear| ear.depth) else { return };
        let Some(rule) = self.slots.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        self.end_branches(slot, run, thread);
        if let Some(inner) = run.threads.get_mut(thread) {
            inner.frames.truncate(depth);
            match inner.waiting.take() {
                Some(Waiting::Time(due)) => self.deadlines.remove(due, slot, Due::Wake(run.id, thread)),
                Some(Waiting::Run(callee)) => self.cancel_run(callee, super::StoppedBy::Caller),
                _ => {}
            }
        }
        self.drop_ears(slot, &rule, run, thread, depth);
    }

    /// Returns whether an `until` holds now, and makes it listen for what it read.
    fn ask_until_of(&mut self, run: &mut Run, ear: u64) -> Option<Result<bool, Failure>> {
        let slot = run.slot.clone()?;
        let rule = Arc::clone(&self.slots.get(&slot)?.rule);
        let thread = run.thread_of_ear(ear)?;
        let condition = run.ear(ear)?.condition(&rule)?;
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
        let known = run.ear_mut(ear)?;
        self.unlisten_for_until(&slot, run_id, known);
        self.listen_for_until(&slot, run_id, ear, &reads, recheck_at);
        known.reads = reads;
        known.recheck_at = recheck_at;
        Some(Ok(is_true))
    }

    /// Returns what a run knows, and the thread that has the ear `ear`.
    pub(super) fn run_scope(&self, run: RunId, ear: u64) -> (Map, ThreadScope) {
        let Some(run) = self.runs.get(&run) else { return (Map::new(), ThreadScope::default()) };
        let thread = run.thread_of_ear(ear).and_then(|thread| run.threads.get(thread));
        (run.known(), thread.map(Thread::scope).unwrap_or_default())
    }
}

/// The triggers that a thread is to listen for.
pub(super) enum Awaited<'a> {
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
fn wait_variable(occasion: Option<&Occasion>, timed_out: TimedOut) -> Value {
    let mut wait = occasion.map(Occasion::to_map).unwrap_or_default();
    wait.insert("timed_out".into(), Value::Bool(timed_out == TimedOut::Yes));
    Value::Map(wait.into())
}
