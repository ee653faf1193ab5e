//! What is wrong with a script: why it doesn't load.

use std::ops::Range;
use std::sync::Arc;

use crate::script::expression::error::ExpressionErrorKind;

/// Why a script doesn't load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// What kind of mistake it is.
    pub kind: ScriptErrorKind,
    /// The file, a path relative to the home.
    pub file: Arc<str>,
    /// Where, in bytes of the file.
    pub at: Range<usize>,
    /// What is wrong, in words.
    pub message: String,
    /// What to do, where that is known.
    pub help: Option<String>,
}

impl ScriptError {
    /// Returns whether the script can be run all the same, to see which rules it makes.
    #[must_use]
    pub fn may_run(&self) -> bool {
        matches!(self.kind, ScriptErrorKind::Argument(_))
    }
}

/// The kinds of mistakes in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptErrorKind {
    /// It doesn't parse.
    Syntax,
    /// It reads a variable that nothing sets.
    UnknownVariable,
    /// It calls a function that doesn't exist, or with more or fewer arguments than it takes.
    UnknownFunction,
    /// It imports what isn't there, or may not be imported, or itself.
    BadImport,
    /// It gives a function what this can't take, or compares what is never equal: as in an expression.
    Argument(ExpressionErrorKind),
    /// It is too large.
    TooLarge,
    /// It fails while it is loaded.
    Failed,
}
