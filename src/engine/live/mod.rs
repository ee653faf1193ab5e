//! The rules in force: what each remembers, who is told of what, and what is due when.

pub(crate) mod deadlines;
pub(crate) mod id;
pub(crate) mod owner;
pub(crate) mod rule;
pub(crate) mod saved_rule;
pub(in crate::engine) mod snapshots;
pub(crate) mod soon;
pub(crate) mod subscriptions;
pub(crate) mod table;
pub(crate) mod timer;
pub(crate) mod track_key;
mod unsaved;
mod yielding;
