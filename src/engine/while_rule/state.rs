//! What a `while` rule remembers.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::trace::{Cause, Step, Verdict};
use crate::model::Map;

/// Where a `while` is in its life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WhileState {
    /// The condition's last verdict that was true or false.
    pub(crate) is_true: bool,
    /// Since when it has begun and not ended.
    pub(crate) begun_at: Option<Timestamp>,
    /// What led to that.
    #[serde(default)]
    pub(crate) begun_by: Option<Cause>,
    /// Whether it became true while `if` wasn't: it waits to become true anew.
    pub(crate) was_refused: bool,
    /// What will happen if nothing changes until then.
    pub(crate) pending: Option<Pending>,
    /// When it last began or ended: `cooldown` counts from it.
    pub(crate) changed_at: Option<Timestamp>,
    /// When `then` runs again.
    pub(crate) every_due: Option<Timestamp>,
    /// The rule's `let`, as they were computed when it began.
    pub(crate) variables: Map,
    /// Why the condition was neither true nor false last time: that's traced once, not each minute.
    #[serde(rename = "trouble_verdict", default)]
    pub(crate) trouble: Option<Verdict>,
}

impl WhileState {
    /// Returns what stays of it when its rule has changed: whether it had begun, and with what variables.
    pub(crate) fn of_changed_rule(self) -> WhileState {
        WhileState {
            is_true: self.begun_at.is_some(),
            begun_at: self.begun_at,
            begun_by: self.begun_by,
            changed_at: self.changed_at,
            variables: self.variables,
            ..WhileState::default()
        }
    }
}

impl Shift for WhileState {
    fn shift(&mut self, by: SignedDuration) {
        self.begun_at.shift(by);
        if let Some(pending) = &mut self.pending {
            pending.since.shift(by);
            pending.due.shift(by);
        }
        self.changed_at.shift(by);
        self.every_due.shift(by);
    }
}

/// A beginning or an end that is put off, by `for`, `linger` or `cooldown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) what: Edge,
    pub(crate) since: Timestamp,
    pub(crate) due: Timestamp,
    /// What made the condition change.
    pub(crate) cause: Cause,
    /// How the condition was judged then, for the trace.
    #[serde(default, with = "crate::engine::trace::stored")]
    pub(crate) steps: Vec<Step>,
}

/// What a `while` does when its condition has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Edge {
    Begin,
    End,
}
