//! Conditions: as our own words where they say the same, as expressions where not.

use serde_json::Value as Json;

use crate::lang::Code;
use crate::lang::import::home_assistant::entities::{Entity, Field};
use crate::lang::import::home_assistant::expression::{AND, Kind, Written, literal, quoted};
use crate::lang::import::home_assistant::translate::duration;
use crate::lang::import::home_assistant::translate::trigger::numeric_trigger::{Bound, scale_of, scaled};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Node, Value};

/// A condition of ours.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant::translate) enum Condition {
    /// In our own words.
    Words(Doc),
    /// As an expression.
    Expression(Written),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    pub(in crate::lang::import::home_assistant::translate) fn expression(
        text: impl Into<String>,
        level: u8,
    ) -> Condition {
        Condition::Expression(Written::new(text, Kind::Bool, level))
    }

    /// Returns it as YAML.
    pub(in crate::lang::import::home_assistant::translate) fn doc(&self) -> Doc {
        match self {
            Condition::Words(doc) => doc.clone(),
            Condition::Expression(written) => Doc::text(&written.text),
            Condition::All(parts) => match parts.as_slice() {
                [only] => only.doc(),
                several => Doc::inline([("all", list(several))]),
            },
            Condition::Any(parts) => match parts.as_slice() {
                [only] => only.doc(),
                several => Doc::inline([("any", list(several))]),
            },
            Condition::Not(inner) => match &**inner {
                Condition::Expression(written) => {
                    Doc::text(crate::lang::import::home_assistant::expression::negated(written).text)
                }
                other => Doc::inline([("not", other.doc())]),
            },
        }
    }
}

fn list(parts: &[Condition]) -> Doc {
    Doc::List(parts.iter().map(Condition::doc).collect())
}

/// Returns `if`: one condition alone, or a list.
pub(in crate::lang::import::home_assistant::translate) fn as_if(
    conditions: &[(Vec<String>, Condition)],
) -> Option<Doc> {
    match conditions {
        [] => None,
        [(comments, Condition::All(parts))] if comments.is_empty() && parts.len() > 1 => Some(list(parts)),
        [(comments, only)] => Some(only.doc().noted(comments.clone())),
        several => Some(Doc::List(several.iter().map(|(comments, one)| one.doc().noted(comments.clone())).collect())),
    }
}

const NEVER_HEARD: &str = "a condition on a state that was never heard is false in Home Assistant, and so true under `not`; here it is unknown, and nothing runs";

