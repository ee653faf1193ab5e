//! What an expression was compiled to.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::model::Name;

use super::libraries::Library;
use super::simple::Simple;
use super::{ExpressionError, RuleMention};

/// A compiled expression, and what its evaluation needs.
#[derive(Debug)]
pub(super) struct Code {
    /// What Rhai evaluates.
    pub(super) expression: rhai::Expr,
    /// The same, where it can be answered without Rhai.
    pub(super) simple: Option<Simple>,
    /// The closures within, where there are any.
    pub(super) closures: Option<rhai::Shared<rhai::Module>>,
    /// The variables that it reads.
    pub(super) variables: BTreeSet<Name>,
    /// The same, with how much of each is read.
    pub(super) inputs: Vec<Input>,
    /// The rules that it names.
    pub(super) rules: Vec<RuleMention>,
    /// Comparisons that never give anything else.
    pub(super) doubts: Vec<ExpressionError>,
    /// The libraries whose functions it calls.
    pub(super) libraries: Vec<Library>,
    /// Whether it calls a function that reads the world.
    pub(super) reads_world: bool,
    /// The user's text, once somebody keeps it.
    pub(super) text: OnceLock<Arc<str>>,
    /// For each character that Rhai read, the byte in the user's text.
    pub(super) offsets: Vec<u32>,
}

/// A variable that an expression reads.
#[derive(Debug)]
pub(super) struct Input {
    /// Its name.
    pub(super) name: Name,
    /// The keys that are read of it; `None`: all. Where a payload is large, most of it is then never converted.
    pub(super) keys: Option<Vec<Name>>,
}

impl Code {
    /// Returns whether it reads what the rule remembers.
    pub(super) fn reads_memory(&self) -> bool {
        self.variables.contains("memory")
    }

    /// Returns the byte in the user's text at which Rhai's `position` stands; `None` where it has none.
    pub(super) fn offset(&self, position: rhai::Position) -> Option<usize> {
        let column = position.position()?;
        let offset = self.offsets.get(column.saturating_sub(1)).or(self.offsets.last())?;
        usize::try_from(*offset).ok()
    }
}
