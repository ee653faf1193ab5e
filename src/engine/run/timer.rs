//! Timers that are due: each calls its closure, in a run of its own.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::action::act::Act;
use crate::engine::action::next::Next;
use crate::engine::action::perform;
use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::timer::Timer;
use crate::engine::often::loop_guard;
use crate::engine::trace::{BlockedBy, Outcome, Step, StepKind, StepResult, StoppedBy, Trace};
use crate::engine::trigger::firing::Firing;
use crate::model::{Map, RuleId};
use crate::rules::{Action, ActionKind, BlockId, OnError, Rule};
use crate::script::Closure;

use super::cursor::Cursor;
use super::key::RunKey;
use super::made::Made;
use super::thread::{ActionPlace, Threads};
use super::{Run, RunList, lifecycle};

/// A timer is due: its closure is called.
pub(crate) fn fire(core: &mut Core, id: LiveId, timer: u64, due: Timestamp) {
    let now = core.now();
    let is_it = |known: &Timer| known.id == timer && known.due == due;
    let Some(index) = core.live.get(id).timers.iter().position(is_it) else { return };
    let live = core.live.edit(id);
    let timer = live.timers.remove(index);
    let rule = Arc::clone(&live.rule);
    let is_resting = live.resting_until.is_some_and(|until| until > now);
    let firing = Firing::of_cause("after".into(), timer.cause(now));
    if is_resting {
        return record(core, &rule.id, &firing, &timer, Outcome::Skipped(BlockedBy::Resting));
    }
    if timer.from_another && loop_guard::counts_as_storm(core, id) {
        return loop_guard::stop_storm(core, id, &firing);
    }
    match timer.closure(&rule) {
        Some(closure) => call(core, id, &rule, firing, &timer, closure),
        None => record(core, &rule.id, &firing, &timer, Outcome::Cancelled(StoppedBy::Reload)),
    }
}

/// Says of timers that they ended with the rule that set them.
pub(crate) fn record_ended(core: &mut Core, rule: &RuleId, timers: &[Timer]) {
    for timer in timers {
        let firing = Firing::of_cause("after".into(), timer.cause(core.now()));
        record(core, rule, &firing, timer, Outcome::Cancelled(StoppedBy::Reload));
    }
}

/// Ends all timers of a rule.
pub(crate) fn end_all(core: &mut Core, id: LiveId, by: StoppedBy) {
    let timers = std::mem::take(&mut core.live.edit(id).timers);
    let rule = core.live.get(id).rule.id.clone();
    for timer in timers {
        core.deadlines.set(id, Due::Timer(timer.id), None);
        let firing = Firing::of_cause("after".into(), timer.cause(core.now()));
        record(core, &rule, &firing, &timer, Outcome::Cancelled(by));
    }
}

fn call(core: &mut Core, id: LiveId, rule: &Arc<Rule>, firing: Firing, timer: &Timer, closure: Closure) {
    let run_id = core.runs.next_id();
    let mut run = Box::new(Run {
        id: run_id,
        rule: rule.id.clone(),
        fingerprint: rule.fingerprint,
        live: Some(id),
        key: RunKey(format!("after {}", timer.id).into()),
        list: RunList::Timer,
        started_at: core.now(),
        steps: vec![step(core, timer, &firing)],
        firing,
        variables: Map::default(),
        threads: Threads::default(),
        next_thread: 1,
        next_wait: 1,
        caller: None,
        call_depth: 0,
        is_queued: false,
        turns: 0,
        turns_at: core.now(),
        made: Made::default(),
    });
    let place = closure.place();
    let action = Action { kind: ActionKind::Script(closure), on_error: OnError::Fail, path: "after".into(), place };
    let nowhere = ActionPlace { block: BlockId(u32::MAX), index: 0 };
    core.runs.set_at_work(Some((run_id, None)));
    let cursor = Cursor { core, id, rule, run: &mut run, thread: 0 };
    let done = perform::act(&mut Act::new(cursor, &action, nowhere));
    core.runs.set_at_work(None);
    let outcome = match done {
        Ok(Next::End(outcome)) => outcome,
        Ok(_) => Outcome::Finished,
        Err(failure) => Outcome::of_failure(&failure),
    };
    lifecycle::end(core, run, outcome);
}

fn record(core: &mut Core, rule: &RuleId, firing: &Firing, timer: &Timer, outcome: Outcome) {
    let now = core.now();
    let steps = vec![step(core, timer, firing)];
    let (rule, cause) = (rule.clone(), firing.cause.clone());
    core.trace(Trace { rule, run: None, at: now, ended_at: now, outcome, cause, steps });
}

fn step(core: &Core, timer: &Timer, firing: &Firing) -> Step {
    let result = StepResult::TimerDue { name: timer.name.clone(), cause: Box::new(firing.cause.clone()) };
    Step::new(&"after".into(), core.now(), StepKind::Timer, result)
}
