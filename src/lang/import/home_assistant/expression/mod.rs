//! Templates to expressions: each function and filter with the meaning that it has in Python.

mod calls;
mod filters;
mod folded;
mod lists;
mod literal;
mod operators;
mod render;
mod scope;
mod shown;
mod statement;
mod tests_of;
mod text_methods;
mod translator;
mod trigger;
mod written;

pub(super) use literal::{escape, is_name, literal, quoted};
pub(super) use render::{Piece, Rendered};
pub(super) use scope::{Fired, FiredKey, FiredKind, Marks, NOTHING, Scope};
pub(super) use translator::{Refusal, Translator, negated};
pub(super) use trigger::ANSWER;
pub(super) use written::level::{AND, ATOM, COMPARE, OR, PRODUCT, SUM};
pub(super) use written::{Kind, Written};
