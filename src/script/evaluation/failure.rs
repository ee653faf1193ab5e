//! Why an evaluation gave no value: Rhai's errors in the words of our users, with their place.

use std::ops::Range;
use std::sync::Arc;

use rhai::EvalAltResult;
use thiserror::Error;

use crate::model::{BoundedText, Place, PlacedText, Topic};

use super::convert::kind_of_type;
use super::limits::Limits;
use super::meter::Ended;
use super::refusal::MissingPart;
use crate::script::expression::compiled::Expression;
use crate::script::scripts::closure::Closure;
use crate::script::scripts::script::Script;
use crate::script::source::chain::{chain_before, token_at};
use crate::script::source::lexer::Lexer;
use crate::script::source::token::{Piece, TokenKind};

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, in words.
    pub message: String,
    /// Where; `None` where no text of the user's is to blame.
    pub place: Option<Place>,
    /// Where in the expression's text, in bytes; empty where that isn't known.
    pub at: Range<usize>,
    /// A topic that was read and never had a value: then it is no failure, but unknown (docs/language/conditions.md).
    pub without_value: Option<Topic>,
    /// Whether it was ended since it took too long: it reached the limit of operations, or of wall time.
    pub is_interrupted: bool,
    /// The line of the script in which it happened; `None` where it was no script.
    pub line: Option<String>,
}

impl Failure {
    /// Returns a failure that no single place is to blame for.
    #[must_use]
    pub fn plain(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            place: None,
            at: 0..0,
            without_value: None,
            is_interrupted: false,
            line: None,
        }
    }

    /// Returns a failure of what a whole expression gave.
    #[must_use]
    pub fn of_expression(expression: &Expression, message: impl Into<String>) -> Failure {
        Failure::of(&expression.source, message)
    }

    /// Returns a failure of a closure, at its beginning.
    pub(in crate::script) fn at_closure(closure: &Closure, message: impl Into<String>) -> Failure {
        let range = closure.script.closure(closure.ordinal).map_or(0..0, |closure| closure.range.clone());
        let at = range.start..range.end.min(range.start + 1);
        Failure::within(&closure.script.source, at, message)
    }

    /// Returns a failure of the whole of `source`.
    pub(in crate::script) fn of(source: &PlacedText, message: impl Into<String>) -> Failure {
        Failure::within(source, 0..source.as_str().len(), message)
    }

    /// Returns a failure at `at` of `source`.
    fn within(source: &PlacedText, at: Range<usize>, message: impl Into<String>) -> Failure {
        let place = Some(source.place(at.start));
        Failure { message: message.into(), place, at, without_value: None, is_interrupted: false, line: None }
    }

    /// Returns what Rhai's `refusal` means for the user.
    pub(in crate::script) fn from_refusal(
        refusal: &EvalAltResult,
        expression: &Expression,
        limits: &Limits,
    ) -> Failure {
        let refusal = innermost(refusal);
        let offset = expression.code.offset(refusal.position());
        Reading { source: &expression.source, offset, limits, what: "expression" }.failure(refusal)
    }

    /// Returns what Rhai's `refusal` means for the user, within `script` or one that it imports.
    /// Where it has no place, it is that of byte `otherwise`.
    pub(in crate::script) fn in_script(
        refusal: &EvalAltResult,
        script: &Arc<Script>,
        otherwise: usize,
        limits: &Limits,
    ) -> Failure {
        let (mut refusal, mut script) = (refusal, Arc::clone(script));
        // The last position that is known: a function that isn't a script's has none.
        let mut known = (Arc::clone(&script), refusal.position());
        while let EvalAltResult::ErrorInFunctionCall(_, file, inner, _) | EvalAltResult::ErrorInModule(file, inner, _) =
            refusal
        {
            refusal = inner;
            script = script.by_file(file).unwrap_or(script);
            if !refusal.position().is_none() {
                known = (Arc::clone(&script), refusal.position());
            }
        }
        let (script, position) = known;
        let offset = script.offset(position).or(Some(otherwise));
        Reading { source: &script.source, offset, limits, what: "script" }.failure(refusal).in_line_of(&script)
    }
}

impl Failure {
    /// Returns the failure with the line of `script` in which it happened.
    fn in_line_of(self, script: &Script) -> Failure {
        const LONGEST: usize = 120;
        let text = script.source.as_str();
        let before = text.get(..self.at.start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
        Failure { line: Some(line.chars().take(LONGEST).collect()), ..self }
    }
}

/// What is needed to read an error of Rhai's.
struct Reading<'a> {
    source: &'a PlacedText,
    /// Where it happened, in bytes of the text.
    offset: Option<usize>,
    limits: &'a Limits,
    /// What was evaluated, in a word.
    what: &'static str,
}

