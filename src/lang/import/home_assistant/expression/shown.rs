//! States as they're shown: rounded, and with their unit.

use super::calls::named_argument;
use super::literal::quoted;
use super::translator::{Answer, Refusal, Translator, refuse};
use super::written::{Kind, Written};
use crate::lang::import::home_assistant::jinja::{Expression, ExpressionKind};

/// How a state is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) is_rounded: bool,
    pub(super) has_unit: bool,
}

impl Translator<'_> {
    /// Returns what `rounded` and `with_unit` of `states(…)` say. With its unit, a state is rounded too, unless that is denied.
    pub(super) fn shown(arguments: &[Expression], named: &[(String, Expression)], at: usize) -> Result<Shown, Refusal> {
        let flag = |index: usize, name: &str| match arguments.get(index).or_else(|| named_argument(named, name)) {
            None => Ok(None),
            Some(Expression { kind: ExpressionKind::Bool(value), .. }) => Ok(Some(*value)),
            Some(other) => refuse(other.at, format!("`{name}` that is computed isn't translated")),
        };
        if let Some((other, _)) = named.iter().find(|(name, _)| name != "rounded" && name != "with_unit") {
            return refuse(at, format!("`states` has no `{other}`, in Home Assistant too"));
        }
        let has_unit = flag(2, "with_unit")?.unwrap_or(false);
        let is_rounded = flag(1, "rounded")?.unwrap_or(has_unit);
        Ok(Shown { is_rounded, has_unit })
    }

    /// Returns the state of an entity as it's shown.
    pub(super) fn shown_state(&mut self, id: &str, shown: Shown, at: usize) -> Answer {
        let state = self.state(id, at)?;
        let home = self.scope.home;
        let registered = home.registries.entities.get(id);
        let precision = registered.and_then(|entity| entity.precision).filter(|_| id.starts_with("sensor."));
        let state = match precision.filter(|_| shown.is_rounded) {
            Some(digits) => Written::atom(format!("ha::rounded({}, {digits})", state.as_text()), Kind::Text),
            None => state,
        };
        if !shown.has_unit {
            return Ok(state);
        }
        let unit = registered.and_then(|entity| entity.unit.clone()).or_else(|| home.unit_of(id));
        let unit = match unit {
            Some(unit) => quoted(&unit),
            None => self.entity_attribute(id, "unit_of_measurement", at)?.text,
        };
        Ok(Written::atom(format!("ha::with_unit({}, {unit})", state.as_text()), Kind::Text))
    }

    /// Returns the id of the entity that triggered, where that is always the same.
    pub(super) fn trigger_id_of_one(&mut self, at: usize) -> Result<String, Refusal> {
        match self.trigger(false, "entity_id", at)?.constant {
            Some(id) => Ok(id),
            None => refuse(at, "how the state of one of several entities is shown isn't known here: name the entity"),
        }
    }
}
