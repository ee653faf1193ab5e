//! Triggers that a time sets off: `at`, `every`, `cron` and `sun`, on time and after downtime.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::core::Core;
use crate::engine::instant::{just_before, later};
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::trigger::firing::Firing;
use crate::model::schedule::{Calendar, Schedule};
use crate::rules::{Rule, Trigger, TriggerKind};

/// Returns when a schedule is due next, `from` included.
pub(crate) fn next_due(schedule: &Schedule, from: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    schedule.next(just_before(from), calendar)
}

/// Makes a trigger due at `due`, whenever it was due before.
pub(crate) fn set_due(core: &mut Core, id: LiveId, owner: Owner, index: u16, due: Option<Timestamp>) {
    core.edit_trigger(id, owner, index, |state| state.due = due);
    core.deadlines.set(id, Due::Trigger(owner, index, None), due);
}

/// A schedule is due: it fires, and its next time is armed.
pub(crate) fn fire(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    trigger: &Trigger,
    schedule: &Schedule,
    due: Timestamp,
) -> Vec<Firing> {
    let next = schedule.next(due, &core.evaluator.world.calendar);
    core.edit_trigger(id, owner, index, |state| state.fired_at = Some(due));
    set_due(core, id, owner, index, next);
    Firing::of_schedule(trigger, schedule, due, (core.now(), &core.evaluator.world.calendar))
}

/// Arms a rule's trigger that was missed for its next time; an expression must be asked for that.
pub(crate) fn rearm(core: &mut Core, id: LiveId, index: u16, trigger: &Trigger) {
    let now = core.now();
    let next = match &trigger.kind {
        TriggerKind::Schedule { schedule, .. } => next_due(schedule, now, &core.evaluator.world.calendar),
        _ => None,
    };
    set_due(core, id, Owner::Rule, index, next);
}

/// A rule's trigger that was due while the daemon was down.
pub(crate) struct Missed {
    pub(crate) id: LiveId,
    pub(crate) index: u16,
    /// When it was due last.
    pub(crate) due: Timestamp,
    /// Whether that is still caught up with.
    pub(crate) catches_up: bool,
    pub(crate) rule: Arc<Rule>,
}

impl Missed {
    /// Returns the trigger.
    pub(crate) fn trigger(&self) -> Option<&Trigger> {
        self.rule.triggers().get(usize::from(self.index))
    }
}

/// Returns the triggers of a rule that were due while the daemon was down.
pub(crate) fn missed(core: &Core, id: LiveId) -> Vec<Missed> {
    let live = core.live.get(id);
    let now = core.now();
    let triggers = (0..=u16::MAX).zip(live.rule.triggers()).zip(live.triggers());
    let missed = triggers.filter(|((_, trigger), _)| trigger.enabled).filter_map(|((index, trigger), state)| {
        let known_due = state.due.filter(|due| *due < now);
        let (due, catch_up) = match &trigger.kind {
            TriggerKind::Schedule { schedule, catch_up } => {
                let due = known_due?;
                (schedule.last(due, now, &core.evaluator.world.calendar).unwrap_or(due), catch_up)
            }
            TriggerKind::AtExpression { catch_up, .. } => (known_due?, catch_up),
            TriggerKind::Topic { .. }
            | TriggerKind::State(_)
            | TriggerKind::Device(_)
            | TriggerKind::Silent { .. }
            | TriggerKind::Sequence(_)
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_)
            | TriggerKind::Webhook(_) => return None,
        };
        let catches_up = catch_up.is_some_and(|catch_up| later(due, catch_up) >= now);
        Some(Missed { id, index, due, catches_up, rule: Arc::clone(&live.rule) })
    });
    missed.collect()
}
