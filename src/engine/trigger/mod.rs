//! Triggers: what each remembers, when it fires, and who is told of a message.

pub(crate) mod arm;
pub(crate) mod dispatch;
pub(crate) mod schedule;
pub(crate) mod state;
