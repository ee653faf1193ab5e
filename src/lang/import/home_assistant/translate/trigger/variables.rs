//! `variables` of triggers: what each brings, by which of them fired.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::lang::import::home_assistant::expression::{COMPARE, Kind, NOTHING, Written, literal, quoted};
use crate::lang::import::home_assistant::translate::names::variable;
use crate::lang::import::home_assistant::translate::trigger::kinds::{Computed, Triggers};
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

/// Returns whether triggers bring variables that tell them apart.
pub(in crate::lang::import::home_assistant::translate) fn bring_variables(triggers: Option<&Node>) -> bool {
    let items = triggers.map(Node::items).unwrap_or_default();
    items.len() > 1 && items.iter().any(|item| given(item).is_some())
}

fn given(trigger: &Node) -> Option<&Node> {
    trigger.get("variables").filter(|variables| !variables.is_null())
}

impl Work<'_> {
    /// Returns the names that triggers bring, with their values. What follows reads them.
    pub(in crate::lang::import::home_assistant::translate) fn trigger_lets(
        &mut self,
        listed: &Node,
        triggers: &Triggers,
    ) -> Answer<Vec<(String, Doc)>> {
        let items = listed.items();
        let mut names: Vec<&str> = Vec::new();
        for item in &items {
            for entry in given(item).and_then(Node::as_map).unwrap_or_default() {
                if !names.contains(&entry.name()) {
                    names.push(entry.name());
                }
            }
        }
        let mut lets = Vec::new();
        for name in names {
            let Some(ours) = variable(name) else {
                return self.refuse(listed, format!("`{name}` can't be the name of a variable here"));
            };
            let written = self.brought(&items, triggers, name)?;
            let known = match (&written.constant, written.texts()) {
                (Some(text), _) => {
                    self.scope.constants.insert(name.to_owned(), Node::text_at(&listed.place, text));
                    Written { constant: written.constant.clone(), ..Written::atom(&*ours, Kind::Text) }
                }
                (None, Some(texts)) => {
                    let mut texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
                    // Who runs it without a trigger gives none.
                    texts.push(NOTHING.to_owned());
                    Written::one_of(&ours, &texts, false)
                }
                (None, None) => Written::atom(&*ours, written.kind.clone()),
            };
            self.scope.variables.insert(name.to_owned(), known);
            lets.push((ours, Doc::text(format!("${{{}}}", written.text))));
        }
        Ok(lets)
    }

    /// Returns what a name is, by which trigger fired; an empty text where that one doesn't bring it.
    fn brought(&mut self, items: &[&Node], triggers: &Triggers, name: &str) -> Answer<Written> {
        let mut found: Vec<(Option<String>, Written)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let fired = triggers.listed.iter().map(|started| &started.fired);
            let fired = fired.chain(triggers.computed.iter().map(|computed| &computed.fired));
            let of_it: Vec<_> = fired.filter(|fired| fired.marks.index == index).cloned().collect();
            let id = of_it.first().and_then(|fired| fired.marks.id.clone());
            let value = match given(item).and_then(|variables| variables.get(name)) {
                Some(value) => {
                    let all = std::mem::replace(&mut self.scope.fired, of_it);
                    let value = self.brought_value(value);
                    self.scope.fired = all;
                    value?
                }
                None => Written::constant(""),
            };
            match found.iter().find(|(known, _)| *known == id) {
                Some((_, known)) if *known != value => {
                    return self.refuse(item, "triggers that bring different `variables` need different ids");
                }
                Some(_) => {}
                None => found.push((id, value)),
            }
        }
        let Some((_, first)) = found.first().cloned() else { return Ok(Written::constant("")) };
        if found.iter().all(|(_, value)| *value == first) {
            return Ok(first);
        }
        let id = self.scope.trigger_id.clone();
        let branches = found.into_iter().map(|(own, value)| {
            let is_it = format!("{id} == {}", quoted(&own.unwrap_or_default()));
            (Written::new(is_it, Kind::Bool, COMPARE), value)
        });
        Ok(Written::choice(branches.collect(), Written::constant("")))
    }

    fn brought_value(&mut self, node: &Node) -> Answer<Written> {
        if is_template(node) {
            let rendered = self.template(node)?;
            return Ok(match rendered.value() {
                Json::String(text) => match (rendered.constant(), text.strip_prefix("${")) {
                    (Some(text), _) => Written::constant(&text),
                    (None, Some(inner)) if rendered.pieces.len() == 1 => {
                        Written::atom(format!("({})", inner.trim_end_matches('}')), Kind::Any)
                    }
                    _ => Written::atom(rendered.expression().as_text(), Kind::Text),
                },
                value => Written::atom(literal(&value), Kind::Any),
            });
        }
        let mut has_template = false;
        node.walk(&mut |part| has_template |= is_template(part));
        if has_template {
            return self.refuse(node, "templates within a list or a map of a trigger's `variables` aren't translated");
        }
        if let Some(text) = node.as_text() {
            return Ok(Written::constant(text));
        }
        let value = self.data(node)?;
        let kind = match &value {
            Json::Bool(_) => Kind::Bool,
            Json::Number(number) if number.is_f64() => Kind::Float,
            Json::Number(_) => Kind::Int,
            Json::Array(_) => Kind::List,
            Json::Object(_) => Kind::Map,
            Json::Null | Json::String(_) => Kind::Any,
        };
        Ok(Written::atom(literal(&value), kind))
    }
}

/// Returns the variables that a condition reads, and those that these read.
pub(in crate::lang::import::home_assistant::translate) fn needed(
    lets: Vec<(String, Doc)>,
    asked: &Doc,
) -> Vec<(String, Doc)> {
    let mut read = format!("{asked:?}");
    let mut found = Vec::new();
    for (name, doc) in lets.into_iter().rev() {
        if read.contains(&name) {
            let _ = write!(read, "{doc:?}");
            found.push((name, doc));
        }
    }
    found.reverse();
    found
}

/// Returns variables as they are where one computed trigger alone starts: its id is known.
pub(in crate::lang::import::home_assistant::translate) fn started_alone(
    lets: Vec<(String, Doc)>,
    computed: &Computed,
) -> Vec<(String, Doc)> {
    let id = computed.quoted_id().unwrap_or_else(|| "''".to_owned());
    let known = |doc: Doc| doc.replaced("(started_by ?? trigger.id)", &id).replaced("started_by", &id);
    lets.into_iter().map(|(name, doc)| (name, known(doc))).collect()
}
