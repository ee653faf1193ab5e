//! Rhai's syntax errors in scripts, in the words of our users.

use rhai::{LexError, ParseError, ParseErrorType};

use super::error::{ScriptError, ScriptErrorKind};
use super::script_file::ScriptFile;
use crate::model::nearest;
use crate::script::expression::syntax_error::message;
use crate::script::functions::table::rows;
use crate::script::source::brackets::unbalanced;
use crate::script::source::chain::token_at;
use crate::script::source::file_tokens::FileTokens;
use crate::script::source::outline::Outline;
use crate::script::source::slips::{BRACES, slip_at};
use crate::script::source::token::TokenKind;

/// Returns what `error`, which Rhai saw at byte `offset`, means in a script.
pub(in crate::script) fn explain_script(error: &ParseError, file: &ScriptFile, offset: Option<usize>) -> ScriptError {
    let text = &*file.text;
    let offset = offset.unwrap_or(text.len());
    let tokens = FileTokens::new(text);
    let syntax = |at, message, help| ScriptError {
        kind: ScriptErrorKind::Syntax,
        file: std::sync::Arc::clone(&file.file),
        at,
        message,
        help,
    };
    if let Some(slip) = slip_at(&tokens, offset) {
        return syntax(slip.at, slip.message, Some(slip.help));
    }
    // In a text without an end, all that follows is read as something else.
    let is_lexical =
        matches!(error.err_type(), ParseErrorType::BadInput(LexError::MalformedChar(_) | LexError::UnterminatedString));
    if let Some(bracket) = unbalanced(&tokens).filter(|_| !is_lexical) {
        return syntax(bracket.at, bracket.message, bracket.help);
    }
    let at = token_at(text, offset);
    let token = text.get(at.clone()).unwrap_or_default();
    let told = syntax(at, String::new(), None);
    match error.err_type() {
        ParseErrorType::VariableUndefined(name) => {
            let (message, help) = (format!("nothing is named `{name}`"), Some(instead_of_variable(name, text)));
            ScriptError { kind: ScriptErrorKind::UnknownVariable, message, help, ..told }
        }
        ParseErrorType::ModuleUndefined(name) => {
            let help = format!("import it at the top of the file: `import \"lib/{name}\" as {name};`");
            let message = format!("nothing is imported as `{name}`");
            ScriptError { kind: ScriptErrorKind::UnknownFunction, message, help: Some(help), ..told }
        }
        ParseErrorType::MissingToken(wanted, why) if !wanted.is_empty() && (!is_word(token) || wanted != "}") => {
            let (at, message, help) = missing(wanted, why, &tokens, offset);
            ScriptError { at, message, help, ..told }
        }
        _ => {
            let (message, help) = words(error, token, &tokens, offset);
            ScriptError { message, help, ..told }
        }
    }
}

/// Returns what `error`, which Rhai saw at `token`, at byte `offset`, means, and what to do about it.
fn words(error: &ParseError, token: &str, tokens: &FileTokens<'_>, offset: usize) -> (String, Option<String>) {
    match error.err_type() {
        ParseErrorType::BadInput(LexError::MalformedChar(_)) => {
            ("`'…'` holds one character".to_owned(), Some("put text in `\"…\"`".to_owned()))
        }
        ParseErrorType::BadInput(LexError::UnterminatedString) => (
            "a text has no end".to_owned(),
            Some("a text in `\"…\"` ends on its line; one in backticks may go on".to_owned()),
        ),
        ParseErrorType::Reserved(word) | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _))
            if is_word(word) =>
        {
            (format!("`{word}` is a word of Rhai"), Some(instead_of_reserved(word, tokens, offset)))
        }
        ParseErrorType::MissingToken(wanted, _) if is_word(token) && wanted == "}" => {
            let help = format!("put a key that is a word of Rhai in quotes: `\"{token}\": …`");
            (message(error, token), Some(help))
        }
        ParseErrorType::PropertyExpected if is_word(token) => {
            let help = format!("as a key, put it in quotes: `\"{token}\": …`, and `x[\"{token}\"]`");
            (format!("`{token}` is a word of Rhai"), Some(help))
        }
        ParseErrorType::AssignmentToConstant(name) => {
            (format!("`{name}` is a constant, which never changes"), Some(format!("write `let {name} = …`")))
        }
        _ => (message(error, token), None),
    }
}

/// Returns what to do about a word of Rhai that stands at byte `offset`, where a name is wanted.
fn instead_of_reserved(word: &str, tokens: &FileTokens<'_>, offset: usize) -> String {
    let index = tokens.index_at(offset);
    let is_read = index.checked_sub(1).is_some_and(|before| matches!(tokens.text(before), "." | "?."));
    if is_read || tokens.text(index + 1) == ":" {
        return format!("as a key, put it in quotes: `\"{word}\": …`, and `x[\"{word}\"]`");
    }
    "it can't be a name: choose another one".to_owned()
}

/// Returns what to say where `wanted` is missing before byte `offset`, and where: behind what stands before.
fn missing(
    wanted: &str,
    why: &str,
    tokens: &FileTokens<'_>,
    offset: usize,
) -> (std::ops::Range<usize>, String, Option<String>) {
    let index = tokens.index_at(offset);
    let here = tokens.range(index);
    let before = index.checked_sub(1);
    let is_new_line = before.is_none_or(|before| tokens.line_number(before) < tokens.line_number(index));
    let end = before.map_or(here.start, |before| tokens.range(before).end);
    let token = tokens.text(index);
    match wanted {
        ";" | "," if is_new_line => {
            let what = if wanted == ";" { "each statement ends with one" } else { "one goes between two items" };
            (end..end, format!("`{wanted}` is missing here"), Some(what.to_owned()))
        }
        ";" => (here, format!("`;` or an operator is missing before `{token}`"), None),
        "," => (here, format!("`,` or an operator is missing before `{token}`"), None),
        "{" => (here, format!("`{{` is missing before `{token}`"), Some(BRACES.to_owned())),
        _ => (here, format!("`{wanted}` is missing here, {why}"), None),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
}

/// Returns what was probably meant by the variable `name` of a script.
fn instead_of_variable(name: &str, text: &str) -> String {
    let tokens = FileTokens::new(text);
    if (1..tokens.len()).any(|index| tokens.text(index) == "=>" && tokens.text(index - 1) == name) {
        return format!("a closure is written `|{name}| {{ … }}`");
    }
    if rows(name).next().is_some() {
        return format!("it is a function: write `{name}(…)`");
    }
    let outline = Outline::new(text);
    let parameters = outline.closures.iter().flat_map(|closure| &closure.parameters).map(String::as_str);
    let declared: std::collections::BTreeSet<&str> = (1..tokens.len())
        .filter(|index| matches!(tokens.text(*index - 1), "let" | "const" | "for"))
        .filter(|index| tokens.kind(*index) == Some(TokenKind::Word))
        .map(|index| tokens.text(index))
        .chain(parameters)
        .chain(["memory", "now", "sun", "inputs"])
        .collect();
    if declared.contains(name) {
        return format!(
            "a function (`fn`) sees only its own arguments and variables; of the file's constants, `global::{name}`"
        );
    }
    if crate::script::expression::names::BUILT_IN_VARIABLES.contains(&name) {
        return format!("a closure takes the event, which has it: `|e| … e.{name}`");
    }
    match nearest(name, declared) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("put text in quotes: `\"{name}\"`"),
    }
}
