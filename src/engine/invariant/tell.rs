//! Says what became of an invariant: to the shell, to the log, as an alert, and to the rules that wait for it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::core::Core;
use crate::engine::effect::{Alert, AlertKind, Effect};
use crate::engine::inbox::{About, Incoming};
use crate::engine::live::id::LiveId;
use crate::engine::often::loop_guard;
use crate::engine::run::key::RunKey;
use crate::engine::trace::masked::Masker;
use crate::engine::trace::{Cause, Step};
use crate::engine::trigger::firing::Firing;
use crate::rules::{HomeEvent, LogLevel};

use super::news::{Breach, InvariantChange, InvariantNews};

/// What is said of an invariant beside what became of it.
pub(super) struct Telling<'a> {
    pub(super) firing: &'a Firing,
    pub(super) at: Timestamp,
    pub(super) steps: Vec<Step>,
}

/// Says, once since the start, that there is something to judge.
pub(super) fn armed(core: &mut Core, id: LiveId, firing: &Firing) {
    if core.live.get(id).invariant.was_armed {
        return;
    }
    core.live.edit_late(id).invariant.was_armed = true;
    let at = core.now();
    tell(core, id, InvariantChange::Armed, Telling { firing, at, steps: Vec::new() });
}

/// The invariant is broken for these captures: says so, unless it was.
pub(super) fn broken(core: &mut Core, id: LiveId, key: RunKey, breach: Breach, telling: Telling<'_>) {
    if core.live.get(id).invariant.broken.contains_key(&key) {
        return;
    }
    core.live.edit(id).invariant.broken.insert(key, telling.at);
    let mut message = breach.to_string();
    Masker(&core.secrets).text(&mut message);
    let (firing, depth) = (telling.firing.clone(), telling.firing.cause.depth);
    tell(core, id, InvariantChange::Broken(breach), telling);
    raise(core, id, (AlertKind::InvariantBroken, HomeEvent::InvariantBroken), message, &firing, depth);
}

/// The invariant holds for these captures: says so where it was broken.
pub(super) fn held(core: &mut Core, id: LiveId, key: &RunKey, firing: &Firing) {
    if !core.live.get(id).invariant.broken.contains_key(key) {
        return;
    }
    core.live.edit(id).invariant.broken.remove(key);
    let at = core.now();
    tell(core, id, InvariantChange::Held, Telling { firing, at, steps: Vec::new() });
}

/// The invariant couldn't be judged: says so, unless that was just said.
pub(crate) fn failed(core: &mut Core, id: LiveId, message: &str, firing: &Firing, steps: Vec<Step>) {
    if core.live.get(id).invariant.trouble.as_deref() == Some(message) {
        return;
    }
    core.live.edit_late(id).invariant.trouble = Some(message.to_owned());
    let mut message = message.to_owned();
    Masker(&core.secrets).text(&mut message);
    let (at, depth) = (core.now(), firing.cause.depth);
    tell(core, id, InvariantChange::Failed(message.clone()), Telling { firing, at, steps });
    raise(core, id, (AlertKind::InvariantFailed, HomeEvent::InvariantFailed), message, firing, depth);
}

/// Returns what stands for a firing where there was none.
pub(super) fn without_firing(cause: &Cause) -> Firing {
    Firing::of_cause("invariant".into(), cause.clone())
}

fn tell(core: &mut Core, id: LiveId, change: InvariantChange, telling: Telling<'_>) {
    let Some(invariant) = core.live.get(id).rule.invariant.as_ref().map(|invariant| invariant.id.clone()) else {
        return;
    };
    let Telling { firing, at, mut steps } = telling;
    if !core.secrets.is_empty() {
        Masker(&core.secrets).steps(&mut steps);
    }
    let (captures, cause) = (firing.captures.clone(), firing.cause.clone());
    core.effects.push(Effect::Invariant(Arc::new(InvariantNews { invariant, at, change, captures, cause, steps })));
}

fn raise(
    core: &mut Core,
    id: LiveId,
    (kind, event): (AlertKind, HomeEvent),
    message: String,
    firing: &Firing,
    depth: u32,
) {
    let Some(invariant) = core.live.get(id).rule.invariant.as_ref().map(|invariant| invariant.id.clone()) else {
        return;
    };
    let said = match kind {
        AlertKind::InvariantBroken => format!("the invariant `{invariant}` is broken: {message}"),
        _ => format!("the invariant `{invariant}` can't be judged: {message}"),
    };
    core.log(None, LogLevel::Error, said);
    let alert = Alert { kind, rule: None, invariant: Some(invariant.clone()), message };
    // What rules do about it may break it again: not without end.
    if depth < core.options.chain {
        loop_guard::queue_alert(core, &alert, depth + 1);
        let (captures, named) = (firing.captures.clone(), firing.named.clone());
        let about = About { rule: None, invariant: Some(invariant), captures, named };
        core.inbox.push(Incoming::Told { event, about: Box::new(about), depth: depth + 1 });
    }
    core.effects.push(Effect::Alert(alert));
}
