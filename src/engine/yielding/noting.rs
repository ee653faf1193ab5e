//! Notes what rules and others command, for the topics that are watched.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::core::Core;
use crate::engine::instant::later;
use crate::engine::run::Run;
use crate::model::{Message, Topic, Value, parse_duration};
use crate::rules::Rule;

use super::commanded::{Commanded, Hand};
use super::related::{is_command_of, is_commanding, states_of};

/// A rule publishes `message`: notes what that commands of what is watched. `rule` is the one that does, in the run `run`.
pub(crate) fn note(core: &mut Core, rule: &Rule, run: &Run, message: &Message) {
    if !core.live.yields_any() {
        return;
    }
    for topic in watched(core, &message.topic, Some(rule)) {
        if rule.hand {
            let hand = Hand { at: core.now(), client: None, rule: Some(rule.id.clone()) };
            core.commanded.forget(&topic);
            core.commanded.note_hand(topic, hand);
            continue;
        }
        note_command(core, topic, message, Some((rule, run)));
    }
}

/// Rules elsewhere publish `message`, those that these rules are the shadow of: what follows from it was no hand.
pub(crate) fn note_elsewhere(core: &mut Core, message: &Message) {
    if !core.live.yields_any() {
        return;
    }
    for topic in watched(core, &message.topic, None) {
        note_command(core, topic, message, None);
    }
}

fn note_command(core: &mut Core, topic: Topic, message: &Message, by: Option<(&Rule, &Run)>) {
    let now = core.now();
    let before = core.value_of(&topic).cloned().unwrap_or_default();
    let mut value = message.payload.value().clone();
    let adopts = is_toggle(&value);
    let transition = transition_of(&value);
    let known = core.commanded.get(&topic);
    let mut runs = known.map(|known| known.runs.clone()).unwrap_or_default();
    if let Some((rule, run)) = by {
        runs.retain(|(id, ..)| *id != rule.id);
        runs.push((rule.id.clone(), run.key.clone(), run.firing.named.clone()));
    }
    if let (Some(Value::Map(old)), Value::Map(new)) = (known.map(|known| &known.value), &value) {
        let mut merged = (**old).clone();
        merged.extend(new.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
        value = Value::Map(Arc::new(merged));
    }
    let has_echoed = message.topic == topic;
    let at = later(now, transition);
    core.commanded.put(topic, Commanded { value, at, before, has_echoed, adopts, runs });
}

/// Somebody else published `message`: notes what that commands of what is watched.
pub(crate) fn note_other(core: &mut Core, message: &Message, client: Option<&Arc<str>>) {
    if !core.live.yields_any() || !is_commanding(&message.topic) {
        return;
    }
    for topic in watched(core, &message.topic, None) {
        if topic != message.topic {
            let hand = Hand { at: core.now(), client: client.cloned(), rule: None };
            core.commanded.note_hand(topic, hand);
        }
    }
}

/// Returns the watched topics that tell what a message of `command` commands. What `rule` publishes on its only topic is for the only
/// one that it watches, whatever both are called.
fn watched(core: &Core, command: &Topic, rule: Option<&Rule>) -> Vec<Topic> {
    let mut found = BTreeSet::new();
    let states = &core.evaluator.world.states;
    for id in core.live.yielding() {
        let other = &core.live.get(*id).rule;
        let Some(yields) = &other.yields else { continue };
        for watched in &yields.to {
            let known = states.matching(&watched.filter).map(|(topic, _)| topic.clone());
            found.extend(states_of(command, &watched.filter, known));
        }
        let is_own = rule.is_some_and(|rule| rule.id == other.id);
        let only = if let [only] = yields.to.as_slice() { only.filter.as_topic() } else { None };
        found.extend(only.filter(|state| is_own && is_only_command(other, state)));
    }
    found.into_iter().collect()
}

/// Returns whether a rule publishes on one topic only, so that this commands what it watches.
fn is_only_command(rule: &Rule, state: &Topic) -> bool {
    let topics: BTreeSet<String> = rule
        .actions()
        .flat_map(|action| action.kind.messages())
        .map(|message| message.topic.filter().map_or_else(String::new, |filter| filter.as_str().to_owned()))
        .collect();
    let is_related = |topic: &String| Topic::parse(topic).is_ok_and(|topic| is_command_of(&topic, state));
    topics.len() == 1 && !topics.iter().any(is_related)
}

fn is_toggle(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.eq_ignore_ascii_case("toggle"),
        Value::Map(map) => map.values().any(is_toggle),
        _ => false,
    }
}

/// Returns how long the change takes that a command asks for.
fn transition_of(value: &Value) -> Duration {
    let Value::Map(map) = value else { return Duration::ZERO };
    match map.get("transition") {
        Some(Value::Text(text)) => parse_duration(text).unwrap_or_default(),
        Some(other) => {
            other.as_number().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default()
        }
        None => Duration::ZERO,
    }
}
