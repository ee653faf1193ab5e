//! An entity: where its state comes from here.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::codec::Codec;

/// An entity of Home Assistant, as it's known here.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Entity {
    /// `light.hall`.
    pub(in crate::lang::import::home_assistant) id: String,
    /// What it's called there.
    pub(in crate::lang::import::home_assistant) name: Option<String>,
    pub(in crate::lang::import::home_assistant) source: Source,
}

/// Where an entity's state comes from.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Source {
    /// A running Home Assistant.
    Bridge,
    /// A device, with the property that is the entity's state.
    Device { name: String, property: String },
    /// A topic, as the entities file says.
    Topic(TopicEntity),
    /// A helper that is an input here.
    Input { name: String, kind: InputKind },
    /// A helper whose state a rule of ours publishes, as Home Assistant's text, retained.
    Derived { topic: String, members: Vec<String> },
    /// A timer: the rule that counts, and the topic on which it says its state.
    Timer { rule: String, topic: String, duration: Option<String> },
    /// A schedule: a `while` without actions.
    Schedule { rule: String },
    /// An automation.
    Automation { rule: String },
    /// A script.
    Script { rule: String },
    /// A scene of the configuration.
    Scene { name: String },
    /// The sun.
    Sun,
    /// `sensor.time` and `sensor.date`, with their format.
    Clock { format: &'static str },
}

/// A topic of the entities file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::lang::import::home_assistant) struct TopicEntity {
    pub(in crate::lang::import::home_assistant) topic: String,
    pub(in crate::lang::import::home_assistant) path: Option<String>,
    pub(in crate::lang::import::home_assistant) set: Option<String>,
    pub(in crate::lang::import::home_assistant) on: Option<Json>,
    pub(in crate::lang::import::home_assistant) off: Option<Json>,
    /// The path of each attribute.
    pub(in crate::lang::import::home_assistant) attributes: BTreeMap<String, String>,
}

/// What an input is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum InputKind {
    Toggle,
    Number {
        min: f64,
        max: f64,
        step: f64,
        initial: Option<f64>,
    },
    Choice {
        options: Vec<String>,
    },
    Text,
    Time,
    /// A date, or a date and a time, as text.
    Date {
        has_time: bool,
    },
    Button,
}

/// What a trigger or a condition names: the words before the rest of its keys.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Field {
    /// `state`, `device` or `input`, and what it names.
    pub(in crate::lang::import::home_assistant) word: &'static str,
    pub(in crate::lang::import::home_assistant) name: String,
    /// The path within it, or the property.
    pub(in crate::lang::import::home_assistant) path: Option<String>,
    pub(in crate::lang::import::home_assistant) codec: Codec,
    /// The expression of its value.
    pub(in crate::lang::import::home_assistant) expression: String,
    /// The expression of Home Assistant's text, whatever its value is.
    pub(in crate::lang::import::home_assistant) text: String,
}

impl Entity {
    pub(in crate::lang::import::home_assistant) fn domain(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    pub(in crate::lang::import::home_assistant) fn object(&self) -> &str {
        self.id.split_once('.').map_or("", |(_, object)| object)
    }
}

impl TopicEntity {
    /// Returns what switches it on and off: what the entities file says, else what Home Assistant sends for this domain.
    pub(in crate::lang::import::home_assistant) fn commands(&self, domain: &str) -> (Json, Json) {
        let (on, off) = match domain {
            "cover" | "valve" => ("OPEN", "CLOSE"),
            "lock" => ("LOCK", "UNLOCK"),
            _ => ("ON", "OFF"),
        };
        (self.on.clone().unwrap_or_else(|| on.into()), self.off.clone().unwrap_or_else(|| off.into()))
    }

    /// Returns whether it takes JSON with `state` in it, as zigbee2mqtt does and lights of Home Assistant's JSON schema do.
    pub(in crate::lang::import::home_assistant) fn is_json_light(&self) -> bool {
        self.path.as_deref() == Some("state") && self.set.is_some()
    }

    /// Returns under which key a part of a command is sent, and as what: by the path that the entities file gives the
    /// attribute, else as JSON lights take it; `None` if that isn't known.
    pub(in crate::lang::import::home_assistant) fn part(&self, name: &str, value: &Json) -> Option<(String, Json)> {
        let same = super::json_light::same(name, value).filter(|_| !self.attributes.contains_key(name));
        let (name, value) = same.unwrap_or_else(|| (name.to_owned(), value.clone()));
        match self.attributes.get(&name) {
            Some(path) => (self.path.is_some() && !path.contains(['.', '['])).then(|| (path.clone(), value)),
            None if self.is_json_light() => super::json_light::part(&name, &value),
            None => None,
        }
    }
    /// Returns how the payload and the state of an entity of this domain go together.
    pub(in crate::lang::import::home_assistant) fn codec(&self, domain: &str) -> Codec {
        match (&self.on, &self.off) {
            (None, None) => Codec::Raw,
            (on, off) => {
                let (one, other) = match domain {
                    "cover" | "valve" => ("open", "closed"),
                    "lock" => ("locked", "unlocked"),
                    "person" | "device_tracker" => ("home", "not_home"),
                    _ => ("on", "off"),
                };
                let words = [(one, on), (other, off)];
                let known =
                    words.into_iter().filter_map(|(word, value)| Some((word.to_owned(), value.clone()?))).collect();
                // These have more states than two: `playing`, `opening`, the name of a zone.
                let is_open = [
                    "media_player",
                    "cover",
                    "valve",
                    "lock",
                    "person",
                    "device_tracker",
                    "vacuum",
                    "climate",
                    "water_heater",
                    "alarm_control_panel",
                    "sensor",
                ];
                if is_open.contains(&domain) { Codec::Open(known) } else { Codec::Words(known) }
            }
        }
    }
}
