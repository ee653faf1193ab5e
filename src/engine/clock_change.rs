//! The wall clock was set: what lasts a time keeps what remains of it, what is due at a time of day is computed anew.
//!
//! So a computer that learns the time after its start ends no delay early, and one whose clock goes back an hour
//! doesn't stand still for one. Where it is set by less than a minute, no time of day is left out. A fixed time that has
//! fired doesn't fire again where the clock goes back by up to a day; further back, it had been wrong altogether, and what
//! it showed would keep schedules waiting for ever. What a clock that is set forward passes over counts as missed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::core::Core;
use super::inbox::Incoming;
use super::instant::{Shift, just_before, later, moved};
use super::live::id::LiveId;
use super::live::owner::Owner;
use super::run::wait;
use super::trigger::at_expression::recheck_rule;
use super::trigger::schedule::{Missed, set_due};
use crate::model::schedule::Schedule;
use crate::rules::{Trigger, TriggerKind};

/// A step by which clocks are put right, not set to another time.
pub(crate) const SMALL_STEP: SignedDuration = SignedDuration::from_mins(1);

/// So far back, a clock that is set shows times that were once before.
const REPEATED: SignedDuration = SignedDuration::from_hours(24);

/// Returns how far the clock is behind the time at which the daemon was last alive: it was set back while the daemon was
/// down, as that of a computer without a battery is at each start.
pub(crate) fn behind(core: &Core) -> SignedDuration {
    let behind = core.alive_at.map(|alive_at| alive_at.duration_since(core.now()));
    behind.filter(SignedDuration::is_positive).unwrap_or_default()
}

/// Moves what was saved, before it is put in force: else what lasts would end when the clock shows that time again.
pub(crate) fn shift_saved(core: &mut Core, by: SignedDuration) {
    if by.is_zero() {
        return;
    }
    core.alive_at = core.alive_at.map(|at| moved(at, by));
    core.evaluator.world.states.shift(by);
    core.evaluator.world.history.shift(by);
    core.live.shift_dormant(by);
    core.runs.shift(by);
    core.snapshots.shift(by);
    core.notices.shift(by);
    core.commanded.shift(by);
}

/// Makes what [`shift_saved`] moved be kept.
pub(crate) fn keep_shifted(core: &mut Core) {
    core.evaluator.world.states.change_all();
    core.live.keep_all_at_once();
    core.runs.keep_all_at_once();
}

/// Moves all that lasts.
pub(crate) fn shift(core: &mut Core, by: SignedDuration) {
    core.evaluator.world.states.shift(by);
    core.evaluator.world.history.shift(by);
    core.live.shift(by);
    core.runs.shift(by);
    core.snapshots.shift(by);
    core.notices.shift(by);
    core.commanded.shift(by);
    core.deadlines.shift(by);
    keep_shifted(core);
}

/// Makes all open waits be asked again.
pub(crate) fn recheck_waits(core: &mut Core) {
    let waits = core.runs.iter().flat_map(|run| run.waits().map(|wait| (run.id, wait.id)));
    for (run, wait) in waits.collect::<Vec<_>>() {
        core.inbox.push(Incoming::RecheckWait { run, wait });
    }
}

/// Returns the rules' schedules that catch up and were due at times that the clock, set forward, passed over, with the last
/// of those times; in the order in which they were due.
pub(crate) fn passed_over(core: &Core) -> Vec<Missed> {
    let mut missed: Vec<Missed> = core.live.iter().flat_map(|(id, _)| passed_over_of(core, id)).collect();
    in_order(core, &mut missed);
    missed
}

/// Puts them in the order in which they were due.
pub(crate) fn in_order(core: &Core, missed: &mut [Missed]) {
    missed.sort_by(|left, right| {
        let order = core.live.order(left.id, right.id);
        left.due.cmp(&right.due).then(order).then(left.index.cmp(&right.index))
    });
}

