//! Triggers on the state of entities: `state` and `numeric_state`.

use serde_json::Value as Json;

use crate::lang::import::home_assistant::entities::{Codec, Entity, Field, Source};
use crate::lang::import::home_assistant::expression::{Fired, FiredKey, FiredKind, Marks, literal, quoted};
use crate::lang::import::home_assistant::translate::duration::{self, Hold};
use crate::lang::import::home_assistant::translate::trigger::kinds::{Guard, Started, Triggers};
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Node, Value};

/// What has no state.
const ABSENT: [&str; 2] = ["unavailable", "unknown"];

const ATTRIBUTES: &str = "there, a change of an attribute alone triggers too; here only a change of the state does";

/// The states that a key names.
#[derive(Debug, Clone, PartialEq)]
enum States {
    /// The key isn't there.
    Missing,
    /// It's null: any state.
    Any,
    Of(Vec<String>),
}

impl Work<'_> {
    /// Returns the texts of `to`, `from` and the like.
    fn states(&mut self, node: &Node, key: &str, is_attribute: bool) -> Answer<States> {
        let Some(value) = node.get(key) else { return Ok(States::Missing) };
        if value.is_null() {
            return Ok(States::Any);
        }
        let mut texts = Vec::new();
        for item in value.items() {
            let is_text = item.as_scalar().is_some_and(|scalar| scalar.value == Value::Text);
            if is_template(item) {
                return self.refuse_as_there(item, format!("`{key}` can't be a template, in Home Assistant neither"));
            }
            match item.to_text() {
                Some(text) if is_text || is_attribute => texts.push(text),
                Some(_) => {
                    let written = item.as_scalar().map(|scalar| scalar.text.to_string()).unwrap_or_default();
                    return self.refuse_as_there(item, format!("`{key}: {written}` isn't a text, which Home Assistant refuses too: quote it, `\"{written}\"`"));
                }
                None => return self.refuse(item, format!("`{key}` needs a state, in quotes")),
            }
        }
        Ok(States::Of(texts))
    }

    /// Returns the entities of a trigger or condition.
    pub(in crate::lang::import::home_assistant::translate) fn entity_ids(
        &mut self,
        node: &Node,
    ) -> Answer<Vec<String>> {
        let Some(listed) = node.get("entity_id").filter(|listed| !listed.is_null()) else {
            return self.refuse(node, "`entity_id` is missing");
        };
        let mut ids = Vec::new();
        for item in listed.items() {
            if is_template(item) {
                return self.refuse_as_there(item, "`entity_id` can't be a template here, in Home Assistant neither");
            }
            if let Some((_, reason)) = item.broken() {
                let reason = reason.clone();
                return self.refuse_at(item.place.clone(), reason);
            }
            let Some(text) = item.to_text() else { return self.refuse(item, "this isn't an entity id") };
            let id = self.entity_id(item, &text)?;
            ids.push(id);
        }
        if ids.is_empty() { self.refuse(node, "`entity_id` is empty") } else { Ok(ids) }
    }

    /// Returns an entity id: as it is, or behind a registry id.
    pub(in crate::lang::import::home_assistant::translate) fn entity_id(
        &mut self,
        node: &Node,
        text: &str,
    ) -> Answer<String> {
        let registries = &self.scope.home.registries;
        if let Some(id) = registries.by_registry_id.get(text) {
            return Ok(id.clone());
        }
        let is_id = text.split_once('.').is_some_and(|(domain, object)| {
            let is_name = |part: &str| {
                !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            };
            is_name(domain) && is_name(object)
        });
        if is_id {
            return Ok(text.to_lowercase());
        }
        let is_registry_id = text.len() == 32 && text.chars().all(|letter| letter.is_ascii_hexdigit());
        if is_registry_id {
            return self.refuse(node, format!("`{text}` is an id of Home Assistant's registry: copy `.storage/core.entity_registry` beside the configuration, or write the entity id"));
        }
        self.refuse(node, format!("`{text}` isn't an entity id"))
    }

    /// Returns a field, or refuses.
    pub(in crate::lang::import::home_assistant::translate) fn field(
        &mut self,
        node: &Node,
        entity: &Entity,
        attribute: Option<&str>,
    ) -> Answer<Field> {
        self.scope.home.field(entity, attribute).or_else(|message| self.refuse(node, message))
    }

    pub(in crate::lang::import::home_assistant::translate) fn state_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let attribute = node.get("attribute").and_then(Node::to_text);
        let is_attribute = attribute.is_some();
        let (to, from) = (self.states(node, "to", is_attribute)?, self.states(node, "from", is_attribute)?);
        let (not_to, not_from) =
            (self.states(node, "not_to", is_attribute)?, self.states(node, "not_from", is_attribute)?);
        let Hold { fixed: hold, computed: late } = self.hold(node)?;
        let is_any = [&to, &from, &not_to, &not_from].into_iter().all(|states| *states == States::Missing);
        for id in self.entity_ids(node)? {
            let entity = self.scope.home.entity(&id);
            let is_heard = matches!(
                entity.source,
                Source::Device { .. }
                    | Source::Topic(_)
                    | Source::Bridge
                    | Source::Input { .. }
                    | Source::Derived { .. }
            );
            if late.is_some() && !is_heard {
                return self
                    .refuse(node, format!("a `for` that is computed has no counterpart for `{id}`: write the time"));
            }
            if self.state_of_something_else(node, &entity, attribute.as_deref(), &to, hold, triggers)? {
                continue;
            }
            let field = self.field(node, &entity, attribute.as_deref())?;
            let is_bridged = entity.source == Source::Bridge;
            if is_any && attribute.is_none() && !matches!(entity.source, Source::Input { .. } | Source::Derived { .. })
            {
                self.differ(ATTRIBUTES);
            }
            let late = late.as_deref();
            let context =
                Context { node, id: &id, field: &field, attribute: attribute.as_deref(), hold, late, is_bridged };
            self.state_of(&context, [&to, &from, &not_to, &not_from], triggers)?;
        }
        Ok(())
    }

    /// Makes the triggers of one entity.
    fn state_of(
        &mut self,
        context: &Context<'_>,
        [to, from, not_to, not_from]: [&States; 4],
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let Context { node, field, hold, .. } = *context;
        let said_here = matches!(field.codec, Codec::Raw);
        // A device has no `unavailable` among its values: that is `available`.
        let split = |states: &States| match states {
            States::Of(texts) if !said_here => {
                let (absent, present): (Vec<String>, Vec<String>) =
                    texts.iter().cloned().partition(|text| ABSENT.contains(&text.as_str()));
                (Some(present), absent)
            }
            States::Of(texts) => (Some(texts.clone()), Vec::new()),
            States::Missing | States::Any => (None, Vec::new()),
        };
        let ((to, to_absent), (from, from_absent)) = (split(to), split(from));
        let ((not_to, _), (not_from, _)) = (split(not_to), split(not_from));
        for (absent, is_to) in [(&to_absent, true), (&from_absent, false)] {
            if absent.is_empty() {
                continue;
            }
            if field.word != "device" {
                self.differ(format!("`{}` is never `{}` here", context.id, absent.join("` or `")));
                continue;
            }
            if context.late.is_some() {
                return self
                    .refuse(node, "a `for` that is computed has no counterpart for `unavailable`: write the time");
            }
            let mut keys = vec![("device", Doc::text(&field.name)), ("field", Doc::text("available"))];
            keys.push((if is_to { "to" } else { "from" }, Doc::Value(false.into())));
            keys.extend(hold.filter(|_| is_to).map(|millis| ("for", Doc::text(duration::written(millis)))));
            triggers.push(Started { doc: entries(keys), fired: context.fired(), guard: None });
        }
        if to.as_ref().is_some_and(Vec::is_empty) || from.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let values = |work: &mut Self, texts: &Option<Vec<String>>| -> Answer<Option<Vec<Json>>> {
            let Some(texts) = texts else { return Ok(None) };
            let found: Vec<Json> = texts.iter().filter_map(|text| field.codec.value(text)).collect();
            if found.len() < texts.len() {
                if found.is_empty() {
                    return work
                        .refuse(node, format!("`{}` never has the state `{}` here", context.id, texts.join("`, `")));
                }
                work.differ(format!(
                    "some of the states `{}` are never those of `{}` here",
                    texts.join("`, `"),
                    context.id
                ));
            }
            Ok(Some(found))
        };
        let (to, from) = (values(self, &to)?, values(self, &from)?);
        let known = |texts: Option<Vec<String>>| -> Option<Vec<Json>> {
            Some(texts?.iter().filter_map(|text| field.codec.value(text)).collect())
        };
        let (not_to, not_from) = (known(not_to), known(not_from));
        let guard = {
            let mut parts = Vec::new();
            for (variable, values) in [("value", &not_to), ("old", &not_from)] {
                match values.as_deref() {
                    None | Some([]) => {}
                    Some([value]) => parts.push(format!("{variable} != {}", literal(value))),
                    Some(several) => {
                        let several: Vec<String> = several.iter().map(literal).collect();
                        parts.push(format!("not [{}].contains({variable})", several.join(", ")));
                    }
                }
            }
            (!parts.is_empty()).then(|| parts.join(" and "))
        };
        let guard = guard.map(|expression| Guard { key: context.key(), expression });
        // There, moving inside a list begins the time anew: each value has its own trigger.
        let is_held = hold.is_some() || context.late.is_some();
        let each: Vec<Option<Vec<Json>>> = match &to {
            Some(several) if is_held && several.len() > 1 => {
                several.iter().map(|value| Some(vec![value.clone()])).collect()
            }
            _ => vec![to],
        };
        for to in each {
            let mut keys = context.words();
            for (key, values) in [("from", &from), ("to", &to)] {
                match values.as_deref() {
                    None => {}
                    Some([value]) => keys.push((key, Doc::Value(value.clone()))),
                    Some(several) => keys.push((key, Doc::Value(several.to_vec().into()))),
                }
            }
            keys.extend(hold.map(|millis| ("for", Doc::text(duration::written(millis)))));
            let started = Started { doc: entries(keys), fired: context.fired(), guard: guard.clone() };
            match context.late {
                Some(late) => {
                    let ends = if to.is_none() && from.is_some() { "== old" } else { "!= value" };
                    let started = Started { fired: context.fired_late(), ..started };
                    triggers.late(started, format!("{} {ends}", field.expression), late.to_owned());
                }
                None => triggers.push(started),
            }
        }
        Ok(())
    }

    /// Makes the triggers of what has no topic here: the sun, the clock, rules.
    fn state_of_something_else(
        &mut self,
        node: &Node,
        entity: &Entity,
        attribute: Option<&str>,
        to: &States,
        hold: Option<i64>,
        triggers: &mut Triggers,
    ) -> Answer<bool> {
        let other = |doc| Started {
            doc,
            fired: Fired { kind: FiredKind::Other, platform: "state".to_owned(), key: None, marks: Marks::default() },
            guard: None,
        };
        match &entity.source {
            Source::Sun if attribute.is_none() && hold.is_none() => {
                self.needs_place();
                let wanted = |state: &str| match to {
                    States::Of(texts) => texts.iter().any(|text| text == state),
                    States::Missing | States::Any => true,
                };
                for (state, event) in [("above_horizon", "sunrise"), ("below_horizon", "sunset")] {
                    if wanted(state) {
                        triggers.push(other(Doc::inline([("sun", Doc::text(event))])));
                    }
                }
                Ok(true)
            }
            Source::Clock { format } if attribute.is_none() => {
                match to {
                    States::Of(texts) => {
                        for text in texts {
                            triggers.push(other(Doc::inline([("at", Doc::text(text))])));
                        }
                    }
                    _ if *format == "%Y-%m-%d" => triggers.push(other(Doc::inline([("at", Doc::text("00:00"))]))),
                    _ => triggers.push(other(Doc::inline([("every", Doc::text("1m"))]))),
                }
                Ok(true)
            }
            Source::Schedule { .. } | Source::Automation { .. } | Source::Script { .. } if attribute.is_none() => {
                let field = self.field(node, entity, None)?;
                let texts = match to {
                    States::Of(texts) => texts.clone(),
                    States::Missing | States::Any => vec!["on".to_owned(), "off".to_owned()],
                };
                for text in texts {
                    let negated = if text == "on" { "" } else { "not " };
                    triggers.computed(format!("{negated}{}", field.expression), hold, node);
                }
                Ok(true)
            }
            Source::Scene { .. } => {
                self.refuse(node, format!("`{}` is a scene: that one is used isn't heard here", entity.id))
            }
            _ => Ok(false),
        }
    }
}

