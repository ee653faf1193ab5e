//! What rules ask of the past of a topic.

use std::time::Duration;

use crate::model::{Topic, Value, ValuePath};

/// What a rule asks of the past of a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The topic.
    pub topic: Topic,
    /// The value's path in its payload.
    pub path: ValuePath,
    /// What of it.
    pub kind: Kind,
    /// How far back.
    pub reach: Duration,
}

/// What is kept of a series, by what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Its numbers: `average` and the like.
    Numbers,
    /// Its values: `changes`, `at`.
    Values,
    /// When it had this value: `times`, `duration`.
    Counted(Value),
}