impl Reading<'_> {
    fn failure(&self, refusal: &EvalAltResult) -> Failure {
        let text = self.source.as_str();
        let at = match self.offset {
            Some(offset) => whole_chain(text, token_at(text, offset)),
            None => 0..text.len(),
        };
        let (message, at) = self.message(refusal, at);
        let is_interrupted = matches!(refusal, EvalAltResult::ErrorTerminated(why, _)
            if why.read_lock::<Ended>().is_some());
        Failure { is_interrupted, ..Failure::within(self.source, at, message) }
    }

    fn message(&self, refusal: &EvalAltResult, at: Range<usize>) -> (String, Range<usize>) {
        let message = match refusal {
            EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<MissingPart>() {
                Some(part) => return self.missing_part(part.0, at),
                None => value.to_string(),
            },
            EvalAltResult::ErrorFunctionNotFound(signature, _) => Self::no_function(signature),
            EvalAltResult::ErrorDotExpr(told, _) => return self.no_property(told, at),
            EvalAltResult::ErrorIndexingType(types, _) => {
                let mut parts = types.splitn(2, " [");
                let owner = kind_of_type(parts.next().unwrap_or_default());
                return (format!("{} has no items: it is {owner}", self.owner_of(at.start)), at);
            }
            EvalAltResult::ErrorMismatchDataType(wanted, given, _) => {
                format!("{} is needed here, not {}", kind_of_type(wanted), kind_of_type(given))
            }
            EvalAltResult::ErrorArrayBounds(length, index, _) => {
                format!("there is no item {index} in a list of {length}")
            }
            EvalAltResult::ErrorStringBounds(length, index, _) => {
                format!("there is no character {index} in a text of {length}")
            }
            EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("tring") => {
                BoundedText::too_long(self.limits.text)
            }
            EvalAltResult::ErrorDataTooLarge(..) => {
                format!("a list or map grows beyond its limit of {} items", self.limits.items)
            }
            EvalAltResult::ErrorStackOverflow(_) => {
                format!("functions call each other more than {} deep", self.limits.depth)
            }
            EvalAltResult::ErrorTerminated(why, _) => match why.read_lock::<Ended>().map(|ended| *ended) {
                Some(Ended::TooManyOperations) => {
                    format!("the {} needs more than {} operations", self.what, self.limits.operations)
                }
                _ => format!("the {} takes longer than {} ms", self.what, self.limits.evaluation.as_millis()),
            },
            EvalAltResult::ErrorDataRace(..) => {
                "what a closure has captured can't be changed while a function works on it: make a copy first"
                    .to_owned()
            }
            EvalAltResult::ErrorArithmetic(what, _) => what.to_lowercase(),
            other => {
                let mut bare = other.to_string();
                if let Some(end) = bare.rfind(" (line ") {
                    bare.truncate(end);
                }
                bare
            }
        };
        (message, at)
    }

    /// Returns what to say of `${…}`, the part `index` of the text at `at`, that gave `()`.
    fn missing_part(&self, index: usize, at: Range<usize>) -> (String, Range<usize>) {
        let tokens = Lexer::of_expression(self.source.as_str(), at.start).first();
        if let Some(token) = tokens
            && let Some(Piece::Code { range, .. }) = token.pieces.get(index)
        {
            let code = self.source.as_str().get(range.clone()).unwrap_or_default();
            return (nothing_in_text(code.trim()), range.clone());
        }
        ("`()` can't be put into a text".to_owned(), at)
    }

    /// Reads `… for type '()'`: a property of what has none.
    fn no_property(&self, told: &str, at: Range<usize>) -> (String, Range<usize>) {
        let text = self.source.as_str();
        let property = at;
        let before = text.get(..property.start).unwrap_or_default().trim_end().trim_end_matches(['.', '?']);
        let owner = self.owner_of(before.len());
        let kind = kind_of_type(told.rsplit('\'').nth(1).unwrap_or_default());
        let name = text.get(property.clone()).unwrap_or_default();
        let message = match kind {
            "nothing" => format!("can't read `{name}` of `()`: {owner} gives nothing"),
            _ => format!("can't read `{name}`: {owner} is {kind}, which has no such property"),
        };
        (message, property)
    }

    fn owner_of(&self, offset: usize) -> String {
        let owner = chain_before(self.source.as_str(), offset);
        if owner.is_empty() { "this".to_owned() } else { format!("`{owner}`") }
    }

    /// Reads `name (type, type)`: a function that has no version for these types.
    fn no_function(signature: &str) -> String {
        let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
        let kinds: Vec<&str> = types
            .strip_suffix(')')
            .unwrap_or(types)
            .split(", ")
            .filter(|name| !name.is_empty())
            .map(kind_of_type)
            .collect();
        match (name, kinds.as_slice()) {
            ("+", [a, b]) => format!("can't add {a} and {b}"),
            ("-", [a, b]) => format!("can't subtract {b} from {a}"),
            ("*", [a, b]) => format!("can't multiply {a} by {b}"),
            ("/", [a, b]) => format!("can't divide {a} by {b}"),
            ("!", [a]) => format!("`not` takes a boolean, not {a}"),
            ("-", [a]) => format!("can't negate {a}"),
            ("contains", [a, b]) => format!("can't look for {b} in {a}"),
            (name, kinds) => format!("`{name}` can't take {}", kinds.join(" and ")),
        }
    }
}

/// Returns the error that others only pass on.
fn innermost(refusal: &EvalAltResult) -> &EvalAltResult {
    match refusal {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => innermost(inner),
        other => other,
    }
}

/// Returns the range of the whole chain (`msg.list[0].x`) where `at` is a dot or bracket in it, and else `at`.
fn whole_chain(text: &str, at: Range<usize>) -> Range<usize> {
    if !matches!(text.get(at.clone()), Some("." | "?." | "[" | "?[")) {
        return at;
    }
    let start = at.start - chain_before(text, at.start).len();
    let mut depth = 0_usize;
    let mut end = at.start;
    while let Some(token) = Lexer::of_expression(text, end).first() {
        match text.get(token.range.clone()).unwrap_or_default() {
            "(" | "[" | "?[" => depth += 1,
            ")" | "]" if depth == 0 => break,
            ")" | "]" => depth -= 1,
            "." | "?." => {}
            _ if depth > 0
                || token.kind == TokenKind::Word && text.get(..end).is_some_and(|text| text.ends_with('.')) => {}
            _ => break,
        }
        end = token.range.end;
    }
    start..end
}

/// Returns what to say of `code`, within a text, that gave `()`.
pub(in crate::script) fn nothing_in_text(code: &str) -> String {
    format!("`{code}` gives `()`, which can't be put into a text")
}
