//! `while` rules: a condition that begins and ends.

pub(crate) mod perform;
pub(crate) mod state;