impl Work<'_> {
    /// Translates a list of conditions, all of which must hold. Those that can't be are noted and left out.
    pub(in crate::lang::import::home_assistant::translate) fn conditions(
        &mut self,
        node: &Node,
    ) -> Vec<(Vec<String>, Condition)> {
        let mut found = Vec::new();
        for item in node.items() {
            let mut comments = self.take_comments(&item.place, false);
            if let Some(alias) = item.get("alias").and_then(Node::to_text) {
                comments.insert(0, alias);
            }
            match self.condition(item) {
                Ok(Some(condition)) => {
                    comments.extend(self.take_comments(&item.place, true));
                    found.push((comments, condition));
                }
                Ok(None) => {}
                Err(_) => {
                    // What can't be asked is taken for false, with the original above; the rule is switched off anyway.
                    comments.extend(self.original(item));
                    found.push((comments, Condition::Expression(Written::boolean(false))));
                }
            }
        }
        found
    }

    /// Translates one condition; `None` if it's switched off.
    pub(in crate::lang::import::home_assistant::translate) fn condition(
        &mut self,
        node: &Node,
    ) -> Answer<Option<Condition>> {
        self.within(Code::CONDITION_NOT_TAKEN, |work| work.condition_of_kind(node))
    }

    fn condition_of_kind(&mut self, node: &Node) -> Answer<Option<Condition>> {
        if let Some((place, reason)) = node.broken() {
            let (place, reason) = (place.clone(), reason.clone());
            return self.refuse_at(place, reason);
        }
        if !self.is_enabled(node)? {
            return Ok(None);
        }
        let Some(kind) = node.get("condition").and_then(Node::to_text) else {
            if let Some(value) = node.as_bool() {
                return Ok(Some(Condition::Expression(Written::boolean(value))));
            }
            return self.refuse(node, "this isn't a condition: it needs `condition:`, or is a template");
        };
        self.known_condition_keys(node, &kind)?;
        let found = match &*kind {
            "state" => self.state_condition(node)?,
            "numeric_state" => self.numeric_condition(node)?,
            "time" => self.time_condition(node)?,
            "sun" => self.sun_condition(node)?,
            "template" => {
                let Some(template) = node.get("value_template") else {
                    return self.refuse(node, "`value_template` is missing");
                };
                if let Some(value) = template.as_bool() {
                    Condition::Expression(Written::boolean(value))
                } else {
                    Condition::Expression(self.template_condition(template)?)
                }
            }
            "trigger" => self.trigger_condition(node)?,
            "device" => self.device_condition(node)?,
            "and" | "or" | "not" => {
                let Some(inner) = node.get("conditions") else { return self.refuse(node, "`conditions` is missing") };
                let was_exact = self.is_exact;
                self.is_exact |= kind == "not";
                let listed = inner.items().into_iter().map(|item| self.condition(item)).collect::<Answer<Vec<_>>>();
                self.is_exact = was_exact;
                let mut parts: Vec<Condition> = listed?.into_iter().flatten().collect();
                match (&*kind, parts.is_empty()) {
                    (_, true) => return Ok(None),
                    ("and", _) => Condition::All(parts),
                    ("or", _) => Condition::Any(parts),
                    _ => {
                        if parts.iter().any(Condition::may_be_unknown) {
                            self.shared.note(NEVER_HEARD);
                        }
                        let inner = if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) };
                        Condition::Not(Box::new(inner))
                    }
                }
            }
            "zone" => return self.refuse(
                node,
                "a `zone` condition has no counterpart: zones aren't known here. A state condition on the person works",
            ),
            other => return self.refuse(node, format!("a `{other}` condition has no counterpart here")),
        };
        Ok(Some(found))
    }

    pub(in crate::lang::import::home_assistant::translate) fn trigger_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Condition> {
        let ids: Vec<String> =
            node.get("id").map(|ids| ids.items().into_iter().filter_map(Node::to_text).collect()).unwrap_or_default();
        let id = self.scope.trigger_id.clone();
        Ok(match ids.as_slice() {
            [] => return self.refuse(node, "`id` is missing"),
            [only] => Condition::expression(
                format!("{id} == {}", quoted(only)),
                crate::lang::import::home_assistant::expression::COMPARE,
            ),
            several => {
                let several: Vec<String> = several.iter().map(|id| quoted(id)).collect();
                Condition::Expression(Written::atom(format!("[{}].contains({id})", several.join(", ")), Kind::Bool))
            }
        })
    }

    pub(in crate::lang::import::home_assistant::translate) fn state_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Condition> {
        let attribute = node.get("attribute").and_then(Node::to_text);
        let Some(wanted) = node.get("state") else { return self.refuse(node, "`state` is missing") };
        let mut texts = Vec::new();
        for item in wanted.items() {
            let is_text = item.as_scalar().is_some_and(|scalar| scalar.value == Value::Text);
            match item.to_text() {
                Some(_) if is_template(item) => {
                    return self.refuse_as_there(item, "`state` can't be a template, in Home Assistant neither");
                }
                Some(text) if is_text || attribute.is_some() => texts.push(text),
                Some(_) => {
                    let written = item.as_scalar().map(|scalar| scalar.text.to_string()).unwrap_or_default();
                    return self.refuse_as_there(item, format!("`state: {written}` isn't a text, which Home Assistant refuses too: quote it, `\"{written}\"`"));
                }
                None => return self.refuse(wanted, "`state` needs a state, in quotes"),
            }
        }
        let hold = match node.get("for").filter(|hold| !hold.is_null()) {
            Some(hold) => Some(self.fixed_duration(hold)?).filter(|millis| *millis > 0),
            None => None,
        };
        let mut parts = Vec::new();
        for id in self.entity_ids(node)? {
            let entity = self.scope.home.entity(&id);
            let field = self.field(node, &entity, attribute.as_deref())?;
            parts.push(self.state_is(node, &entity, &field, &texts, hold)?);
        }
        let any = node.get("match").and_then(Node::to_text).as_deref() == Some("any");
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        Ok(if any { Condition::Any(parts) } else { Condition::All(parts) })
    }

    /// Returns the condition that an entity is in one of these states.
    pub(in crate::lang::import::home_assistant::translate) fn state_is(
        &mut self,
        node: &Node,
        entity: &Entity,
        field: &Field,
        texts: &[String],
        hold: Option<i64>,
    ) -> Answer<Condition> {
        let mut parts = Vec::new();
        let (mut values, mut absent) = (Vec::new(), false);
        for text in texts {
            let names_input = ["input_select", "input_text", "input_number", "input_boolean", "input_datetime"]
                .iter()
                .any(|domain| text.strip_prefix(domain).is_some_and(|rest| rest.starts_with('.')));
            if names_input {
                let other = self.scope.home.entity(text);
                let other = self.field(node, &other, None)?;
                let comparison = format!("{} == {}", field.text, other.text);
                parts.push(Condition::expression(comparison, crate::lang::import::home_assistant::expression::COMPARE));
                continue;
            }
            match field.codec.value(text) {
                _ if matches!(&**text, "unavailable" | "unknown") && field.word == "device" => absent = true,
                Some(value) => values.push(value),
                None if texts.len() == 1 => {
                    let message = format!("`{}` never has the state `{text}` here", entity.id);
                    return self.refuse(node, message);
                }
                None => {}
            }
        }
        if absent {
            let keys = vec![
                ("device", Doc::text(&field.name)),
                ("field", Doc::text("available")),
                ("is", Doc::Value(false.into())),
            ];
            parts.push(Condition::Words(with_hold(keys, hold)));
        }
        if !values.is_empty() {
            parts.push(self.value_is(node, field, &values, hold)?);
        }
        Ok(match parts.len() {
            0 => return self.refuse(node, format!("`{}` is never in such a state here", entity.id)),
            1 => parts.remove(0),
            _ => Condition::Any(parts),
        })
    }

    pub(in crate::lang::import::home_assistant::translate) fn value_is(
        &mut self,
        node: &Node,
        field: &Field,
        values: &[Json],
        hold: Option<i64>,
    ) -> Answer<Condition> {
        let must_be_said = self.is_exact && field.word == "state" && hold.is_none();
        if field.word.is_empty() || field.expression.starts_with("ha::") || must_be_said {
            if hold.is_some() {
                return self.refuse(node, "`for` has no counterpart here: what is asked has no topic");
            }
            let is_bool = |wanted: bool| matches!(values, [Json::Bool(value)] if *value == wanted);
            let is_logical =
                ["holds(", "enabled(", "running(", "sun.up"].iter().any(|start| field.expression.starts_with(start));
            if is_logical && is_bool(true) {
                return Ok(Condition::Expression(Written::atom(&*field.expression, Kind::Bool)));
            }
            if is_logical && is_bool(false) {
                let negated = crate::lang::import::home_assistant::expression::negated(&Written::atom(
                    &*field.expression,
                    Kind::Bool,
                ));
                return Ok(Condition::Expression(negated));
            }
            return Ok(match values {
                [value] => Condition::expression(
                    format!("{} == {}", field.expression, literal(value)),
                    crate::lang::import::home_assistant::expression::COMPARE,
                ),
                several => {
                    let several: Vec<String> = several.iter().map(literal).collect();
                    Condition::Expression(Written::atom(
                        format!("[{}].contains({})", several.join(", "), field.expression),
                        Kind::Bool,
                    ))
                }
            });
        }
        let mut keys = vec![(field.word, Doc::text(&field.name))];
        keys.extend(field.path.as_ref().map(|path| ("field", Doc::text(path))));
        match values {
            [value] => keys.push(("is", Doc::Value(value.clone()))),
            // With `for`, each state has held alone.
            several if hold.is_some() => {
                let each = several.iter().map(|value| {
                    let mut keys = keys.clone();
                    keys.push(("is", Doc::Value(value.clone())));
                    Condition::Words(with_hold(keys, hold))
                });
                return Ok(Condition::Any(each.collect()));
            }
            several => keys.push(("is", Doc::Value(several.to_vec().into()))),
        }
        Ok(Condition::Words(with_hold(keys, hold)))
    }

    pub(in crate::lang::import::home_assistant::translate) fn numeric_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Condition> {
        let attribute = node.get("attribute").and_then(Node::to_text);
        let bounds = [self.bound(node, "above")?, self.bound(node, "below")?];
        if bounds.iter().all(Option::is_none) {
            return self.refuse(node, "`numeric_state` needs `above` or `below`");
        }
        let mut parts = Vec::new();
        for id in self.entity_ids(node)? {
            parts.push(self.number_is(node, &id, attribute.as_deref(), &bounds)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    pub(in crate::lang::import::home_assistant::translate) fn number_is(
        &mut self,
        node: &Node,
        id: &str,
        attribute: Option<&str>,
        bounds: &[Option<Bound>; 2],
    ) -> Answer<Condition> {
        let entity = self.scope.home.entity(id);
        let field = self.field(node, &entity, attribute)?;
        let scale = scale_of(&entity, attribute);
        let is_plain =
            node.get("value_template").is_none() && bounds.iter().flatten().all(|bound| bound.number.is_some());
        let is_scaled = scale.is_none() && field.expression.starts_with("ha::");
        if self.is_exact && is_plain && field.word == "state" {
            let sides = [("above", &bounds[0]), ("below", &bounds[1])];
            let asked = |(word, bound): (&str, &Option<Bound>)| {
                bound.as_ref().map(|bound| format!("ha::{word}({}, {})", field.expression, bound.expression))
            };
            let parts: Vec<String> = sides.into_iter().filter_map(asked).collect();
            return Ok(Condition::expression(parts.join(" and "), AND));
        }
        if !is_plain || field.word.is_empty() || is_scaled {
            let text = self.numeric_expression(node, id, attribute, bounds)?;
            return Ok(Condition::expression(text, AND));
        }
        let mut keys = vec![(field.word, Doc::text(&field.name))];
        keys.extend(field.path.as_ref().map(|path| ("field", Doc::text(path))));
        for (key, bound) in ["above", "below"].into_iter().zip(bounds) {
            if let Some(number) = bound.as_ref().and_then(|bound| bound.number.clone()) {
                keys.push((key, Doc::Value(scaled(&number, scale))));
            }
        }
        Ok(Condition::Words(entries(keys)))
    }
}

fn with_hold(mut keys: Vec<(&str, Doc)>, hold: Option<i64>) -> Doc {
    keys.extend(hold.map(|millis| ("for", Doc::text(duration::written(millis)))));
    entries(keys)
}
