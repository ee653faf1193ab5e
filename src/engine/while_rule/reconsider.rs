//! Asks the condition of a `while` anew, and lets the rule begin or end, now or later.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::condition::judge::Judging;
use crate::engine::condition::judgement::Judgement;
use crate::engine::condition::recheck::next_recheck;
use crate::engine::condition::tracker::tracked_conditions;
use crate::engine::condition::turned::turned_at;
use crate::engine::core::Core;
use crate::engine::instant::{just_before, later};
use crate::engine::invariant;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::{Part, Subscriber, Subscription};
use crate::engine::often::loop_guard;
use crate::engine::run::unstarted;
use crate::engine::trace::{Armed, BlockedBy, Cause, CauseKind, Fault, Outcome, Refusal, Step, Trace, Verdict};
use crate::engine::trigger::firing::Firing;
use crate::engine::waits;
use crate::model::Map;
use crate::rules::{Rule, Start, WhileRule};

use super::perform;
use super::state::Pending;
use super::transition::Transition;

/// A rule in force that is a `while`.
#[derive(Clone, Copy)]
pub(crate) struct While<'a> {
    pub(crate) id: LiveId,
    pub(crate) rule: &'a Arc<Rule>,
    pub(crate) start: &'a WhileRule,
}

impl<'a> While<'a> {
    /// Returns `rule`, which is in force as `id`; `None` where it has `when`.
    pub(crate) fn of(id: LiveId, rule: &'a Arc<Rule>) -> Option<While<'a>> {
        match &rule.start {
            Start::While(start) => Some(While { id, rule, start }),
            Start::When(_) => None,
        }
    }
}

/// Asks the condition of the rule `id`, where it is a `while` that may begin or end now.
pub(crate) fn reconsider(core: &mut Core, id: LiveId, cause: &Cause) {
    let live = core.live.get(id);
    if live.rule.invariant.is_some() {
        return invariant::judge::touch(core, id, cause);
    }
    if !core.has_started || !live.is_enabled() || live.resting_until.is_some() {
        return;
    }
    let rule = Arc::clone(&live.rule);
    if let Some(it) = While::of(id, &rule) {
        ask(core, it, cause);
    }
}

/// Returns the cause of asking a condition at `due`: where a `for` within it is over then, what began that.
pub(crate) fn recheck_cause(core: &Core, id: LiveId, due: Timestamp) -> Cause {
    let armed = over_hold(core, id, just_before(due), due).map(|(_, armed)| armed);
    Cause { armed, ..Cause::time(due, core.now()) }
}

/// Asks the condition of the rule `id` at the start, where the daemon was last alive at `alive_at`. Where a `for` within it
/// has been over since, or a window of time has begun or ended, it's asked when the deadlines of that time fire, so that all of
/// them come in order.
pub(crate) fn wake(core: &mut Core, id: LiveId, alive_at: Option<Timestamp>) {
    let due = alive_at.and_then(|alive_at| {
        let over = over_hold(core, id, alive_at, core.now()).map(|(due, _)| due);
        over.or_else(|| turned_meanwhile(core, id, alive_at))
    });
    match due {
        Some(due) => core.deadlines.set(id, Due::WhileRecheck, Some(due)),
        None => reconsider(core, id, &Cause::outside(CauseKind::Condition)),
    }
}

/// Returns when time alone made the condition of the rule `id` what it wasn't at `alive_at`.
fn turned_meanwhile(core: &mut Core, id: LiveId, alive_at: Timestamp) -> Option<Timestamp> {
    let rule = Arc::clone(&core.live.get(id).rule);
    let it = While::of(id, &rule)?;
    let wanted = !core.live.get(id).while_state.is_true;
    turned_at(core, alive_at, wanted, |core| {
        let locals = Map::default();
        let scope = core.scope(it.id, it.rule, None, &locals);
        let mut judging = Judging::new(&scope, core.live.get(it.id).trackers());
        let is_true = match core.evaluator.judge(&mut judging, &it.start.condition) {
            Judgement::True => true,
            Judgement::False(_) => false,
            Judgement::Unknown(_) | Judgement::Failed(_) => return None,
        };
        Some((is_true, judging.reads))
    })
}

/// Drops what was put off.
pub(crate) fn drop_pending(core: &mut Core, id: LiveId) {
    if core.live.get(id).while_state.pending.is_some() {
        core.live.edit(id).while_state.pending = None;
        core.deadlines.set(id, Due::WhilePending, None);
    }
}

fn ask(core: &mut Core, it: While<'_>, cause: &Cause) {
    waits::note(core);
    let locals = Map::default();
    let scope = core.scope(it.id, it.rule, None, &locals);
    let mut judging = Judging::new(&scope, core.live.get(it.id).trackers());
    let verdict = core.evaluator.judge(&mut judging, &it.start.condition);
    let (reads, steps) = (judging.reads, judging.steps);
    let recheck = next_recheck(&reads, core.now(), &core.evaluator.world.calendar);
    core.deadlines.set(it.id, Due::WhileRecheck, recheck);
    let subscriber = Subscriber { rule: it.id, part: Part::While };
    core.subscriptions.set(subscriber, Subscription::Reads(Box::new(reads)));
    match verdict {
        Judgement::True => take_answer(core, it, true, cause, steps),
        Judgement::False(_) => take_answer(core, it, false, cause, steps),
        Judgement::Unknown(_) => {
            note_trouble(core, it, cause, Outcome::Skipped(BlockedBy::Unknown), verdict.traced(), steps);
        }
        Judgement::Failed(failure) => {
            let outcome = Outcome::Failed(Fault::from(&failure));
            note_trouble(core, it, cause, outcome, Judgement::Failed(failure).traced(), steps);
        }
    }
}

/// The condition is true or false: the rule begins or ends, now or when that is due, or stays as it was.
fn take_answer(core: &mut Core, it: While<'_>, holds: bool, cause: &Cause, steps: Vec<Step>) {
    let now = core.now();
    let state = &core.live.get(it.id).while_state;
    let transition = state.transition(holds, it.start, it.rule.cooldown, now);
    let is_new = state.is_true != holds || (!holds && state.was_refused);
    if state.trouble.is_some() {
        core.live.edit_late(it.id).while_state.trouble = None;
    }
    if is_new {
        let state = &mut core.live.edit(it.id).while_state;
        state.is_true = holds;
        state.was_refused &= holds;
    }
    match transition {
        Transition::Stay => {}
        Transition::GoOn => drop_pending(core, it.id),
        Transition::Break => {
            let pending = core.live.edit(it.id).while_state.pending.take();
            core.deadlines.set(it.id, Due::WhilePending, None);
            if let Some(pending) = pending {
                trace_broken(core, it, pending, steps);
            }
        }
        Transition::Turn { edge, due } => {
            let pending = Pending { what: edge, since: now, due, cause: cause.clone(), steps };
            if due <= now {
                return perform::turn(core, it, pending);
            }
            core.live.edit(it.id).while_state.pending = Some(pending);
            core.deadlines.set(it.id, Due::WhilePending, Some(due));
        }
    }
}

/// Says once why a condition has no answer; the rule stays as it was.
fn note_trouble(
    core: &mut Core,
    it: While<'_>,
    cause: &Cause,
    outcome: Outcome,
    verdict: Verdict,
    mut steps: Vec<Step>,
) {
    if core.live.get(it.id).while_state.trouble.as_ref() == Some(&verdict) {
        return;
    }
    core.live.edit_late(it.id).while_state.trouble = Some(verdict);
    let firing = Firing::of_cause(perform::PATH.into(), cause.clone());
    steps.insert(0, unstarted::trigger_step(core, &firing));
    let fault = if let Outcome::Failed(fault) = &outcome { Some(fault.clone()) } else { None };
    let (rule, at) = (it.rule.id.clone(), core.now());
    core.trace(Trace { rule, run: None, at, ended_at: at, outcome, cause: cause.clone(), steps });
    if let Some(fault) = fault {
        loop_guard::rule_failed(core, &it.rule.id, &fault, cause.depth);
    }
}

/// Says that what was true isn't any more; not where it would have begun at once.
fn trace_broken(core: &mut Core, it: While<'_>, pending: Pending, steps: Vec<Step>) {
    if pending.due <= pending.since {
        return;
    }
    let refusal = Refusal::HoldBroken { topic: None, since: pending.since, due: pending.due, value: None };
    let firing = Firing::of_cause(perform::PATH.into(), pending.cause.since(pending.since));
    unstarted::skip_with(core, it.rule, &firing, BlockedBy::Hold, steps, Some(refusal));
}

/// Returns when a `for` within a condition was over last, after `from` up to `until`, and what began it.
fn over_hold(core: &Core, id: LiveId, from: Timestamp, until: Timestamp) -> Option<(Timestamp, Box<Armed>)> {
    let live = core.live.get(id);
    let tracked = tracked_conditions(&live.rule);
    let holds = live.trackers().iter().zip(&tracked).flat_map(|(tracker, (_, condition))| {
        let due = |since: Timestamp| condition.hold.map(|hold| later(since, hold));
        tracker.since.iter().filter_map(move |(topic, since)| Some((due(*since)?, topic, *since)))
    });
    let over = holds.filter(|(due, ..)| *due > from && *due <= until).max_by_key(|(due, ..)| *due);
    over.map(|(due, topic, at)| (due, Box::new(Armed { at, topic: Some(topic.clone()), cause: None })))
}
