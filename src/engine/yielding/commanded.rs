//! What rules commanded last of what is watched, by the topic that tells of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::{Shift, later};
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::live::saved_rule::{from_json, to_json};
use crate::engine::run::key::RunKey;
use crate::model::{Name, RuleId, Topic, Value};

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
