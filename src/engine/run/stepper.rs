//! Steps runs: does their actions one by one until each thread waits or is done (spec 2.6).

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::Value;
use crate::rules::{ActionKind, BlockId, OnError, RepeatKind, Rule, Until};
use crate::script::Failure;

use crate::engine::live::deadlines::Due;
use crate::engine::live::table::LiveId;
use crate::engine::run::{ActionPlace, Frame, Repeat, Run, Thread, Waiting};
use crate::engine::trigger::state::later;
use crate::engine::{Engine, Fault, Outcome, RunId, Step, StepKind, StepResult};

/// How many turns of loops a run may do without a wait (spec 2.9).
const MOST_TURNS: u32 = 10_000;

/// What an action asks its thread to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Go on with the next action.
    GoOn,
    /// Do a list first.
    Enter(BlockId),
    /// Begin a loop.
    Loop(Box<Repeat>),
    /// Do lists side by side.
    Fork(Vec<BlockId>),
    /// Wait.
    Wait(Waiting),
    /// End the run.
    End(Outcome),
}

/// What is left to do of a run after a step of one of its threads.
enum Progress {
    Goes,
    Ended(Outcome),
}

impl Engine {
    /// Steps the runs that are ready, and those that become so, until all wait or are done.
    pub(crate) fn step_ready(&mut self) {
        while let Some(id) = self.ready.pop_front() {
            self.step_run(id);
        }
    }

