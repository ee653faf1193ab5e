//! How a run begins and ends, and what that does to others: those that it called, or that called it, or wait for their turn.

use std::collections::BTreeSet;

use crate::engine::core::Core;
use crate::engine::device::release::release;
use crate::engine::inbox::Incoming;
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::Fact;
use crate::engine::often::{loop_guard, rates};
use crate::engine::trace::{Outcome, RunId, StepKind, StoppedBy, Trace};
use crate::model::RuleId;
use crate::rules::{BlockId, Start};
use crate::script::Failure;

use super::admission::Candidate;
use super::key::RunKey;
use super::made::Made;
use super::thread::{Thread, Threads, Waiting};
use super::{Caller, Run, RunList, unstarted, unwind};

/// Begins a run that was admitted; where `is_queued`, it waits for its turn.
pub(crate) fn begin(core: &mut Core, candidate: Candidate, is_queued: bool) -> RunId {
    let Candidate { id: rule_id, rule, list, key, firing, variables, mut steps, caller, call_depth, .. } = candidate;
    let id = core.runs.next_id();
    steps.insert(0, unstarted::trigger_step(core, &firing));
    let run = Box::new(Run {
        id,
        rule: rule.id.clone(),
        fingerprint: rule.fingerprint,
        live: Some(rule_id),
        key,
        list,
        started_at: core.now(),
        firing,
        variables,
        threads: Threads::first(Thread::new(list.block(&rule).unwrap_or(BlockId(u32::MAX)))),
        next_thread: 1,
        next_wait: 1,
        caller,
        call_depth,
        is_queued,
        turns: 0,
        turns_at: core.now(),
        made: Made::default(),
        steps,
    });
    let was_idle = !core.runs.has_any(rule_id);
    core.runs.join(&run);
    core.runs.enlist(rule_id, &run);
    if was_idle {
        note_running(core, &run, 1);
    }
    if is_queued {
        core.runs.put(run);
    } else {
        start(core, run);
    }
    id
}

/// Starts a run that was admitted: its cooldown counts, and its first action is next.
fn start(core: &mut Core, mut run: Box<Run>) {
    let now = core.now();
    run.is_queued = false;
    run.started_at = now;
    if let Some(rule_id) = run.live {
        rates::count_run(core, rule_id);
    }
    if let (Some(rule_id), RunList::Then) = (run.live, run.list) {
        rates::count_limited(core, rule_id, &run.key);
        let rule = &core.live.get(rule_id).rule;
        if let (Some(cooldown), Start::When(_)) = (rule.cooldown, &rule.start) {
            let cooldowns = &mut core.live.edit(rule_id).cooldowns;
            cooldowns.retain(|_, over| *over > now);
            cooldowns.insert(run.key.clone(), later(now, cooldown));
        }
    }
    core.runs.push_ready(run.id);
    core.runs.put(run);
}

/// Ends a run that was taken out of the table: says how it ended, and lets those go on that waited for it.
pub(crate) fn end(core: &mut Core, mut run: Box<Run>, outcome: Outcome) {
    let mut next = None;
    // The rule of a run that a reload ends may be gone.
    if let Some(rule_id) = run.live {
        for (thread_id, thread) in std::mem::take(&mut run.threads) {
            release_thread(core, rule_id, run.id, thread_id, &thread);
        }
        next = leave_rule(core, rule_id, &run);
    } else {
        core.runs.forget(&run);
    }
    let depth = run.firing.cause.depth;
    core.trace(Trace {
        rule: run.rule.clone(),
        run: Some(run.id),
        at: run.started_at,
        ended_at: core.now(),
        outcome: outcome.clone(),
        cause: run.firing.cause,
        steps: run.steps,
    });
    // A loop was said when it was stopped.
    let is_said = core.runs.take_looping(run.id);
    if let Outcome::Failed(fault) = &outcome
        && !is_said
    {
        loop_guard::rule_failed(core, &run.rule, fault, depth);
    }
    loop_guard::count_interruptions(core, &run.rule);
    if let Some(caller) = run.caller {
        callee_ended(core, caller, &run.rule, &outcome);
    }
    if let Some(next) = next.and_then(|next| core.runs.take(next)) {
        start(core, next);
    }
}