fn passed_over_of(core: &Core, id: LiveId) -> Vec<Missed> {
    let now = core.now();
    let live = core.live.get(id);
    let triggers = (0..=u16::MAX).zip(live.rule.triggers()).zip(live.triggers());
    let missed = triggers.filter_map(|((index, trigger), state)| {
        let (due, catch_up) = match &trigger.kind {
            TriggerKind::Schedule { schedule, catch_up: Some(catch_up) } => {
                let since = moved(now, -SignedDuration::try_from(*catch_up).unwrap_or(SignedDuration::MAX));
                let since = since.max(state.due.map_or(now, just_before));
                (schedule.last(since, now, &core.evaluator.world.calendar)?, *catch_up)
            }
            TriggerKind::AtExpression { catch_up: Some(catch_up), .. } => (state.due?, *catch_up),
            TriggerKind::Schedule { catch_up: None, .. }
            | TriggerKind::AtExpression { catch_up: None, .. }
            | TriggerKind::Topic { .. }
            | TriggerKind::State(_)
            | TriggerKind::Device(_)
            | TriggerKind::Silent { .. }
            | TriggerKind::Sequence(_)
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_)
            | TriggerKind::Webhook(_) => return None,
        };
        let is_missed = due < now && later(due, catch_up) >= now && state.fired_at.is_none_or(|fired| fired < due);
        let rule = Arc::clone(&live.rule);
        (is_missed && trigger.enabled).then_some(Missed { id, index, due, catches_up: true, rule })
    });
    missed.collect()
}

/// After a start: a zone that is another one, or whose rules are, makes what is still to come due at other instants.
pub(crate) fn recompute_what_is_to_come(core: &mut Core) {
    let now = core.now();
    for id in core.live.ids() {
        let rule = Arc::clone(&core.live.get(id).rule);
        for (index, trigger) in enabled(rule.triggers()) {
            let TriggerKind::Schedule { schedule, .. } = &trigger.kind else { continue };
            let Some(state) = core.live.get(id).trigger(index) else { continue };
            let next = next_unfired(core, schedule, state.fired_at, just_before(now));
            if state.due.is_none_or(|due| due >= now) && state.due != next {
                set_due(core, id, Owner::Rule, index, next);
            }
        }
    }
}

/// Computes anew when schedules are due: those of rules, and those that runs wait for.
pub(crate) fn recompute_schedules(core: &mut Core) {
    for id in core.live.ids() {
        let rule = Arc::clone(&core.live.get(id).rule);
        recompute(core, id, Owner::Rule, rule.triggers());
    }
    let waits = core.runs.iter().flat_map(|run| run.waits().map(|wait| (run.live, run.id, wait.id)));
    for (id, run, wait) in waits.collect::<Vec<_>>() {
        let Some(id) = id else { continue };
        let rule = Arc::clone(&core.live.get(id).rule);
        let Some(open) = core.runs.get(run).and_then(|run| run.wait(wait)) else { continue };
        let triggers = open.triggers(&rule).to_vec();
        recompute(core, id, Owner::Wait(run, wait), &triggers);
    }
}

fn recompute(core: &mut Core, id: LiveId, owner: Owner, triggers: &[Trigger]) {
    let now = core.now();
    for (index, trigger) in enabled(triggers) {
        match &trigger.kind {
            TriggerKind::Schedule { schedule, .. } => {
                let fired_at = core.trigger_state(id, owner, index).and_then(|state| state.fired_at);
                let next = next_unfired(core, schedule, fired_at, now);
                set_due(core, id, owner, index, next);
            }
            TriggerKind::AtExpression { .. } => {
                set_due(core, id, owner, index, None);
                core.edit_trigger(id, owner, index, |state| {
                    state.fired_at = state.fired_at.filter(|fired_at| is_repeated(*fired_at, now, REPEATED));
                });
                match owner {
                    Owner::Rule => recheck_rule(core, id, index),
                    Owner::Wait(run, wait) => wait::recheck_at(core, run, wait, index),
                }
            }
            TriggerKind::Topic { .. }
            | TriggerKind::State(_)
            | TriggerKind::Device(_)
            | TriggerKind::Silent { .. }
            | TriggerKind::Sequence(_)
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_)
            | TriggerKind::Webhook(_) => {}
        }
    }
}

/// Returns when a schedule that fired for `fired_at` is due next, strictly after `after`.
fn next_unfired(core: &Core, schedule: &Schedule, fired_at: Option<Timestamp>, after: Timestamp) -> Option<Timestamp> {
    let repeated = if schedule.is_fixed() { REPEATED } else { SMALL_STEP };
    let after = fired_at.filter(|fired_at| is_repeated(*fired_at, after, repeated)).unwrap_or(after);
    schedule.next(after, &core.evaluator.world.calendar)
}

fn enabled(triggers: &[Trigger]) -> impl Iterator<Item = (u16, &Trigger)> {
    (0..=u16::MAX).zip(triggers).filter(|(_, trigger)| trigger.enabled)
}

/// Returns whether the clock, which shows `now`, will show `fired_at` again within `repeated`.
fn is_repeated(fired_at: Timestamp, now: Timestamp, repeated: SignedDuration) -> bool {
    fired_at > now && fired_at.duration_since(now) <= repeated
}
