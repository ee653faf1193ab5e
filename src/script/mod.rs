//! Rhai, confined: expressions compiled with their places, templates, and what a script may call and read.
//!
//! Pure: what an expression reads is the [`World`] that it is lent, at the time that the world is told.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod brackets;
mod calling;
mod check;
mod closure;
mod code;
mod collector;
mod command;
mod commands;
mod compiled_script;
mod convert;
mod deep_stack;
mod expression;
mod failure;
mod fingerprint;
mod function_docs;
mod functions;
mod given;
mod home;
mod kinds;
mod libraries;
mod lists;
mod literals;
mod loading;
mod loan;
mod meter;
mod moment;
mod names;
mod operators;
mod outline;
mod place_tree;
mod plain;
mod reads;
mod rewrite;
mod sandbox;
mod script_check;
mod script_engine;
mod script_error;
mod script_functions;
mod simple;
mod slips;
mod source_tokens;
mod syntax_error;
mod template;
#[cfg(test)]
mod tests;
mod tokens;
mod world;

pub use calling::Called;
pub use closure::{Closure, ClosureId};
pub use command::{Asked, Command, UnlessSame};
pub use deep_stack::with_deep_stack;
pub use expression::{Expression, ExpressionError, ExpressionErrorKind, RuleMention};
pub use failure::Failure;
pub use function_docs::function_reference;
pub use given::{Given, GivenEntry, GivenKind, GivenRule};
pub use loading::{LoadedScript, ScriptFile};
pub use meter::Interrupter;
pub use names::{BUILT_IN_VARIABLES, Names, SET_BY_ACTIONS};
pub use outline::LiteralCall;
pub use reads::Reads;
pub use sandbox::{Frame, Limits, Sandbox};
pub use script_error::{ScriptError, ScriptErrorKind};
pub use template::{Template, TextPart};
pub use world::{RuleNames, World};
