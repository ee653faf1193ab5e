//! Expressions and templates: rewritten for Rhai, checked, and compiled.

pub(super) mod check;
mod closures;
pub(super) mod code;
pub(super) mod compiled;
pub(super) mod error;
pub(super) mod kinds;
pub(super) mod mention;
pub(super) mod names;
pub(super) mod reading;
pub(super) mod rewrite;
pub(super) mod simple;
pub(super) mod syntax_error;
pub(super) mod template;
