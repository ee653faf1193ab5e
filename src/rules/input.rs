//! Inputs: what people set by hand, and rules read (docs/inputs.md).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::schedule::TimeOfDay;
use crate::model::{Name, Place, Value};

/// The inputs of a home, by name.
pub type Inputs = BTreeMap<Name, Input>;

/// Something that people set by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its name, in topics and expressions.
    pub name: Name,
    /// What people call it.
    pub title: Option<Arc<str>>,
    /// What it holds.
    pub kind: InputKind,
    /// What it is where nobody has set it; `()` of a button.
    pub default: Value,
    /// Where it stands.
    pub place: Place,
}

/// What an input holds.
#[derive(Debug, Clone, PartialEq)]
pub enum InputKind {
    /// On or off.
    Toggle,
    /// A number.
    Number {
        /// The least.
        min: Option<f64>,
        /// The most.
        max: Option<f64>,
        /// The steps between.
        step: Option<f64>,
        /// Its unit.
        unit: Option<Arc<str>>,
    },
    /// One of these.
    Choice(Vec<Arc<str>>),
    /// A time of day.
    Time,
    /// A text.
    Text,
    /// Nothing: it can be pressed.
    Button,
}

impl InputKind {
    /// Returns its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            InputKind::Toggle => "toggle",
            InputKind::Number { .. } => "number",
            InputKind::Choice(_) => "choice",
            InputKind::Time => "time",
            InputKind::Text => "text",
            InputKind::Button => "button",
        }
    }

    /// Returns `value` as such an input holds it.
    ///
    /// # Errors
    /// What it takes instead, in words.
    pub fn accept(&self, value: &Value) -> Result<Value, String> {
        let refused = |expected: String| Err(format!("takes {expected}, not `{value}`"));
        match self {
            InputKind::Toggle => match value {
                Value::Bool(_) => Ok(value.clone()),
                Value::Text(word) => match word.to_ascii_lowercase().as_str() {
                    "on" | "true" => Ok(Value::Bool(true)),
                    "off" | "false" => Ok(Value::Bool(false)),
                    _ => refused("`ON` or `OFF`".to_owned()),
                },
                _ => refused("`ON` or `OFF`".to_owned()),
            },
            InputKind::Number { min, max, .. } => {
                let read = match value {
                    Value::Text(text) => Value::from_payload(text.trim().as_bytes()),
                    other => other.clone(),
                };
                let number = read.as_number().filter(|number| number.is_finite());
                let is_within =
                    |number: &f64| min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max);
                match number.filter(is_within) {
                    Some(_) => Ok(read),
                    None => refused(match (min, max) {
                        (Some(min), Some(max)) => format!("a number from {min} to {max}"),
                        (Some(min), None) => format!("a number from {min}"),
                        (None, Some(max)) => format!("a number up to {max}"),
                        (None, None) => "a number".to_owned(),
                    }),
                }
            }
            InputKind::Choice(options) => {
                let word = value.to_string();
                match options.iter().find(|option| ***option == *word) {
                    Some(option) => Ok(Value::Text(Arc::clone(option))),
                    None => {
                        let options: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
                        refused(format!("one of {}", options.join(", ")))
                    }
                }
            }
            InputKind::Time => match value {
                Value::Time(time) => Ok(Value::text(time.strftime("%H:%M:%S").to_string())),
                Value::Text(text) if TimeOfDay::parse(text).is_ok() => Ok(value.clone()),
                _ => refused("a time of day (`07:30`)".to_owned()),
            },
            InputKind::Text => match value {
                Value::List(_) | Value::Map(_) | Value::Blob(_) => refused("a text".to_owned()),
                other => Ok(Value::text(other.to_string())),
            },
            InputKind::Button => match value {
                Value::Bool(true) => Ok(Value::Bool(true)),
                Value::Text(word) if word.eq_ignore_ascii_case("press") => Ok(Value::Bool(true)),
                _ => refused("`PRESS`".to_owned()),
            },
        }
    }

    /// Returns what is published of a value.
    #[must_use]
    pub fn wire(&self, value: &Value) -> Value {
        match (self, value) {
            (InputKind::Toggle, Value::Bool(true)) => "ON".into(),
            (InputKind::Toggle, _) => "OFF".into(),
            (InputKind::Button, _) => "PRESS".into(),
            (_, value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_what_it_holds_and_nothing_else() {
        let number = InputKind::Number { min: Some(1.0), max: Some(100.0), step: None, unit: None };
        let choice = InputKind::Choice(vec!["home".into(), "away".into()]);
        for (kind, given, taken) in [
            (&InputKind::Toggle, Value::from("ON"), Some(Value::Bool(true))),
            (&InputKind::Toggle, Value::from("off"), Some(Value::Bool(false))),
            (&InputKind::Toggle, Value::from("maybe"), None),
            (&InputKind::Toggle, Value::Int(1), None),
            (&number, Value::from("20"), Some(Value::Int(20))),
            (&number, Value::Float(2.5), Some(Value::Float(2.5))),
            (&number, Value::Int(0), None),
            (&number, Value::from("many"), None),
            (&choice, Value::from("away"), Some(Value::from("away"))),
            (&choice, Value::from("night"), None),
            (&InputKind::Time, Value::from("07:30"), Some(Value::from("07:30"))),
            (&InputKind::Time, Value::from("25:00"), None),
            (&InputKind::Text, Value::Int(3), Some(Value::from("3"))),
            (&InputKind::Text, Value::Map(Arc::default()), None),
            (&InputKind::Button, Value::from("PRESS"), Some(Value::Bool(true))),
            (&InputKind::Button, Value::from("release"), None),
        ] {
            assert_eq!(kind.accept(&given).ok(), taken, "{kind:?} {given}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_taken() {
        let number = InputKind::Number { min: Some(1.0), max: Some(100.0), step: None, unit: None };
        assert_eq!(number.accept(&Value::Int(300)).unwrap_err(), "takes a number from 1 to 100, not `300`");
    }
}
