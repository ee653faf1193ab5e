//! Helpers: inputs of ours, and rules for those that compute or count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::duration;
use crate::lang::Code;
use crate::lang::import::home_assistant::entities::{Entity, InputKind, Source};
use crate::lang::import::home_assistant::expression::quoted;
use crate::lang::import::home_assistant::load::Helper;
use crate::lang::import::home_assistant::report::Reason;
use crate::lang::import::home_assistant::translate::names::Names;
use crate::lang::import::home_assistant::translate::trigger::kinds::event_topic;
use crate::lang::import::home_assistant::translate::trigger::time_trigger::time_of_day;
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

/// The helpers of a configuration, as what they are here.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct Helpers {
    pub(in crate::lang::import::home_assistant) entities: BTreeMap<String, Entity>,
    /// Inputs: the helper's place in the list, its name, and what stands in `inputs:`.
    pub(in crate::lang::import::home_assistant) inputs: Vec<(usize, String, Doc)>,
    /// Rules that are the same whatever is read: timers and schedules.
    pub(in crate::lang::import::home_assistant) rules: Vec<(usize, String, Doc)>,
    /// Groups and template sensors, which need a rule where something reads them: the helper's place, entity id and rule.
    pub(in crate::lang::import::home_assistant) derived: Vec<(usize, String, String)>,
    /// Those that can't be taken over.
    pub(in crate::lang::import::home_assistant) refused: Vec<(usize, Reason)>,
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).filter(|value| !value.is_null()).and_then(Node::to_text)
}

fn number(node: &Node, key: &str) -> Option<f64> {
    let value = node.get(key)?;
    value.as_number().or_else(|| value.to_text()?.trim().parse().ok())
}

impl Helpers {
    /// Returns what each helper is. `names` gets the keys of their rules.
    pub(in crate::lang::import::home_assistant) fn new(listed: &[Helper], names: &mut Names) -> Helpers {
        let mut found = Helpers::default();
        let is_input = |domain: &str| domain.starts_with("input_") || domain == "counter";
        let mut objects: BTreeMap<&str, usize> = BTreeMap::new();
        for helper in listed.iter().filter(|helper| is_input(&helper.domain)) {
            *objects.entry(&helper.object).or_default() += 1;
        }
        let mut seen = BTreeSet::new();
        for (index, helper) in listed.iter().enumerate() {
            let Helper { domain, object, node } = helper;
            let entity_domain = domain.strip_prefix("template_").unwrap_or(domain);
            let id = format!("{entity_domain}.{object}");
            if object.is_empty() || !seen.insert(id.clone()) {
                continue;
            }
            if let Some((_, reason)) = node.broken() {
                found.refused.push((index, reason.clone()));
                continue;
            }
            let shared = objects.get(object.as_str()).is_some_and(|count| *count > 1);
            let wanted = if shared { format!("{domain}_{object}") } else { object.clone() };
            let name = if crate::lang::import::home_assistant::expression::is_name(&wanted) {
                wanted
            } else {
                format!("{domain}_{object}")
            };
            let source = match domain.as_str() {
                "timer" => found.timer(index, object, &id, node, names),
                "schedule" => found.schedule(index, object, node, names),
                "group" => {
                    let rule = names.unique(&format!("group_{object}"));
                    let members = node.get("entities").map(members).unwrap_or_default();
                    found.derived.push((index, id.clone(), rule));
                    Some(Source::Derived { topic: format!("home_assistant/group/{object}"), members })
                }
                "template_sensor" | "template_binary_sensor" => {
                    let rule = names.unique(&format!("{entity_domain}_{object}"));
                    found.derived.push((index, id.clone(), rule));
                    Some(Source::Derived {
                        topic: format!("home_assistant/{entity_domain}/{object}"),
                        members: Vec::new(),
                    })
                }
                _ => found.input(index, domain, &name, node),
            };
            if let Some(source) = source {
                let name = text(node, "name").or_else(|| text(node, "friendly_name"));
                found.entities.insert(id.clone(), Entity { id, name, source });
            }
        }
        found
    }

