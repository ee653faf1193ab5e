//! Rhai, confined: expressions compiled with their places, templates, and what a script may call and read.
//!
//! Pure: what an expression reads is the [`World`] that it is lent, at the time that the world is told.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod check;
mod code;
mod convert;
mod expression;
mod failure;
mod functions;
mod home;
mod lists;
mod loan;
mod meter;
mod moment;
mod names;
mod operators;
mod plain;
mod reads;
mod rewrite;
mod sandbox;
mod syntax_error;
mod template;
#[cfg(test)]
mod tests;
mod tokens;
mod world;

pub use expression::{Expression, ExpressionError, ExpressionErrorKind, RuleMention};
pub use failure::Failure;
pub use names::{BUILT_IN_VARIABLES, Names};
pub use reads::Reads;
pub use sandbox::{Frame, Limits, Sandbox};
pub use template::{Template, TextPart};
pub use world::{RuleNames, World};
