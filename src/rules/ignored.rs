//! What is skipped: what devices say between their values, like `unavailable` (docs/language/values.md).

use crate::model::{Value, ValuePath};

/// Payloads, and values within them, that a trigger or a condition passes over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ignored(pub Vec<Value>);

impl Ignored {
    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a payload is skipped: itself, or what stands at `field`.
    #[must_use]
    pub fn contains(&self, payload: &Value, field: &ValuePath) -> bool {
        !self.0.is_empty()
            && (self.0.contains(payload) || payload.at(field).is_some_and(|value| self.0.contains(value)))
    }
}
