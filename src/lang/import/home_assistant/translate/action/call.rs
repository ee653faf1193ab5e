//! Calls: which action of Home Assistant is which of ours.

use serde_json::Value as Json;

use crate::lang::import::home_assistant::entities::Source;
use crate::lang::import::home_assistant::expression::quoted;
use crate::lang::import::home_assistant::translate::action::flow::add_key;
use crate::lang::import::home_assistant::translate::names::variable;
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

/// Domains whose actions are about Home Assistant itself.
const OF_ITSELF: [&str; 16] = [
    "recorder",
    "frontend",
    "hassio",
    "backup",
    "cloud",
    "python_script",
    "pyscript",
    "hacs",
    "logger",
    "zone",
    "person",
    "group",
    "profiler",
    "system_health",
    "config",
    "template",
];

impl Work<'_> {
    /// Translates a call.
    pub(in crate::lang::import::home_assistant::translate) fn call(&mut self, node: &Node) -> Answer<Vec<Doc>> {
        if let Some((place, reason)) = node.broken() {
            let (place, reason) = (place.clone(), reason.clone());
            return self.refuse_at(place, reason);
        }
        if let Some(docs) = self.chosen(node)? {
            return Ok(docs);
        }
        let action = node.get("action").and_then(Node::to_text).unwrap_or_default().to_lowercase();
        let Some((domain, service)) = action.split_once('.') else {
            return self.refuse(node, format!("`{action}` isn't an action: `light.turn_on`"));
        };
        if node.get("data").is_some_and(|data| data.as_map().is_none()) {
            return self.refuse(node, "`data` that is a template as a whole isn't translated: write its keys");
        }
        match (domain, service) {
            ("script", _) => self.script_call(node, service),
            ("scene", _) => self.scene_call(node, service),
            ("automation", service) if service != "reload" => self.automation_call(node, service),
            ("mqtt", "publish") => self.publish(node),
            ("notify" | "persistent_notification", _) => self.notify(node, domain, service),
            ("logbook", "log") => {
                let data = self.call_data(node)?;
                let text = |key: &str| data.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
                Ok(vec![Doc::inline([("log", Doc::text(format!("{}: {}", text("name"), text("message"))))])])
            }
            ("system_log", "write") => {
                let data = self.call_data(node)?;
                let text = data.get("message").and_then(Json::as_str).unwrap_or_default().to_owned();
                let level = match data.get("level").and_then(Json::as_str) {
                    Some("debug") => "debug",
                    Some("info") => "info",
                    Some("warning") => "warn",
                    _ => "error",
                };
                Ok(vec![Doc::inline([("log", Doc::text(text)), ("level", Doc::text(level))])])
            }
            ("rest_command", _) => self.rest_command(node, service),
            ("shell_command", _) => self.shell_command(node, service),
            ("homeassistant", "turn_on" | "turn_off" | "toggle") => {
                if let Some(docs) = self.passed_on(node, &action)? {
                    return Ok(docs);
                }
                let ids = self.targets(node)?;
                let mut docs = Vec::new();
                for (domain, ids) in by_domain(&ids) {
                    let action = match (&*domain, service) {
                        ("cover", "turn_on") => "cover.open_cover".to_owned(),
                        ("cover", "turn_off") => "cover.close_cover".to_owned(),
                        _ => format!("{domain}.{service}"),
                    };
                    docs.extend(self.call_with(node, &action, &ids)?);
                }
                if docs.is_empty() { self.refuse(node, "no entity is named") } else { Ok(docs) }
            }
            ("homeassistant", "update_entity") => {
                let ids = self.targets(node)?;
                self.bridge_call(node, &action, &ids)
            }
            ("homeassistant" | "system_log" | "mqtt", _) => {
                self.refuse(node, format!("`{action}` is about Home Assistant itself, so it has no counterpart here"))
            }
            (domain, _) if OF_ITSELF.contains(&domain) => {
                self.refuse(node, format!("`{action}` is about Home Assistant itself, so it has no counterpart here"))
            }
            (_, "reload") => {
                self.refuse(node, format!("`{action}` is about Home Assistant itself, so it has no counterpart here"))
            }
            _ => self.entity_call(node, &action),
        }
    }

    /// Translates the same call for another action and other entities.
    pub(in crate::lang::import::home_assistant::translate) fn call_with(
        &mut self,
        node: &Node,
        action: &str,
        ids: &[String],
    ) -> Answer<Vec<Doc>> {
        let items = ids.iter().map(|id| Node::text_at(&node.place, id)).collect();
        let mut keys = vec![
            ("action", Node::text_at(&node.place, action)),
            ("target", Node::map_at(&node.place, vec![("entity_id", Node::list_at(&node.place, items))])),
        ];
        keys.extend(node.get("data").map(|data| ("data", data.clone())));
        self.call(&Node::map_at(&node.place, keys))
    }

    /// Returns the data of a call, translated.
    pub(in crate::lang::import::home_assistant::translate) fn call_data(
        &mut self,
        node: &Node,
    ) -> Answer<serde_json::Map<String, Json>> {
        match node.get("data").map(|data| self.data(data)).transpose()? {
            Some(Json::Object(map)) => Ok(map),
            _ => Ok(serde_json::Map::new()),
        }
    }

    /// Translates an action on entities: each by what it is here.
    pub(in crate::lang::import::home_assistant::translate) fn entity_call(
        &mut self,
        node: &Node,
        action: &str,
    ) -> Answer<Vec<Doc>> {
        let (domain, service) = action.split_once('.').unwrap_or((action, ""));
        if let Some(docs) = self.passed_on(node, action)? {
            return Ok(docs);
        }
        let ids = self.targets(node)?;
        if ids.is_empty() && node.get("target").is_some() {
            return self.refuse(node, "no entity is meant by this target");
        }
        let (mut bridged, mut devices, mut docs) = (
            Vec::new(),
            Vec::<(String, crate::lang::import::home_assistant::translate::action::command::Told)>::new(),
            Vec::new(),
        );
        for id in &ids {
            let entity = self.scope.home.entity(id);
            match &entity.source {
                Source::Bridge => bridged.push(id.clone()),
                Source::Device { name, property } => {
                    if domain == "cover" && service == "toggle" {
                        docs.push(cover_toggle(name));
                        continue;
                    }
                    let before = self.refused.len();
                    match self.told(node, domain, service, property) {
                        Ok(told) => devices.push((name.clone(), told)),
                        Err(refused) => {
                            if !self.is_left(before) {
                                return Err(refused);
                            }
                            self.left(action, id, "what its device has no word for");
                            bridged.push(id.clone());
                        }
                    }
                }
                Source::Topic(_) => docs.extend(self.topic_command(node, &entity, domain, service)?),
                _ => docs.extend(self.helper_call(node, &entity, domain, service)?),
            }
        }
        docs.splice(0..0, set_docs(devices));
        if !bridged.is_empty() || ids.is_empty() {
            docs.extend(self.bridge_call(node, action, &bridged)?);
        }
        Ok(docs)
    }

    /// Takes back what was refused since, if all of it is that there's no counterpart: Home Assistant can go on doing it.
    fn is_left(&mut self, before: usize) -> bool {
        let refused = self.refused.get(before..).unwrap_or_default();
        let is_left = refused.iter().all(|(_, reason)| reason.text.contains("has no counterpart"));
        if is_left {
            self.refused.truncate(before);
        }
        is_left
    }

    /// Notes that Home Assistant goes on doing something, and why.
    pub(in crate::lang::import::home_assistant::translate) fn left(&mut self, action: &str, id: &str, why: &str) {
        self.differ(format!("`{action}` of `{id}` goes through Home Assistant: {why}"));
    }

    /// Returns a call on areas, devices or labels that only Home Assistant knows; `None` if they're known here, or none is
    /// meant.
    fn passed_on(&mut self, node: &Node, action: &str) -> Answer<Option<Vec<Doc>>> {
        const KEYS: [&str; 4] = ["area_id", "device_id", "label_id", "floor_id"];
        let Some(target) = node.get("target") else { return Ok(None) };
        let is_all =
            target.get("entity_id").is_some_and(|ids| ids.items().iter().any(|id| id.as_text() == Some("all")));
        let is_meant = is_all || KEYS.iter().any(|key| target.get(key).is_some_and(|ids| !ids.is_null()));
        if !is_meant || self.scope.home.registries.are_there {
            return Ok(None);
        }
        let mut keys = vec![("entity_id", Doc::Value(Json::Array(Vec::new())))];
        for key in ["entity_id"].into_iter().chain(KEYS) {
            let Some(ids) = target.get(key).filter(|ids| !ids.is_null()) else { continue };
            if is_all && key == "entity_id" {
                keys.retain(|(known, _)| *known != key);
                keys.push((key, Doc::text("all")));
                continue;
            }
            let ids: Vec<Json> = ids.items().into_iter().map(|id| self.data(id)).collect::<Answer<_>>()?;
            keys.retain(|(known, _)| *known != key);
            keys.push((key, Doc::Value(ids.into())));
        }
        self.differ("which entities an area, device, label or `all` means stays with Home Assistant, since its registries weren't there");
        self.scope.home.note_call(action);
        let data = self.call_data(node)?;
        let payload = vec![("action", Doc::text(action)), ("target", entries(keys)), ("data", Doc::Value(data.into()))];
        Ok(Some(vec![entries(vec![("homerule/home_assistant/call", entries(payload))])]))
    }

    /// Returns a call that Home Assistant carries out.
    pub(in crate::lang::import::home_assistant::translate) fn bridge_call(
        &mut self,
        node: &Node,
        action: &str,
        ids: &[String],
    ) -> Answer<Vec<Doc>> {
        let data = self.call_data(node)?;
        Ok(vec![self.bridge_doc(action, ids, data)])
    }

    pub(in crate::lang::import::home_assistant::translate) fn bridge_doc(
        &mut self,
        action: &str,
        ids: &[String],
        data: serde_json::Map<String, Json>,
    ) -> Doc {
        self.scope.home.note_call(action);
        let payload = vec![
            ("action", Doc::text(action)),
            ("target", entries(vec![("entity_id", Doc::Value(ids.to_vec().into()))])),
            ("data", Doc::Value(data.into())),
        ];
        entries(vec![("homerule/home_assistant/call", entries(payload))])
    }

    pub(in crate::lang::import::home_assistant::translate) fn script_call(
        &mut self,
        node: &Node,
        service: &str,
    ) -> Answer<Vec<Doc>> {
        let is_of_several = matches!(service, "turn_on" | "turn_off" | "toggle" | "reload")
            && !self.names.scripts.contains_key(service);
        if !is_of_several {
            let Some(rule) = self.names.scripts.get(service).cloned() else {
                return self.bridge_call(node, &format!("script.{service}"), &[]);
            };
            let mut doc = Doc::Inline(vec![("run".to_owned(), Doc::text(&rule))]);
            self.add_fields(node.get("data"), &mut doc)?;
            add_key(&mut doc, "on_dropped", Doc::text("continue"));
            return Ok(vec![doc]);
        }
        let mut docs = Vec::new();
        for id in self.targets(node)? {
            let object = id.split_once('.').map_or("", |(_, object)| object).to_owned();
            let Some(rule) = self.names.scripts.get(&object).cloned() else {
                docs.extend(self.bridge_call(node, &format!("script.{service}"), &[id])?);
                continue;
            };
            match service {
                "turn_on" => {
                    let mut doc = Doc::Inline(vec![("run".to_owned(), Doc::text(&rule))]);
                    let variables = node.get("data").and_then(|data| data.get("variables")).cloned();
                    self.add_fields(variables.as_ref(), &mut doc)?;
                    add_key(&mut doc, "wait", Doc::Value(false.into()));
                    add_key(&mut doc, "on_dropped", Doc::text("continue"));
                    docs.push(doc);
                }
                "turn_off" => docs.push(Doc::inline([("cancel", Doc::text(&rule))])),
                _ => {
                    let run = Doc::inline([("run", Doc::text(&rule)), ("wait", Doc::Value(false.into()))]);
                    let cancel = Doc::inline([("cancel", Doc::text(&rule))]);
                    let asked = Doc::text(format!("running({})", quoted(&rule)));
                    docs.push(Doc::Map(vec![
                        ("if".to_owned(), asked),
                        ("then".to_owned(), cancel),
                        ("else".to_owned(), run),
                    ]));
                }
            }
        }
        Ok(docs)
    }

    /// Adds `with`: what a script is given.
    pub(in crate::lang::import::home_assistant::translate) fn add_fields(
        &mut self,
        fields: Option<&Node>,
        doc: &mut Doc,
    ) -> Answer<()> {
        let mut with = Vec::new();
        for entry in fields.and_then(Node::as_map).unwrap_or_default() {
            let Some(name) = variable(entry.name()) else {
                return self.refuse(&entry.key, format!("`{}` can't be the name of a variable here", entry.name()));
            };
            with.push((name, Doc::Value(self.data(&entry.value)?)));
        }
        if !with.is_empty() {
            add_key(doc, "with", Doc::Inline(with));
        }
        Ok(())
    }

    pub(in crate::lang::import::home_assistant::translate) fn automation_call(
        &mut self,
        node: &Node,
        service: &str,
    ) -> Answer<Vec<Doc>> {
        let mut docs = Vec::new();
        let ids = self.targets(node)?;
        if ids.is_empty() {
            return self.refuse(node, "no automation is named");
        }
        let data = |key: &str| node.get("data").and_then(|data| data.get(key)).and_then(Node::as_bool);
        for id in ids {
            let Some(rule) = self.names.automations.get(&id).cloned() else {
                docs.extend(self.bridge_call(node, &format!("automation.{service}"), &[id])?);
                continue;
            };
            let of = |word: &str| Doc::inline([(word, Doc::text(&rule))]);
            match service {
                "turn_on" => docs.push(of("enable")),
                "turn_off" => {
                    docs.push(of("disable"));
                    if data("stop_actions") != Some(false) {
                        docs.push(of("cancel"));
                    }
                }
                "toggle" => {
                    let asked = Doc::text(format!("enabled({})", quoted(&rule)));
                    let off = Doc::List(vec![of("disable"), of("cancel")]);
                    docs.push(Doc::Map(vec![
                        ("if".to_owned(), asked),
                        ("then".to_owned(), off),
                        ("else".to_owned(), of("enable")),
                    ]));
                }
                "trigger" => {
                    let run = Doc::inline([("run", Doc::text(&rule)), ("on_dropped", Doc::text("continue"))]);
                    let conditions =
                        self.names.conditions.get(&id).cloned().filter(|_| data("skip_condition") == Some(false));
                    match conditions {
                        None => docs.push(run),
                        Some(conditions) => {
                            let conditions = self.conditions(&conditions);
                            match crate::lang::import::home_assistant::translate::condition::kinds::as_if(&conditions) {
                                Some(asked) => {
                                    docs.push(Doc::Map(vec![("if".to_owned(), asked), ("then".to_owned(), run)]));
                                }
                                None => docs.push(run),
                            }
                        }
                    }
                }
                _ => {
                    return self.refuse(
                        node,
                        format!("`automation.{service}` is about Home Assistant itself, so it has no counterpart here"),
                    );
                }
            }
        }
        Ok(docs)
    }
}

