//! The home as it runs: the one loop that owns the engine, what it is told, and what it does of what was decided.

pub(super) mod event_loop;
pub(super) mod input;
mod keeping;
pub(super) mod named_rule;
mod sending;
mod settings_change;
pub(super) mod switched;
