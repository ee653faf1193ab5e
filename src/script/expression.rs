//! A compiled expression.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use crate::model::{Name, PlacedText};

use super::code::Code;

/// An expression that has been checked: it parses, and reads only names that can exist.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(super) source: PlacedText,
    pub(super) code: Arc<Code>,
}

impl Expression {
    /// Returns the expression as it was written, and where.
    #[must_use]
    pub fn source(&self) -> &PlacedText {
        &self.source
    }

    /// Returns the expression as it was written, to be kept.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(self.code.text.get_or_init(|| self.source.to_shared()))
    }

    /// Returns the variables that it reads, built-in ones too.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<Name> {
        &self.code.variables
    }

    /// Returns the comparisons in it that never give anything else.
    #[must_use]
    pub fn doubts(&self) -> &[ExpressionError] {
        &self.code.doubts
    }

    /// Returns the rules that it names in `holds('…')` and `running('…')`, where they are written out.
    #[must_use]
    pub fn rule_mentions(&self) -> &[RuleMention] {
        &self.code.rules
    }
}

impl Expression {
    /// Returns the libraries whose functions it calls, each with a hash of all that these may do.
    pub fn libraries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.code.libraries.iter().map(|library| (&*library.name, library.script.hash()))
    }
}

/// A rule that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMention {
    /// What was written: a key, or a file and a key. `None`: `holds()`, the rule itself.
    pub rule: Option<Name>,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
    /// Whether it was asked if the rule holds, which only a `while` rule can; else whether it runs.
    pub is_holds: bool,
}

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
}

impl ExpressionError {
    /// Returns the error with what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> ExpressionError {
        self.help = Some(help.into());
        self
    }

    /// Returns the error with its place moved by `offset` bytes.
    pub(super) fn moved(mut self, offset: usize) -> ExpressionError {
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
    /// It gives a function a word or an option that this doesn't know.
    BadWord,
    /// It gives a function a value of a type that this doesn't take.
    WrongType,
    /// It compares what is never equal. It loads all the same.
    NeverEqual,
    /// It does what an expression may not: an assignment, a loop, a statement.
    NotAnExpression,
}
