//! Begins and ends a `while`, and runs its `then` and `else`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::condition::judgement::Judgement;
use crate::engine::core::Core;
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::Fact;
use crate::engine::often::loop_guard;
use crate::engine::run::RunList;
use crate::engine::run::admission::{self, Candidate};
use crate::engine::run::{lifecycle, unstarted};
use crate::engine::trace::{Armed, BlockedBy, Cause, CauseKind, Outcome, Step, StoppedBy, Trace};
use crate::engine::trigger::firing::Firing;
use crate::engine::yielding;
use crate::model::Map;
use crate::script::Failure;

use super::reconsider::{While, drop_pending};
use super::state::{Edge, Pending};

/// The path of a `while` in its rule.
pub(crate) const PATH: &str = "while";

/// Arms what a `while` waits for, as it stands.
pub(crate) fn arm(core: &mut Core, it: While<'_>) {
    let live = core.live.get(it.id);
    if !live.is_enabled() {
        // Its file may have switched it off.
        return abandon(core, it);
    }
    let state = &live.while_state;
    let (pending, begun, every) = (state.pending.as_ref().map(|pending| pending.due), state.begun_at, state.every_due);
    core.deadlines.set(it.id, Due::WhilePending, pending);
    core.deadlines.set(it.id, Due::WhileEvery, every);
    if begun.is_some() {
        core.evaluator.world.holding.insert(it.rule.id.clone());
        if every.is_none() {
            // A rule that changed after it had begun counts from now.
            arm_every(core, it, core.now());
        }
    }
}

/// Ends a `while` that was switched off: no `else`, and nothing put off.
pub(crate) fn abandon(core: &mut Core, it: While<'_>) {
    let state = &core.live.get(it.id).while_state;
    if state.is_true || state.was_refused {
        let state = &mut core.live.edit(it.id).while_state;
        (state.is_true, state.was_refused) = (false, false);
    }
    drop_pending(core, it.id);
    forget_begun(core, it, &Cause::outside(CauseKind::Condition));
}

/// Lets a `while` step back, since somebody overrode it: it ends without its `else`, and doesn't begin before it may. Returns its
/// variables where it had begun.
pub(crate) fn step_back(core: &mut Core, it: While<'_>) -> Option<Map> {
    let state = &core.live.get(it.id).while_state;
    let had_begun = state.begun_at.map(|_| state.variables.clone());
    drop_pending(core, it.id);
    forget_begun(core, it, &Cause::outside(CauseKind::Condition));
    let state = &mut core.live.edit(it.id).while_state;
    state.was_refused = state.is_true;
    had_begun
}

/// Runs the `else` of a `while` that became false while it yielded.
pub(crate) fn run_else(core: &mut Core, it: While<'_>, cause: &Cause, variables: Map) {
    let firing = Firing::of_cause(PATH.into(), cause.clone());
    run_list(core, it, RunList::Otherwise, firing, variables, Vec::new(), false);
}

/// What was put off is due.
pub(crate) fn fire_pending(core: &mut Core, it: While<'_>, due: Timestamp) {
    let live = core.live.edit(it.id);
    let Some(mut pending) = live.while_state.pending.take_if(|pending| pending.due == due) else { return };
    let Some(until) = live.resting_until else { return turn(core, it, pending) };
    pending.due = until;
    live.while_state.pending = Some(pending);
    core.deadlines.set(it.id, Due::WhilePending, Some(until));
}

/// `then` runs again.
pub(crate) fn fire_every(core: &mut Core, it: While<'_>, due: Timestamp) {
    if core.live.edit(it.id).while_state.every_due.take_if(|every| *every == due).is_none() {
        return;
    }
    // After downtime the next one counts from now; a tick that is merely late counts from when it was due.
    arm_every(core, it, due.max(core.now()));
    let mut cause = Cause::time(due, core.now());
    cause.armed = begin_of(core, it.id);
    let firing = Firing::of_cause(PATH.into(), cause);
    if core.live.get(it.id).resting_until.is_some() {
        return unstarted::skip(core, it.rule, &firing, BlockedBy::Resting);
    }
    match variables_of_begun(core, it, &firing) {
        Ok(variables) => run_list(core, it, RunList::Then, firing, variables, Vec::new(), false),
        Err(failure) => unstarted::fail(core, it.rule, &firing, Vec::new(), &failure),
    }
}

/// Begins or ends the rule now.
pub(crate) fn turn(core: &mut Core, it: While<'_>, Pending { what, since, cause, steps, .. }: Pending) {
    let cause = if since < core.now() { cause.since(since) } else { cause };
    match what {
        Edge::Begin => begin(core, it, &cause, steps),
        Edge::End => end(core, it, &cause, steps),
    }
}