    fn step_run(&mut self, id: RunId) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        let Some(slot_id) = run.slot.clone() else { return };
        let Some(rule) = self.live.get(&slot_id).map(|slot| Arc::clone(&slot.rule)) else { return };
        self.at_work = Some((id, None));
        let mut ended = None;
        while ended.is_none() {
            let goes_on = run.threads.iter().find(|(_, thread)| thread.waiting.is_none());
            let Some((thread, _)) = goes_on else { break };
            if let Progress::Ended(outcome) = self.step_thread(&slot_id, &rule, &mut run, thread) {
                ended = Some(outcome);
            }
            if let Some((_, Some(by))) = self.at_work {
                ended = Some(Outcome::Cancelled(by));
            }
        }
        self.at_work = None;
        if let Some(outcome) = ended {
            self.cancel_callees(&run);
            self.end_run(run, outcome);
        } else {
            self.unsaved.runs.insert(id);
            self.runs.insert(id, run);
        }
    }

    /// Does one action of a thread, or one step of a loop.
    fn step_thread(&mut self, slot: &LiveId, rule: &Rule, run: &mut Run, id: u32) -> Progress {
        let Some(thread) = run.threads.get_mut(id) else { return Progress::Goes };
        match thread.frames.last_mut() {
            None => end_thread(run, id),
            Some(Frame::Block { block, next }) => {
                let place = ActionPlace { block: *block, index: *next };
                *next += 1;
                let Some(action) = place.action(rule) else {
                    thread.frames.pop();
                    return match thread.frames.last() {
                        Some(Frame::Repeat(_)) => {
                            let done = self.after_turn(slot, rule, run, id);
                            self.carry_on(slot, rule, run, id, done)
                        }
                        _ => Progress::Goes,
                    };
                };
                let next = self.act(slot, rule, run, id, place, action);
                self.carry_on(slot, rule, run, id, next)
            }
            Some(Frame::Repeat(_)) => {
                let next = self.begin_turn(slot, rule, run, id);
                self.carry_on(slot, rule, run, id, next)
            }
        }
    }

    /// Does what an action asked for, or handles its failure.
    fn carry_on(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        run: &mut Run,
        id: u32,
        next: Result<Next, Failure>,
    ) -> Progress {
        let next = match next {
            Ok(next) => next,
            Err(failure) => return self.recover(slot, rule, run, id, &failure),
        };
        let now = self.now();
        let Some(thread) = run.threads.get_mut(id) else { return Progress::Goes };
        match next {
            Next::GoOn => {}
            Next::Enter(block) => thread.frames.push(Frame::Block { block, next: 0 }),
            Next::Loop(repeat) => thread.frames.push(Frame::Repeat(*repeat)),
            Next::Fork(blocks) => fork(run, id, &blocks),
            Next::Wait(Waiting::Time(due)) if due <= now => {}
            Next::Wait(waiting) => {
                if let Waiting::Time(due) = waiting {
                    self.deadlines.add(due, slot, Due::Wake(run.id, id));
                }
                thread.waiting = Some(waiting);
            }
            Next::End(outcome) => return Progress::Ended(outcome),
        }
        Progress::Goes
    }

    /// Finds the action around a failure that goes on after it; without one, the run ends.
    fn recover(&mut self, slot: &LiveId, rule: &Rule, run: &mut Run, id: u32, failure: &Failure) -> Progress {
        let mut id = id;
        loop {
            let Some(thread) = run.threads.get_mut(id) else { return Progress::Ended(Engine::failed(failure)) };
            while let Some(frame) = thread.frames.last() {
                if let Frame::Block { block, next } = frame {
                    let place = ActionPlace { block: *block, index: next.saturating_sub(1) };
                    if place.action(rule).is_some_and(|action| action.on_error == OnError::Continue) {
                        let depth = thread.frames.len();
                        self.close_waits(slot, rule, run, id, depth);
                        return Progress::Goes;
                    }
                }
                thread.frames.pop();
            }
            let Some(parent) = thread.parent else { return Progress::Ended(Engine::failed(failure)) };
            // The failure of a branch is the failure of its `parallel`.
            self.end_branches(slot, run, parent);
            if let Some(thread) = run.threads.get_mut(parent) {
                thread.waiting = None;
            }
            id = parent;
        }
    }

    /// Ends the branches of a thread's `parallel`.
    pub(crate) fn end_branches(&mut self, slot: &LiveId, run: &mut Run, parent: u32) {
        for id in run.with_descendants(parent).into_iter().filter(|id| *id != parent) {
            if let Some(thread) = run.threads.remove(id) {
                if let Some(Waiting::Run(callee)) = thread.waiting {
                    self.cancel_run(callee, crate::engine::StoppedBy::Caller);
                }
                self.release_thread(slot, run.id, id, &thread);
            }
        }
    }

    /// Takes back the deadlines and subscribers of a thread that is no more.
    pub(crate) fn release_thread(&mut self, slot: &LiveId, run: RunId, id: u32, thread: &Thread) {
        if let Some(Waiting::Time(due)) = thread.waiting {
            self.deadlines.remove(due, slot, Due::Wake(run, id));
        }
        let Some(rule) = self.live.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        for wait in &thread.waits {
            self.disarm_wait(slot, &rule, run, wait);
        }
    }

    /// Begins the next turn of a loop, or leaves it.
    fn begin_turn(&mut self, slot: &LiveId, rule: &Rule, run: &mut Run, id: u32) -> Result<Next, Failure> {
        let now = self.now();
        let Some((repeat, depth)) = innermost_repeat(run, id) else { return Ok(Next::GoOn) };
        let place = repeat.at;
        let (turn, times) = (repeat.turn, repeat.times);
        let Some(ActionKind::Repeat { kind, body }) = place.action(rule).map(|action| &action.kind) else {
            return Ok(Next::GoOn);
        };
        let goes_on = match kind {
            RepeatKind::Times(_) | RepeatKind::Each(_) => times.is_some_and(|times| u64::from(turn) < times),
            RepeatKind::While(condition) => self.judge_in_run(slot, rule, run, id, condition)?,
            RepeatKind::Until(_) | RepeatKind::Every { .. } => true,
        };
        if !goes_on {
            self.leave_repeat(slot, rule, run, id, depth);
            return Ok(Next::GoOn);
        }
        if run.turns_at < self.now() {
            (run.turns, run.turns_at) = (0, self.now());
        }
        run.turns += 1;
        if run.turns > MOST_TURNS {
            return Err(Failure::plain(format!("{MOST_TURNS} turns of a `repeat` without a wait")));
        }
        let Some(thread) = run.threads.get_mut(id) else { return Ok(Next::GoOn) };
        if let Some(Frame::Repeat(repeat)) = thread.frames.last_mut() {
            repeat.turn += 1;
            // After downtime, later turns count from this one.
            repeat.turn_due = repeat.turn_due.max(now);
        }
        Ok(Next::Enter(*body))
    }

    /// A turn is over: asks `until`, and waits for the next turn's time.
    fn after_turn(&mut self, slot: &LiveId, rule: &Rule, run: &mut Run, id: u32) -> Result<Next, Failure> {
        let Some((repeat, depth)) = innermost_repeat(run, id) else { return Ok(Next::GoOn) };
        let Some(ActionKind::Repeat { kind, .. }) = repeat.at.action(rule).map(|action| &action.kind) else {
            return Ok(Next::GoOn);
        };
        let until = match kind {
            RepeatKind::Until(condition) | RepeatKind::Every { until: Until::Condition(condition), .. } => {
                Some(condition)
            }
            RepeatKind::Times(_) | RepeatKind::Each(_) | RepeatKind::While(_) | RepeatKind::Every { .. } => None,
        };
        if let Some(condition) = until
            && self.judge_in_run(slot, rule, run, id, condition)?
        {
            self.leave_repeat(slot, rule, run, id, depth);
            return Ok(Next::GoOn);
        }
        let now = self.now();
        let Some(Frame::Repeat(repeat)) = run.threads.get_mut(id).and_then(|thread| thread.frames.last_mut()) else {
            return Ok(Next::GoOn);
        };
        let Some(interval) = repeat.interval else { return Ok(Next::GoOn) };
        // A turn longer than the interval delays the next one.
        repeat.turn_due = later(repeat.turn_due, interval).max(now);
        Ok(Next::Wait(Waiting::Time(repeat.turn_due)))
    }

    /// Leaves the loop whose frame stands at `depth`, with all that is within.
    pub(crate) fn leave_repeat(&mut self, slot: &LiveId, rule: &Rule, run: &mut Run, id: u32, depth: usize) {
        if let Some(thread) = run.threads.get_mut(id) {
            thread.frames.truncate(depth);
        }
        self.close_waits(slot, rule, run, id, depth);
    }

    /// A thread's time has come.
    pub(crate) fn wake(&mut self, run: RunId, thread: u32, due: Timestamp) {
        let Some(thread) = self.runs.get_mut(&run).and_then(|run| run.threads.get_mut(thread)) else { return };
        if thread.waiting == Some(Waiting::Time(due)) {
            thread.waiting = None;
            self.ready.push_back(run);
        }
    }

    /// Adds a step to a run's trace.
    pub(crate) fn note_step(&self, run: &mut Run, path: &Arc<str>, kind: StepKind, result: StepResult) {
        run.note(Step::new(path, self.now(), kind, result));
    }

    /// Notes in the trace that an action failed.
    pub(crate) fn note_failure(&self, run: &mut Run, path: &Arc<str>, kind: StepKind, failure: &Failure) {
        self.note_step(run, path, kind, StepResult::Failed(Box::new(Fault::from(failure))));
    }

    /// Ends the runs that this one called and waits for.
    fn cancel_callees(&mut self, run: &Run) {
        for thread in run.threads.values() {
            if let Some(Waiting::Run(callee)) = thread.waiting {
                self.cancel_run(callee, crate::engine::StoppedBy::Caller);
            }
        }
    }

    /// Resumes a thread that waited for a run or a request.
    pub(crate) fn resume(&mut self, run: RunId, thread: u32, http: Option<Value>) {
        let Some(thread) = self.runs.get_mut(&run).and_then(|run| run.threads.get_mut(thread)) else { return };
        thread.waiting = None;
        if let Some(http) = http {
            thread.http = http;
        }
        self.ready.push_front(run);
    }

    /// Fails the action that a thread waits in, as if it had failed at once.
    pub(crate) fn fail_waiting(&mut self, id: RunId, thread: u32, kind: StepKind, failure: &Failure) {
        let is_waiting = |run: &Run| run.threads.get(thread).is_some_and(|thread| thread.waiting.is_some());
        if !self.runs.get(&id).is_some_and(is_waiting) {
            return;
        }
        let Some(mut run) = self.runs.remove(&id) else { return };
        let Some(slot) = run.slot.clone() else { return };
        let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        if let Some(thread) = run.threads.get_mut(thread) {
            thread.waiting = None;
        }
        let path = current_action(&run, thread, &rule).map(|action| Arc::clone(&action.path));
        if let Some(path) = path {
            self.note_failure(&mut run, &path, kind, failure);
        }
        // It may fail since the run that is at work ended what it waits for.
        let at_work = self.at_work.replace((id, None));
        let progress = self.recover(&slot, &rule, &mut run, thread, failure);
        self.at_work = at_work;
        match progress {
            Progress::Ended(outcome) => {
                self.cancel_callees(&run);
                self.end_run(run, outcome);
            }
            Progress::Goes => {
                self.runs.insert(id, run);
                self.unsaved.runs.insert(id);
                self.ready.push_front(id);
            }
        }
    }
}

