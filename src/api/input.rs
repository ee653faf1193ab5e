//! Inputs, as programs read them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::Engine;
use crate::model::{Origin, input_topic};
use crate::rules::{Input, InputKind};

/// An input.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Input)]
pub struct InputAnswer {
    /// Its name in topics and expressions.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What people call it.
    #[schema(value_type = Option<String>)]
    pub title: Option<Arc<str>>,
    /// `toggle`, `number`, `choice`, `time`, `text` or `button`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it is now; `null` of a button.
    pub value: serde_json::Value,
    /// What it is where nobody has set it.
    pub default: serde_json::Value,
    /// Since when it has been so.
    pub changed_at: Option<Timestamp>,
    /// Whether somebody has set it; else it is as the file says.
    pub is_set: bool,
    /// The least number.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The steps between.
    pub step: Option<f64>,
    /// Its unit.
    #[schema(value_type = Option<String>)]
    pub unit: Option<Arc<str>>,
    /// What can be chosen.
    #[schema(value_type = Vec<String>)]
    pub options: Vec<Arc<str>>,
    /// Where it stands in its file.
    pub place: String,
}

impl InputAnswer {
    /// Returns the inputs that the engine knows, by name.
    #[must_use]
    pub fn all(engine: &Engine) -> Vec<InputAnswer> {
        engine.inputs().values().map(|input| InputAnswer::new(engine, input)).collect()
    }

    /// Returns an input as the engine knows it.
    #[must_use]
    pub fn new(engine: &Engine, input: &Input) -> InputAnswer {
        let topic = input_topic(&input.name);
        let state = topic.and_then(|topic| engine.states().get(topic.as_str()));
        let is_lasting = input.kind != InputKind::Button;
        let value = state.filter(|_| is_lasting).map(|state| state.payload.value().to_json());
        let (min, max, step, unit) = match &input.kind {
            InputKind::Number { min, max, step, unit } => (*min, *max, *step, unit.clone()),
            _ => (None, None, None, None),
        };
        let options = match &input.kind {
            InputKind::Choice(options) => options.clone(),
            _ => Vec::new(),
        };
        InputAnswer {
            name: Arc::clone(&input.name),
            title: input.title.clone(),
            kind: input.kind.word(),
            value: value.unwrap_or_default(),
            default: input.default.to_json(),
            changed_at: state.map(|state| state.changed_at),
            is_set: state.is_some_and(|state| state.origin != Origin::Retained),
            min,
            max,
            step,
            unit,
            options,
            place: input.place.to_string(),
        }
    }
}
