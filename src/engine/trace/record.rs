//! The record of a run, or of a rule that didn't run.

use crate::model::RuleId;
use jiff::Timestamp;

use super::{Cause, Outcome, RunId, Step};

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
