//! What rules commanded last of what is watched, by the topic that tells of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::core::Core;
use crate::engine::instant::{Shift, later};
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::live::saved_rule::{from_json, to_json};
use crate::engine::run::Run;
use crate::engine::run::key::RunKey;
use crate::model::{Message, Name, RuleId, Topic, Value, parse_duration};
use crate::rules::Rule;

use super::related::{is_command_of, is_commanding, states_of};

/// How the keys of rows begin that say what was commanded.
pub(crate) const COMMANDED: &str = "commanded/";

/// What rules commanded last.
#[derive(Debug, Default)]
pub(crate) struct AllCommanded {
    by_topic: BTreeMap<Topic, Commanded>,
    unsaved: BTreeSet<Topic>,
    /// What others commanded of late, by the topic that will tell of it.
    hands: BTreeMap<Topic, Hand>,
}

/// A command of somebody else.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    pub(crate) at: Timestamp,
    pub(crate) client: Option<Arc<str>>,
    pub(crate) rule: Option<RuleId>,
}

/// What rules commanded last of one topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Commanded {
    /// The payload, or its keys.
    pub(crate) value: Value,
    /// When the change it asks for is done.
    pub(crate) at: Timestamp,
    /// What the topic said then.
    pub(crate) before: Value,
    /// Whether it has said what was commanded since.
    pub(crate) has_echoed: bool,
    /// Whether the first report says what was commanded: after `toggle`.
    pub(crate) adopts: bool,
    /// Which run of each rule commanded it last, and what its wildcards matched.
    pub(crate) runs: Vec<CommandingRun>,
}

/// A rule, the key of its run, and what the wildcards of its trigger matched.
pub(crate) type CommandingRun = (RuleId, RunKey, Vec<(Name, Arc<str>)>);

impl Commanded {
    /// Returns whether a report at `now` may be about what was before.
    pub(crate) fn is_in_grace(&self, now: Timestamp, grace: Duration) -> bool {
        !self.has_echoed && now <= later(self.at, grace)
    }

    /// Returns the value that was commanded of a key; of the whole payload where there is none.
    pub(crate) fn of(&self, key: Option<&str>) -> Option<&Value> {
        match (key, &self.value) {
            (Some(key), Value::Map(map)) => map.get(key),
            (_, Value::Map(_)) => None,
            (_, value) => Some(value),
        }
    }
}

impl AllCommanded {
    pub(crate) fn get(&self, topic: &Topic) -> Option<&Commanded> {
        self.by_topic.get(topic)
    }

    pub(crate) fn edit(&mut self, topic: &Topic, edit: impl FnOnce(&mut Commanded)) {
        if let Some(commanded) = self.by_topic.get_mut(topic) {
            edit(commanded);
            self.unsaved.insert(topic.clone());
        }
    }

    pub(super) fn put(&mut self, topic: Topic, commanded: Commanded) {
        self.unsaved.insert(topic.clone());
        self.by_topic.insert(topic, commanded);
    }

    pub(super) fn forget(&mut self, topic: &Topic) {
        if self.by_topic.remove(topic).is_some() {
            self.unsaved.insert(topic.clone());
        }
    }

    /// Notes that somebody else commanded what `topic` will tell of.
    pub(super) fn note_hand(&mut self, topic: Topic, hand: Hand) {
        let now = hand.at;
        self.hands.retain(|_, known| later(known.at, HAND) >= now);
        // Whatever it says from now on isn't about our command.
        self.edit(&topic, |commanded| commanded.has_echoed = true);
        self.hands.insert(topic, hand);
    }

    /// Returns who commanded of late what `topic` tells of.
    pub(crate) fn hand(&self, topic: &Topic, now: Timestamp) -> Option<&Hand> {
        self.hands.get(topic).filter(|hand| later(hand.at, HAND) >= now)
    }

    /// Says what must be kept.
    pub(crate) fn save(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        while let Some(topic) = self.unsaved.pop_first() {
            let value = self.by_topic.get(&topic).and_then(to_json);
            save(SaveKey(format!("{COMMANDED}{topic}").into()), value);
        }
    }

    /// Takes back what was kept; `None` where `key` is of something else.
    pub(crate) fn restore(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let topic = key.strip_prefix(COMMANDED)?;
        let mut read = || -> Result<(), String> {
            let topic = Topic::parse(topic).map_err(|error| error.to_string())?;
            self.by_topic.insert(topic, from_json(value)?);
            Ok(())
        };
        Some(read())
    }

    /// Makes all of it be kept.
    pub(crate) fn keep_all(&mut self) {
        self.unsaved.extend(self.by_topic.keys().cloned());
    }
}

impl Shift for AllCommanded {
    fn shift(&mut self, by: SignedDuration) {
        self.by_topic.values_mut().for_each(|commanded| commanded.at.shift(by));
        self.keep_all();
    }
}

/// How long a command of somebody else may take until it shows.
const HAND: Duration = Duration::from_secs(10);

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
        note_command(core, topic, message, rule, run);
    }
}

fn note_command(core: &mut Core, topic: Topic, message: &Message, rule: &Rule, run: &Run) {
    let now = core.now();
    let before = core.value_of(&topic).cloned().unwrap_or_default();
    let mut value = message.payload.value().clone();
    let adopts = is_toggle(&value);
    let transition = transition_of(&value);
    let known = core.commanded.get(&topic);
    let mut runs = known.map(|known| known.runs.clone()).unwrap_or_default();
    runs.retain(|(id, ..)| *id != rule.id);
    runs.push((rule.id.clone(), run.key.clone(), run.firing.named.clone()));
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
