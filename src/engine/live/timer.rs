//! Timers that closures set by `after`: data of their rule, kept across restarts, ended when the rule changes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::trace::{Armed, Cause, CauseKind, RunId};
use crate::model::{Name, Value};
use crate::rules::Rule;
use crate::script::{Closure, ClosureId};

/// A timer of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timer {
    /// Its number: they count up within the rule.
    pub(crate) id: u64,
    /// Its name; one of that name is replaced.
    pub(crate) name: Option<Name>,
    pub(crate) due: Timestamp,
    pub(crate) closure: ClosureId,
    pub(crate) captured: Vec<Value>,
    /// The run that set it, and what led to that.
    pub(crate) run: RunId,
    pub(crate) depth: u32,
    /// Whether a timer set it.
    pub(crate) from_another: bool,
    /// When it was set, and what had led to that.
    #[serde(default)]
    pub(crate) armed: Option<Box<Armed>>,
}

impl Timer {
    /// Returns what leads to what it does, or would have.
    pub(crate) fn cause(&self, now: Timestamp) -> Cause {
        let kind = CauseKind::Time { due: self.due, late: self.due < now, event: None };
        Cause { kind, depth: self.depth, run: Some(self.run), armed: self.armed.clone() }
    }

    /// Returns the closure that it calls; `None` where `rule` has it no more.
    pub(crate) fn closure(&self, rule: &Rule) -> Option<Closure> {
        rule.closures().next()?.find(&self.closure, self.captured.clone())
    }
}

impl Shift for Timer {
    fn shift(&mut self, by: SignedDuration) {
        self.due.shift(by);
        if let Some(armed) = &mut self.armed {
            armed.at.shift(by);
        }
    }
}