/// Ends all runs of a rule.
pub(crate) fn cancel_runs(core: &mut Core, id: LiveId, by: StoppedBy) {
    let keys: BTreeSet<RunKey> = core.runs.of_rule(id).map(|(key, _)| key.clone()).collect();
    for key in keys {
        cancel_key(core, id, &key, by);
    }
}

/// Ends the runs of one key, those that wait for their turn first.
pub(crate) fn cancel_key(core: &mut Core, id: LiveId, key: &RunKey, by: StoppedBy) {
    let runs: Vec<RunId> = core.runs.of_key(id, key).rev().collect();
    for run in runs {
        cancel(core, run, by);
    }
}

/// Ends a run. The one at work ends as soon as its action is done.
pub(crate) fn cancel(core: &mut Core, id: RunId, by: StoppedBy) {
    if core.runs.stop_at_work(id, by) {
        return;
    }
    let Some(run) = core.runs.take(id) else { return };
    cancel_callees(core, &run);
    end(core, run, Outcome::Cancelled(by));
}

/// Ends the runs that this one called and waits for.
pub(crate) fn cancel_callees(core: &mut Core, run: &Run) {
    for callee in run.callees() {
        cancel(core, callee, StoppedBy::Caller);
    }
}

/// Takes back the deadlines and subscriptions of a thread that is no more.
pub(crate) fn release_thread(core: &mut Core, id: LiveId, run: RunId, thread_id: u32, thread: &Thread) {
    if let Some(Waiting::Time(_)) = thread.waiting {
        core.deadlines.set(id, Due::Wake(run, thread_id), None);
    }
    release(core, id, run, thread_id, thread.confirming.as_deref());
    for wait in &thread.waits {
        core.deadlines.clear_wait(id, run, wait.id);
        core.subscriptions.remove_wait(id, run, wait.id);
    }
}

/// Takes a run off its rule. Returns the run whose turn it is then.
fn leave_rule(core: &mut Core, id: LiveId, run: &Run) -> Option<RunId> {
    core.runs.forget(run);
    let first = core.runs.of_key(id, &run.key).next();
    if !core.runs.has_any(id) {
        note_running(core, run, 0);
    }
    first.filter(|first| core.runs.get(*first).is_some_and(|run| run.is_queued))
}

/// Keeps `running()` true to what is so, and tells those who asked.
fn note_running(core: &mut Core, run: &Run, count: usize) {
    let (rule, running) = (&run.rule, &mut core.evaluator.world.running);
    if count == 0 {
        running.remove(rule);
    } else {
        running.insert(rule.clone(), count);
    }
    let fact = Fact::Running(rule.clone());
    if core.subscriptions.has_readers(&fact) {
        core.fact_changed(fact, run.as_cause());
    }
}

/// A run that another one called has ended.
fn callee_ended(core: &mut Core, caller: Caller, callee: &RuleId, outcome: &Outcome) {
    let why = match outcome {
        Outcome::Finished | Outcome::Stopped(_) | Outcome::Running => {
            return core.runs.resume(caller.run, caller.thread, None);
        }
        Outcome::Cancelled(StoppedBy::Caller) => return,
        Outcome::Cancelled(_) | Outcome::Skipped(_) => format!("`{callee}` was cancelled"),
        Outcome::Failed(message) => format!("`{callee}` failed: {message}"),
    };
    let why = Failure::plain(why);
    if core.runs.is_at_work(caller.run) {
        // Another thread of the caller ended it: the caller is told once it waits.
        return core.inbox.push(Incoming::WaitFailed { run: caller.run, thread: caller.thread, why });
    }
    unwind::fail_waiting(core, caller.run, caller.thread, StepKind::Run, &why);
}
