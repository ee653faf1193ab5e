//! Templates to expressions: each function and filter with the meaning that it has in Python.

mod calls;
mod filters;
mod finite;
mod lists;
mod literal;
mod operators;
mod render;
mod scope;
mod statements;
mod tests_of;
mod text_methods;
mod translator;
mod trigger;
mod written;

pub(super) use finite::{Choice, finite};
pub(super) use literal::{escape, is_name, literal, quoted};
pub(super) use render::Rendered;
pub(super) use scope::{Fired, FiredKey, FiredKind, Marks, Scope};
pub(super) use translator::{Refusal, Translator, negated};
pub(super) use written::level::{AND, ATOM, COMPARE, OR, PRODUCT, SUM};
pub(super) use written::{Kind, Written};
