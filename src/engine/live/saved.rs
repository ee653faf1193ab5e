//! What must survive a restart, said as `Effect::Save`, and taken back from a snapshot.
//!
//! At once: what a rule has armed or remembers, and runs. Late, by [`Engine::flush`]: topics and the last values
//! that triggers know. Deadlines and the topic index are not kept: they follow from the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::{Map, RuleId, Topic, TopicState};
use crate::rules::LogLevel;

use crate::engine::condition::tracker::Tracker;
use crate::engine::live::table::{LiveId, LiveRule, RunKey};
use crate::engine::live::tracks::TrackKey;
use crate::engine::run::Run;
use crate::engine::run::timer::Timer;
use crate::engine::trigger::state::TriggerState;
use crate::engine::while_rule::state::WhileState;
use crate::engine::{Effect, Engine, RunId, SaveKey, Snapshot};

/// The kinds of things that are kept, as their keys begin.
const TOPIC: &str = "topic/";
pub(crate) const RULE: &str = "rule/";
const RUN: &str = "run/";
const COUNTERS: &str = "counters";

/// What has changed since it was last kept.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) rules: BTreeSet<LiveId>,
    pub(crate) runs: BTreeSet<RunId>,
    /// Rules that are no more, or aren't in force.
    pub(crate) dormant: BTreeSet<RuleId>,
    pub(crate) rules_late: BTreeSet<LiveId>,
    /// What rules know of topics.
    pub(crate) tracks: BTreeSet<TrackKey>,
    pub(crate) tracks_late: BTreeSet<TrackKey>,
    pub(crate) runs_late: BTreeSet<RunId>,
    /// The rules of which something is kept.
    pub(crate) kept_rules: BTreeSet<RuleId>,
    /// The runs of which something is kept.
    kept_runs: BTreeSet<RunId>,
    /// What was last kept of the counters.
    counters: Option<Counters>,
}

/// What is kept of a rule: in one row, but for what it knows of topics, which have rows of their own (`tracks`).
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
    #[serde(default)]
    pub(crate) timers: Vec<Timer>,
    /// Whether it was never in the store: there only topics that spoke are kept.
    #[serde(skip)]
    pub(crate) is_whole: bool,
}

/// How far the home has counted.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    next_run: u64,
    next_request: u64,
    sequence: u64,
}

impl Engine {
    /// Says what must be kept at once.
    pub(crate) fn save_at_once(&mut self) {
        while let Some(id) = self.unsaved.rules.pop_first() {
            self.unsaved.rules_late.remove(&id);
            self.save_rule(&id);
        }
        while let Some(key) = self.unsaved.tracks.pop_first() {
            self.unsaved.tracks_late.remove(&key);
            self.save_track(&key);
        }
        while let Some(id) = self.unsaved.runs.pop_first() {
            self.unsaved.runs_late.remove(&id);
            self.save_run(id);
        }
        while let Some(id) = self.unsaved.dormant.pop_first() {
            let value = self.dormant.get(&id).and_then(|saved| to_json(&saved.without_topics()));
            self.save(SaveKey(format!("{RULE}{id}").into()), value);
        }
    }

    /// Says what may be kept late.
    pub(crate) fn save_late(&mut self) {
        let counters =
            Counters { next_run: self.next_run, next_request: self.next_request, sequence: self.evaluator.sequence };
        if self.unsaved.counters.as_ref() != Some(&counters) {
            self.save(SaveKey(COUNTERS.into()), to_json(&counters));
            self.unsaved.counters = Some(counters);
        }
        for topic in self.evaluator.world.states.take_changed() {
            let value = self.evaluator.world.states.get(topic.as_str()).and_then(to_json);
            self.save(SaveKey(format!("{TOPIC}{topic}").into()), value);
        }
        while let Some(id) = self.unsaved.rules_late.pop_first() {
            self.save_rule(&id);
        }
        while let Some(key) = self.unsaved.tracks_late.pop_first() {
            self.save_track(&key);
        }
        while let Some(id) = self.unsaved.runs_late.pop_first() {
            self.save_run(id);
        }
    }

    /// Notes that all of it must be kept anew.
    pub(crate) fn mark_all_unsaved(&mut self) {
        self.unsaved.counters = None;
        self.evaluator.world.states.change_all();
        self.unsaved.rules_late.extend(self.live.ids());
        self.unsaved.runs_late.extend(self.runs.keys().copied());
        self.unsaved.dormant.extend(self.dormant.keys().cloned());
        self.mark_tracks_unsaved();
    }

