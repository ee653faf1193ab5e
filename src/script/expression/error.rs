//! What is wrong with the text of an expression.

use std::ops::Range;

use thiserror::Error;

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What kind of mistake it is.
    pub kind: ExpressionErrorKind,
    /// What is wrong, in words.
    pub message: String,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
    /// What to do, where that is known.
    pub help: Option<String>,
    /// The known name that was probably meant; `help` names it too.
    pub near: Option<String>,
}

impl ExpressionError {
    /// Returns the error with what to do.
    pub(in crate::script) fn help(mut self, help: impl Into<String>) -> ExpressionError {
        self.help = Some(help.into());
        self
    }

    /// Returns the error with the name that was probably meant, or else with `help`.
    pub(in crate::script) fn meant(self, near: Option<&str>, help: impl FnOnce() -> String) -> ExpressionError {
        let near = near.map(ToOwned::to_owned);
        let help = near.as_ref().map_or_else(help, |near| format!("did you mean `{near}`?"));
        ExpressionError { near, ..self.help(help) }
    }

    /// Returns the error with its place moved by `offset` bytes.
    pub(in crate::script) fn moved(mut self, offset: usize) -> ExpressionError {
        self.at = self.at.start + offset..self.at.end + offset;
        self
    }
}

/// The kinds of mistakes in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionErrorKind {
    /// It doesn't parse.
    Syntax,
    /// It reads a variable that nothing sets.
    UnknownVariable,
    /// It calls a function that doesn't exist, or with more or fewer arguments than it takes.
    UnknownFunction,
    /// It names a topic that can't be: with a wildcard.
    BadTopic,
    /// It names a topic filter that can't be.
    BadFilter,
    /// It names a path that can't be.
    BadPath,
    /// It names a time of day or of the sun that can't be.
    BadTime,
    /// It names a weekday that can't be.
    BadWeekday,
    /// It names a duration that can't be.
    BadDuration,
    /// It names a window of the past that can't be.
    BadWindow,
    /// It gives a function a word or an option that this doesn't know.
    BadWord,
    /// It gives a function a value of a type that this doesn't take.
    WrongType,
    /// It compares what is never equal. It loads all the same.
    NeverEqual,
    /// It does what an expression may not: an assignment, a loop, a statement.
    NotAnExpression,
}
