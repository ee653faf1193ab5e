//! What expressions read beside their variables: the state of the home, the time, the sun, other rules.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::model::history::Histories;
use crate::model::schedule::Calendar;
use crate::model::{RuleId, States};
use crate::script::devices::inputs::InputTopics;
use crate::script::devices::known::KnownDevices;

/// The home as expressions see it at one instant. The engine owns it and lends it for each evaluation.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The instant.
    pub now: Timestamp,
    /// The home's zone and place.
    pub calendar: Calendar,
    /// The state of all topics.
    pub states: States,
    /// What topics said before, as far as rules ask for it.
    pub history: Histories,
    /// The `while` rules that have begun and not ended.
    pub holding: BTreeSet<RuleId>,
    /// How many runs each rule has that haven't ended; rules without one are left out.
    pub running: BTreeMap<RuleId, usize>,
    /// Until when each rule waits that does, where any rule asks.
    pub waits: BTreeMap<RuleId, Timestamp>,
    /// Whether a rule in force asks until when rules wait.
    pub asks_waits: bool,
    /// The rules that are switched off.
    pub disabled: BTreeSet<RuleId>,
    /// The rules that yield, since somebody changed what they command.
    pub overridden: BTreeSet<RuleId>,
    /// How each rule ran last that has run.
    pub last_runs: BTreeMap<RuleId, LastRun>,
    /// Those of which a rule has asked how they ran.
    pub asked_last: BTreeSet<RuleId>,
    /// Those of which that is to be kept, since a rule has asked.
    pub ran: BTreeSet<RuleId>,
    /// The devices that are known.
    pub devices: KnownDevices,
    /// The inputs, each with the topic that holds its value.
    pub inputs: Arc<InputTopics>,
    /// The ids of all rules, for `holds("key")` and the like.
    pub rule_names: Arc<RuleNames>,
}

/// How a rule ran last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When that run began.
    pub at: Timestamp,
    /// How it ended, in a word.
    pub outcome: Cow<'static, str>,
}

impl World {
    /// Returns the instant in the home's zone.
    #[must_use]
    pub fn local(&self) -> Zoned {
        self.now.to_zoned(self.calendar.zone.clone())
    }
}

/// The ids of all rules, found by what users write: `tv:dim-lights`, or `dim-lights` alone.
#[derive(Debug, Clone, Default)]
pub struct RuleNames {
    by_key: BTreeMap<Arc<str>, Vec<RuleId>>,
    /// The rules of which each topic makes an instance, by their keys.
    of_topics: BTreeMap<Arc<str>, Vec<RuleId>>,
}

impl RuleNames {
    /// Returns an index of these ids.
    pub fn new<'a>(ids: impl IntoIterator<Item = &'a RuleId>) -> RuleNames {
        RuleNames { by_key: keyed(ids), of_topics: BTreeMap::new() }
    }

    /// Adds the rules of which each topic makes an instance: such an instance may be named before its topic has spoken.
    #[must_use]
    pub fn with_rules_of_topics<'a>(self, ids: impl IntoIterator<Item = &'a RuleId>) -> RuleNames {
        RuleNames { of_topics: keyed(ids), ..self }
    }

    /// Returns the rules that `text`, written in the file `file` (as [`RuleId::file`] names it), may mean:
    /// the one with that id; without a file, the one of this file, or else those of all files.
    /// One is what a rule needs; none is unknown, several are ambiguous.
    #[must_use]
    pub fn find(&self, text: &str, file: &str) -> Vec<RuleId> {
        let with_file = text.split_once(':').map(|(wanted, key)| self.find_key(key, Some(wanted), file));
        // An instance may have a colon in its brackets: `wake[07:30]`.
        with_file.filter(|found| !found.is_empty()).unwrap_or_else(|| self.find_key(text, None, file))
    }

    fn find_key(&self, key: &str, wanted_file: Option<&str>, file: &str) -> Vec<RuleId> {
        let found = pick(self.by_key.get(key), wanted_file, file);
        if !found.is_empty() {
            return found;
        }
        let Some((key, instance)) = key.strip_suffix(']').and_then(|key| key.split_once('[')) else { return found };
        let makers = pick(self.of_topics.get(key), wanted_file, file);
        makers.into_iter().map(|id| id.instance(instance)).collect()
    }

    /// Returns all ids, by key and then file.
    pub fn iter(&self) -> impl Iterator<Item = &RuleId> {
        self.by_key.values().flatten()
    }
}

/// Returns `ids` by their keys.
fn keyed<'a>(ids: impl IntoIterator<Item = &'a RuleId>) -> BTreeMap<Arc<str>, Vec<RuleId>> {
    let mut by_key: BTreeMap<Arc<str>, Vec<RuleId>> = BTreeMap::new();
    for id in ids {
        by_key.entry(id.key().into()).or_default().push(id.clone());
    }
    by_key
}

/// Returns those of `ids`, which have one key, that are meant in the file `file`: the one of `wanted_file`, if that was
/// written, else the one of this file, or else all.
fn pick(ids: Option<&Vec<RuleId>>, wanted_file: Option<&str>, file: &str) -> Vec<RuleId> {
    let Some(ids) = ids else { return Vec::new() };
    let in_file = |file: &str| ids.iter().find(|id| id.file() == file).cloned();
    match wanted_file {
        Some(wanted) => in_file(wanted).into_iter().collect(),
        None => in_file(file).map_or_else(|| ids.clone(), |id| vec![id]),
    }
}
