//! Conditions: what must be true (docs/language/conditions.md).

use std::sync::Arc;
use std::time::Duration;

use crate::model::schedule::TimeWindow;
use crate::model::{Name, Place, Value, ValuePath};
use crate::script::{Expression, Template};

use super::{Ignored, Range, Wanted};

/// A condition.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What is asked.
    pub kind: ConditionKind,
    /// Where it stands in its rule: `if`, `if.any[1]`, `then[0].if`.
    pub path: Arc<str>,
    /// Where it stands in its file.
    pub place: Place,
}

/// The kinds of conditions.
#[derive(Debug, Clone)]
pub enum ConditionKind {
    /// An expression that gives a boolean, or `()`: false.
    Expression(Expression),
    /// All hold; one that is false decides.
    All(Vec<Condition>),
    /// One holds; one that is true decides.
    Any(Vec<Condition>),
    /// It doesn't hold.
    Not(Box<Condition>),
    /// The value of a topic.
    State(StateCondition),
    /// A property of a device.
    Device(DeviceCondition),
    /// The time of day.
    Time(TimeWindow),
    /// The sun is up (true) or down (false).
    Sun {
        /// Which of both.
        is_up: bool,
    },
}

/// A condition on a property of one device.
#[derive(Debug, Clone)]
pub struct DeviceCondition {
    /// The device's name or id.
    pub device: Template,
    /// Which property.
    pub property: Name,
    /// What it must be; its topic is that of the property of any device.
    pub state: StateCondition,
}

/// A condition on the value of one topic.
#[derive(Debug, Clone)]
pub struct StateCondition {
    /// The topic; a text, possibly with expressions.
    pub topic: Template,
    /// The value's path in the payload.
    pub field: ValuePath,
    /// What the value is: one of these.
    pub is: Option<Vec<Value>>,
    /// The range that the number lies in.
    pub range: Option<Range>,
    /// How long it must have been so.
    pub hold: Option<Duration>,
    /// What is skipped: the value before stays.
    pub ignored: Ignored,
}

impl StateCondition {
    /// Returns whether `value`, what stands at the path, can be asked: whether something that isn't a number is in a
    /// range is unknown.
    #[must_use]
    pub fn can_judge(&self, value: &Value) -> bool {
        self.range.is_none() || value.as_number().is_some()
    }

    /// Returns whether `value`, what stands at the path, is what is asked. Without `is` and a range, any
    /// value is.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        let is = self.is.as_ref().is_none_or(|values| values.iter().any(|wanted| value.matches(wanted)));
        let in_range = |range: &Range| value.as_number().is_some_and(|number| range.contains(number));
        is && self.range.as_ref().is_none_or(in_range)
    }

    /// Returns what `value`, which isn't what is asked for, should be.
    #[must_use]
    pub fn wanted(&self, value: &Value) -> Wanted {
        if let Some(wanted) = self.is.as_ref().filter(|wanted| !wanted.iter().any(|wanted| value.matches(wanted))) {
            return Wanted::OneOf(wanted.clone());
        }
        let missed = self.range.as_ref().zip(value.as_number()).and_then(|(range, number)| range.missed(number));
        missed.unwrap_or(Wanted::Number)
    }
}