    fn input(&mut self, index: usize, domain: &str, name: &str, node: &Node) -> Option<Source> {
        let value = |key: &str| number(node, key).map(plain);
        let mut keys: Vec<(&str, Doc)> = Vec::new();
        let kind = match domain {
            "input_boolean" => {
                keys.push(("type", Doc::text("toggle")));
                if let Some(initial) = node.get("initial").and_then(Node::as_bool) {
                    keys.push(("default", Doc::Value(initial.into())));
                }
                InputKind::Toggle
            }
            "input_number" | "counter" => {
                let is_counter = domain == "counter";
                let (low, high) = if is_counter { ("minimum", "maximum") } else { ("min", "max") };
                let (min, max) = (number(node, low), number(node, high));
                let step = number(node, "step").unwrap_or(1.0);
                let initial = number(node, "initial").or(if is_counter { Some(0.0) } else { min });
                keys.push(("type", Doc::text("number")));
                keys.extend(initial.map(|initial| ("default", Doc::Value(plain(initial)))));
                keys.extend(value(low).map(|min| ("min", Doc::Value(min))));
                keys.extend(value(high).map(|max| ("max", Doc::Value(max))));
                keys.push(("step", Doc::Value(plain(step))));
                keys.extend(text(node, "unit_of_measurement").map(|unit| ("unit", Doc::text(unit))));
                let (min, max) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
                InputKind::Number { min, max, step, initial }
            }
            "input_select" => {
                let options: Vec<String> = node
                    .get("options")
                    .map(|list| list.items().into_iter().filter_map(Node::to_text).collect())
                    .unwrap_or_default();
                let default = text(node, "initial").or_else(|| options.first().cloned());
                keys.push(("type", Doc::text("choice")));
                keys.push(("options", Doc::Value(options.clone().into())));
                keys.extend(default.map(|default| ("default", Doc::text(default))));
                InputKind::Choice { options }
            }
            "input_text" => {
                keys.push(("type", Doc::text("text")));
                keys.push(("default", Doc::text(text(node, "initial").unwrap_or_default())));
                InputKind::Text
            }
            "input_datetime" => {
                let flag = |key: &str| node.get(key).and_then(Node::as_bool) == Some(true);
                let initial = text(node, "initial");
                if flag("has_time") && !flag("has_date") {
                    let default = initial.as_deref().and_then(time_of_day).unwrap_or_else(|| "00:00".to_owned());
                    keys.push(("type", Doc::text("time")));
                    keys.push(("default", Doc::text(default)));
                    InputKind::Time
                } else {
                    keys.push(("type", Doc::text("text")));
                    keys.push(("default", Doc::text(initial.unwrap_or_default())));
                    InputKind::Date { has_time: flag("has_time") }
                }
            }
            "input_button" => {
                keys.push(("type", Doc::text("button")));
                InputKind::Button
            }
            _ => return None,
        };
        keys.extend(text(node, "name").map(|name| ("name", Doc::text(name))));
        self.inputs.push((
            index,
            name.to_owned(),
            crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(keys),
        ));
        Some(Source::Input { name: name.to_owned(), kind })
    }

    #[expect(clippy::unnecessary_wraps, reason = "as its siblings")]
    fn timer(&mut self, index: usize, object: &str, id: &str, node: &Node, names: &mut Names) -> Option<Source> {
        let rule = names.unique(&format!("timer_{object}"));
        let topic = format!("home_assistant/timer/{object}");
        let time = node.get("duration").and_then(duration::constant).map_or_else(|| "0s".to_owned(), duration::written);
        let publish = |topic: &str, payload: Doc, retain: bool| {
            let mut keys = vec![("publish", Doc::text(topic)), ("payload", payload)];
            if retain {
                keys.push(("retain", Doc::Value(true.into())));
            }
            crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(keys)
        };
        let told = |event: &str| {
            let payload = Doc::inline([("entity_id", Doc::text(id))]);
            names.events.contains(event).then(|| publish(&event_topic(event), payload, false))
        };
        let mut then: Vec<Doc> = match (told("timer.started"), told("timer.restarted")) {
            (None, None) => Vec::new(),
            (started, restarted) => {
                let goes = format!("['active', 'paused'].contains(state({}))", quoted(&topic));
                let rests = format!("not {goes}");
                let mut keys = Vec::new();
                match (started, restarted) {
                    (Some(started), None) => keys.extend([("if", Doc::text(rests)), ("then", started)]),
                    (started, restarted) => {
                        keys.push(("if", Doc::text(goes)));
                        keys.extend(restarted.map(|restarted| ("then", restarted)));
                        keys.extend(started.map(|started| ("else", started)));
                    }
                }
                vec![Doc::Map(keys.into_iter().map(|(key, doc)| (key.to_owned(), doc)).collect())]
            }
        };
        then.push(publish(&topic, Doc::text("active"), true));
        if names.is_paused(id) {
            then.push(publish(&left_of(&topic), Doc::text(""), true));
        }
        then.push(Doc::inline([("delay", Doc::text("${duration}"))]));
        then.push(publish(&topic, Doc::text("idle"), true));
        then.extend(told("timer.finished"));
        let mut keys = Vec::new();
        keys.extend(text(node, "name").map(|name| ("name".to_owned(), Doc::text(name))));
        keys.push(("when".to_owned(), nothing()));
        keys.push(("then".to_owned(), Doc::List(then)));
        keys.push(("mode".to_owned(), Doc::text("restart")));
        keys.push(("per".to_owned(), Doc::Value(json!([]))));
        self.rules.push((index, rule.clone(), Doc::Map(keys)));
        Some(Source::Timer { rule, topic, duration: Some(time) })
    }

