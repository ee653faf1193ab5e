//! Triggers: what each remembers, when it fires, and who is told of a message (docs/language/triggers.md).

pub(crate) mod arm;
pub(crate) mod at_expression;
pub(crate) mod events;
pub(crate) mod firing;
pub(crate) mod message;
pub(crate) mod schedule;
pub(crate) mod sequence;
pub(crate) mod state;
pub(crate) mod timed;