/// The condition has become true: asks `if`, and begins.
fn begin(core: &mut Core, it: While<'_>, cause: &Cause, mut steps: Vec<Step>) {
    let firing = Firing::of_cause(PATH.into(), cause.clone());
    if loop_guard::is_storm(core, it.id, &firing) {
        return loop_guard::stop_storm(core, it.id, &firing);
    }
    if let Some(refusal) = yielding::overridden::while_overridden(core, it.id) {
        core.live.edit(it.id).while_state.was_refused = true;
        return unstarted::skip_with(core, it.rule, &firing, BlockedBy::Override, steps, Some(refusal));
    }
    let variables = match admission::variables(core, it.id, it.rule, &firing, Map::default()) {
        Ok(variables) => variables,
        Err(failure) => return fail_to_begin(core, it, &firing, steps, &failure),
    };
    let (verdict, judged) = admission::judge_if(core, it.id, it.rule, &firing, &variables);
    steps.extend(judged);
    let blocked_by = match verdict {
        Judgement::True => None,
        Judgement::False(_) => Some(BlockedBy::Condition),
        Judgement::Unknown(_) => Some(BlockedBy::Unknown),
        Judgement::Failed(failure) => return fail_to_begin(core, it, &firing, steps, &failure),
    };
    if let Some(by) = blocked_by {
        core.live.edit(it.id).while_state.was_refused = true;
        return unstarted::skip_with(core, it.rule, &firing, by, steps, None);
    }
    let now = core.now();
    let state = &mut core.live.edit(it.id).while_state;
    state.begun_at = Some(now);
    state.begun_by = Some(cause.outermost().clone());
    state.changed_at = Some(now);
    state.variables.clone_from(&variables);
    arm_every(core, it, now);
    note_holds(core, it, cause);
    if it.rule.then.is_none() {
        return trace_named_condition(core, it, &firing, steps);
    }
    run_list(core, it, RunList::Then, firing, variables, steps, false);
}

fn fail_to_begin(core: &mut Core, it: While<'_>, firing: &Firing, steps: Vec<Step>, failure: &Failure) {
    core.live.edit(it.id).while_state.was_refused = true;
    unstarted::fail(core, it.rule, firing, steps, failure);
}

/// A condition with a name runs nothing when it begins: its trace says that it has, and why.
fn trace_named_condition(core: &mut Core, it: While<'_>, firing: &Firing, mut steps: Vec<Step>) {
    steps.insert(0, unstarted::trigger_step(core, firing));
    let (rule, at, cause) = (it.rule.id.clone(), core.now(), firing.cause.clone());
    core.trace(Trace { rule, run: None, at, ended_at: at, outcome: Outcome::Finished, cause, steps });
}

/// The condition has become false: what is left of `then` ends, and `else` runs.
fn end(core: &mut Core, it: While<'_>, cause: &Cause, steps: Vec<Step>) {
    forget_begun(core, it, cause);
    core.live.edit(it.id).while_state.changed_at = Some(core.evaluator.world.now);
    let has_room = core.runs.has_any(it.id);
    lifecycle::cancel_runs(core, it.id, StoppedBy::WhileEnded);
    let firing = Firing::of_cause(PATH.into(), cause.clone());
    if it.rule.otherwise.is_none() {
        return unstarted::skip_with(core, it.rule, &firing, BlockedBy::Condition, steps, None);
    }
    match variables_of_begun(core, it, &firing) {
        Ok(variables) => run_list(core, it, RunList::Otherwise, firing, variables, steps, has_room),
        Err(failure) => unstarted::fail(core, it.rule, &firing, steps, &failure),
    }
}

fn forget_begun(core: &mut Core, it: While<'_>, cause: &Cause) {
    if core.live.get(it.id).while_state.begun_at.is_none() {
        return;
    }
    let state = &mut core.live.edit(it.id).while_state;
    (state.begun_at, state.begun_by, state.every_due) = (None, None, None);
    core.deadlines.set(it.id, Due::WhileEvery, None);
    note_holds(core, it, cause);
}

/// Keeps `holds()` true to what is so, and tells those who asked. They have the same cause: nothing needs have run.
fn note_holds(core: &mut Core, it: While<'_>, cause: &Cause) {
    let rule = it.rule.id.clone();
    if core.live.get(it.id).while_state.begun_at.is_some() {
        core.evaluator.world.holding.insert(rule.clone());
    } else {
        core.evaluator.world.holding.remove(&rule);
    }
    core.fact_changed(Fact::Holds(rule), Cause { depth: cause.depth + 1, ..cause.clone() });
}

fn arm_every(core: &mut Core, it: While<'_>, from: Timestamp) {
    let Some(every) = it.start.every else { return };
    let due = later(from, every);
    core.live.edit(it.id).while_state.every_due = Some(due);
    core.deadlines.set(it.id, Due::WhileEvery, Some(due));
}

/// Returns when a `while` began, and what led to that.
fn begin_of(core: &Core, id: LiveId) -> Option<Box<Armed>> {
    let state = &core.live.get(id).while_state;
    Some(Box::new(Armed { at: state.begun_at?, topic: None, cause: state.begun_by.clone() }))
}

/// Returns the rule's `let` as they were when it began; computed now where the rule has others since.
fn variables_of_begun(core: &mut Core, it: While<'_>, firing: &Firing) -> Result<Map, Failure> {
    let known = &core.live.get(it.id).while_state.variables;
    if it.rule.variables.iter().all(|(name, _)| known.contains_key(name)) {
        return Ok(known.clone());
    }
    admission::variables(core, it.id, it.rule, firing, Map::default())
}

/// Runs a list of a `while`, through the rule's mode.
fn run_list(
    core: &mut Core,
    it: While<'_>,
    list: RunList,
    firing: Firing,
    variables: Map,
    steps: Vec<Step>,
    has_room: bool,
) {
    if list.block(it.rule).is_none() {
        return;
    }
    let key = match admission::key(core, it.id, it.rule, &firing, &variables) {
        Ok(key) => key,
        Err(failure) => return unstarted::fail(core, it.rule, &firing, steps, &failure),
    };
    let (id, rule) = (it.id, Arc::clone(it.rule));
    let (caller, call_depth) = (None, 0);
    admission::admit(core, Candidate { id, rule, list, key, firing, variables, steps, caller, call_depth, has_room });
}