    fn schedule(&mut self, index: usize, object: &str, node: &Node, names: &mut Names) -> Option<Source> {
        const DAYS: [(&str, &str); 7] = [
            ("monday", "mon"),
            ("tuesday", "tue"),
            ("wednesday", "wed"),
            ("thursday", "thu"),
            ("friday", "fri"),
            ("saturday", "sat"),
            ("sunday", "sun"),
        ];
        let mut windows: Vec<(String, String, Vec<&str>)> = Vec::new();
        for (day, short) in DAYS {
            for part in node.get(day).map(Node::items).unwrap_or_default() {
                let end = |key: &str| {
                    text(part, key).map(|end| {
                        if end.starts_with("24:00") { "00:00".to_owned() } else { time_of_day(&end).unwrap_or(end) }
                    })
                };
                let (Some(from), Some(to)) = (end("from"), end("to")) else {
                    let reason = format!("`{day}` needs `from` and `to`, as `\"17:00:00\"`");
                    self.refused.push((index, Reason::new(Code::REFUSED_THERE_TOO, reason)));
                    return None;
                };
                match windows.iter_mut().find(|(known_from, known_to, _)| *known_from == from && *known_to == to) {
                    Some((_, _, days)) => days.push(short),
                    None => windows.push((from, to, vec![short])),
                }
            }
        }
        let rule = names.unique(&format!("schedule_{object}"));
        let window = |(from, to, days): (String, String, Vec<&str>)| {
            let mut keys = vec![("after", Doc::text(from))];
            // The end of the day is what is left out.
            if to != "00:00" {
                keys.push(("before", Doc::text(to)));
            }
            let days = if let [only] = days.as_slice() { Doc::text(*only) } else { Doc::Value(days.into()) };
            keys.push(("weekdays", days));
            Doc::inline([(
                "time",
                crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(keys),
            )])
        };
        let mut windows: Vec<Doc> = windows.into_iter().map(window).collect();
        let condition = match windows.len() {
            0 => Doc::text("false"),
            1 => windows.remove(0),
            _ => Doc::inline([("any", Doc::List(windows))]),
        };
        let mut keys = Vec::new();
        keys.extend(text(node, "name").map(|name| ("name".to_owned(), Doc::text(name))));
        keys.push(("while".to_owned(), condition));
        self.rules.push((index, rule.clone(), Doc::Map(keys)));
        Some(Source::Schedule { rule })
    }
}

/// Returns the trigger of a rule that only others run.
pub(in crate::lang::import::home_assistant::translate) fn nothing() -> Doc {
    Doc::inline([("event", Doc::text("started")), ("enabled", Doc::Value(false.into()))])
        .noted(vec!["Others run it: nothing triggers it.".to_owned()])
}

/// Returns the topic on which a timer that is paused says how many seconds are left.
pub(in crate::lang::import::home_assistant::translate) fn left_of(topic: &str) -> String {
    format!("{topic}/left")
}

fn members(node: &Node) -> Vec<String> {
    let texts = node.items().into_iter().filter_map(Node::to_text);
    texts
        .flat_map(|text| text.split(',').map(|id| id.trim().to_lowercase()).collect::<Vec<_>>())
        .filter(|id| id.contains('.'))
        .collect()
}

/// Returns a number without a needless fraction.
pub(in crate::lang::import::home_assistant::translate) fn plain(number: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}