    pub(crate) fn save_rule(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get(id) else { return };
        let rule = slot.rule.id.clone();
        let value = to_json(&slot.to_row());
        self.save(SaveKey(format!("{RULE}{rule}").into()), value);
        self.unsaved.kept_rules.insert(rule);
    }

    fn save_run(&mut self, id: RunId) {
        let value = self.runs.get(&id).and_then(to_json);
        // A run that ended where it began was never kept: nothing is to be forgotten.
        let was_kept = match &value {
            Some(_) => !self.unsaved.kept_runs.insert(id),
            None => self.unsaved.kept_runs.remove(&id),
        };
        if value.is_some() || was_kept {
            self.save(SaveKey(format!("{RUN}{:020}", id.0).into()), value);
        }
    }

    pub(crate) fn save(&mut self, key: SaveKey, value: Option<String>) {
        self.effects.push(Effect::Save { key, value });
    }

    /// Takes back what was saved. What can't be read is said, and left out.
    pub(crate) fn restore_saved(&mut self, saved: Snapshot) {
        // What rules know of topics needs the rules.
        let (tracks, rest): (Vec<_>, Vec<_>) = saved
            .values
            .into_iter()
            .map(|(key, value)| (TrackKey::parse(&key.0), key, value))
            .partition(|row| row.0.is_some());
        for (track, SaveKey(key), value) in rest.into_iter().chain(tracks) {
            let read = if let Some(track) = track {
                self.restore_track(&track, &value)
            } else if let Some(topic) = key.strip_prefix(TOPIC) {
                self.restore_topic(topic, &value)
            } else if let Some(rule) = key.strip_prefix(RULE) {
                from_json::<SavedRule>(&value).map(|rule_state| {
                    let rule = RuleId::from_text(rule);
                    self.unsaved.kept_rules.insert(rule.clone());
                    self.dormant.insert(rule, rule_state);
                })
            } else if key.starts_with(RUN) {
                from_json::<Run>(&value).map(|run| {
                    self.next_run = self.next_run.max(run.id.0 + 1);
                    self.unsaved.kept_runs.insert(run.id);
                    self.runs.insert(run.id, run);
                })
            } else if *key == *COUNTERS {
                from_json::<Counters>(&value).map(|counters| {
                    self.next_run = self.next_run.max(counters.next_run);
                    self.next_request = counters.next_request;
                    self.evaluator.sequence = counters.sequence;
                })
            } else {
                Err("nothing of that kind is kept".to_owned())
            };
            if let Err(error) = read {
                self.say(None, LogLevel::Error, format!("`{key}` in the store can't be read and is left out: {error}"));
            }
        }
    }

    fn restore_topic(&mut self, topic: &str, value: &str) -> Result<(), String> {
        let topic = Topic::parse(topic).map_err(|error| error.to_string())?;
        let state = from_json::<TopicState>(value)?;
        self.evaluator.world.states.restore(topic, state);
        Ok(())
    }
}

impl SavedRule {
    /// Returns what stands in its own row.
    fn without_topics(&self) -> SavedRule {
        SavedRule {
            triggers: self.triggers.iter().map(TriggerState::without_topics).collect(),
            trackers: self.trackers.iter().map(Tracker::without_topics).collect(),
            memory: Arc::clone(&self.memory),
            while_state: self.while_state.clone(),
            cooldowns: self.cooldowns.clone(),
            storm: self.storm.clone(),
            timers: self.timers.clone(),
            ..*self
        }
    }
}

impl LiveRule {
    /// Returns what is kept of it.
    pub(crate) fn to_saved(&self) -> SavedRule {
        SavedRule { triggers: self.triggers.clone(), trackers: self.trackers.clone(), ..self.to_row() }
    }

    /// Returns what stands in its own row: all but what it knows of topics.
    fn to_row(&self) -> SavedRule {
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
            timers: self.timers.clone(),
            is_whole: true,
        }
    }

    /// Takes back what was kept of this rule: all of it where the rule is the same, else what belongs to its id
    /// (spec 2.9): memory, whether its `while` had begun, and the switch, unless the file's own `enabled` changed.
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
            self.timers = saved.timers;
            self.while_state = saved.while_state.unarmed();
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
