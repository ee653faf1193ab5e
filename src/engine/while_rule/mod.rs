//! `while` rules: a condition that begins and ends (docs/language/while.md).

pub(crate) mod perform;
pub(crate) mod reconsider;
pub(crate) mod state;
pub(crate) mod switch;
pub(crate) mod transition;
