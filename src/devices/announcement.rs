//! What homerule tells Home Assistant of itself, by MQTT discovery (docs/devices.md): one device, whose entities are rules, inputs
//! and alerts.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::RuleId;
use crate::rules::{Input, InputKind, Inputs};

/// How many rules are told of without being asked.
const MOST_RULES: usize = 100;

/// The tag of the rules that are told of where there are more.
const TAG: &str = "announce";

/// A home, as it is told of.
#[derive(Debug)]
pub struct Announcement<'a> {
    /// The prefix of Home Assistant's discovery.
    pub prefix: &'a str,
    /// How our own topics begin.
    pub own: &'a str,
    /// What the home is called.
    pub name: &'a str,
    /// The version of the program.
    pub version: &'a str,
    /// The rules in force.
    pub rules: &'a [AnnouncedRule],
    /// The inputs.
    pub inputs: &'a Inputs,
    /// The kinds of alerts.
    pub alerts: &'a [&'a str],
}

/// A rule, as it is told of.
#[derive(Debug, Clone)]
pub struct AnnouncedRule {
    /// Its id.
    pub id: RuleId,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// Its tags.
    pub tags: Vec<Arc<str>>,
}

impl Announcement<'_> {
    /// Returns the topic that it is told on.
    #[must_use]
    pub fn topic(&self) -> String {
        announced_on(self.prefix, self.name)
    }

    /// Returns what is told.
    #[must_use]
    pub fn payload(&self) -> Value {
        let object = object_of(self.name);
        let mut entities = Map::default();
        let is_told =
            |rule: &&AnnouncedRule| self.rules.len() <= MOST_RULES || rule.tags.iter().any(|tag| **tag == *TAG);
        for rule in self.rules.iter().filter(is_told) {
            self.rule(rule, &mut entities);
        }
        for input in self.inputs.values() {
            entities.insert(format!("input_{}", slug(&input.name)), self.input(input));
        }
        entities.insert("alert".to_owned(), self.alert());
        for (key, entity) in &mut entities {
            if let Some(entity) = entity.as_object_mut() {
                entity.insert("uniq_id".to_owned(), format!("{object}_{key}").into());
            }
        }
        let status = format!("{}/status", self.own);
        json!({
            "dev": { "ids": [object], "name": self.name, "mf": "homerule", "mdl": "Rules engine", "sw": self.version },
            "o": { "name": "homerule", "sw": self.version },
            "avty": [{ "t": status, "pl_avail": "online", "pl_not_avail": "offline" }],
            "cmps": entities,
        })
    }

    fn rule(&self, rule: &AnnouncedRule, entities: &mut Map<String, Value>) {
        let state = format!("{}/rule/{}", self.own, rule.id);
        let set = format!("{state}/set");
        let (slug, name) = (slug(rule.id.as_str()), rule.name.as_deref().unwrap_or(rule.id.as_str()));
        let switch = json!({
            "p": "switch", "name": name, "stat_t": state, "cmd_t": set, "pl_on": "enable", "pl_off": "disable",
            "stat_on": "enable", "stat_off": "disable", "ent_cat": "config",
            "val_tpl": "{{ 'enable' if value_json.enabled else 'disable' }}",
        });
        let button = json!({ "p": "button", "name": format!("{name}: run"), "cmd_t": set, "pl_prs": "run" });
        let sensor = json!({
            "p": "sensor", "name": format!("{name}: last outcome"), "stat_t": state, "ent_cat": "diagnostic",
            "val_tpl": "{{ value_json.outcome or 'none' }}",
        });
        entities.insert(format!("rule_{slug}_enabled"), switch);
        entities.insert(format!("rule_{slug}_run"), button);
        entities.insert(format!("rule_{slug}_outcome"), sensor);
    }

    fn input(&self, input: &Input) -> Value {
        let state = format!("{}/input/{}", self.own, input.name);
        let set = format!("{state}/set");
        let name = input.title.as_deref().unwrap_or(&input.name);
        let mut entity = match &input.kind {
            InputKind::Toggle => json!({ "p": "switch", "pl_on": "ON", "pl_off": "OFF" }),
            InputKind::Number { min, max, step, unit } => {
                let mut number = json!({
                    "p": "number", "min": min.unwrap_or(-1e6), "max": max.unwrap_or(1e6), "step": step.unwrap_or(0.001),
                    "mode": if min.is_some() && max.is_some() { "auto" } else { "box" },
                });
                if let (Some(unit), Some(number)) = (unit, number.as_object_mut()) {
                    number.insert("unit_of_meas".to_owned(), unit.to_string().into());
                }
                number
            }
            InputKind::Choice(options) => {
                json!({ "p": "select", "ops": options.iter().map(ToString::to_string).collect::<Vec<_>>() })
            }
            // Home Assistant's MQTT has no entity for a time.
            InputKind::Time => json!({ "p": "text", "ptrn": "^([01][0-9]|2[0-3]):[0-5][0-9]$" }),
            InputKind::Text => json!({ "p": "text" }),
            InputKind::Button => json!({ "p": "button", "pl_prs": "PRESS" }),
        };
        if let Some(entity) = entity.as_object_mut() {
            entity.insert("name".to_owned(), name.into());
            entity.insert("cmd_t".to_owned(), set.into());
            if input.kind != InputKind::Button {
                entity.insert("stat_t".to_owned(), state.into());
            }
        }
        entity
    }

    fn alert(&self) -> Value {
        json!({
            "p": "event", "name": "Alert", "stat_t": format!("{}/alert", self.own), "evt_typ": self.alerts,
            "val_tpl": "{{ {'event_type': value_json.kind, 'rule': value_json.rule | default(''), \
                        'message': value_json.message} | to_json }}",
        })
    }
}

