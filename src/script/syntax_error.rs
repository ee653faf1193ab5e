//! Rhai's syntax errors in the words of our users.

use rhai::{LexError, ParseError, ParseErrorType};

use super::ExpressionError;
use super::rewrite::{Rewritten, token_at};
use super::sandbox::DEEPEST_EXPRESSION;
use super::tokens::syntax;

/// Returns what `error` means for the user, at its place in `source`.
pub(super) fn explain(error: &ParseError, source: &str, rewritten: &Rewritten) -> ExpressionError {
    let offset = rewritten.offset(error.position()).unwrap_or(source.len());
    let at = token_at(source, offset);
    let token = source.get(at.clone()).unwrap_or_default();
    let message = match error.err_type() {
        ParseErrorType::ExprTooDeep => format!("the expression is nested more than {DEEPEST_EXPRESSION} deep"),
        ParseErrorType::DuplicatedProperty(key) => format!("the key `{key}` stands twice in the map"),
        ParseErrorType::DuplicatedVariable(name) | ParseErrorType::FnDuplicatedParam(_, name) => {
            format!("the closure has two parameters `{name}`")
        }
        ParseErrorType::PropertyExpected => "the name of a property is missing".to_owned(),
        ParseErrorType::LiteralTooLarge(..) => "a text, list or map is longer than its limit".to_owned(),
        ParseErrorType::BadInput(LexError::MalformedNumber(_)) => format!("`{token}` is no number"),
        ParseErrorType::BadInput(LexError::StringTooLong(_)) => "the text is longer than its limit".to_owned(),
        ParseErrorType::MismatchedType(wanted, given) => format!("{wanted} is needed here, not {given}"),
        _ if matches!(token, ")" | "]" | "}" | ",") => format!("a value is missing before `{token}`"),
        ParseErrorType::MissingToken(..) if begins_value(token) => {
            format!("an operator or a comma is missing before `{token}`")
        }
        _ if token.is_empty() => "the expression ends too early: a value is missing".to_owned(),
        _ => format!("`{token}` isn't expected here"),
    };
    syntax(at, message)
}

/// Returns whether a value may begin with `token`.
fn begins_value(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '"' | '`' | '#'))
}
