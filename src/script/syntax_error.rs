//! Rhai's syntax errors in the words of our users.

use rhai::{LexError, ParseError, ParseErrorType};

use super::check::near_miss;
use super::functions::FUNCTIONS;
use super::loading::ScriptFile;
use super::outline::Outline;
use super::rewrite::{Rewritten, token_at};
use super::sandbox::DEEPEST_EXPRESSION;
use super::script_functions::SCRIPT_FUNCTIONS;
use super::source_tokens::{SourceKind, SourceTokens};
use super::tokens::syntax;
use super::{ExpressionError, ScriptError, ScriptErrorKind};

/// Returns what `error` means for the user, at its place in `source`.
pub(super) fn explain(error: &ParseError, source: &str, rewritten: &Rewritten) -> ExpressionError {
    let offset = rewritten.offset(error.position()).unwrap_or(source.len());
    let at = token_at(source, offset);
    let token = source.get(at.clone()).unwrap_or_default();
    syntax(at, message(error, token))
}

/// Returns what `error`, which Rhai saw at `token`, means in a script.
pub(super) fn explain_script(error: &ParseError, file: &ScriptFile, offset: Option<usize>) -> ScriptError {
    let text = &*file.text;
    let at = token_at(text, offset.unwrap_or(text.len()));
    let token = text.get(at.clone()).unwrap_or_default();
    let mut told = ScriptError {
        kind: ScriptErrorKind::Syntax,
        file: std::sync::Arc::clone(&file.file),
        at,
        message: String::new(),
        help: None,
    };
    let help = |text: String| Some(text);
    (told.message, told.help) = match error.err_type() {
        ParseErrorType::VariableUndefined(name) => {
            told.kind = ScriptErrorKind::UnknownVariable;
            (format!("nothing is named `{name}`"), help(instead_of_variable(name, text)))
        }
        ParseErrorType::ModuleUndefined(name) => {
            told.kind = ScriptErrorKind::UnknownFunction;
            let help = format!("import it at the top of the file: `import \"lib/{name}\" as {name};`");
            (format!("nothing is imported as `{name}`"), Some(help))
        }
        ParseErrorType::BadInput(LexError::MalformedChar(_)) => {
            ("`'…'` holds one character".to_owned(), help("a text stands in `\"…\"`".to_owned()))
        }
        ParseErrorType::BadInput(LexError::UnterminatedString) => (
            "a text has no end".to_owned(),
            help("a text in `\"…\"` ends on its line; one in backticks may go on".to_owned()),
        ),
        ParseErrorType::Reserved(word) | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _))
            if is_word(word) =>
        {
            let help = format!("as a key it stands in quotes: `\"{word}\": …`, and `x[\"{word}\"]`");
            (format!("`{word}` is a word of Rhai"), Some(help))
        }
        ParseErrorType::MissingToken(wanted, _) if is_word(token) && wanted == "}" => {
            let help = format!("a key that is a word of Rhai stands in quotes: `\"{token}\": …`");
            (message(error, token), Some(help))
        }
        ParseErrorType::MissingToken(wanted, why) if !wanted.is_empty() => {
            (format!("`{wanted}` is missing here, {why}"), None)
        }
        ParseErrorType::PropertyExpected if is_word(token) => {
            let help = format!("as a key it stands in quotes: `\"{token}\": …`, and `x[\"{token}\"]`");
            (format!("`{token}` is a word of Rhai"), Some(help))
        }
        _ => (message(error, token), None),
    };
    told
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
}

/// Returns what was probably meant by the variable `name` of a script.
fn instead_of_variable(name: &str, text: &str) -> String {
    let tokens = SourceTokens::new(text);
    if (1..tokens.len()).any(|index| tokens.text(index) == "=>" && tokens.text(index - 1) == name) {
        return format!("a closure is written `|{name}| {{ … }}`");
    }
    if FUNCTIONS.iter().chain(&SCRIPT_FUNCTIONS).any(|function| function.name == name) {
        return format!("it is a function: write `{name}(…)`");
    }
    let outline = Outline::new(text);
    let parameters = outline.closures.iter().flat_map(|closure| &closure.parameters).map(String::as_str);
    let declared: std::collections::BTreeSet<&str> = (1..tokens.len())
        .filter(|index| matches!(tokens.text(*index - 1), "let" | "const" | "for"))
        .filter(|index| tokens.kind(*index) == Some(SourceKind::Word))
        .map(|index| tokens.text(index))
        .chain(parameters)
        .chain(["memory", "now", "sun"])
        .collect();
    if declared.contains(name) {
        return format!(
            "a function (`fn`) sees only its own arguments and variables; of the file's constants, `global::{name}`"
        );
    }
    if super::BUILT_IN_VARIABLES.contains(&name) {
        return format!("a closure takes the event, which has it: `|e| … e.{name}`");
    }
    match near_miss(name, declared.into_iter()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("a text stands in quotes: `\"{name}\"`"),
    }
}

/// Returns what `error`, which Rhai saw at `token`, means.
fn message(error: &ParseError, token: &str) -> String {
    match error.err_type() {
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
    }
}

/// Returns whether a value may begin with `token`.
fn begins_value(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '"' | '`' | '#'))
}
