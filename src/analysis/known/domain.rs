//! What a device says that it may say: all of it, rather than what was heard by chance.

use crate::devices::{Holds, Property};
use crate::model::Value;

/// What may stand somewhere in a payload, as the device writes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// One of these.
    Values(Vec<Value>),
    /// A number from the first to the second.
    Numbers(f64, f64),
}

impl Domain {
    /// Returns whether `value` may be said.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Domain::Values(values) => values.iter().any(|known| value.matches(known)),
            Domain::Numbers(least, most) => value.as_number().is_some_and(|number| number >= *least && number <= *most),
        }
    }

    /// Returns values of a property, as rules would write them; several of each sort.
    pub(super) fn samples(property: &Property) -> Vec<Value> {
        match &property.holds {
            Holds::Boolean => vec![Value::Bool(true), Value::Bool(false)],
            Holds::Words(words) => words.iter().map(|word| Value::Text(word.clone())).collect(),
            Holds::Number(range) => {
                let (least, most) = (range.min.unwrap_or(0.0), range.max.unwrap_or(100.0));
                [least, f64::midpoint(least, most).round(), most].map(number).into()
            }
            Holds::Event(words) => words.iter().map(|word| Value::Text(word.clone())).collect(),
            Holds::Text | Holds::Color | Holds::Press | Holds::Duration | Holds::Sound | Holds::Any => Vec::new(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only whole numbers of few digits are converted")]
fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e9 { Value::Int(number as i64) } else { Value::Float(number) }
}
