//! The situation that a rule's conditions ask for: what topics, devices and inputs say, and at what time.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::asked::{Reading, asked, fulfilled, near, other};
use super::tree::{items, text, texts};

/// What was said before the trigger.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Situation {
    pub(super) topics: BTreeMap<String, Json>,
    pub(super) devices: BTreeMap<String, Map<String, Json>>,
    pub(super) inputs: BTreeMap<String, Json>,
}

impl Situation {
    /// Returns what the conditions of a rule ask for, and something for all else that the rule reads.
    pub(super) fn of(rule: &Json) -> Situation {
        let mut found = Situation::default();
        for condition in rule.get("if").map(items).unwrap_or_default() {
            found.fulfil(condition);
        }
        if let Some(then) = rule.get("then") {
            found.suppose(then);
        }
        let mut reads = Vec::new();
        texts(rule, &mut |text| reads.extend(asked(text)));
        // What actions ask is as good as anything else; a number is text too.
        for (reading, asked) in reads {
            let value = asked.or_else(|| something(&reading));
            if let Some(value) = value {
                found.add(&reading, value);
            }
        }
        found
    }

    /// Adds what conditions within actions ask for, the first of each.
    fn suppose(&mut self, action: &Json) {
        match action {
            Json::Array(items) => {
                for item in items {
                    self.suppose(item);
                }
            }
            Json::Object(map) => {
                if let Some(condition) = map.get("if") {
                    for part in items(condition) {
                        self.fulfil(part);
                    }
                }
                for (_, inner) in map.iter().filter(|(key, _)| *key != "if") {
                    self.suppose(inner);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    /// Adds what makes a condition hold.
    pub(super) fn fulfil(&mut self, condition: &Json) {
        if let Some(expression) = condition.as_str() {
            for (reading, value) in fulfilled(expression) {
                self.add(&reading, value);
            }
            return;
        }
        if let Some(all) = condition.get("all") {
            for part in items(all) {
                self.fulfil(part);
            }
        }
        if let Some(first) = condition.get("any").and_then(|any| items(any).into_iter().next().cloned()) {
            self.fulfil(&first);
        }
        if let Some(inner) = condition.get("not").filter(|inner| inner.is_object())
            && let (Some(reading), Some(value)) = (reading(inner), wanted(inner, "is"))
        {
            self.add(&reading, other(&value));
        }
        if let (Some(reading), Some(value)) = (reading(condition), wanted(condition, "is")) {
            self.add(&reading, value);
        }
    }

    /// Adds a value, unless something is said there already.
    pub(super) fn add(&mut self, reading: &Reading, value: Json) {
        match reading {
            Reading::State(topic, path) => {
                let payload = self.topics.entry(topic.clone()).or_insert(Json::Null);
                put(payload, path.as_deref(), value, false);
            }
            Reading::Device(device, property) => {
                self.devices.entry(device.clone()).or_default().entry(property.clone()).or_insert(value);
            }
            Reading::Input(input) => {
                self.inputs.entry(input.clone()).or_insert(value);
            }
            Reading::Message(_) => {}
        }
    }

    /// Sets a value, whatever was said there.
    pub(super) fn set(&mut self, reading: &Reading, value: Json) {
        match reading {
            Reading::State(topic, path) => {
                let payload = self.topics.entry(topic.clone()).or_insert(Json::Null);
                put(payload, path.as_deref(), value, true);
            }
            Reading::Device(device, property) => {
                self.devices.entry(device.clone()).or_default().insert(property.clone(), value);
            }
            Reading::Input(input) => {
                self.inputs.insert(input.clone(), value);
            }
            Reading::Message(_) => {}
        }
    }
}

/// Properties of devices that are numbers.
const NUMBERS: [&str; 14] = [
    "temperature",
    "humidity",
    "pressure",
    "illuminance",
    "co2",
    "power",
    "energy",
    "voltage",
    "current",
    "battery",
    "brightness",
    "position",
    "setpoint",
    "fan",
];

/// Returns a value for what a rule reads, whatever it is; `None` where it has one, or nobody knows which are right.
fn something(reading: &Reading) -> Option<Json> {
    match reading {
        Reading::State(..) => Some(json!(20)),
        Reading::Device(_, property) => NUMBERS.contains(&property.as_str()).then(|| json!(20)),
        Reading::Input(_) | Reading::Message(_) => None,
    }
}

/// Puts a value at a path of a payload.
pub(super) fn put(payload: &mut Json, path: Option<&str>, value: Json, replaces: bool) {
    let Some(path) = path else {
        if replaces || payload.is_null() {
            *payload = value;
        }
        return;
    };
    if !payload.is_object() {
        *payload = json!({});
    }
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    if let Some(map) = payload.as_object_mut() {
        let inner = map.entry(first.to_owned()).or_insert(Json::Null);
        put(inner, rest, value, replaces);
    }
}

/// Returns what a trigger or a condition in our own words reads.
pub(super) fn reading(value: &Json) -> Option<Reading> {
    let field = text(value, "field").map(ToOwned::to_owned);
    if let Some(topic) = text(value, "state") {
        return Some(Reading::State(topic.to_owned(), field));
    }
    if let Some(device) = text(value, "device") {
        return Some(Reading::Device(device.to_owned(), field?));
    }
    text(value, "input").map(|input| Reading::Input(input.to_owned()))
}

/// Returns a value that a trigger or condition is about: that of `key`, or one within its range.
pub(super) fn wanted(value: &Json, key: &str) -> Option<Json> {
    if let Some(wanted) = value.get(key) {
        return items(wanted).into_iter().next().cloned();
    }
    let bound = |key: &str| value.get(key).and_then(Json::as_f64);
    match (bound("above"), bound("below")) {
        (Some(above), Some(below)) => Some(near(f64::midpoint(above, below))),
        (Some(above), None) => Some(near(above + 1.0)),
        (None, Some(below)) => Some(near(below - 1.0)),
        (None, None) => None,
    }
}
