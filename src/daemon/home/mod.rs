//! The home as it runs: the one loop that owns the engine, what it is told, and what questions see of it.

pub(super) mod event_loop;
pub(super) mod input;
pub(super) mod named_rule;
pub(super) mod switched;
pub(super) mod view;
