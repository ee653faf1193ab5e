//! Activation: a rule that has just come into force looks at the state, and is armed as it stands.

use std::sync::Arc;

use super::action::timer;
use super::condition::tracker::{Tracker, topic_filter, tracked_conditions};
use super::core::Core;
use super::history;
use super::live::deadlines::Due;
use super::live::id::LiveId;
use super::live::owner::Owner;
use super::live::subscriptions::{Part, Subscriber, Subscription};
use super::live::table::Adopted;
use super::run;
use super::trigger::arm::{OfTriggers, arm, first_look};
use super::trigger::at_expression::recheck_rule;
use super::trigger::state::{OutsideFirst, TriggerState};
use super::while_rule::perform;
use super::while_rule::reconsider::While;
use super::yielding::end;
use crate::rules::{Rule, TriggerKind};

/// Gives a new rule what is kept of it, and arms it.
pub(crate) fn activate(core: &mut Core, id: LiveId) {
    let rule = Arc::clone(&core.live.get(id).rule);
    match core.live.adopt(id) {
        None | Some(Adopted::Whole) => {}
        Some(Adopted::WithGaps) => look_at_the_rest(core, id, &rule),
        Some(Adopted::OfChangedRule { ended }) => run::timer::record_ended(core, &rule.id, &ended),
    }
    if core.live.get(id).triggers().len() != rule.triggers().len() {
        let states = first_looks(core, &rule);
        core.live.set_triggers(id, states);
    }
    if rule.each_topic.is_some() {
        history::keep_what_rule_asks(core, id);
    }
    wake_trackers(core, id, &rule);
    arm_rule(core, id, &rule);
}

/// Makes what came back from the store look at the topics that have been silent since its first look: nothing is kept of
/// those.
fn look_at_the_rest(core: &mut Core, id: LiveId, rule: &Rule) {
    let looks = first_looks(core, rule);
    core.live.add_tracks(id, looks);
    let (tracked, states) = (tracked_conditions(rule), &core.evaluator.world.states);
    core.live.set_trackers(id, |mut trackers| {
        for tracker in &mut trackers {
            if let Some((_, condition)) = tracked.iter().find(|(path, _)| **path == tracker.path) {
                tracker.look(condition, states);
            }
        }
        trackers
    });
}

fn first_looks(core: &Core, rule: &Rule) -> Vec<TriggerState> {
    let world = &core.evaluator.world;
    rule.triggers().iter().map(|trigger| first_look(trigger, world, OutsideFirst::No)).collect()
}

fn wake_trackers(core: &mut Core, id: LiveId, rule: &Rule) {
    let (tracked, states) = (tracked_conditions(rule), &core.evaluator.world.states);
    core.live.set_trackers(id, |mut known| {
        let trackers = tracked.iter().map(|(path, condition)| {
            if let Some(index) = known.iter().position(|tracker| tracker.path == **path) {
                return known.swap_remove(index);
            }
            let mut tracker = Tracker { path: Arc::clone(path), ..Tracker::default() };
            tracker.look(condition, states);
            tracker
        });
        trackers.collect()
    });
}

/// Arms what a rule's triggers, trackers, timers and `while` wait for, as they stand.
fn arm_rule(core: &mut Core, id: LiveId, rule: &Arc<Rule>) {
    let live = core.live.get(id);
    core.deadlines.set(id, Due::Rested, live.resting_until);
    let states = live.triggers().to_vec();
    arm(core, OfTriggers { id, owner: Owner::Rule, triggers: rule.triggers(), states: &states });
    for (index, trigger) in (0..=u16::MAX).zip(rule.triggers()) {
        if matches!(trigger.kind, TriggerKind::AtExpression { .. }) && trigger.enabled {
            recheck_rule(core, id, index);
        }
    }
    for (index, (_, condition)) in (0..=u16::MAX).zip(tracked_conditions(rule)) {
        if let Some(filter) = topic_filter(&condition.topic) {
            let subscriber = Subscriber { rule: id, part: Part::Tracker(index) };
            core.subscriptions.set(subscriber, Subscription::Topics(filter));
        }
    }
    if !core.live.get(id).overrides.is_empty() {
        end::arm(core, id);
    }
    core.deadlines.set(id, Due::Invariant, core.live.get(id).invariant.due);
    timer::arm_again(core, id);
    if let Some(it) = While::of(id, rule) {
        perform::arm(core, it);
    }
}
