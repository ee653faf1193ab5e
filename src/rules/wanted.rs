//! What a value should be, and isn't.

use serde::{Deserialize, Serialize};

use crate::model::Value;

/// What a value should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// One of these.
    OneOf(Vec<Value>),
    /// A number above this.
    Above(f64),
    /// A number below this.
    Below(f64),
    /// A number.
    Number,
}
