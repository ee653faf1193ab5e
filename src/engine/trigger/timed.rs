//! What a trigger's deadline leads to: a schedule fires, a hold is over, a topic has been silent for too long.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::core::Core;
use crate::engine::instant::earlier;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::soon::Soon;
use crate::engine::trace::Armed;
use crate::engine::trigger::firing::Firing;
use crate::model::Topic;
use crate::rules::{DeviceTrigger, Rule, Trigger, TriggerKind};

use super::{at_expression, schedule};

/// A trigger was due at `due`; with a topic: its hold or its silence. Returns what it sets where it fires.
pub(crate) fn fire(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    due: Timestamp,
    topic: Option<&Topic>,
) -> Vec<Firing> {
    let rule: Arc<Rule> = Arc::clone(&core.live.get(id).rule);
    let Some(trigger) = core.trigger_of(&rule, owner, index) else { return Vec::new() };
    if let Some(topic) = topic {
        return fire_topic(core, (id, owner, index), &trigger, due, topic).into_iter().collect();
    }
    if core.trigger_state(id, owner, index).and_then(|state| state.due) != Some(due) {
        return Vec::new();
    }
    match &trigger.kind {
        TriggerKind::Schedule { schedule, .. } => schedule::fire(core, (id, owner, index), &trigger, schedule, due),
        TriggerKind::AtExpression { expression, weekdays, .. } => {
            vec![at_expression::fire(core, (id, owner, index), &rule, &trigger, (expression, *weekdays, due))]
        }
        TriggerKind::Topic { .. }
        | TriggerKind::State(_)
        | TriggerKind::Device(_)
        | TriggerKind::Silent { .. }
        | TriggerKind::Sequence(_)
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => Vec::new(),
    }
}

fn fire_topic(
    core: &mut Core,
    (id, owner, index): (LiveId, Owner, u16),
    trigger: &Trigger,
    due: Timestamp,
    topic: &Topic,
) -> Option<Firing> {
    match &trigger.kind {
        TriggerKind::State(state) | TriggerKind::Device(DeviceTrigger { state, .. }) => {
            let has_range = state.range.is_some();
            let held = core.edit_track(id, owner, index, topic, |track| {
                let hold = track.hold.take_if(|hold| hold.due == due);
                if hold.is_some() {
                    track.is_spent = has_range;
                }
                (Soon::AtOnce, hold.map(|hold| (hold, track.last.clone())))
            });
            let (hold, value) = held.flatten()?;
            let mut firing = Firing { value, ..hold.firing };
            firing.cause = firing.cause.since(hold.since);
            // Of a device, the message is that of the topic on which it spoke.
            let spoke = firing.topic.as_ref().filter(|_| firing.device.is_some()).unwrap_or(topic);
            if let Some(known) = core.evaluator.world.states.get(spoke.as_str()) {
                firing.payload = Some(known.payload.clone());
            }
            Some(firing)
        }
        TriggerKind::Silent { filter, hold } => {
            let was_due = core
                .edit_track(id, owner, index, topic, |track| (Soon::AtOnce, track.silent_at.take_if(|at| *at == due)));
            was_due.flatten()?;
            let known = core.evaluator.world.states.get(topic.as_str());
            let mut firing = Firing::of_time(trigger, due, core.now()).with_state(filter, topic, known);
            let at = earlier(due, *hold);
            firing.cause.armed = Some(Box::new(Armed { at, topic: Some(topic.clone()), cause: None }));
            Some(firing)
        }
        TriggerKind::Topic { .. }
        | TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Sequence(_)
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => None,
    }
}
