//! Publishing: `mqtt.publish`, and commands of topics in the entities file.

use serde_json::{Value as Json, json};

use crate::lang::import::home_assistant::entities::{Entity, Source};
use crate::lang::import::home_assistant::translate::action::flow::payload_doc;
use crate::lang::import::home_assistant::translate::helper::plain;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    /// Translates an action on a topic of the entities file.
    #[expect(clippy::match_same_arms, reason = "a table: a line for each action")]
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
        let data = self.call_data(node)?;
        let on = topic.on.clone().unwrap_or_else(|| json!("ON"));
        let off = topic.off.clone().unwrap_or_else(|| json!("OFF"));
        let value = match (domain, service) {
            (_, "turn_on" | "open_cover" | "lock" | "open_valve") => on,
            (_, "turn_off" | "close_cover" | "unlock" | "close_valve") => off,
            (_, "toggle") => {
                self.differ(crate::lang::import::home_assistant::translate::action::command::TOGGLE);
                let field = self.field(node, entity, None)?;
                let on_text = crate::lang::import::home_assistant::expression::literal(&on);
                let off_text = crate::lang::import::home_assistant::expression::literal(&off);
                json!(format!("${{if {} == {on_text} {{ {off_text} }} else {{ {on_text} }}}}", field.expression))
            }
            ("number" | "text" | "input_number" | "input_text", "set_value") => {
                data.get("value").cloned().unwrap_or(Json::Null)
            }
            ("select" | "input_select", "select_option") => data.get("option").cloned().unwrap_or(Json::Null),
            ("cover", "set_cover_position") | ("valve", "set_valve_position") => {
                data.get("position").cloned().unwrap_or(Json::Null)
            }
            ("climate", "set_temperature") => data.get("temperature").cloned().unwrap_or(Json::Null),
            ("fan", "set_percentage") => data.get("percentage").cloned().unwrap_or(Json::Null),
            ("button", "press") => on,
            _ => {
                return self.refuse(
                    node,
                    format!("`{domain}.{service}` has no counterpart for a topic: name a device in the entities file"),
                );
            }
        };
        let used = ["value", "option", "position", "temperature", "percentage"];
        let mut more: Vec<(String, Json)> = Vec::new();
        for (key, value) in data {
            if used.contains(&&*key) && !matches!(service, "turn_on" | "turn_off" | "toggle") {
                continue;
            }
            let (key, value) = match brightness_of(&key, &value) {
                Some(value) if !topic.attributes.contains_key(&key) => ("brightness".to_owned(), value),
                _ => (key, value),
            };
            let path = topic.attributes.get(&key).cloned();
            match path.filter(|path| topic.path.is_some() && !path.contains(['.', '['])) {
                Some(path) => more.push((path, value)),
                None => {
                    return self.refuse(
                        node,
                        format!(
                            "`{key}` of `{}` has no counterpart: give its path in `attributes` of the entities file",
                            entity.id
                        ),
                    );
                }
            }
        }
        let payload = match topic.path.as_deref() {
            None => Doc::Value(value),
            Some(path) => {
                let mut inner = value;
                let parts: Vec<&str> = path.split('.').collect();
                for part in parts.iter().rev() {
                    inner = json!({ (*part): inner });
                }
                if let Json::Object(map) = &mut inner {
                    map.extend(more);
                }
                Doc::Value(inner)
            }
        };
        Ok(vec![published(set, payload)])
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

/// Returns the brightness, from 0 to 255, that a percentage of it is.
fn brightness_of(key: &str, value: &Json) -> Option<Json> {
    if key != "brightness_pct" {
        return None;
    }
    if let Some(percent) = value.as_f64() {
        return Some(plain((percent * 255.0 / 100.0).round_ties_even()));
    }
    let expression = value.as_str()?.strip_prefix("${")?.strip_suffix('}').filter(|inner| !inner.contains("${"))?;
    Some(format!("${{ha::of_255({expression})}}").into())
}

/// Returns an action that publishes, in its short form where that is one.
pub(in crate::lang::import::home_assistant::translate) fn published(topic: &str, payload: Doc) -> Doc {
    let is_short = topic.contains('/') && !topic.starts_with('$');
    if is_short {
        return Doc::Inline(vec![(topic.to_owned(), payload)]);
    }
    entries(vec![("publish", Doc::text(topic)), ("payload", payload)])
}
