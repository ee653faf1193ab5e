//! How often rules run: `limit` bounds it for each key, and a rule that runs very often is told, or rests
//! (docs/language/modes.md, docs/language/loops.md).

use std::time::Duration;

use jiff::Timestamp;

use crate::rules::{LogLevel, Start, Storm};

use crate::engine::core::Core;
use crate::engine::effect::{Alert, AlertKind};
use crate::engine::instant::later;
use crate::engine::live::id::LiveId;
use crate::engine::often::loop_guard;
use crate::engine::run::key::RunKey;

/// Over which time runs are counted.
const STORM_TIME: Duration = Duration::from_secs(10);

/// How often a storm is told.
const TOLD_EACH: Duration = Duration::from_mins(1);

/// Returns until when a rule may not run for this key, since it has run as often as its `limit` allows.
pub(crate) fn limited_until(core: &Core, id: LiveId, key: &RunKey) -> Option<Timestamp> {
    let live = core.live.get(id);
    let limit = live.rule.limit?;
    let runs = live.limited.get(key)?;
    // The one that must be over before another may begin.
    let first = runs.iter().rev().nth(limit.times.checked_sub(1)?)?;
    Some(later(*first, limit.within)).filter(|until| *until > core.now())
}

/// Counts a run of `then` for its key.
pub(crate) fn count_limited(core: &mut Core, id: LiveId, key: &RunKey) {
    let now = core.now();
    let live = core.live.get(id);
    let (Some(limit), Start::When(_)) = (live.rule.limit, &live.rule.start) else { return };
    let limited = &mut core.live.edit(id).limited;
    for runs in limited.values_mut() {
        while runs.front().is_some_and(|at| later(*at, limit.within) <= now) {
            runs.pop_front();
        }
    }
    limited.retain(|_, runs| !runs.is_empty());
    let runs = limited.entry(key.clone()).or_default();
    runs.push_back(now);
    while runs.len() > limit.times {
        runs.pop_front();
    }
}

/// Returns whether a rule with `storm: stop` would run too often: then it rests.
pub(crate) fn is_stopped(core: &mut Core, id: LiveId) -> bool {
    if core.live.get(id).rule.storm != Storm::Stop {
        return false;
    }
    let most = core.options.storm;
    if runs_of_late(core, id) < most {
        return false;
    }
    loop_guard::stop_for_rate(core, id, most, STORM_TIME);
    true
}

/// Counts a run, whatever set it off, and tells of one too many, once a minute.
pub(crate) fn count_run(core: &mut Core, id: LiveId) {
    let most = match core.live.get(id).rule.storm {
        Storm::Off => return,
        Storm::Tell | Storm::Stop => core.options.storm,
        Storm::Beyond(most) => most,
    };
    let count = runs_of_late(core, id) + 1;
    let now = core.now();
    let pace = core.live.edit_pace(id);
    pace.runs.push_back(now);
    // The last of them tell all there is to know.
    while pace.runs.len() > most + 1 {
        pace.runs.pop_front();
    }
    if count <= most || pace.told_at.is_some_and(|told| later(told, TOLD_EACH) > now) {
        return;
    }
    pace.told_at = Some(now);
    let rule = core.live.get(id).rule.id.clone();
    let message = format!("ran more than {most} times in {} s", STORM_TIME.as_secs());
    core.log(Some(&rule), LogLevel::Warn, message.clone());
    loop_guard::raise_alert(core, Alert { kind: AlertKind::Storm, rule: Some(rule), invariant: None, message });
}

fn runs_of_late(core: &mut Core, id: LiveId) -> usize {
    let now = core.now();
    let pace = core.live.edit_pace(id);
    while pace.runs.front().is_some_and(|at| later(*at, STORM_TIME) <= now) {
        pace.runs.pop_front();
    }
    pace.runs.len()
}
