//! `trigger.…`: what started the run, in our words.

use super::literal::{key_of, quoted};
use super::scope::{Fired, FiredKey, FiredKind, NOTHING};
use super::translator::{Answer, Translator, refuse};
use super::written::{Kind, Written, level};
use crate::lang::import::home_assistant::entities::Codec;

/// The mark of a trigger that is an answer to a notification: its action.
pub(in crate::lang::import::home_assistant) const ANSWER: &str = "answer";

impl Translator<'_> {
    /// Returns a variable of the run, or of the `wait` before.
    fn variable(is_wait: bool, name: &str) -> String {
        if is_wait { format!("wait.{name}") } else { name.to_owned() }
    }

    /// Returns `trigger.NAME`, or `wait.trigger.NAME`.
    pub(super) fn trigger(&mut self, is_wait: bool, name: &str, at: usize) -> Answer {
        let fired = self.scope.triggers(is_wait).to_vec();
        let variable = |name: &str| Self::variable(is_wait, name);
        let of_entity = |wanted: &str| {
            if fired.iter().any(|fired| matches!(fired.kind, FiredKind::Entity { .. })) {
                return Ok(());
            }
            refuse(at, format!("`trigger.{wanted}` is only there where an entity triggers"))
        };
        match name {
            "id" if is_wait => Ok(Written::atom("wait.trigger.id", Kind::Text)),
            "id" => Ok(self.id_of_trigger()),
            "platform" => self.by_trigger(is_wait, name, at, |fired| Some(Written::constant(&fired.platform))),
            "idx" => {
                self.by_trigger(is_wait, name, at, |fired| Some(Written::constant(&fired.marks.index.to_string())))
            }
            "above" | "below" => self.by_trigger(is_wait, name, at, |fired| Some(Self::mark(fired, name))),
            "event" if fired.iter().any(|fired| fired.marks.values.contains_key("event")) => {
                self.by_trigger(is_wait, name, at, |fired| {
                    fired.marks.values.contains_key(name).then(|| Self::mark(fired, name))
                })
            }
            "entity_id" => self.trigger_entity(is_wait, at),
            "to_state" => {
                of_entity("to_state")?;
                Ok(Written::atom(variable("value"), Kind::Fired(if is_wait { "wait.value" } else { "value" })))
            }
            "from_state" => {
                of_entity("from_state")?;
                Ok(Written::atom(variable("old"), Kind::Fired(if is_wait { "wait.old" } else { "old" })))
            }
            "payload" => Ok(Written::atom(variable("payload"), Kind::Text)),
            "payload_json" | "json" => Ok(Written::atom(variable("msg"), Kind::Any)),
            "topic" => Ok(Written::atom(variable("topic"), Kind::Text)),
            "event" => Ok(Written::atom(variable("msg"), Kind::Root("event"))),
            "now" => Ok(Written::atom("now.unix", Kind::Time)),
            "data" | "query" => {
                refuse(at, format!("`trigger.{name}` of a webhook isn't there: only JSON (`trigger.json`) is read"))
            }
            "attribute" => {
                let attributes: Vec<_> = fired
                    .iter()
                    .map(|fired| match &fired.kind {
                        FiredKind::Entity { attribute, .. } => attribute.clone(),
                        _ => None,
                    })
                    .collect();
                match attributes.split_first() {
                    Some((first, rest)) if rest.iter().all(|other| other == first) => Ok(first
                        .as_ref()
                        .map_or_else(|| Written::atom("()", Kind::None), |name| Written::constant(name))),
                    _ => refuse(at, "`trigger.attribute` isn't known here"),
                }
            }
            "for" => self.by_trigger(is_wait, name, at, |fired| match fired.marks.values.get("for") {
                Some(serde_json::Value::Number(seconds)) => Some(Written::atom(seconds.to_string(), Kind::Span)),
                Some(_) => None,
                None => Some(Written::atom("()", Kind::None)),
            }),
            "description" | "event_data" | "alias" | "offset" | "calendar_event" => {
                refuse(at, format!("`trigger.{name}` isn't known here"))
            }
            _ => refuse(at, format!("`trigger.{name}` isn't known here")),
        }
    }

    /// Returns the id of the trigger: one of those that are given.
    fn id_of_trigger(&self) -> Written {
        let id = Written::atom(self.scope.trigger_id.clone(), Kind::Text);
        let given: Option<Vec<String>> = self.scope.fired.iter().map(|fired| fired.marks.id.clone()).collect();
        let mut given = given.unwrap_or_default();
        given.sort();
        given.dedup();
        if given.len() < 2 || self.scope.is_script {
            return id;
        }
        // Who runs it without a trigger gives none.
        given.push(NOTHING.to_owned());
        Written { branches: Written::one_of(&id.text, &given, false).branches, ..id }
    }

    /// Returns a value that is written of a trigger; nothing where it isn't.
    fn mark(fired: &Fired, name: &str) -> Written {
        match fired.marks.values.get(name) {
            Some(serde_json::Value::Number(number)) => Written::atom(number.to_string(), Kind::Float),
            Some(serde_json::Value::String(text)) => Written::constant(text),
            _ => Written::atom("()", Kind::None),
        }
    }

    /// Returns what the event that triggered carries: the action of the button, where it is a webhook here.
    fn event_data(&mut self, of: &Written, name: &str, at: usize) -> Answer {
        let is_wait = of.text.starts_with("wait.");
        let fired = self.scope.triggers(is_wait);
        if name != "action" {
            let message =
                format!("`trigger.event.data.{name}` of an answer to a notification isn't known here: only `action`");
            return refuse(at, message);
        }
        let is_answer = |fired: &Fired| fired.marks.values.contains_key(ANSWER);
        if fired.iter().any(|fired| fired.platform == "event" && !is_answer(fired)) {
            return refuse(
                at,
                "answers to notifications and other events aren't told apart here: write two automations",
            );
        }
        if !is_wait && fired.iter().all(is_answer) {
            return self.by_trigger(is_wait, name, at, |fired| Some(Self::mark(fired, ANSWER)));
        }
        // What wasn't answered has no action.
        let id = if is_wait { "wait.trigger?.id".to_owned() } else { self.scope.trigger_id.clone() };
        let branches = fired.iter().filter(|fired| is_answer(fired)).map(|fired| {
            let is_it = format!("{id} == {}", quoted(fired.marks.id.as_deref().unwrap_or_default()));
            (Written::new(is_it, Kind::Bool, level::COMPARE), Self::mark(fired, ANSWER))
        });
        Ok(Written::choice(branches.collect(), Written::constant("")))
    }

    /// Returns what depends on which trigger fired: told by its id.
    fn by_trigger(
        &mut self,
        is_wait: bool,
        name: &str,
        at: usize,
        value: impl Fn(&Fired) -> Option<Written>,
    ) -> Answer {
        let unknown = |at| refuse(at, format!("`trigger.{name}` isn't known here: give the triggers different ids"));
        let mut found: Vec<(Option<String>, Written)> = Vec::new();
        for fired in self.scope.triggers(is_wait) {
            let Some(value) = value(fired) else { return unknown(at) };
            let entry = (fired.marks.id.clone(), value);
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
        let Some((_, last)) = found.last().cloned() else { return unknown(at) };
        if found.iter().all(|(_, value)| *value == last) {
            return Ok(last);
        }
        let is_told_apart = found
            .iter()
            .enumerate()
            .all(|(index, (id, _))| id.is_some() && found.iter().skip(index + 1).all(|(other, _)| other != id));
        if !is_told_apart {
            return unknown(at);
        }
        let read = if is_wait { "wait.trigger.id".to_owned() } else { self.scope.trigger_id.clone() };
        found.pop();
        let branches = found.into_iter().map(|(id, value)| {
            let is_it = format!("{read} == {}", quoted(&id.unwrap_or_default()));
            (Written::new(is_it, Kind::Bool, level::COMPARE), value)
        });
        Ok(Written::choice(branches.collect(), last))
    }

    /// Returns the state of the entity that triggered, after (`value`) or before (`old`).
    pub(super) fn trigger_state(&mut self, variable: &'static str, at: usize) -> Answer {
        let is_wait = variable.starts_with("wait.");
        let mut codecs: Vec<Codec> = Vec::new();
        let mut live: Vec<String> = Vec::new();
        for fired in self.scope.triggers(is_wait) {
            if let FiredKind::Entity { id, codec, is_read_live, .. } = &fired.kind {
                if *is_read_live {
                    live.push(id.clone());
                } else if !codecs.contains(codec) {
                    codecs.push(codec.clone());
                }
            }
        }
        match (codecs.as_slice(), live.as_slice()) {
            ([codec], []) => {
                let said = codec.text_of(variable);
                Ok(Written { said: Some(said), ..Written::atom(variable, Kind::Reading(codec.clone())) })
            }
            ([], [id]) if variable.ends_with("value") => {
                let id = id.clone();
                self.state(&id, at)
            }
            ([], []) => refuse(at, "no entity triggers here"),
            _ => self.state_of_several(variable, at),
        }
    }

    /// Returns the state of the entity that triggered, as its text, where entities of several kinds do.
    fn state_of_several(&mut self, variable: &'static str, at: usize) -> Answer {
        let is_wait = variable.starts_with("wait.");
        let is_after = variable.ends_with("value");
        let mut known: Vec<(String, bool, String)> = Vec::new();
        for fired in self.scope.triggers(is_wait) {
            if let FiredKind::Entity { id, codec, is_read_live, .. } = &fired.kind {
                match known.iter_mut().find(|(other, ..)| other == id) {
                    Some((_, is_live, _)) => *is_live |= is_read_live,
                    None => known.push((id.clone(), *is_read_live, codec.text_of(variable))),
                }
            }
        }
        let entity = self.trigger_entity(is_wait, at)?;
        let mut texts = Vec::new();
        for (id, is_live, text) in known {
            let text = match (is_live, is_after) {
                (false, _) => text,
                (true, true) => self.state(&id, at)?.as_text(),
                (true, false) => {
                    return refuse(at, "the state before the change isn't known here: trigger on the state");
                }
            };
            texts.push((id, text));
        }
        let text_of = |id: &Written| {
            let found = texts.iter().find(|(known, _)| Some(known) == id.constant.as_ref());
            Written::atom(found.map_or_else(|| "''".to_owned(), |(_, text)| text.clone()), Kind::Text)
        };
        Ok(match &entity.branches {
            Some(branches) => {
                let of = branches.of.iter().map(|(condition, id)| (condition.clone(), text_of(id))).collect();
                Written { branches: None, ..Written::choice(of, text_of(&branches.otherwise)) }
            }
            None => text_of(&entity),
        })
    }

    /// Returns `.name` of `trigger.to_state`, of its attributes, or of an event.
    pub(super) fn fired(&mut self, of: &Written, name: &str, at: usize) -> Answer {
        match &of.kind {
            Kind::Fired(variable) => match name {
                "state" => self.trigger_state(variable, at),
                "attributes" => {
                    let is_after = variable.ends_with("value");
                    let root = match (is_after, variable.starts_with("wait.")) {
                        (true, false) => "to.attributes",
                        (true, true) => "wait.to.attributes",
                        _ => "from.attributes",
                    };
                    Ok(Written::atom("", Kind::Root(root)))
                }
                "name" => {
                    let attributes = self.fired(of, "attributes", at)?;
                    self.fired(&attributes, "friendly_name", at)
                }
                "entity_id" => self.trigger_entity(variable.starts_with("wait."), at),
                "object_id" | "domain" => {
                    let id = self.trigger_entity(variable.starts_with("wait."), at)?;
                    let part = usize::from(name == "object_id");
                    let made = Written::atom(format!("{}.split('.')[{part}]", id.text), Kind::Text);
                    Ok(self.with_texts(made, &id, &|id| id.split('.').nth(part).map(ToOwned::to_owned)))
                }
                "last_changed" | "last_updated" if variable.ends_with("value") => {
                    let topic = Self::variable(variable.starts_with("wait."), "topic");
                    Ok(Written::atom(format!("last({topic}).changed_at.unix"), Kind::Time))
                }
                _ => refuse(at, format!("`.{name}` of what triggered isn't known here")),
            },
            Kind::Root("to.attributes" | "wait.to.attributes") => {
                self.fired_attribute(of.kind == Kind::Root("wait.to.attributes"), name, at)
            }
            Kind::Root("from.attributes") => self.attribute_before(name, at),
            Kind::Root("event") => match name {
                "data" => {
                    let is_wait = of.text.starts_with("wait.");
                    let is_answer = |fired: &Fired| fired.marks.values.contains_key(ANSWER);
                    let kind = if self.scope.triggers(is_wait).iter().any(is_answer) {
                        Kind::Root("event.data")
                    } else {
                        Kind::Map
                    };
                    Ok(Written::atom(of.text.clone(), kind))
                }
                "event_type" => refuse(at, "`trigger.event.event_type` isn't known here: give the triggers ids"),
                _ => refuse(at, format!("`trigger.event.{name}` isn't known here")),
            },
            Kind::Root("event.data") => self.event_data(of, name, at),
            _ => refuse(at, format!("`.{name}` of this isn't known here")),
        }
    }

    /// Returns an attribute as it was before the change: known where it's the one that triggers.
    fn attribute_before(&mut self, name: &str, at: usize) -> Answer {
        let is_it = |fired: &Fired| match &fired.kind {
            FiredKind::Entity { attribute, codec, is_read_live, .. } => {
                let is_as_there = matches!(fired.key, Some(FiredKey::Topic(_))) && *codec == Codec::Raw;
                attribute.as_deref() == Some(name) && !is_read_live && is_as_there
            }
            _ => false,
        };
        match self.scope.triggers(false) {
            fired if !fired.is_empty() && fired.iter().all(is_it) => Ok(Written::atom("old", Kind::Any)),
            _ => refuse(at, "the attributes before the change aren't known here"),
        }
    }

    /// Returns an attribute of the entity that triggered.
    fn fired_attribute(&mut self, is_wait: bool, name: &str, at: usize) -> Answer {
        let mut ids: Vec<(String, bool)> = Vec::new();
        for fired in self.scope.triggers(is_wait) {
            if let FiredKind::Entity { id, is_bridged, .. } = &fired.kind
                && !ids.iter().any(|(known, _)| known == id)
            {
                ids.push((id.clone(), *is_bridged));
            }
        }
        match ids.as_slice() {
            [(id, _)] => {
                let id = id.clone();
                self.entity_attribute(&id, name, at)
            }
            several if name == "friendly_name" && several.iter().all(|(_, is_bridged)| !is_bridged) => {
                let mut names = Vec::new();
                for (id, _) in several {
                    names.push((id.clone(), self.friendly_name(id, at)?.text));
                }
                let id = self.trigger_entity(is_wait, at)?;
                let entries: Vec<String> = names.iter().map(|(id, name)| format!("{}: {name}", key_of(id))).collect();
                Ok(Written::atom(format!("#{{ {} }}[{}]", entries.join(", "), id.text), Kind::Text))
            }
            several if !several.is_empty() && several.iter().all(|(_, is_bridged)| *is_bridged) => {
                *self.scope.home.reads_attributes.borrow_mut() = true;
                let topic = Self::variable(is_wait, "topic");
                Ok(Written::atom(
                    format!("state({topic}.replace('/state', {}))", quoted(&format!("/{name}"))),
                    Kind::Any,
                ))
            }
            [] => refuse(at, "no entity triggers here"),
            _ => {
                let entity = self.trigger_entity(is_wait, at)?;
                let mut values = Vec::new();
                for (id, _) in &ids {
                    values.push((id.clone(), self.entity_attribute(id, name, at)?));
                }
                let of = |id: &Written| {
                    let known = values.iter().find(|(known, _)| Some(known) == id.constant.as_ref());
                    known.map_or_else(|| Written::atom("()", Kind::None), |(_, value)| value.clone())
                };
                let Some(branches) = &entity.branches else { return Ok(of(&entity)) };
                let each = branches.of.iter().map(|(condition, id)| (condition.clone(), of(id))).collect();
                Ok(Written::choice(each, of(&branches.otherwise)))
            }
        }
    }

    /// Returns the id of the entity that triggered.
    fn trigger_entity(&mut self, is_wait: bool, at: usize) -> Answer {
        let (mut ids, mut topics, mut devices) = (Vec::new(), Vec::new(), Vec::new());
        for fired in self.scope.triggers(is_wait) {
            let FiredKind::Entity { id, .. } = &fired.kind else { continue };
            if !ids.contains(id) {
                ids.push(id.clone());
            }
            let entry = |key: &str| (key.to_owned(), id.clone());
            match &fired.key {
                Some(FiredKey::Topic(topic)) if !topics.contains(&entry(topic)) => topics.push(entry(topic)),
                Some(FiredKey::Device(device)) if !devices.contains(&entry(device)) => devices.push(entry(device)),
                _ => {}
            }
        }
        let written = match ids.as_slice() {
            [] => return refuse(at, "no entity triggers here"),
            [id] => Written::constant(id),
            _ => {
                let repeats = |known: &[(String, String)]| {
                    known
                        .iter()
                        .enumerate()
                        .any(|(index, (key, _))| known.iter().skip(index + 1).any(|(other, _)| other == key))
                };
                if repeats(&topics) || repeats(&devices) {
                    return refuse(at, "two entities of one device trigger here, which aren't told apart");
                }
                let mut branches = Vec::new();
                for (variable, known) in [("topic", &topics), ("device", &devices)] {
                    for (key, id) in known {
                        let condition = format!("{} == {}", Self::variable(is_wait, variable), quoted(key));
                        branches.push((Written::new(condition, Kind::Bool, level::COMPARE), Written::constant(id)));
                    }
                }
                let Some((_, last)) = branches.pop() else { return refuse(at, "no entity triggers here") };
                Written::choice(branches, last)
            }
        };
        Ok(Written { is_trigger_entity: true, ..written })
    }
}
