//! How a run ended, or what kept a rule from running.

use serde::{Deserialize, Serialize};

use super::Fault;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did everything it had to do.
    Finished,
    /// `stop` or a timeout ended it.
    Stopped(StopReason),
    /// Something else ended it.
    Cancelled(StoppedBy),
    /// An error ended it.
    Failed(Fault),
    /// It never started.
    Skipped(BlockedBy),
    /// It hasn't ended: only in answers to questions.
    Running,
}

impl Outcome {
    /// Returns the outcome's word in answers for programs: `finished`, `stopped`, `cancelled`, `failed`, `skipped` or `running`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Finished => "finished",
            Outcome::Stopped(_) => "stopped",
            Outcome::Cancelled(_) => "cancelled",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
            Outcome::Running => "running",
        }
    }
}

/// Why a run stopped itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// Its `stop`, with the reason that the rule gives.
    Action(String),
    /// Its `wait` timed out.
    WaitTimedOut,
}

/// What ended a run early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// `cancel`.
    Cancel,
    /// A new run in mode `restart`.
    Restart,
    /// Its `while` is no longer true.
    WhileEnded,
    /// Its rule changed or was removed.
    Reload,
    /// Its rules set each other off.
    Loop,
    /// The run that called it ended.
    Caller,
    /// Somebody changed what it commands.
    Override,
}

/// What kept a rule from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedBy {
    /// Its condition is false.
    Condition,
    /// Its condition is unknown: a topic never had a value.
    Unknown,
    /// Its mode dropped the trigger.
    Mode,
    /// Its cooldown isn't over.
    Cooldown,
    /// It has run as often as its `limit` allows.
    Limit,
    /// It's disabled.
    Disabled,
    /// It's resting after a loop.
    Resting,
    /// A hold was broken before its time was up.
    Hold,
    /// Somebody changed what it commands, and it yields.
    Override,
}

impl BlockedBy {
    /// All of them.
    pub const ALL: [BlockedBy; 9] = [
        BlockedBy::Condition,
        BlockedBy::Unknown,
        BlockedBy::Mode,
        BlockedBy::Cooldown,
        BlockedBy::Limit,
        BlockedBy::Disabled,
        BlockedBy::Resting,
        BlockedBy::Hold,
        BlockedBy::Override,
    ];

    /// Returns its word in answers for programs, where it's `by`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            BlockedBy::Condition => "condition",
            BlockedBy::Unknown => "unknown",
            BlockedBy::Mode => "mode",
            BlockedBy::Cooldown => "cooldown",
            BlockedBy::Limit => "limit",
            BlockedBy::Disabled => "disabled",
            BlockedBy::Resting => "resting",
            BlockedBy::Hold => "hold",
            BlockedBy::Override => "override",
        }
    }
}