/// Returns what switches a cover to the other end.
fn cover_toggle(name: &str) -> Doc {
    let set = |to: &str| Doc::inline([("set", Doc::text(name)), ("to", Doc::inline([("move", Doc::text(to))]))]);
    let asked = Doc::text(format!("device({}).position == 0", quoted(name)));
    Doc::Map(vec![("if".to_owned(), asked), ("then".to_owned(), set("open")), ("else".to_owned(), set("close"))])
}

/// Returns what tells devices: those that are told the same together.
fn set_docs(devices: Vec<(String, crate::lang::import::home_assistant::translate::action::command::Told)>) -> Vec<Doc> {
    let mut groups: Vec<(Vec<String>, crate::lang::import::home_assistant::translate::action::command::Told)> =
        Vec::new();
    for (name, told) in devices {
        match groups.iter_mut().find(|(_, known)| *known == told) {
            Some((names, _)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
            None => groups.push((vec![name], told)),
        }
    }
    let set = |(names, told): (Vec<String>, crate::lang::import::home_assistant::translate::action::command::Told)| {
        let target = match names.as_slice() {
            [only] => Doc::text(only),
            _ => Doc::Value(names.into()),
        };
        Doc::Inline(vec![("set".to_owned(), target), ("to".to_owned(), Doc::Inline(told))])
    };
    groups.into_iter().map(set).collect()
}

/// Returns entity ids by their domains, in the order of the first of each.
fn by_domain(ids: &[String]) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for id in ids {
        let domain = id.split('.').next().unwrap_or_default();
        match found.iter_mut().find(|(known, _)| known == domain) {
            Some((_, ids)) => ids.push(id.clone()),
            None => found.push((domain.to_owned(), vec![id.clone()])),
        }
    }
    found
}
