//! Publishing: `mqtt.publish`, and commands of topics in the entities file.

use serde_json::{Value as Json, json};

use crate::lang::import::home_assistant::entities::{Entity, Source, TopicEntity};
use crate::lang::import::home_assistant::translate::action::flow::payload_doc;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    /// Translates an action on a topic of the entities file.
    pub(in crate::lang::import::home_assistant::translate) fn topic_command(
        &mut self,
        node: &Node,
        entity: &Entity,
        domain: &str,
        service: &str,
    ) -> Answer<Vec<Doc>> {
        let Source::Topic(topic) = &entity.source else { return Ok(Vec::new()) };
        let Some(set) = &topic.set else {
            return self
                .refuse(node, format!("`{}` can't be commanded: the entities file gives it no `set`", entity.id));
        };
        let Some(payload) = self.topic_payload(node, entity, topic, (domain, service))? else {
            let action = format!("{domain}.{service}");
            self.left(&action, &entity.id, "the entities file doesn't say what its topic takes for it");
            return self.bridge_call(node, &action, std::slice::from_ref(&entity.id));
        };
        Ok(vec![published(set, Doc::Value(payload))])
    }

    /// Returns what a topic of the entities file takes for an action; `None` if that isn't known.
    fn topic_payload(
        &mut self,
        node: &Node,
        entity: &Entity,
        topic: &TopicEntity,
        (domain, service): (&str, &str),
    ) -> Answer<Option<Json>> {
        let data = self.call_data(node)?;
        let (on, off) = topic.commands(domain);
        let given = |keys: &[&str]| keys.iter().find_map(|key| data.get(*key).cloned());
        let mut key = topic.path.clone();
        let mut used: &[&str] = &[];
        let value = match (domain, service) {
            ("vacuum" | "climate" | "water_heater" | "alarm_control_panel", "turn_on" | "turn_off" | "toggle") => {
                return Ok(None);
            }
            (_, "turn_on" | "open_cover" | "lock" | "open_valve") | ("button", "press") => on,
            (_, "turn_off" | "close_cover" | "unlock" | "close_valve") => off,
            ("cover" | "valve", "stop_cover" | "stop_valve") => match &on {
                Json::String(word) if word == "OPEN" => json!("STOP"),
                Json::String(word) if word == "open" => json!("stop"),
                _ => return Ok(None),
            },
            (_, "toggle") => {
                self.differ(crate::lang::import::home_assistant::translate::action::command::TOGGLE);
                let field = self.field(node, entity, None)?;
                let on_text = crate::lang::import::home_assistant::expression::literal(&on);
                let off_text = crate::lang::import::home_assistant::expression::literal(&off);
                json!(format!("${{if {} == {on_text} {{ {off_text} }} else {{ {on_text} }}}}", field.expression))
            }
            _ => {
                let keys: (&[&str], &[&str]) = match (domain, service) {
                    ("number" | "text" | "input_number" | "input_text", "set_value") => (&["value"], &[]),
                    ("select" | "input_select", "select_option") => (&["option"], &[]),
                    ("cover", "set_cover_position") | ("valve", "set_valve_position") => {
                        (&["position"], &["current_position", "position"])
                    }
                    ("climate", "set_temperature") => (&["temperature"], &["temperature"]),
                    ("fan", "set_percentage") => (&["percentage"], &["percentage"]),
                    _ => return Ok(None),
                };
                used = keys.0;
                let Some(value) = given(keys.0) else { return Ok(None) };
                let own: Option<&String> = keys.1.iter().find_map(|name| topic.attributes.get(*name));
                key = own.filter(|_| topic.path.is_some()).cloned().or(key);
                if topic.is_json_light() && domain == "cover" && key == topic.path {
                    key = Some("position".to_owned());
                }
                value
            }
        };
        let mut more: Vec<(String, Json)> = Vec::new();
        for (name, value) in data.iter().filter(|(name, _)| !used.contains(&name.as_str())) {
            match topic.part(name, value) {
                Some(part) => more.push(part),
                None => return Ok(None),
            }
        }
        if more.iter().any(|(name, _)| topic.attributes.values().all(|path| path != name)) {
            self.differ(format!("what `{}` is told besides on and off is sent as zigbee2mqtt's and other JSON lights take it: `attributes` in the entities file says where else", entity.id));
        }
        let turns_off = more.iter().any(|(name, value)| name == "brightness" && value.as_f64() == Some(0.0));
        let value = if turns_off && domain == "light" {
            more.retain(|(name, _)| name != "brightness");
            topic.commands(domain).1
        } else {
            value
        };
        let Some(path) = key else { return Ok(if more.is_empty() { Some(value) } else { None }) };
        let parts: Vec<&str> = path.split('.').collect();
        let mut inner = value;
        for part in parts.iter().rev() {
            inner = json!({ (*part): inner });
        }
        if let Json::Object(map) = &mut inner {
            map.extend(more);
        }
        Ok(Some(inner))
    }

    pub(in crate::lang::import::home_assistant::translate) fn publish(&mut self, node: &Node) -> Answer<Vec<Doc>> {
        let data = node.get("data").cloned().unwrap_or_else(|| Node::map_at(&node.place, Vec::new()));
        for entry in data.as_map().unwrap_or_default() {
            if !matches!(
                entry.name(),
                "topic"
                    | "topic_template"
                    | "payload"
                    | "payload_template"
                    | "qos"
                    | "retain"
                    | "evaluate_payload"
                    | "encoding"
            ) {
                let message = format!("`{}` of `mqtt.publish` has no counterpart here", entry.name());
                return self.refuse(&entry.value, message);
            }
        }
        let Some(topic) = data.get("topic").or_else(|| data.get("topic_template")) else {
            return self.refuse(node, "`topic` is missing");
        };
        let topic = self.text(topic)?;
        let payload = match data.get("payload").or_else(|| data.get("payload_template")) {
            None => Doc::Value(Json::Null),
            Some(payload) if payload.is_null() => Doc::Value(Json::Null),
            Some(payload) if is_template(payload) => {
                let rendered = self.template(payload)?;
                match rendered.constant() {
                    Some(text) => payload_doc(&text),
                    None => Doc::text(rendered.text()),
                }
            }
            Some(payload) if payload.as_map().is_some() || payload.as_list().is_some() => {
                return self.refuse_as_there(
                    payload,
                    "a payload must be a text, in Home Assistant too: write the JSON in quotes",
                );
            }
            Some(payload) => payload_doc(&{
                let text = self.text(payload)?;
                text.replace("$${", "${")
            }),
        };
        let flag = |key: &str| data.get(key).filter(|value| !value.is_null());
        let retain = match flag("retain") {
            None => false,
            Some(value) => match value.as_bool().or_else(|| value.to_text()?.parse().ok()) {
                Some(value) => value,
                None => return self.refuse(value, "`retain` that is computed isn't translated"),
            },
        };
        let qos = match flag("qos") {
            None => None,
            Some(value) => {
                match value.to_text().and_then(|text| text.trim().parse::<u8>().ok()).filter(|qos| *qos <= 2) {
                    Some(qos) => Some(qos).filter(|qos| *qos != 1),
                    None => return self.refuse(value, "`qos` is 0, 1 or 2"),
                }
            }
        };
        if !retain && qos.is_none() {
            return Ok(vec![published(&topic, payload)]);
        }
        let mut keys = vec![("publish", Doc::text(topic)), ("payload", payload)];
        if retain {
            keys.push(("retain", Doc::Value(true.into())));
        }
        keys.extend(qos.map(|qos| ("qos", Doc::Value(qos.into()))));
        Ok(vec![entries(keys)])
    }
}

/// Returns an action that publishes, in its short form where that is one.
pub(in crate::lang::import::home_assistant::translate) fn published(topic: &str, payload: Doc) -> Doc {
    let is_short = topic.contains('/') && !topic.starts_with('$');
    if is_short {
        return Doc::Inline(vec![(topic.to_owned(), payload)]);
    }
    entries(vec![("publish", Doc::text(topic)), ("payload", payload)])
}
