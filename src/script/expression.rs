//! A compiled expression.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use crate::model::{Name, PlacedText};

/// An expression that has been checked: it parses, and reads only names that can exist.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(super) source: PlacedText,
    pub(super) ast: Arc<rhai::AST>,
    /// The variables that it reads.
    pub(super) variables: Arc<BTreeSet<Name>>,
}

impl Expression {
    /// Returns the expression as it was written, and where.
    #[must_use]
    pub fn source(&self) -> &PlacedText {
        &self.source
    }

    /// Returns the variables that it reads, built-in ones too.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<Name> {
        &self.variables
    }
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

/// The kinds of mistakes in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionErrorKind {
    /// It doesn't parse.
    Syntax,
    /// It reads a variable that nothing sets.
    UnknownVariable,
    /// It calls a function that doesn't exist.
    UnknownFunction,
    /// It does what an expression may not: an assignment, a loop, a statement.
    NotAnExpression,
}
