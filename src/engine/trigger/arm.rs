//! Arms triggers: what each knows when it first looks, who is told for it, and what is due.

use crate::engine::core::Core;
use crate::engine::device::follow::subscription;
use crate::engine::device::target::topics;
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::subscriptions::{Part, Subscriber, Subscription};
use crate::rules::{Trigger, TriggerKind};
use crate::script::World;

use super::schedule::next_due;
use super::state::{OutsideFirst, Track, TriggerState};

/// The triggers of a rule or a wait, with what they remember.
#[derive(Clone, Copy)]
pub(crate) struct OfTriggers<'a> {
    pub(crate) id: LiveId,
    pub(crate) owner: Owner,
    pub(crate) triggers: &'a [Trigger],
    pub(crate) states: &'a [TriggerState],
}

/// Returns what a trigger knows when it first looks at the state.
pub(crate) fn first_look(trigger: &Trigger, world: &World, outside_first: OutsideFirst) -> TriggerState {
    let now = world.now;
    match &trigger.kind {
        TriggerKind::State(state) => {
            let known = world.states.matching(&state.filter);
            TriggerState::of_tracks(
                known
                    .map(|(topic, known)| {
                        let payload = known.payload.value();
                        let is_ignored = state.ignored.contains(payload, &state.field);
                        let value = payload.at(&state.field).filter(|_| !is_ignored);
                        (topic.clone(), Track::first_look(state, value, outside_first))
                    })
                    .collect(),
            )
        }
        TriggerKind::Device(device) => {
            let topics = topics(&world.devices, device).into_iter();
            let known = topics.filter_map(|topic| {
                let value = world.states.get(topic.as_str())?.payload.value();
                let track = Track::first_look(&device.state, Some(value), outside_first);
                Some((topic, track))
            });
            TriggerState::of_tracks(known.collect())
        }
        TriggerKind::Silent { filter, hold } => {
            let known = world.states.matching(filter);
            TriggerState::of_tracks(
                known
                    .map(|(topic, known)| {
                        let since = if outside_first == OutsideFirst::Yes { now } else { known.at };
                        let track = Track { silent_at: Some(later(since, *hold)), ..Track::default() };
                        (topic.clone(), track)
                    })
                    .collect(),
            )
        }
        TriggerKind::Schedule { schedule, .. } => TriggerState::of_due(next_due(schedule, now, &world.calendar)),
        TriggerKind::Topic { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Sequence(_)
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => TriggerState::default(),
    }
}

/// Arms triggers as they stand. The expression of an `at` is followed once it was asked.
pub(crate) fn arm(core: &mut Core, of: OfTriggers<'_>) {
    let enabled = (0..=u16::MAX).zip(of.triggers).zip(of.states).filter(|((_, trigger), _)| trigger.enabled);
    for ((index, trigger), state) in enabled {
        let told = match &trigger.kind {
            TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => {
                Some(Subscription::Topics(filter.clone()))
            }
            TriggerKind::State(state) => Some(Subscription::Topics(state.filter.clone())),
            TriggerKind::Device(device) => {
                core.devices.has_listeners = true;
                Some(subscription(core, device))
            }
            TriggerKind::Client { .. } | TriggerKind::Event(_) | TriggerKind::Webhook(_) => Some(Subscription::Events),
            TriggerKind::AtExpression { .. } | TriggerKind::Schedule { .. } | TriggerKind::Sequence(_) => None,
        };
        if let Some(told) = told {
            let subscriber = Subscriber { rule: of.id, part: Part::Trigger(of.owner, index) };
            core.subscriptions.set(subscriber, told);
        }
        core.deadlines.set(of.id, Due::Trigger(of.owner, index, None), state.due);
        for (topic, track) in state.tracks() {
            if let Some(due) = track.due() {
                core.deadlines.set(of.id, Due::Trigger(of.owner, index, Some(topic.clone())), Some(due));
            }
        }
    }
}
