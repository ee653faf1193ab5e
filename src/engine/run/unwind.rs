//! Leaves actions that failed or ended early: the loops, branches and waits within them end, too.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::engine::device::release::release;
use crate::engine::live::deadlines::Due;
use crate::engine::trace::{Outcome, RunId, StepKind, StoppedBy};
use crate::rules::{Action, OnError, Rule};
use crate::script::Failure;

use super::Run;
use super::cursor::Cursor;
use super::lifecycle;
use super::thread::{ActionPlace, Frame, Waiting};

/// What is left to do of a run after a step of one of its threads.
pub(crate) enum Progress {
    /// It goes on.
    Goes,
    /// It has ended.
    Ended(Outcome),
}

/// Finds the action around a failure that goes on after it; without one, the run ends.
pub(crate) fn recover(mut cursor: Cursor<'_>, failure: &Failure) -> Progress {
    loop {
        let rule = cursor.rule;
        let Some(thread) = cursor.thread() else { return Progress::Ended(Outcome::of_failure(failure)) };
        while let Some(frame) = thread.frames.last() {
            if let Frame::Block { block, next } = frame {
                let place = ActionPlace { block: *block, index: next.saturating_sub(1) };
                if place.action(rule).is_some_and(|action| action.on_error == OnError::Continue) {
                    let depth = thread.frames.len();
                    close_waits(&mut cursor, depth);
                    return Progress::Goes;
                }
            }
            thread.frames.pop();
        }
        let Some(parent) = thread.parent else { return Progress::Ended(Outcome::of_failure(failure)) };
        // The failure of a branch is the failure of its `parallel`.
        cursor.thread = parent;
        end_branches(&mut cursor);
        if let Some(thread) = cursor.thread() {
            thread.waiting = None;
        }
    }
}

/// Ends the branches of the thread's `parallel`.
pub(crate) fn end_branches(cursor: &mut Cursor<'_>) {
    let parent = cursor.thread;
    for id in cursor.run.with_descendants(parent).into_iter().filter(|id| *id != parent) {
        if let Some(thread) = cursor.run.threads.remove(id) {
            if let Some(callee) = thread.callee() {
                lifecycle::cancel(cursor.core, callee, StoppedBy::Caller);
            }
            lifecycle::release_thread(cursor.core, cursor.id, cursor.run.id, id, &thread);
        }
    }
}

/// Closes the waits of the thread that were opened at `depth` or deeper.
pub(crate) fn close_waits(cursor: &mut Cursor<'_>, depth: usize) {
    let Some(thread) = cursor.run.threads.get_mut(cursor.thread) else { return };
    let (id, run) = (cursor.id, cursor.run.id);
    thread.waits.retain(|wait| {
        let stays = wait.depth < depth;
        if !stays {
            cursor.core.deadlines.clear_wait(id, run, wait.id);
            cursor.core.subscriptions.remove_wait(id, run, wait.id);
        }
        stays
    });
}

/// Leaves the loop whose frame is at `depth`, with all that is within.
pub(crate) fn leave_repeat(cursor: &mut Cursor<'_>, depth: usize) {
    if let Some(thread) = cursor.thread() {
        thread.frames.truncate(depth);
    }
    close_waits(cursor, depth);
}

/// Takes the thread back to the action that the wait `wait` belongs to: what is within a `repeat` ends with it.
pub(crate) fn return_to_wait(cursor: &mut Cursor<'_>, wait: u64) {
    let Some(depth) = cursor.run.wait(wait).map(|wait| wait.depth) else { return };
    end_branches(cursor);
    let (id, run, thread_id) = (cursor.id, cursor.run.id, cursor.thread);
    if let Some(thread) = cursor.thread() {
        thread.frames.truncate(depth);
        let confirming = thread.confirming.take();
        let waiting = thread.waiting.take();
        match waiting {
            Some(Waiting::Time(_)) => cursor.core.deadlines.set(id, Due::Wake(run, thread_id), None),
            Some(Waiting::Run(callee)) => lifecycle::cancel(cursor.core, callee, StoppedBy::Caller),
            Some(Waiting::OpenWait | Waiting::Threads | Waiting::Request(_) | Waiting::Confirm) | None => {}
        }
        release(cursor.core, id, run, thread_id, confirming.as_deref());
    }
    close_waits(cursor, depth);
}

/// Fails the action that a thread waits in, as if it had failed at once.
pub(crate) fn fail_waiting(core: &mut Core, id: RunId, thread: u32, kind: StepKind, failure: &Failure) {
    let is_waiting = |run: &Run| run.threads.get(thread).is_some_and(|thread| thread.waiting.is_some());
    let Some(rule_id) = core.runs.get(id).filter(|run| is_waiting(run)).and_then(|run| run.live) else { return };
    let Some(mut run) = core.runs.take(id) else { return };
    let rule = Arc::clone(&core.live.get(rule_id).rule);
    if let Some(thread) = run.threads.get_mut(thread) {
        thread.waiting = None;
    }
    // It may fail since the run that is at work ended what it waits for.
    let at_work = core.runs.set_at_work(Some((id, None)));
    let path = current_action(&run, thread, &rule).map(|action| Arc::clone(&action.path));
    let mut cursor = Cursor { core, id: rule_id, rule: &rule, run: &mut run, thread };
    if let Some(path) = path {
        cursor.note_failure(&path, kind, failure);
    }
    let progress = recover(cursor, failure);
    core.runs.set_at_work(at_work);
    match progress {
        Progress::Ended(outcome) => {
            lifecycle::cancel_callees(core, &run);
            lifecycle::end(core, run, outcome);
        }
        Progress::Goes => {
            core.runs.put(run);
            core.runs.push_ready_first(id);
        }
    }
}

/// Returns the action that a thread is at.
fn current_action<'a>(run: &Run, thread: u32, rule: &'a Rule) -> Option<&'a Action> {
    run.threads.get(thread)?.frames.iter().rev().find_map(|frame| match frame {
        Frame::Block { block, next } => ActionPlace { block: *block, index: next.saturating_sub(1) }.action(rule),
        Frame::Repeat(_) => None,
    })
}
