//! Scripts: Rhai files, the rules that they make, and their closures.

pub(super) mod calling;
pub(super) mod check;
pub(super) mod closure;
pub(super) mod collector;
pub(super) mod command;
pub(super) mod effects;
pub(super) mod engine;
pub(super) mod error;
pub(super) mod given;
pub(super) mod libraries;
pub(super) mod loading;
pub(super) mod script;
pub(super) mod script_file;
pub(super) mod syntax_error;
