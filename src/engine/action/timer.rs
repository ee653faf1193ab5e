//! `after` and `cancel` of scripts: timers that call a closure later; `run::timer` fires them.

use std::time::Duration;

use crate::engine::core::Core;
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::timer::Timer;
use crate::engine::run::RunList;
use crate::engine::trace::{Armed, StepKind, StepResult};
use crate::model::Name;
use crate::script::{Closure, Failure};

use super::act::Act;

/// How many timers one rule may have at once.
const MOST_TIMERS: usize = 1000;

/// Sets a timer of the rule.
///
/// # Errors
/// When the rule has too many, or they have captured too much.
pub(crate) fn set(act: &mut Act<'_>, name: Option<Name>, delay: Duration, closure: &Closure) -> Result<(), Failure> {
    let id = act.at.id;
    if let Some(name) = &name {
        remove(act.at.core, id, name);
    }
    let timers = &act.at.core.live.get(id).timers;
    if timers.len() >= MOST_TIMERS {
        let why =
            format!("a rule can't have more than {MOST_TIMERS} timers; give them names, so that one replaces another");
        return Err(Failure { place: Some(closure.place()), ..Failure::plain(why) });
    }
    let captured = timers.iter().flat_map(|timer| &timer.captured).chain(closure.captured());
    if let Err(error) = act.at.core.options.limits.value().check(captured) {
        let why = format!("what the closures of the rule's timers have captured is too large: {error}");
        return Err(Failure { place: Some(closure.place()), ..Failure::plain(why) });
    }
    let number = timers.last().map_or(1, |timer| timer.id + 1);
    let result = StepResult::TimerSet { name: name.clone(), delay };
    let (now, run) = (act.at.core.now(), &*act.at.run);
    // Without any time between, a timer that sets itself would never let others have their turn.
    let due = later(now, delay.max(Duration::from_millis(1)));
    let timer = Timer {
        id: number,
        name,
        due,
        closure: closure.id(),
        captured: closure.captured().to_vec(),
        run: run.id,
        depth: run.firing.cause.depth,
        from_another: run.list == RunList::Timer,
        armed: Some(Box::new(Armed { at: now, topic: None, cause: Some(run.firing.cause.outermost().clone()) })),
    };
    act.at.core.live.edit(id).timers.push(timer);
    act.at.core.deadlines.set(id, Due::Timer(number), Some(due));
    act.note(StepKind::After, result);
    Ok(())
}

/// Ends the rule's timer `name`, if there is one.
pub(crate) fn cancel(act: &mut Act<'_>, name: &str) {
    let was_set = remove(act.at.core, act.at.id, name);
    act.note(StepKind::Cancel, StepResult::TimerCancelled { name: name.into(), was_set });
}

/// Arms the timers of a rule, after a restart or a reload.
pub(crate) fn arm_again(core: &mut Core, id: LiveId) {
    for timer in &core.live.get(id).timers {
        core.deadlines.set(id, Due::Timer(timer.id), Some(timer.due));
    }
}

fn remove(core: &mut Core, id: LiveId, name: &str) -> bool {
    let is_it = |timer: &Timer| timer.name.as_deref() == Some(name);
    let Some(index) = core.live.get(id).timers.iter().position(is_it) else { return false };
    let timer = core.live.edit(id).timers.remove(index);
    core.deadlines.set(id, Due::Timer(timer.id), None);
    true
}
