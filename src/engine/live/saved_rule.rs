//! What is kept of a rule for a restart, and what a rule takes of it when it comes back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::condition::tracker::Tracker;
use crate::engine::instant::Shift;
use crate::engine::invariant::state::InvariantState;
use crate::engine::run::key::RunKey;
use crate::engine::trigger::state::TriggerState;
use crate::engine::while_rule::state::WhileState;
use crate::engine::yielding::state::Override;
use crate::model::Map;

use super::rule::LiveRule;
use super::timer::Timer;

/// How the keys of rules' rows begin.
pub(crate) const RULE: &str = "rule/";

/// What is kept of a rule: in one row, but for what it knows of topics, which have rows of their own (`track_key`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedRule {
    /// Of the rule that this was true of.
    pub(crate) fingerprint: u64,
    /// What its file said, when it was switched.
    pub(crate) file_enabled: bool,
    pub(crate) switch: Option<bool>,
    pub(crate) resting_until: Option<Timestamp>,
    pub(crate) memory: Arc<Map>,
    pub(crate) triggers: Vec<TriggerState>,
    #[serde(rename = "while")]
    pub(crate) while_state: WhileState,
    pub(crate) trackers: Vec<Tracker>,
    pub(crate) cooldowns: Vec<(RunKey, Timestamp)>,
    /// When rules' own publications triggered it of late.
    pub(crate) storm: Vec<Timestamp>,
    /// When runs of each key began, as far as `limit` counts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) limited: Vec<(RunKey, VecDeque<Timestamp>)>,
    /// Who overrode it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) overrides: Vec<Override>,
    #[serde(default, skip_serializing_if = "InvariantState::is_empty")]
    pub(crate) invariant: InvariantState,
    #[serde(default)]
    pub(crate) timers: Vec<Timer>,
    /// Whether it was never in the store: there only topics that spoke are kept.
    #[serde(skip)]
    pub(crate) is_whole: bool,
}

impl SavedRule {
    /// Returns its own row as JSON: all but what it knows of topics.
    pub(super) fn to_row(&self) -> Option<String> {
        to_json(&SavedRule {
            triggers: self.triggers.iter().map(TriggerState::without_topics).collect(),
            trackers: self.trackers.iter().map(Tracker::without_topics).collect(),
            memory: Arc::clone(&self.memory),
            while_state: self.while_state.clone(),
            cooldowns: self.cooldowns.clone(),
            storm: self.storm.clone(),
            limited: self.limited.clone(),
            overrides: self.overrides.clone(),
            invariant: self.invariant.clone(),
            timers: self.timers.clone(),
            ..*self
        })
    }
}

impl Shift for SavedRule {
    fn shift(&mut self, by: SignedDuration) {
        self.resting_until.shift(by);
        self.triggers.iter_mut().for_each(|trigger| trigger.shift(by));
        self.while_state.shift(by);
        self.trackers.iter_mut().flat_map(|tracker| tracker.since.values_mut()).for_each(|since| since.shift(by));
        self.cooldowns.iter_mut().for_each(|(_, over)| over.shift(by));
        self.storm.iter_mut().for_each(|at| at.shift(by));
        self.limited.iter_mut().flat_map(|(_, runs)| runs).for_each(|at| at.shift(by));
        self.overrides.iter_mut().for_each(|over| over.shift(by));
        self.invariant.shift(by);
        self.timers.iter_mut().for_each(|timer| timer.shift(by));
    }
}

impl LiveRule {
    /// Returns what is kept of it.
    pub(crate) fn to_saved(&self) -> SavedRule {
        SavedRule { triggers: self.triggers.clone(), trackers: self.trackers.clone(), ..self.to_row() }
    }

    /// Returns what its own row holds: all but what it knows of topics.
    pub(super) fn to_row(&self) -> SavedRule {
        SavedRule {
            fingerprint: self.rule.fingerprint,
            file_enabled: self.rule.enabled,
            switch: self.switch,
            resting_until: self.resting_until,
            memory: Arc::clone(&self.memory),
            triggers: self.triggers.iter().map(TriggerState::without_topics).collect(),
            while_state: self.while_state.clone(),
            trackers: self.trackers.iter().map(Tracker::without_topics).collect(),
            cooldowns: self.cooldowns.iter().map(|(key, over)| (key.clone(), *over)).collect(),
            storm: self.storm.iter().copied().collect(),
            limited: self.limited.iter().map(|(key, runs)| (key.clone(), runs.clone())).collect(),
            overrides: self.overrides.clone(),
            invariant: self.invariant.clone(),
            timers: self.timers.clone(),
            is_whole: true,
        }
    }

    /// Takes back what was kept of this rule: all of it where the rule is the same, else what belongs to its id
    /// (docs/language/restarts.md): memory, whether its `while` had begun, and the switch, unless the file's own `enabled` changed.
    pub(crate) fn take_saved(&mut self, saved: SavedRule) {
        self.memory = saved.memory;
        self.switch = saved.switch.filter(|_| saved.file_enabled == self.rule.enabled);
        let is_same = saved.fingerprint == self.rule.fingerprint;
        if is_same {
            self.resting_until = saved.resting_until;
            self.triggers = saved.triggers;
            self.trackers = saved.trackers;
            self.cooldowns = saved.cooldowns.into_iter().collect::<BTreeMap<_, _>>();
            self.storm = saved.storm.into();
            self.limited = saved.limited.into_iter().collect();
            self.overrides = saved.overrides;
            self.invariant = saved.invariant;
            self.timers = saved.timers;
            self.while_state = saved.while_state;
        } else {
            self.while_state = saved.while_state.of_changed_rule();
        }
    }
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
