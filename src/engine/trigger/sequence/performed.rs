//! What a part that fires does to its sequence, and when presses are counted.

use std::sync::Arc;

use jiff::Timestamp;

use super::hits::{Asked, Whole};
use super::taps::Counting;
use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::trigger::firing::Firing;
use crate::model::Value;
use crate::rules::{Order, Sequence, Trigger, TriggerKind};

/// A trigger that fires: what it sets is given to its rule, or, where it's a part, to its sequence. Returns what is given to
/// the rule.
pub(crate) fn take(core: &mut Core, (id, owner, index): (LiveId, Owner, u16), firing: Firing) -> Vec<Firing> {
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(part) = core.trigger_of(&rule, owner, index).and_then(|trigger| trigger.part_of) else {
        return vec![firing];
    };
    if owner == Owner::Rule && !core.live.get(id).is_enabled() {
        return Vec::new();
    }
    let Some(trigger) = core.trigger_of(&rule, owner, part.sequence).map(std::borrow::Cow::into_owned) else {
        return Vec::new();
    };
    let (TriggerKind::Sequence(sequence), true) = (&trigger.kind, trigger.enabled) else { return Vec::new() };
    let (now, number) = (core.now(), core.evaluator.sequence);
    let (mut whole, mut due) = (Vec::new(), None);
    core.edit_trigger(id, owner, part.sequence, |state| {
        let known = state.sequence.get_or_insert_default();
        match sequence.order {
            Order::AsWritten | Order::Any => {
                let Sequence { parts, within, order } = *sequence;
                whole = known.hits.take(Asked { parts, within, order }, (number, now), part.part, firing);
            }
            Order::Times { times, exact } => {
                let counting = Counting { times, within: sequence.within, exact };
                whole.extend(known.taps.press(counting, now, firing));
                due = known.taps.next_due();
            }
        }
        state.due = due;
    });
    core.deadlines.set(id, Due::Trigger(owner, part.sequence, None), due);
    whole.into_iter().filter_map(|whole| firing_of(&trigger, sequence, whole)).collect()
}

/// The time of presses is over. Returns what they set where they were as many as were wanted.
pub(crate) fn fire_due(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    trigger: &Trigger,
    now: Timestamp,
) -> Vec<Firing> {
    let TriggerKind::Sequence(sequence) = &trigger.kind else { return Vec::new() };
    let Order::Times { times, exact } = sequence.order else { return Vec::new() };
    let counting = Counting { times, within: sequence.within, exact };
    let (mut whole, mut due) = (Vec::new(), None);
    core.edit_trigger(id, owner, index, |state| {
        if let Some(known) = &mut state.sequence {
            whole = known.taps.take_due(counting, now);
            due = known.taps.next_due();
        }
        state.due = due;
    });
    core.deadlines.set(id, Due::Trigger(owner, index, None), due);
    whole.into_iter().filter_map(|whole| firing_of(trigger, sequence, whole)).collect()
}

/// Returns what a sequence sets that is whole: what its last part does, and all of them as `trigger.parts`.
fn firing_of(trigger: &Trigger, sequence: &Sequence, Whole { parts, last, since }: Whole) -> Option<Firing> {
    let mut firing = parts.get(last)?.clone();
    firing.trigger_id.clone_from(&trigger.id);
    firing.path = Arc::clone(&trigger.path);
    firing.cause = firing.cause.since(since);
    let mut agreed = Vec::new();
    for part in &parts {
        for (name, capture) in &part.named {
            let is_shared = parts.iter().filter(|other| other.named.iter().any(|(known, _)| known == name)).count() > 1;
            if is_shared && !agreed.contains(capture) {
                agreed.push(Arc::clone(capture));
            }
            if firing.named.iter().all(|(known, _)| known != name) {
                firing.named.push((Arc::clone(name), Arc::clone(capture)));
            }
        }
    }
    if !matches!(sequence.order, Order::Times { .. }) {
        let all = || parts.iter().flat_map(|part| part.captures.iter().cloned()).collect();
        firing.per = Some(if agreed.is_empty() { all() } else { agreed });
    }
    firing.parts = parts.iter().map(|part| Value::Map(Arc::new(part.to_map()))).collect();
    Some(firing)
}
