//! What was known when a rule was blocked: the times and values that decided.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::yielding::OverriddenBy;
use crate::model::{Topic, Value};

/// What was known when a rule was blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It's over at this time: a cooldown, or a rest.
    Until(Timestamp),
    /// Somebody changed what the rule commands.
    Overridden {
        /// Who.
        by: OverriddenBy,
        /// Until when the rule yields; `None`: until something holds, or a person says so.
        until: Option<Timestamp>,
    },
    /// Other runs are under way.
    Busy {
        /// How many.
        runs: usize,
        /// Since when the first of them has been.
        since: Option<Timestamp>,
        /// How many the mode lets run at once.
        max: usize,
    },
    /// What had to stay true didn't.
    HoldBroken {
        /// The topic whose value it was; `None` for the condition of a `while`.
        topic: Option<Topic>,
        /// Since when it was true.
        since: Timestamp,
        /// Until when it had to be.
        due: Timestamp,
        /// The value that broke it.
        value: Option<Value>,
    },
}
