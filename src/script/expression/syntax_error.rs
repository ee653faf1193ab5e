//! Rhai's syntax errors in the words of our users: what it says of an expression, and of any code.

use std::ops::Range;

use rhai::{LexError, ParseError, ParseErrorType};

use crate::script::evaluation::limits::DEEPEST_EXPRESSION;
use crate::script::functions::table::in_expression;
use crate::script::source::chain::token_at;
use crate::script::source::lexer::syntax;

use super::error::ExpressionError;
use super::rewrite::Rewritten;

/// Returns what `error` means for the user, at its place in `source`.
pub(in crate::script) fn explain(error: &ParseError, source: &str, rewritten: &Rewritten) -> ExpressionError {
    let offset = rewritten.offset(error.position()).unwrap_or(source.len());
    let at = token_at(source, offset);
    let token = source.get(at.clone()).unwrap_or_default();
    let is_piped = source.get(..at.start).is_some_and(|before| before.trim_end().ends_with('|'));
    if token == "default" && is_piped {
        // Jinja's filter of that name, which is a keyword here.
        return no_filter(at, token, "for a default, write `x ?? 0`".to_owned());
    }
    let told = syntax(at, message(error, token));
    match in_expression(token) {
        Some(function) => told.help(format!("it is a function: write `{}`", function.usage)),
        None => told,
    }
}

/// Returns that `| name`, with which other systems call a function, doesn't.
pub(super) fn no_filter(at: Range<usize>, name: &str, help: String) -> ExpressionError {
    syntax(at, format!("`| {name}` doesn't call a function here")).help(help)
}

/// Returns what `error`, which Rhai saw at `token`, means.
pub(in crate::script) fn message(error: &ParseError, token: &str) -> String {
    match error.err_type() {
        ParseErrorType::ExprTooDeep => format!("the expression is nested more than {DEEPEST_EXPRESSION} deep"),
        ParseErrorType::DuplicatedProperty(key) => format!("the key `{key}` is in the map twice"),
        ParseErrorType::DuplicatedVariable(name) | ParseErrorType::FnDuplicatedParam(_, name) => {
            format!("the closure has two parameters `{name}`")
        }
        ParseErrorType::PropertyExpected => "the name of a property is missing".to_owned(),
        ParseErrorType::LiteralTooLarge(..) => "a text, list or map is longer than its limit".to_owned(),
        ParseErrorType::BadInput(LexError::MalformedNumber(_)) => format!("`{token}` isn't a number"),
        ParseErrorType::BadInput(LexError::StringTooLong(_)) => "the text is longer than its limit".to_owned(),
        ParseErrorType::MismatchedType(wanted, given) => format!("{wanted} is needed here, not {given}"),
        _ if matches!(token, ")" | "]" | "}" | ",") => format!("a value is missing before `{token}`"),
        ParseErrorType::MissingToken(..) if begins_value(token) => {
            format!("an operator or a comma is missing before `{token}`")
        }
        _ if token.is_empty() => "the expression ends too early: a value is missing".to_owned(),
        _ => format!("`{token}` isn't expected here"),
    }
}

/// Returns whether a value may begin with `token`.
fn begins_value(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '"' | '`' | '#'))
}
