//! Actions on helpers: inputs, counters, timers; and scenes.

use serde_json::{Value as Json, json};

use crate::lang::import::home_assistant::entities::{Entity, InputKind, Source};
use crate::lang::import::home_assistant::expression::{literal, quoted};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

impl Work<'_> {
    /// Translates an action on something that isn't a device.
    pub(in crate::lang::import::home_assistant::translate) fn helper_call(
        &mut self,
        node: &Node,
        entity: &Entity,
        domain: &str,
        service: &str,
    ) -> Answer<Vec<Doc>> {
        match &entity.source {
            Source::Input { name, kind } => {
                let (name, kind) = (name.clone(), kind.clone());
                let value = self.input_value(node, &name, &kind, domain, service)?;
                Ok(vec![entries(vec![("input", Doc::Inline(vec![(name, value)]))])])
            }
            Source::Timer { rule, topic, duration } => {
                let (rule, topic, duration) = (rule.clone(), topic.clone(), duration.clone());
                self.timer_call(node, &entity.id, (&rule, &topic, duration.as_deref()), service)
            }
            Source::Derived { .. } => {
                self.refuse(node, format!("`{}` is computed from others, so it can't be set", entity.id))
            }
            Source::Automation { .. } => {
                let ids = [entity.id.clone()];
                self.call_with(node, &format!("automation.{service}"), &ids)
            }
            Source::Script { .. } => {
                let ids = [entity.id.clone()];
                self.call_with(node, &format!("script.{service}"), &ids)
            }
            _ => self.refuse(node, format!("`{domain}.{service}` on `{}` has no counterpart here", entity.id)),
        }
    }

    #[expect(clippy::match_same_arms, reason = "a table: a line for each action")]
    pub(in crate::lang::import::home_assistant::translate) fn input_value(
        &mut self,
        node: &Node,
        name: &str,
        kind: &InputKind,
        domain: &str,
        service: &str,
    ) -> Answer<Doc> {
        let data = self.call_data(node)?;
        let read = if crate::lang::import::home_assistant::expression::is_name(name) {
            format!("inputs.{name}")
        } else {
            format!("inputs[{}]", quoted(name))
        };
        let computed = |text: String| Ok(Doc::text(format!("${{{text}}}")));
        match (kind, service) {
            (InputKind::Toggle, "turn_on") => Ok(Doc::Value(json!(true))),
            (InputKind::Toggle, "turn_off") => Ok(Doc::Value(json!(false))),
            (InputKind::Toggle, "toggle") => computed(format!("not {read}")),
            (InputKind::Number { .. } | InputKind::Text, "set_value") => match data.get("value") {
                Some(value) => Ok(Doc::Value(value.clone())),
                None => self.refuse(node, "`value` is missing"),
            },
            (InputKind::Number { min, max, step, .. }, "increment" | "decrement") => {
                let by = data.get("amount").or_else(|| data.get("step")).map_or_else(|| step.to_string(), literal);
                let sign = if service == "increment" { '+' } else { '-' };
                let sum = format!("{read} {sign} {by}");
                computed(match (min.is_finite(), max.is_finite()) {
                    (true, true) => format!("clamp({sum}, {min}, {max})"),
                    (true, false) => format!("max({sum}, {min})"),
                    (false, true) => format!("min({sum}, {max})"),
                    (false, false) => sum,
                })
            }
            (InputKind::Number { initial, .. }, "reset") if domain == "counter" => {
                Ok(Doc::Value(crate::lang::import::home_assistant::translate::helper::plain(initial.unwrap_or(0.0))))
            }
            (InputKind::Choice { .. }, "select_option") => match data.get("option") {
                Some(value) => Ok(Doc::Value(value.clone())),
                None => self.refuse(node, "`option` is missing"),
            },
            (InputKind::Choice { options }, "select_first" | "select_last") => {
                let option = if service == "select_first" { options.first() } else { options.last() };
                Ok(Doc::text(option.cloned().unwrap_or_default()))
            }
            (InputKind::Choice { options }, "select_next" | "select_previous") => {
                let list: Vec<String> = options.iter().map(|option| quoted(option)).collect();
                let by = if service == "select_next" { 1 } else { -1 };
                let cycles = data.get("cycle") != Some(&json!(false));
                computed(format!("ha::neighbour([{}], {read}, {by}, {cycles})", list.join(", ")))
            }
            (InputKind::Time | InputKind::Date { .. }, "set_datetime") => self.date_value(node, kind, &data),
            (InputKind::Button, "press") => Ok(Doc::Value(json!(true))),
            _ => self.refuse(node, format!("`{domain}.{service}` has no counterpart here")),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn date_value(
        &mut self,
        node: &Node,
        kind: &InputKind,
        data: &serde_json::Map<String, Json>,
    ) -> Answer<Doc> {
        let text = |key: &str| {
            data.get(key).map(|value| match value {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let unwrapped = |text: &str| match text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) {
            Some(expression) if !text.get(2..).unwrap_or_default().contains("${") => expression.to_owned(),
            _ => quoted(&text.replace("$${", "${")),
        };
        let (format, is_time) = match kind {
            InputKind::Time => ("%H:%M:%S", true),
            InputKind::Date { has_time: true } => ("%Y-%m-%d %H:%M:%S", false),
            _ => ("%Y-%m-%d", false),
        };
        if let Some(timestamp) = text("timestamp") {
            return Ok(Doc::text(format!(
                "${{strftime(ha::timestamp({}), {})}}",
                unwrapped(&timestamp),
                quoted(format)
            )));
        }
        if let Some(both) = text("datetime") {
            return Ok(if both.contains("${") {
                Doc::text(format!("${{strftime(ha::timestamp({}), {})}}", unwrapped(&both), quoted(format)))
            } else {
                Doc::text(both)
            });
        }
        match (text("date"), text("time"), is_time) {
            (_, Some(time), true) => Ok(if time.contains("${") {
                Doc::text(format!("${{ha::clock({})}}", unwrapped(&time)))
            } else {
                Doc::text(
                    crate::lang::import::home_assistant::translate::trigger::time_trigger::time_of_day(&time)
                        .unwrap_or(time),
                )
            }),
            (Some(date), None, false) if format.ends_with("%d") => Ok(Doc::text(date)),
            (Some(date), Some(time), false) => Ok(Doc::text(format!("{date} {time}"))),
            _ => self.refuse(node, "`set_datetime` needs the date and the time that this helper has"),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn scene_call(
        &mut self,
        node: &Node,
        service: &str,
    ) -> Answer<Vec<Doc>> {
        let data = node.get("data").cloned().unwrap_or_else(|| Node::map_at(&node.place, Vec::new()));
        if service != "create" && data.get("transition").is_some() {
            self.differ("a scene has no transition here");
        }
        match service {
            "turn_on" => {
                let mut docs = Vec::new();
                for id in self.targets(node)? {
                    let object = id.split_once('.').map_or("", |(_, object)| object).to_owned();
                    if self.names.snapshots.contains(&object) {
                        docs.extend(self.restore(&object));
                        continue;
                    }
                    match self.names.scenes.get(&id).cloned() {
                        Some(scene) => {
                            if scene.is_ours {
                                docs.push(Doc::inline([("scene", Doc::text(&scene.name))]));
                            }
                            docs.extend(scene.beside);
                            if !scene.bridged.is_empty() {
                                docs.push(self.apply(scene.bridged));
                            }
                        }
                        None => docs.push(self.bridge_doc("scene.turn_on", &[id], serde_json::Map::new())),
                    }
                }
                if docs.is_empty() { self.refuse(node, "no scene is named") } else { Ok(docs) }
            }
            "apply" => {
                let Some(wanted) = data.get("entities") else { return self.refuse(node, "`entities` is missing") };
                let (ours, bridged) = self.scene_parts(wanted)?;
                let mut docs: Vec<Doc> = ours.into_iter().map(ScenePart::action).collect();
                if !bridged.is_empty() {
                    docs.push(self.apply(bridged));
                }
                Ok(docs)
            }
            "create" => self.create_scene(node, &data),
            _ => self.refuse(node, format!("`scene.{service}` has no counterpart here")),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn apply(&mut self, bridged: Vec<(String, Json)>) -> Doc {
        let entities: serde_json::Map<String, Json> = bridged.into_iter().collect();
        let mut data = serde_json::Map::new();
        data.insert("entities".to_owned(), entities.into());
        self.bridge_doc("scene.apply", &[], data)
    }

    pub(in crate::lang::import::home_assistant::translate) fn restore(&mut self, object: &str) -> Vec<Doc> {
        let (ours, bridged) = self.names.snapshot_kinds.get(object).copied().unwrap_or((true, false));
        let mut docs = Vec::new();
        if ours {
            docs.push(Doc::inline([("restore", Doc::text(object))]));
        }
        if bridged {
            docs.push(self.bridge_doc("scene.turn_on", &[format!("scene.{object}")], serde_json::Map::new()));
        }
        docs
    }

    pub(in crate::lang::import::home_assistant::translate) fn create_scene(
        &mut self,
        node: &Node,
        data: &Node,
    ) -> Answer<Vec<Doc>> {
        let Some(name) = data.get("scene_id").and_then(Node::to_text) else {
            return self.refuse(node, "`scene_id` is missing");
        };
        if data.get("scene_id").is_some_and(is_template) || data.get("snapshot_entities").is_some_and(is_template) {
            return self.refuse(node, "a scene whose name or entities are computed isn't translated");
        }
        if data.get("entities").is_some() {
            return self.refuse(node, "`scene.create` with `entities` has no counterpart: write a scene");
        }
        let (mut devices, mut bridged) = (Vec::new(), Vec::new());
        for item in data.get("snapshot_entities").map(Node::items).unwrap_or_default() {
            for text in item.to_text().unwrap_or_default().split(',') {
                let id = self.entity_id(item, text.trim())?;
                match self.scope.home.entity(&id).source {
                    Source::Device { name, .. } => devices.push(name),
                    Source::Bridge => bridged.push(Json::from(id)),
                    Source::Topic(_) => {
                        self.left("scene.create", &id, "what a topic was told before isn't known here");
                        bridged.push(Json::from(id));
                    }
                    _ => return self.refuse(item, format!("`{id}` can't be remembered: it isn't a device")),
                }
            }
        }
        devices.dedup();
        let mut docs = Vec::new();
        if !devices.is_empty() {
            let target = if let [only] = devices.as_slice() { Doc::text(only) } else { Doc::Value(devices.into()) };
            // There, the newest counts.
            docs.push(Doc::inline([
                ("snapshot", target),
                ("as", Doc::text(&name)),
                ("replace", Doc::Value(true.into())),
            ]));
        }
        if !bridged.is_empty() {
            let mut data = serde_json::Map::new();
            data.insert("scene_id".to_owned(), name.into());
            data.insert("snapshot_entities".to_owned(), bridged.into());
            docs.push(self.bridge_doc("scene.create", &[], data));
        }
        if docs.is_empty() { self.refuse(node, "`snapshot_entities` is missing") } else { Ok(docs) }
    }

    /// Returns the parts of a scene: what is ours, and the entities that go through Home Assistant.
    #[expect(clippy::type_complexity, reason = "what is ours, and what goes through Home Assistant")]
    pub(in crate::lang::import::home_assistant::translate) fn scene_parts(
        &mut self,
        node: &Node,
    ) -> Answer<(Vec<ScenePart>, Vec<(String, Json)>)> {
        let (mut ours, mut bridged) = (Vec::new(), Vec::new());
        for entry in node.as_map().unwrap_or_default() {
            let id = self.entity_id(&entry.key, entry.name())?;
            let entity = self.scope.home.entity(&id);
            let wanted = scene_state(&entry.value);
            match &entity.source {
                Source::Bridge => {
                    let data = self.bridged_state(&entry.value, wanted)?;
                    bridged.push((id, data));
                }
                Source::Device { name, property } => {
                    let (name, property) = (name.clone(), property.clone());
                    let call = scene_as_call(&entry.value, entity.domain(), &wanted);
                    let service = call.0;
                    let told = self.told(&call.1, entity.domain(), &service, &property)?;
                    ours.push(ScenePart::Device(name, told));
                }
                Source::Topic(_) => {
                    let call = scene_as_call(&entry.value, entity.domain(), &wanted);
                    let action = format!("{}.{}", entity.domain(), call.0);
                    let docs = self.call_with(&call.1, &action, std::slice::from_ref(&id))?;
                    if docs.iter().any(is_bridged) {
                        bridged.push((id, self.bridged_state(&entry.value, wanted)?));
                    } else {
                        ours.extend(docs.into_iter().map(ScenePart::Other));
                    }
                }
                Source::Input { kind, .. } => {
                    let call = scene_as_input(&entry.value, entity.domain(), kind, &wanted);
                    let Some((action, call)) = call else {
                        return self.refuse(&entry.value, format!("`{id}` can't be set by a scene"));
                    };
                    ours.extend(self.call_with(&call, &action, &[id])?.into_iter().map(ScenePart::Beside));
                }
                Source::Automation { .. } | Source::Script { .. } => {
                    let service = if wanted == "on" { "turn_on" } else { "turn_off" };
                    let action = format!("{}.{service}", entity.domain());
                    let call = Node::map_at(&entry.value.place, Vec::new());
                    ours.extend(self.call_with(&call, &action, &[id])?.into_iter().map(ScenePart::Beside));
                }
                _ => return self.refuse(&entry.value, format!("`{id}` can't be part of a scene here")),
            }
        }
        Ok((ours, bridged))
    }

    /// Returns what Home Assistant is told of an entity of a scene.
    fn bridged_state(&mut self, node: &Node, wanted: String) -> Answer<Json> {
        if node.as_map().is_none() {
            return Ok(wanted.into());
        }
        let mut data = self.data(node)?;
        if let Json::Object(map) = &mut data {
            map.insert("state".to_owned(), wanted.into());
        }
        Ok(data)
    }
}

/// A part of a scene.
pub(in crate::lang::import::home_assistant::translate) enum ScenePart {
    Device(String, crate::lang::import::home_assistant::translate::action::command::Told),
    Other(Doc),
    /// An action that stands beside the scene where it's set: a scene has no inputs and rules.
    Beside(Doc),
}

impl ScenePart {
    fn action(self) -> Doc {
        match self {
            ScenePart::Device(name, told) => Doc::inline([("set", Doc::text(name)), ("to", Doc::Inline(told))]),
            ScenePart::Other(doc) | ScenePart::Beside(doc) => doc,
        }
    }
}

/// Returns whether an action is one that Home Assistant carries out.
fn is_bridged(doc: &Doc) -> bool {
    matches!(doc, Doc::Inline(keys) | Doc::Map(keys) if keys.iter().any(|(key, _)| key == "homerule/home_assistant/call"))
}

/// Returns the action, and a call with the data, that brings an input into the state that a scene wants.
fn scene_as_input(node: &Node, domain: &str, kind: &InputKind, state: &str) -> Option<(String, Node)> {
    let (service, key) = match kind {
        InputKind::Toggle => (if state == "on" { "turn_on" } else { "turn_off" }, None),
        InputKind::Number { .. } if domain == "counter" => return None,
        InputKind::Number { .. } | InputKind::Text => ("set_value", Some("value")),
        InputKind::Choice { .. } => ("select_option", Some("option")),
        InputKind::Time => ("set_datetime", Some("time")),
        InputKind::Date { has_time } => ("set_datetime", Some(if *has_time { "datetime" } else { "date" })),
        InputKind::Button => return None,
    };
    let data = key.map(|key| (key, Node::text_at(&node.place, state))).into_iter().collect();
    let call = Node::map_at(&node.place, vec![("data", Node::map_at(&node.place, data))]);
    Some((format!("{domain}.{service}"), call))
}

/// Returns the state that a scene wants: `on` may stand unquoted there.
fn scene_state(node: &Node) -> String {
    let state = if node.as_map().is_some() { node.get("state") } else { Some(node) };
    match state.and_then(Node::as_bool) {
        Some(value) => if value { "on" } else { "off" }.to_owned(),
        None => state.and_then(Node::to_text).unwrap_or_else(|| "on".to_owned()),
    }
}

/// Returns the action, and a call with the data, that brings a device into the state that a scene wants.
fn scene_as_call(node: &Node, domain: &str, state: &str) -> (String, Node) {
    let known: &[&str] = match domain {
        "light" => &["brightness", "color_temp", "color_temp_kelvin", "rgb_color", "hs_color", "xy_color", "effect"],
        "fan" => &["percentage", "preset_mode"],
        "climate" => &["temperature", "target_temp_low", "target_temp_high"],
        "cover" => &["current_position"],
        _ => &[],
    };
    // What says the same colour again is left out.
    let has_color = ["rgb_color", "hs_color", "xy_color", "color_temp", "color_temp_kelvin"].into_iter().find(|key| {
        node.get(key).is_some_and(|value| !value.is_null())
            && match node.get("color_mode").and_then(Node::to_text).as_deref() {
                Some("color_temp") => key.starts_with("color_temp"),
                Some("rgb" | "hs" | "xy") => !key.starts_with("color_temp"),
                _ => true,
            }
    });
    let mut data: Vec<(&str, Node)> = Vec::new();
    for key in known {
        let is_color = key.contains("color");
        if let Some(value) = node.get(key).filter(|value| !value.is_null())
            && (!is_color || has_color == Some(key))
        {
            let key = if *key == "current_position" { "position" } else { key };
            data.push((key, value.clone()));
        }
    }
    if domain == "climate" {
        data.push(("hvac_mode", Node::text_at(&node.place, state)));
    }
    let service = match (domain, state) {
        ("climate", _) => "set_temperature",
        ("cover", _) if data.iter().any(|(key, _)| *key == "position") => "set_cover_position",
        ("cover", "closed") => "close_cover",
        ("cover", _) => "open_cover",
        ("lock", "locked") => "lock",
        ("lock", _) => "unlock",
        ("select", _) => {
            data.push(("option", Node::text_at(&node.place, state)));
            "select_option"
        }
        ("number", _) => {
            data.push(("value", Node::text_at(&node.place, state)));
            "set_value"
        }
        (_, "off") => {
            data.clear();
            "turn_off"
        }
        _ => "turn_on",
    };
    if service == "turn_on" && domain == "switch" {
        data.clear();
    }
    let call = Node::map_at(&node.place, vec![("data", Node::map_at(&node.place, data))]);
    (service.to_owned(), call)
}
