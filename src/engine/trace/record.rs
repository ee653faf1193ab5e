//! The record of a run, or of a rule that didn't run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::RuleId;

use super::{Cause, Outcome, Step};

/// The id of a run: they count up over the life of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);

/// The record of a run, or of a rule that didn't run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The rule.
    pub rule: RuleId,
    /// The run; `None` if there was none.
    pub run: Option<RunId>,
    /// When it started, or would have.
    pub at: Timestamp,
    /// When it ended; for a run that hasn't, the time of the question.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What led to it.
    pub cause: Cause,
    /// What it did, step by step: the trigger, conditions, actions.
    pub steps: Vec<Step>,
}
