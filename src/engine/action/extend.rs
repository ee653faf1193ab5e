//! `extend`: moves the end of what a rule waits for: a `for`, a `linger`, a `delay`, a `wait`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::engine::core::Core;
use crate::engine::instant::moved;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::soon::Soon;
use crate::engine::run::thread::Waiting;
use crate::engine::trace::{RunId, StepKind, StepResult};
use crate::model::Value;
use crate::model::schedule::{Schedule, TimeOfDay, Weekdays};
use crate::rules::{ExtendTo, RuleReference};
use crate::script::{Failure, Template};

use super::act::Act;
use super::call;
use super::next::Next;

/// Where an end is moved to.
#[derive(Debug, Clone, Copy)]
enum To {
    Later(SignedDuration),
    Then(Timestamp),
}

impl To {
    fn of(self, due: Timestamp) -> Timestamp {
        match self {
            To::Later(by) => moved(due, by),
            To::Then(at) => at,
        }
    }
}

/// Moves the end of all that a rule waits for; where it waits for nothing, nothing happens.
///
/// # Errors
/// When there is no such rule, or its new time can't be computed.
pub(crate) fn extend(act: &mut Act<'_>, reference: &RuleReference, to: &ExtendTo) -> Result<Next, Failure> {
    let (name, id) = call::find(act, reference)?;
    let (to, result) = match to {
        ExtendTo::By(duration) => {
            let duration: Duration = act.evaluate(|engine, scope, reads| engine.duration(scope, duration, reads))?;
            let by = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
            (To::Later(by), StepResult::Lasts(duration))
        }
        ExtendTo::Until(template) => {
            let at = until(act, template)?;
            (To::Then(at), StepResult::Rule(name.clone()))
        }
    };
    if act.at.rule.dry_run {
        act.note(StepKind::Extend, StepResult::Would(Box::new(result)));
        return Ok(Next::GoOn);
    }
    act.note(StepKind::Extend, result);
    let core = &mut *act.at.core;
    extend_holds(core, id, to);
    extend_while(core, id, to);
    let runs: Vec<RunId> = core.runs.of_rule(id).map(|(_, run)| run).collect();
    for run in runs {
        extend_run(core, id, run, to);
    }
    Ok(Next::GoOn)
}

/// Returns the time that `until` gives: the next time that it is this time of day, or the time itself.
fn until(act: &mut Act<'_>, template: &Template) -> Result<Timestamp, Failure> {
    let value = act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))?;
    let core = &*act.at.core;
    let calendar = &core.evaluator.world.calendar;
    let found = match &value {
        Value::Time(time) => Some(time.timestamp()),
        Value::Text(text) => match TimeOfDay::parse(text) {
            Ok(time) => Schedule::At { times: vec![time], weekdays: Weekdays::ALL }.next(core.now(), calendar),
            Err(_) => text.parse::<Timestamp>().ok().or_else(|| {
                let local = text.parse::<jiff::civil::DateTime>().ok()?;
                Some(calendar.first_instant(local))
            }),
        },
        _ => None,
    };
    found
        .ok_or_else(|| Failure::plain(format!("`until` must give a time (`07:30`, or with a date), and gives {value}")))
}

fn extend_holds(core: &mut Core, id: LiveId, to: To) {
    let mut holds = Vec::new();
    for (index, state) in (0..=u16::MAX).zip(core.live.get(id).triggers()) {
        let held = state.tracks().iter().filter(|(_, track)| track.hold.is_some());
        holds.extend(held.map(|(topic, _)| (index, topic.clone())));
    }
    for (index, topic) in holds {
        let due = core.edit_track(id, Owner::Rule, index, &topic, |track| {
            let due = track.hold.as_mut().map(|hold| {
                hold.due = to.of(hold.due);
                hold.due
            });
            (Soon::AtOnce, due)
        });
        if let Some(due) = due.flatten() {
            core.deadlines.set(id, Due::Trigger(Owner::Rule, index, Some(topic)), Some(due));
        }
    }
}

fn extend_while(core: &mut Core, id: LiveId, to: To) {
    if core.live.get(id).while_state.pending.is_none() {
        return;
    }
    let pending = core.live.edit(id).while_state.pending.as_mut().map(|pending| {
        pending.due = to.of(pending.due);
        pending.due
    });
    core.deadlines.set(id, Due::WhilePending, pending);
}

fn extend_run(core: &mut Core, id: LiveId, run: RunId, to: To) {
    let mut dues = Vec::new();
    let Some(edited) = core.runs.edit(run) else { return };
    let ids: Vec<u32> = edited.threads.iter().map(|(thread, _)| thread).collect();
    for thread_id in ids {
        let Some(thread) = edited.threads.get_mut(thread_id) else { continue };
        if let Some(Waiting::Time(at)) = &mut thread.waiting {
            *at = to.of(*at);
            dues.push((Due::Wake(run, thread_id), *at));
        }
        for wait in &mut thread.waits {
            if let Some(timeout) = &mut wait.timeout {
                *timeout = to.of(*timeout);
                dues.push((Due::Timeout(run, wait.id), *timeout));
            }
        }
    }
    for (what, due) in dues {
        core.deadlines.set(id, what, Some(due));
    }
}