/// Returns what is told in between, where entities of `before` are gone in `now`: Home Assistant removes those of which only the
/// kind is left. `None`: none is gone.
#[must_use]
pub fn taken_away(before: &Value, now: &Value) -> Option<Value> {
    let before = before.get("cmps")?.as_object()?;
    let mut between = now.clone();
    let entities = between.get_mut("cmps")?.as_object_mut()?;
    let mut is_gone = false;
    for (key, entity) in before.iter().filter(|(_, entity)| entity.get("uniq_id").is_some()) {
        let changed = now.pointer(&format!("/cmps/{key}/p")).is_none_or(|kind| Some(kind) != entity.get("p"));
        if let (true, Some(kind)) = (changed, entity.get("p")) {
            entities.insert(key.clone(), json!({ "p": kind }));
            is_gone = true;
        }
    }
    is_gone.then_some(between)
}

/// Returns the topic on which a home of this name is announced.
#[must_use]
pub fn announced_on(prefix: &str, name: &str) -> String {
    format!("{prefix}/device/{}/config", object_of(name))
}

/// Returns what the device is called in topics and ids, of a home of this name.
#[must_use]
pub fn object_of(name: &str) -> String {
    format!("homerule_{}", slug(name))
}

/// Returns a text of letters, digits and `_` alone, another one for each.
fn slug(text: &str) -> String {
    text.chars()
        .map(
            |letter| {
                if letter.is_ascii_alphanumeric() { letter.to_string() } else { format!("_{:x}_", u32::from(letter)) }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement<'a>(rules: &'a [AnnouncedRule], inputs: &'a Inputs) -> Announcement<'a> {
        let alerts = &["rule_failed"];
        Announcement { prefix: "homeassistant", own: "homerule", name: "My home", version: "1", rules, inputs, alerts }
    }

    fn rule(id: &str) -> AnnouncedRule {
        AnnouncedRule { id: RuleId::from_text(id), name: None, tags: Vec::new() }
    }

    #[test]
    fn a_rule_is_a_switch_a_button_and_a_sensor() {
        let (rules, inputs) = ([rule("hall:light")], Inputs::new());
        let told = announcement(&rules, &inputs);
        assert_eq!(told.topic(), "homeassistant/device/homerule_My_20_home/config");
        let payload = told.payload();
        let switch = &payload["cmps"]["rule_hall_3a_light_enabled"];
        assert_eq!(switch["cmd_t"], "homerule/rule/hall:light/set");
        assert_eq!(switch["uniq_id"], "homerule_My_20_home_rule_hall_3a_light_enabled");
        assert_eq!(payload["cmps"].as_object().unwrap().len(), 4);
    }

    #[test]
    fn of_very_many_rules_only_those_are_told_that_ask_for_it() {
        let mut rules: Vec<AnnouncedRule> = (0..101).map(|number| rule(&format!("many:r{number}"))).collect();
        rules[7].tags = vec!["announce".into()];
        let inputs = Inputs::new();
        let payload = announcement(&rules, &inputs).payload();
        let keys: Vec<&String> = payload["cmps"].as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 4, "{keys:?}");
    }

    #[test]
    fn what_is_gone_is_told_by_its_kind_alone_first() {
        let inputs = Inputs::new();
        let (two, one) = ([rule("a:one"), rule("a:two")], [rule("a:one")]);
        let (before, now) = (announcement(&two, &inputs).payload(), announcement(&one, &inputs).payload());
        let between = taken_away(&before, &now).unwrap();
        assert_eq!(between["cmps"]["rule_a_3a_two_run"], json!({ "p": "button" }));
        assert_eq!(taken_away(&now, &now), None);
        assert_eq!(taken_away(&between, &now), None);
    }
}
