//! What the triggers of an invariant do: they arm it, count, or are what it waits for; and publications that it may refuse.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::condition::judgement::Judgement;
use crate::engine::core::Core;
use crate::engine::instant::{elapsed, later};
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::subscriptions::{Part, Subscriber};
use crate::engine::run::admission;
use crate::engine::run::key::RunKey;
use crate::engine::trace::{Cause, CauseKind};
use crate::engine::trigger::firing::Firing;
use crate::engine::trigger::message::{Arrival, Notice, notify};
use crate::model::{Map, Message, Origin, Size};
use crate::rules::{Condition, EXPECT, InvariantForm, Rule};

use super::judge::{self, touch};
use super::news::Breach;
use super::state::Obligation;
use super::tell::{self, Telling};

/// How much may be waited for at once: more of the same says nothing new.
const MOST_OPEN: usize = 1000;

/// How many captures are counted before those that say nothing any more are dropped.
const MANY_COUNTS: usize = 64;

/// A trigger of the invariant fired.
pub(crate) fn fire(core: &mut Core, id: LiveId, firing: Firing) {
    if let CauseKind::Message { origin: Origin::Retained | Origin::Restored, .. } = firing.cause.kind {
        return;
    }
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(invariant) = &rule.invariant else { return };
    match &invariant.form {
        InvariantForm::After { .. } if firing.path.starts_with(EXPECT) => follows(core, id, &firing),
        InvariantForm::After { within, .. } => arm(core, id, &rule, *within, firing),
        InvariantForm::AtMost { most, within } => count(core, id, (*most, *within), &firing),
        // It's asked when something is published.
        InvariantForm::OnlyIf(_) | InvariantForm::Never { .. } => {}
    }
}

/// Something is published, by a rule or from outside: asks the invariants that may refuse it.
pub(crate) fn on_publication(core: &mut Core, message: &Message, cause: &Cause) {
    if !core.live.refuses_any() || !core.has_started || matches!(message.origin, Origin::Retained | Origin::Restored) {
        return;
    }
    let mut subscribers = Vec::new();
    core.subscriptions.find(&message.topic, &mut subscribers);
    subscribers.retain(|subscriber| {
        let invariant = core.live.get(subscriber.rule).rule.invariant.as_ref();
        invariant.is_some_and(|invariant| matches!(invariant.form, InvariantForm::OnlyIf(_)))
    });
    subscribers.sort_unstable_by(|left, right| {
        core.live.order(left.rule, right.rule).then_with(|| left.part.cmp(&right.part))
    });
    subscribers.dedup();
    let (said, made) = (Vec::new(), Vec::new());
    let arrival = Arrival { message: message.clone(), said, made, is_news: true, size: Size::Fits };
    for Subscriber { rule: id, part } in subscribers {
        let Part::Trigger(Owner::Rule, index) = part else { continue };
        let rule = Arc::clone(&core.live.get(id).rule);
        let Some(trigger) = rule.triggers().get(usize::from(index)) else { continue };
        let notice =
            Notice { id, rule: &rule, owner: Owner::Rule, index, trigger, arrival: &arrival, said: None, cause };
        if let Some(firing) = notify(core, &notice) {
            permit(core, id, &rule, &firing);
        }
    }
}

/// Asks whether what is published may be.
fn permit(core: &mut Core, id: LiveId, rule: &Rule, firing: &Firing) {
    let Some(InvariantForm::OnlyIf(condition)) = rule.invariant.as_ref().map(|invariant| &invariant.form) else {
        return;
    };
    tell::armed(core, id, firing);
    let Some(variables) = variables(core, id, rule, firing) else { return };
    let key = RunKey::of_captures(&firing.captures);
    let (verdict, steps) =
        judge::ask(core, (id, rule), condition, Some(firing), &variables, &mut crate::script::Reads::default());
    match verdict {
        Judgement::True => {
            tell::held(core, id, &key, firing);
            core.live.edit_late(id).invariant.refused.remove(&key);
        }
        Judgement::False(_) => {
            let topic = firing.topic.clone();
            let Some(topic) = topic else { return };
            core.live.edit_late(id).invariant.refused.insert(key.clone(), (firing.clone(), variables));
            let at = core.now();
            tell::broken(core, id, key, Breach::Published(topic), Telling { firing, at, steps });
            touch(core, id, &firing.cause);
        }
        Judgement::Unknown(_) => {}
        Judgement::Failed(failure) => tell::failed(core, id, &failure.to_string(), firing, steps),
    }
}

/// Something must follow from now on.
fn arm(core: &mut Core, id: LiveId, rule: &Rule, within: Duration, firing: Firing) {
    tell::armed(core, id, &firing);
    let Some(variables) = variables(core, id, rule, &firing) else { return };
    let (key, at) = (RunKey::of_captures(&firing.captures), core.now());
    touch(core, id, &firing.cause);
    let open = &mut core.live.edit(id).invariant.open;
    if open.len() >= MOST_OPEN {
        return;
    }
    open.push(Obligation { key, at, due: later(at, within), firing, variables, since: None, is_late: false });
}

/// What was waited for happened: captures of one name must agree.
fn follows(core: &mut Core, id: LiveId, firing: &Firing) {
    let agrees = |open: &Obligation| {
        firing.named.iter().all(|(name, value)| {
            open.firing.named.iter().find(|(known, _)| known == name).is_none_or(|(_, known)| known == value)
        })
    };
    let open = std::mem::take(&mut core.live.edit(id).invariant.open);
    let (met, left): (Vec<_>, Vec<_>) = open.into_iter().partition(agrees);
    core.live.edit(id).invariant.open = left;
    for met in met {
        tell::held(core, id, &met.key, firing);
    }
    touch(core, id, &firing.cause);
}

/// Counts what may not happen too often.
fn count(core: &mut Core, id: LiveId, (most, within): (usize, Duration), firing: &Firing) {
    tell::armed(core, id, firing);
    let (key, now) = (RunKey::of_captures(&firing.captures), core.now());
    let counts = &mut core.live.edit_late(id).invariant.counts;
    if counts.len() > MANY_COUNTS {
        counts.retain(|_, times| times.back().is_some_and(|last| elapsed(*last, now) <= within));
    }
    let times = counts.entry(key.clone()).or_default();
    while times.front().is_some_and(|first| elapsed(*first, now) > within) {
        times.pop_front();
    }
    times.push_back(now);
    let is_too_often = times.len() > most;
    while times.len() > most.saturating_add(1) {
        times.pop_front();
    }
    if is_too_often {
        let telling = Telling { firing, at: now, steps: Vec::new() };
        tell::broken(core, id, key, Breach::TooOften { most, within }, telling);
    } else {
        tell::held(core, id, &key, firing);
    }
}

/// Computes the `let` of an invariant; `None` where that fails, which is told.
fn variables(core: &mut Core, id: LiveId, rule: &Rule, firing: &Firing) -> Option<Map> {
    match admission::variables(core, id, rule, firing, Map::default()) {
        Ok(variables) => Some(variables),
        Err(failure) => {
            tell::failed(core, id, &failure.to_string(), firing, Vec::new());
            None
        }
    }
}

/// Returns the condition under which something may be published.
pub(super) fn only_if(rule: &Rule) -> Option<&Condition> {
    match &rule.invariant.as_ref()?.form {
        InvariantForm::OnlyIf(condition) => Some(condition),
        InvariantForm::Never { .. } | InvariantForm::After { .. } | InvariantForm::AtMost { .. } => None,
    }
}
