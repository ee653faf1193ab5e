//! Keeps triggers on devices armed for the devices that are there: those that match now or later.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::soon::Soon;
use crate::engine::live::subscriptions::{Part, Subscriber, Subscription};
use crate::engine::trigger::arm::first_look;
use crate::engine::trigger::state::{OutsideFirst, TriggerState};
use crate::model::Topic;
use crate::rules::{DeviceTrigger, Trigger, TriggerKind};
use crate::script::Reads;

use super::target::topics;

/// Returns what a trigger on devices is told of.
pub(crate) fn subscription(core: &Core, trigger: &DeviceTrigger) -> Subscription {
    let topics: BTreeSet<Topic> = topics(&core.evaluator.world.devices, trigger).into_iter().collect();
    Subscription::Reads(Box::new(Reads { topics, ..Reads::default() }))
}

/// Arms the triggers on devices anew where other devices are there than before.
pub(crate) fn follow_changes(core: &mut Core) {
    if !std::mem::take(&mut core.devices.is_changed) || !core.devices.has_listeners {
        return;
    }
    for id in core.live.ids() {
        let rule = Arc::clone(&core.live.get(id).rule);
        if !rule.triggers().iter().any(is_of_devices) {
            continue;
        }
        let looks = looks(core, rule.triggers(), OutsideFirst::No);
        core.live.add_tracks(id, looks);
        follow(core, id, Owner::Rule, rule.triggers());
    }
    let waits = core.runs.iter().flat_map(|run| run.waits().map(|wait| (run.live, run.id, wait.id)));
    for (id, run, wait) in waits.collect::<Vec<_>>() {
        let Some(id) = id else { continue };
        let rule = Arc::clone(&core.live.get(id).rule);
        let Some(open) = core.runs.get(run).and_then(|run| run.wait(wait)) else { continue };
        let triggers = open.triggers(&rule).to_vec();
        if triggers.iter().any(is_of_devices) {
            follow(core, id, Owner::Wait(run, wait), &triggers);
        }
    }
}

fn is_of_devices(trigger: &Trigger) -> bool {
    matches!(trigger.kind, TriggerKind::Device(_))
}

/// What triggers on devices know when they first look; those on others nothing.
fn looks(core: &Core, triggers: &[Trigger], outside_first: OutsideFirst) -> Vec<TriggerState> {
    let look = |trigger: &Trigger| {
        if is_of_devices(trigger) {
            first_look(trigger, &core.evaluator.world, outside_first)
        } else {
            TriggerState::default()
        }
    };
    triggers.iter().map(look).collect()
}

fn follow(core: &mut Core, id: LiveId, owner: Owner, triggers: &[Trigger]) {
    for (index, trigger) in (0..=u16::MAX).zip(triggers).filter(|(_, trigger)| trigger.enabled) {
        let TriggerKind::Device(device) = &trigger.kind else { continue };
        let subscription = subscription(core, device);
        // What is held for a device that isn't meant any more, or isn't there, holds no longer.
        let Subscription::Reads(reads) = &subscription else { continue };
        let held = core.trigger_state(id, owner, index).into_iter().flat_map(TriggerState::tracks);
        let held = held.filter(|(topic, track)| track.hold.is_some() && !reads.topics.contains(*topic));
        let lost: Vec<Topic> = held.map(|(topic, _)| topic.clone()).collect();
        core.subscriptions.set(Subscriber { rule: id, part: Part::Trigger(owner, index) }, subscription);
        for topic in lost {
            core.edit_track(id, owner, index, &topic, |track| {
                track.hold = None;
                (Soon::AtOnce, ())
            });
            core.deadlines.set(id, Due::Trigger(owner, index, Some(topic)), None);
        }
    }
}
