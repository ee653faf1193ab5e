//! Rhai, confined: expressions compiled with their places, templates, and what a script may call and read.
//!
//! Pure: what an expression reads is the [`World`] that it is lent, at the time that the world is told.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod expression;
mod names;
mod reads;
mod sandbox;
mod template;
mod world;

pub use expression::{Expression, ExpressionError, ExpressionErrorKind};
pub use names::{BUILT_IN_VARIABLES, Names};
pub use reads::Reads;
pub use sandbox::{Failure, Frame, Limits, Sandbox};
pub use template::{Template, TextPart};
pub use world::{RuleNames, World};