/// One entity of a trigger.
pub(in crate::lang::import::home_assistant::translate) struct Context<'n> {
    pub(in crate::lang::import::home_assistant::translate) node: &'n Node,
    pub(in crate::lang::import::home_assistant::translate) id: &'n str,
    pub(in crate::lang::import::home_assistant::translate) field: &'n Field,
    pub(in crate::lang::import::home_assistant::translate) attribute: Option<&'n str>,
    pub(in crate::lang::import::home_assistant::translate) hold: Option<i64>,
    /// How long it must hold, if that is computed.
    pub(in crate::lang::import::home_assistant::translate) late: Option<&'n str>,
    pub(in crate::lang::import::home_assistant::translate) is_bridged: bool,
}

impl Context<'_> {
    /// Returns the keys that name what is heard.
    pub(in crate::lang::import::home_assistant::translate) fn words(&self) -> Vec<(&'static str, Doc)> {
        let mut keys = vec![(self.field.word, Doc::text(&self.field.name))];
        keys.extend(self.field.path.as_ref().map(|field| ("field", Doc::text(field))));
        keys
    }

    pub(in crate::lang::import::home_assistant::translate) fn key(&self) -> FiredKey {
        match self.field.word {
            "device" => FiredKey::Device(self.field.name.clone()),
            "input" => FiredKey::Topic(format!("homerule/input/{}", self.field.name)),
            _ => FiredKey::Topic(self.field.name.clone()),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn fired(&self) -> Fired {
        let kind = FiredKind::Entity {
            id: self.id.to_owned(),
            attribute: self.attribute.map(ToOwned::to_owned),
            codec: self.field.codec.clone(),
            is_bridged: self.is_bridged,
            is_read_live: self.attribute.is_some(),
        };
        Fired { kind, platform: "state".to_owned(), key: Some(self.key()), marks: Marks::default() }
    }

    /// Returns what templates see where another rule has waited: the state as it is then.
    fn fired_late(&self) -> Fired {
        let mut fired = Fired { key: None, ..self.fired() };
        if let FiredKind::Entity { is_read_live, .. } = &mut fired.kind {
            *is_read_live = true;
        }
        fired
    }
}

/// Returns a map on one line.
pub(in crate::lang::import::home_assistant::translate) fn entries(keys: Vec<(&str, Doc)>) -> Doc {
    Doc::Inline(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

impl Guard {
    /// Returns the expression that asks only where this trigger fired.
    pub(in crate::lang::import::home_assistant::translate) fn expression(&self, is_alone: bool) -> String {
        if is_alone {
            return self.expression.clone();
        }
        let (variable, key) = match &self.key {
            FiredKey::Topic(topic) => ("topic", topic),
            FiredKey::Device(device) => ("device", device),
        };
        format!("{variable} != {} or {}", quoted(key), self.expression)
    }
}
