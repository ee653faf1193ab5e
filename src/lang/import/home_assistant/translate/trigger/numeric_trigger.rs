//! The trigger `numeric_state`, and the bounds of numbers.

use serde_json::Value as Json;

use crate::lang::import::home_assistant::entities::{Codec, Entity, Source};
use crate::lang::import::home_assistant::expression::{Fired, FiredKind, Marks, literal};
use crate::lang::import::home_assistant::translate::duration;
use crate::lang::import::home_assistant::translate::trigger::kinds::{Started, Triggers};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::{Context, entries};
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Node, Value};

const NUMERIC: &str = "a numeric trigger here needs a number seen outside of the range first; there, the first number in it triggers too, and one that comes back after `unavailable`";

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn numeric_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let attribute = node.get("attribute").and_then(Node::to_text);
        let whole_hold = self.hold(node)?;
        let hold = whole_hold.fixed;
        let bounds = [self.bound(node, "above")?, self.bound(node, "below")?];
        if bounds.iter().all(Option::is_none) {
            return self.refuse(node, "`numeric_state` needs `above` or `below`");
        }
        self.differ(NUMERIC);
        let is_plain =
            node.get("value_template").is_none() && bounds.iter().flatten().all(|bound| bound.number.is_some());
        for id in self.entity_ids(node)? {
            let entity = self.scope.home.entity(&id);
            let field = self.field(node, &entity, attribute.as_deref())?;
            let scale = scale_of(&entity, attribute.as_deref());
            let is_computed = field.word.is_empty() || scale.is_none() && field.expression.starts_with("ha::");
            if !is_plain || is_computed || whole_hold.computed.is_some() {
                let expression = self.numeric_expression(node, &id, attribute.as_deref(), &bounds)?;
                let kind = FiredKind::Entity {
                    id: id.clone(),
                    attribute: attribute.clone(),
                    codec: field.codec.clone(),
                    is_bridged: entity.source == Source::Bridge,
                    is_read_live: true,
                };
                let (platform, marks) = ("numeric_state".to_owned(), Marks::default());
                triggers.computed_of(expression, whole_hold.clone(), Fired { kind, platform, key: None, marks });
                continue;
            }
            let is_bridged = entity.source == Source::Bridge;
            let attribute = attribute.as_deref();
            let context = Context { node, id: &id, field: &field, attribute, hold, late: None, is_bridged };
            let mut keys = context.words();
            for (key, bound) in ["above", "below"].into_iter().zip(&bounds) {
                if let Some(number) = bound.as_ref().and_then(|bound| bound.number.clone()) {
                    keys.push((key, Doc::Value(scaled(&number, scale))));
                }
            }
            keys.extend(hold.map(|millis| ("for", Doc::text(duration::written(millis)))));
            let fired = Fired { platform: "numeric_state".to_owned(), ..context.fired() };
            triggers.push(Started { doc: entries(keys), fired, guard: None });
        }
        Ok(())
    }

    /// Returns `above` or `below`: a number, or an entity that is one.
    pub(in crate::lang::import::home_assistant::translate) fn bound(
        &mut self,
        node: &Node,
        key: &str,
    ) -> Answer<Option<Bound>> {
        let Some(value) = node.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
        if let Some(number) = value.as_number() {
            let number = match value.as_scalar().map(|scalar| &scalar.value) {
                Some(Value::Int(whole)) => (*whole).into(),
                _ => serde_json::Number::from_f64(number).map_or(Json::Null, Into::into),
            };
            return Ok(Some(Bound { expression: literal(&number), number: Some(number) }));
        }
        let Some(text) = value.to_text().filter(|_| !is_template(value)) else {
            return self.refuse_as_there(value, format!("`{key}` needs a number or an entity, in Home Assistant too"));
        };
        if let Ok(number) = text.trim().parse::<f64>() {
            let value: Json = serde_json::from_str(text.trim())
                .unwrap_or_else(|_| serde_json::Number::from_f64(number).map_or(Json::Null, Into::into));
            return Ok(Some(Bound { expression: literal(&value), number: Some(value) }));
        }
        let id = self.entity_id(value, &text)?;
        let entity = self.scope.home.entity(&id);
        let field = self.field(value, &entity, None)?;
        Ok(Some(Bound { expression: field.expression, number: None }))
    }

    /// Returns a numeric condition as an expression.
    pub(in crate::lang::import::home_assistant::translate) fn numeric_expression(
        &mut self,
        node: &Node,
        id: &str,
        attribute: Option<&str>,
        bounds: &[Option<Bound>; 2],
    ) -> Answer<String> {
        let value = match node.get("value_template") {
            Some(template) => {
                // `state` is the entity there.
                let state = crate::lang::import::home_assistant::expression::Written::atom(
                    "",
                    crate::lang::import::home_assistant::expression::Kind::State(id.to_owned()),
                );
                let before = self.scope.variables.insert("state".to_owned(), state);
                let rendered = self.template(template);
                match before {
                    Some(before) => self.scope.variables.insert("state".to_owned(), before),
                    None => self.scope.variables.remove("state"),
                };
                rendered?.expression().as_number(None).at(crate::lang::import::home_assistant::expression::SUM)
            }
            None => {
                let entity = self.scope.home.entity(id);
                let field = self.field(node, &entity, attribute)?;
                match field.codec {
                    Codec::Number => field.expression,
                    _ => format!("number({})", field.expression),
                }
            }
        };
        let mut parts = Vec::new();
        for (sign, bound) in [">", "<"].into_iter().zip(bounds) {
            if let Some(bound) = bound {
                parts.push(match &bound.number {
                    Some(_) => format!("{value} {sign} {}", bound.expression),
                    None => {
                        format!("ha::{}({value}, {})", if sign == ">" { "above" } else { "below" }, bound.expression)
                    }
                });
            }
        }
        Ok(parts.join(" and "))
    }
}

/// A bound of a range.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant::translate) struct Bound {
    /// The number, if it's always the same.
    pub(in crate::lang::import::home_assistant::translate) number: Option<Json>,
    pub(in crate::lang::import::home_assistant::translate) expression: String,
}

/// Returns what a number of Home Assistant is multiplied by; `None` if it's the same here.
pub(in crate::lang::import::home_assistant::translate) fn scale_of(
    entity: &Entity,
    attribute: Option<&str>,
) -> Option<f64> {
    let is_device = matches!(entity.source, Source::Device { .. });
    (is_device && entity.domain() == "light" && attribute == Some("brightness")).then_some(100.0 / 255.0)
}

pub(in crate::lang::import::home_assistant::translate) fn scaled(number: &Json, scale: Option<f64>) -> Json {
    match (scale, number.as_f64()) {
        (Some(scale), Some(value)) => {
            let rounded = (value * scale * 100.0).round() / 100.0;
            serde_json::Number::from_f64(rounded).map_or(Json::Null, Into::into)
        }
        _ => number.clone(),
    }
}