/// A thread has done all: the run is done, or its `parallel` has one branch less to wait for.
fn end_thread(run: &mut Run, id: u32) -> Progress {
    let Some(parent) = run.threads.get(id).and_then(|thread| thread.parent) else {
        return Progress::Ended(Outcome::Finished);
    };
    run.threads.remove(id);
    let is_last = !run.threads.values().any(|thread| thread.parent == Some(parent));
    if is_last && let Some(thread) = run.threads.get_mut(parent) {
        thread.waiting = None;
    }
    Progress::Goes
}

/// Gives a thread's branches threads of their own.
fn fork(run: &mut Run, id: u32, blocks: &[BlockId]) {
    let Some(parent) = run.threads.get_mut(id) else { return };
    if blocks.is_empty() {
        return;
    }
    parent.waiting = Some(Waiting::Threads);
    let scope = parent.scope();
    for block in blocks {
        let thread = Thread {
            parent: Some(id),
            wait: scope.wait.clone(),
            http: scope.http.clone(),
            outer_repeat: scope.repeat.clone(),
            ..Thread::new(*block)
        };
        run.threads.push(run.next_thread, thread);
        run.next_thread += 1;
    }
}

/// Returns the loop whose frame is a thread's last, and how many frames stand before it.
fn innermost_repeat(run: &Run, id: u32) -> Option<(&Repeat, usize)> {
    let frames = &run.threads.get(id)?.frames;
    match frames.last()? {
        Frame::Repeat(repeat) => Some((repeat, frames.len() - 1)),
        Frame::Block { .. } => None,
    }
}

/// Returns the action that a thread is at.
fn current_action<'a>(run: &Run, thread: u32, rule: &'a Rule) -> Option<&'a crate::rules::Action> {
    run.threads.get(thread)?.frames.iter().rev().find_map(|frame| match frame {
        Frame::Block { block, next } => ActionPlace { block: *block, index: next.saturating_sub(1) }.action(rule),
        Frame::Repeat(_) => None,
    })
}
