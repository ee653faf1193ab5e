//! Names of what is imported: rules, scenes, events.

use std::collections::{BTreeMap, BTreeSet};

use crate::lang::import::home_assistant::yaml::Node;

/// The names of a configuration's parts, here.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct Names {
    /// The rule of each script, by its object id.
    pub(in crate::lang::import::home_assistant) scripts: BTreeMap<String, String>,
    /// The names that callers give to each script.
    pub(in crate::lang::import::home_assistant) given: BTreeMap<String, BTreeSet<String>>,
    /// The texts that callers give under a name to a script; `None` if some of them aren't known.
    pub(in crate::lang::import::home_assistant) given_texts: BTreeMap<(String, String), Option<BTreeSet<String>>>,
    /// The timers that something starts; `None` if it isn't known which.
    pub(in crate::lang::import::home_assistant) started_timers: Option<BTreeSet<String>>,
    /// The timers that something pauses; `*` if it isn't known which.
    pub(in crate::lang::import::home_assistant) paused_timers: BTreeSet<String>,
    /// The rule of each automation, by its entity id.
    pub(in crate::lang::import::home_assistant) automations: BTreeMap<String, String>,
    /// The scenes, by their entity ids.
    pub(in crate::lang::import::home_assistant) scenes: BTreeMap<String, SceneName>,
    /// Events that an automation hears.
    pub(in crate::lang::import::home_assistant) events: BTreeSet<String>,
    /// Actions of notifications that an automation hears, each of which is a webhook.
    pub(in crate::lang::import::home_assistant) replies: BTreeSet<String>,
    /// Actions of the buttons of all notifications.
    pub(in crate::lang::import::home_assistant) buttons: BTreeSet<String>,
    /// `rest_command`s that can be sent.
    pub(in crate::lang::import::home_assistant) rest_commands:
        BTreeMap<String, crate::lang::import::home_assistant::yaml::Node>,
    pub(in crate::lang::import::home_assistant) shell_commands:
        BTreeMap<String, crate::lang::import::home_assistant::yaml::Node>,
    /// The conditions of each automation, by its entity id.
    pub(in crate::lang::import::home_assistant) conditions:
        BTreeMap<String, crate::lang::import::home_assistant::yaml::Node>,
    /// Scenes that `scene.create` makes, and whether devices of ours and others are in them.
    pub(in crate::lang::import::home_assistant) snapshots: BTreeSet<String>,
    pub(in crate::lang::import::home_assistant) snapshot_kinds: BTreeMap<String, (bool, bool)>,
    /// Keys of rules that are taken.
    pub(in crate::lang::import::home_assistant) keys: BTreeSet<String>,
}

/// A scene here.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct SceneName {
    pub(in crate::lang::import::home_assistant) name: String,
    /// Whether it has devices of ours, and whether it has entities that go through Home Assistant.
    pub(in crate::lang::import::home_assistant) is_ours: bool,
    pub(in crate::lang::import::home_assistant) bridged: Vec<(String, serde_json::Value)>,
    /// What it does besides: it sets inputs, and switches rules.
    pub(in crate::lang::import::home_assistant) beside: Vec<crate::lang::import::home_assistant::write::Doc>,
}

impl Names {
    /// Notes what a caller gives to a script.
    pub(in crate::lang::import::home_assistant) fn give(&mut self, script: &str, data: &Node) {
        for entry in data.as_map().unwrap_or_default() {
            let name = entry.name().to_owned();
            let text = entry.value.as_text().filter(|text| !text.contains("{{") && !text.contains("{%"));
            let known =
                self.given_texts.entry((script.to_owned(), name.clone())).or_insert_with(|| Some(BTreeSet::new()));
            match (known.as_mut(), text) {
                (Some(known), Some(text)) => {
                    known.insert(text.to_owned());
                }
                _ => *known = None,
            }
            self.given.entry(script.to_owned()).or_default().insert(name);
        }
    }

    /// Notes which timers are started and paused.
    pub(in crate::lang::import::home_assistant) fn note_timers(&mut self, service: &str, given: &[String]) {
        let ids: Vec<String> = given.iter().flat_map(|ids| ids.split(',')).map(|id| id.trim().to_owned()).collect();
        let are_known = !ids.is_empty() && ids.iter().all(|id| id.starts_with("timer."));
        match (service, &mut self.started_timers) {
            ("pause", _) if are_known => self.paused_timers.extend(ids),
            ("pause", _) => {
                self.paused_timers.insert("*".to_owned());
            }
            ("start", Some(started)) if are_known => started.extend(ids),
            ("start", started) => *started = None,
            _ => {}
        }
    }

    /// Returns whether something starts a timer.
    pub(in crate::lang::import::home_assistant) fn is_started(&self, timer: &str) -> bool {
        self.started_timers.as_ref().is_none_or(|started| started.contains(timer))
    }

    /// Returns whether something pauses a timer.
    pub(in crate::lang::import::home_assistant) fn is_paused(&self, timer: &str) -> bool {
        self.paused_timers.contains(timer) || self.paused_timers.contains("*")
    }

    /// Returns a key for a rule that nobody else has.
    pub(in crate::lang::import::home_assistant) fn unique(&mut self, wanted: &str) -> String {
        let mut key = wanted.to_owned();
        let mut number = 2;
        while !self.keys.insert(key.clone()) {
            key = format!("{wanted}-{number}");
            number += 1;
        }
        key
    }
}

/// Names that variables of rules can't have.
const TAKEN: [&str; 27] = [
    "topic", "payload", "msg", "qos", "retained", "origin", "captures", "old", "value", "trigger", "memory", "now",
    "sun", "wait", "repeat", "http", "inputs", "device", "area", "property", "event", "state", "states", "holds", "ha",
    "home", "calendar",
];

/// Returns how a variable of Home Assistant is called here; `None` if no variable can be.
pub(in crate::lang::import::home_assistant::translate) fn variable(name: &str) -> Option<String> {
    if TAKEN.contains(&name) {
        return Some(format!("{name}_field"));
    }
    if crate::lang::import::home_assistant::expression::is_name(name) {
        return Some(name.to_owned());
    }
    let renamed = format!("{name}_field");
    crate::lang::import::home_assistant::expression::is_name(&renamed).then_some(renamed)
}
