//! How a run ended, or what kept a rule from running, in words.

use crate::engine::{BlockedBy, Outcome, StopReason, StoppedBy};

/// Returns how a run ended: `finished`, `failed: …`, `cancelled by a new run`, `did not run: its condition is false`.
#[must_use]
pub fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Finished => "finished".to_owned(),
        Outcome::Stopped(reason) => format!("stopped: {}", stop_reason(reason)),
        Outcome::Cancelled(by) => format!("cancelled {}", cancelled(*by)),
        Outcome::Failed(fault) => format!("failed: {fault}"),
        Outcome::Running => "still running".to_owned(),
        Outcome::Skipped(by) => format!("did not run: {}", blocked_now(*by)),
    }
}

/// Returns why a run stopped itself.
#[must_use]
pub fn stop_reason(reason: &StopReason) -> &str {
    match reason {
        StopReason::Action(reason) => reason,
        StopReason::WaitTimedOut => "the `wait` timed out",
    }
}

fn cancelled(by: StoppedBy) -> &'static str {
    match by {
        StoppedBy::Cancel => "by `cancel`",
        StoppedBy::Restart => "by a new run",
        StoppedBy::WhileEnded => "because its `while` ended",
        StoppedBy::Reload => "by a reload",
        StoppedBy::Loop => "as part of a loop",
        StoppedBy::Caller => "because the run that called it ended",
        StoppedBy::Override => "because somebody changed what it commands",
    }
}

/// Returns what keeps a rule from running.
#[must_use]
pub fn blocked_now(by: BlockedBy) -> &'static str {
    match by {
        BlockedBy::Condition => "its condition is false",
        BlockedBy::Unknown => "its condition is unknown",
        BlockedBy::Mode => "its mode dropped it",
        BlockedBy::Cooldown => "its cooldown isn't over",
        BlockedBy::Limit => "it has run as often as its `limit` allows",
        BlockedBy::Disabled => "it's disabled",
        BlockedBy::Resting => "it's resting after a loop",
        BlockedBy::Hold => "its `for` was broken",
        BlockedBy::Override => "it yields: somebody changed what it commands",
    }
}

/// Returns what kept a rule from running.
#[must_use]
pub fn blocked_then(by: BlockedBy) -> &'static str {
    match by {
        BlockedBy::Condition => "its condition was false",
        BlockedBy::Unknown => "its condition was unknown",
        BlockedBy::Mode => "its mode dropped it",
        BlockedBy::Cooldown => "its cooldown wasn't over",
        BlockedBy::Limit => "it had run as often as its `limit` allows",
        BlockedBy::Disabled => "it was disabled",
        BlockedBy::Resting => "it was resting after a loop",
        BlockedBy::Hold => "its `for` was broken",
        BlockedBy::Override => "it yields: somebody changed what it commands",
    }
}
