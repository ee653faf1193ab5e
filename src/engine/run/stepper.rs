//! Steps runs: does their actions one by one until each thread waits or is done.

use std::sync::Arc;

use crate::engine::action::act::Act;
use crate::engine::action::next::Next;
use crate::engine::action::perform;
use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::trace::{Outcome, RunId};
use crate::rules::BlockId;
use crate::script::Failure;

use super::cursor::Cursor;
use super::thread::{ActionPlace, Frame, Thread, Waiting};
use super::unwind::{Progress, recover};
use super::{Run, lifecycle, repeat};

/// Steps the runs that are ready, and those that become so, until all wait or are done.
pub(crate) fn step_ready(core: &mut Core) {
    // Most of the time none is: then this is all that is done.
    if core.runs.has_ready() {
        step_all(core);
    }
}

fn step_all(core: &mut Core) {
    while let Some(id) = core.runs.pop_ready() {
        step_run(core, id);
    }
}

fn step_run(core: &mut Core, id: RunId) {
    let Some(mut run) = core.runs.take(id) else { return };
    let Some(rule_id) = run.live else { return core.runs.put_unchanged(run) };
    let rule = Arc::clone(&core.live.get(rule_id).rule);
    core.runs.set_at_work(Some((id, None)));
    let mut ended = None;
    while ended.is_none() {
        let goes_on = run.threads.iter().find(|(_, thread)| thread.waiting.is_none());
        let Some((thread, _)) = goes_on else { break };
        let cursor = Cursor { core, id: rule_id, rule: &rule, run: &mut run, thread };
        if let Progress::Ended(outcome) = step_thread(cursor) {
            ended = Some(outcome);
        }
        if let Some(by) = core.runs.stopped_at_work() {
            ended = Some(Outcome::Cancelled(by));
        }
    }
    core.runs.set_at_work(None);
    match ended {
        Some(outcome) => {
            lifecycle::cancel_callees(core, &run);
            lifecycle::end(core, run, outcome);
        }
        None => core.runs.put(run),
    }
}

/// Does one action of a thread, or one step of a loop.
fn step_thread(mut cursor: Cursor<'_>) -> Progress {
    let rule = cursor.rule;
    let Some(thread) = cursor.thread() else { return Progress::Goes };
    let next = match thread.frames.last_mut() {
        None => return end_thread(cursor.run, cursor.thread),
        Some(Frame::Repeat(_)) => repeat::begin_turn(&mut cursor),
        Some(Frame::Block { block, next }) => {
            let place = ActionPlace { block: *block, index: *next };
            *next += 1;
            if let Some(action) = place.action(rule) {
                perform::act(&mut Act::new(cursor.reborrow(), action, place))
            } else {
                thread.frames.pop();
                match thread.frames.last() {
                    Some(Frame::Repeat(_)) => repeat::after_turn(&mut cursor),
                    Some(Frame::Block { .. }) | None => return Progress::Goes,
                }
            }
        }
    };
    carry_on(cursor, next)
}

/// Does what an action asked for, or handles its failure.
fn carry_on(cursor: Cursor<'_>, next: Result<Next, Failure>) -> Progress {
    let next = match next {
        Ok(next) => next,
        Err(failure) => return recover(cursor, &failure),
    };
    let (now, due) = (cursor.core.now(), Due::Wake(cursor.run.id, cursor.thread));
    let Some(thread) = cursor.run.threads.get_mut(cursor.thread) else { return Progress::Goes };
    match next {
        Next::GoOn => {}
        Next::Enter(block) => thread.frames.push(Frame::Block { block, next: 0 }),
        Next::Loop(repeat) => thread.frames.push(Frame::Repeat(*repeat)),
        Next::Fork(blocks) => fork(cursor.run, cursor.thread, &blocks),
        Next::Wait(Waiting::Time(at)) if at <= now => {}
        Next::Wait(waiting) => {
            if let Waiting::Time(at) = waiting {
                cursor.core.deadlines.set(cursor.id, due, Some(at));
            }
            thread.waiting = Some(waiting);
        }
        Next::End(outcome) => return Progress::Ended(outcome),
    }
    Progress::Goes
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
