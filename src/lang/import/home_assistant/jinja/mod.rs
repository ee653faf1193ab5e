//! Jinja: a template's text as a syntax tree with places.
//!
//! A parser of our own, since minijinja's syntax tree is private and it reads another dialect than Jinja2 (no `is none`
//! of attributes with tests as Home Assistant has them). It reads what Home Assistant's templates use, and refuses the rest.

mod ast;
mod expressions;
mod lexer;
mod parse_error;
mod parser;
mod plain_text;

pub(super) use ast::{Binary, Expression, ExpressionKind, Part};
pub(super) use parser::parse;
pub(super) use plain_text::{CONTEXT, plain_text};
