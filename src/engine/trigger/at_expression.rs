//! `at` with an expression: asked when it is armed, and again whenever what it read may be different.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::condition::evaluator::Evaluator;
use crate::engine::condition::recheck::next_recheck;
use crate::engine::condition::scope::{Scope, ThreadScope};
use crate::engine::core::Core;
use crate::engine::instant::just_after;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::subscriptions::{Part, Subscriber, Subscription};
use crate::engine::run::unstarted;
use crate::engine::trace::{Cause, CauseKind};
use crate::engine::trigger::firing::Firing;
use crate::model::schedule::{Calendar, Schedule, TimeOfDay, Weekdays};
use crate::model::{Map, Value};
use crate::rules::{Rule, Trigger, TriggerKind};
use crate::script::{Expression, Failure, Reads};

use super::schedule::{next_due, set_due};

/// Returns when an expression is due, from `from` on, and what it read.
pub(crate) fn evaluate(
    evaluator: &mut Evaluator,
    scope: &Scope<'_>,
    expression: &Expression,
    weekdays: Weekdays,
    from: Timestamp,
) -> (Result<Option<Timestamp>, Failure>, Reads) {
    let mut reads = Reads::default();
    let due = evaluator.value(scope, expression, &mut reads).and_then(|value| {
        due_of_value(&value, weekdays, from, &evaluator.world.calendar)
            .map_err(|message| Failure::of_expression(expression, message))
    });
    (due, reads)
}

/// Makes an expression be asked again when what it read may be different.
pub(crate) fn follow(core: &mut Core, id: LiveId, owner: Owner, index: u16, reads: Reads) {
    let recheck = next_recheck(&reads, core.now(), &core.evaluator.world.calendar);
    core.deadlines.set(id, Due::AtRecheck(owner, index), recheck);
    let subscriber = Subscriber { rule: id, part: Part::At(owner, index) };
    core.subscriptions.set(subscriber, Subscription::Reads(Box::new(reads)));
}

/// Asks the expression of a rule's trigger again, and arms what it gives. A failure is the rule's.
pub(crate) fn recheck_rule(core: &mut Core, id: LiveId, index: u16) {
    let Err(failure) = recheck(core, id, Owner::Rule, index) else { return };
    // It would fail again each minute: it is asked when what it reads changes.
    core.deadlines.set(id, Due::AtRecheck(Owner::Rule, index), None);
    let rule = Arc::clone(&core.live.get(id).rule);
    if let Some(trigger) = rule.triggers().get(usize::from(index)) {
        let firing = Firing::of_cause(Arc::clone(&trigger.path), Cause::outside(CauseKind::Condition));
        unstarted::fail(core, &rule, &firing, Vec::new(), &failure);
    }
}

/// Asks the expression of a trigger again, and arms what it gives. Where it fails, that is nothing.
///
/// # Errors
/// When it fails, but for want of a value.
pub(crate) fn recheck(core: &mut Core, id: LiveId, owner: Owner, index: u16) -> Result<(), Failure> {
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(trigger) = core.trigger_of(&rule, owner, index) else { return Ok(()) };
    let TriggerKind::AtExpression { expression, weekdays, .. } = &trigger.kind else { return Ok(()) };
    let now = core.now();
    let fired_at = core.trigger_state(id, owner, index).and_then(|state| state.fired_at);
    let from = fired_at.filter(|at| *at >= now).map_or(now, just_after);
    let (due, reads) = ask(core, (id, owner), &rule, expression, *weekdays, from);
    let (due, failure) = match due {
        Ok(due) => (due, None),
        Err(Failure { without_value: Some(_), .. }) => (None, None),
        // Its run has to do with the failure of a wait.
        Err(failure) if owner != Owner::Rule => return Err(failure),
        Err(failure) => (None, Some(failure)),
    };
    // What was missed while the daemon was down is still to be caught up with.
    let old_due = core.trigger_state(id, owner, index).and_then(|state| state.due);
    let due = old_due.filter(|due| *due < now).or(due);
    follow(core, id, owner, index, reads);
    if old_due == due {
        core.deadlines.set(id, Due::Trigger(owner, index, None), due);
    } else {
        set_due(core, id, owner, index, due);
    }
    failure.map_or(Ok(()), Err)
}

/// An expression's time has come: it fires, and its next time is armed.
pub(crate) fn fire(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    rule: &Rule,
    trigger: &Trigger,
    (expression, weekdays, due): (&Expression, Weekdays, Timestamp),
) -> Firing {
    core.edit_trigger(id, owner, index, |state| state.fired_at = Some(due));
    let (next, _) = ask(core, (id, owner), rule, expression, weekdays, just_after(due));
    set_due(core, id, owner, index, next.unwrap_or_default());
    Firing::of_time(trigger, due, core.now())
}

fn ask(
    core: &mut Core,
    (id, owner): (LiveId, Owner),
    rule: &Rule,
    expression: &Expression,
    weekdays: Weekdays,
    from: Timestamp,
) -> (Result<Option<Timestamp>, Failure>, Reads) {
    let (locals, thread) = match owner {
        Owner::Rule => (Map::default(), ThreadScope::default()),
        Owner::Wait(run, wait) => core.runs.scope_of_wait(run, wait),
    };
    let scope = core.scope_in_thread(id, rule, None, &locals, thread);
    evaluate(&mut core.evaluator, &scope, expression, weekdays, from)
}

/// Returns when what an expression gave is due, from `from` on.
fn due_of_value(
    value: &Value,
    weekdays: Weekdays,
    from: Timestamp,
    calendar: &Calendar,
) -> Result<Option<Timestamp>, String> {
    let instant = |at: Timestamp| (at >= from && weekdays.contains(calendar.date_of(at))).then_some(at);
    match value {
        Value::Null => Ok(None),
        Value::Time(time) => Ok(instant(time.timestamp())),
        Value::Text(text) => {
            if let Ok(time) = TimeOfDay::parse(text) {
                return Ok(next_due(&Schedule::At { times: vec![time], weekdays }, from, calendar));
            }
            if let Ok(at) = text.parse::<Timestamp>() {
                return Ok(instant(at));
            }
            match text.parse::<jiff::civil::DateTime>() {
                Ok(local) => Ok(instant(calendar.first_instant(local))),
                Err(_) => Err(format!("`at` must give a time (`07:30`, or with a date), and gives `{text}`")),
            }
        }
        other => Err(format!("`at` must give a time as text, and gives {}: {other}", other.kind())),
    }
}
