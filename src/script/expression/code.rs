//! What an expression was compiled to.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::model::Name;

use super::error::ExpressionError;
use super::mention::{CalendarMention, DeviceMention, InputMention, PastMention, RuleMention};
use super::simple::Simple;
use crate::script::scripts::libraries::Library;

/// A compiled expression, and what its evaluation needs.
#[derive(Debug)]
pub(in crate::script) struct Code {
    /// What Rhai evaluates.
    pub(in crate::script) expression: rhai::Expr,
    /// The same, where it can be answered without Rhai.
    pub(in crate::script) simple: Option<Simple>,
    /// The closures within, where there are any.
    pub(in crate::script) closures: Option<rhai::Shared<rhai::Module>>,
    /// What these give, for those who look.
    pub(in crate::script) bodies: Vec<rhai::Stmt>,
    /// The variables that it reads.
    pub(in crate::script) variables: BTreeSet<Name>,
    /// The same, with how much of each is read.
    pub(in crate::script) inputs: Vec<Input>,
    /// The rules that it names.
    pub(in crate::script) rules: Vec<RuleMention>,
    /// The calendars that it names.
    pub(in crate::script) calendars: Vec<CalendarMention>,
    /// What it asks of the past of topics.
    pub(in crate::script) past: Vec<PastMention>,
    /// The devices that it names.
    pub(in crate::script) devices: Vec<DeviceMention>,
    /// The inputs that it names.
    pub(in crate::script) named_inputs: Vec<InputMention>,
    /// Comparisons that never give anything else.
    pub(in crate::script) doubts: Vec<ExpressionError>,
    /// The libraries whose functions it calls.
    pub(in crate::script) libraries: Vec<Library>,
    /// Whether it calls a function that reads the world.
    pub(in crate::script) reads_world: bool,
    /// The user's text, once somebody keeps it.
    pub(in crate::script) text: OnceLock<Arc<str>>,
    /// For each character that Rhai read, the byte in the user's text.
    pub(in crate::script) offsets: Vec<u32>,
}

/// A variable that an expression reads.
#[derive(Debug)]
pub(in crate::script) struct Input {
    /// Its name.
    pub(in crate::script) name: Name,
    /// The keys that are read of it; `None`: all. Where a payload is large, most of it is then never converted.
    pub(in crate::script) keys: Option<Vec<Name>>,
}

impl Code {
    /// Returns whether it reads what the rule remembers.
    pub(in crate::script) fn reads_memory(&self) -> bool {
        self.variables.contains("memory")
    }

    /// Returns the byte in the user's text at which Rhai's `position` stands; `None` where it has none.
    pub(in crate::script) fn offset(&self, position: rhai::Position) -> Option<usize> {
        let column = position.position()?;
        let offset = self.offsets.get(column.saturating_sub(1)).or(self.offsets.last())?;
        usize::try_from(*offset).ok()
    }
}
