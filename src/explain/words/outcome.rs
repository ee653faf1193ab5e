//! How a run ended, or what kept a rule from running, in words.

use crate::engine::{Gate, Outcome, StopReason, StoppedBy};

/// Returns how a run ended: `finished`, `failed: …`, `cancelled by a new run`, `did not run: its condition is false`.
#[must_use]
pub fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Finished => "finished".to_owned(),
        Outcome::Stopped(reason) => format!("stopped: {}", stop_reason(reason)),
        Outcome::Cancelled(by) => format!("cancelled {}", cancelled(*by)),
        Outcome::Failed(fault) => format!("failed: {fault}"),
        Outcome::Running => "still running".to_owned(),
        Outcome::Skipped(gate) => format!("did not run: {}", gate_now(*gate)),
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
    }
}

/// Returns what keeps a rule from running.
#[must_use]
pub fn gate_now(gate: Gate) -> &'static str {
    match gate {
        Gate::Condition => "its condition is false",
        Gate::Unknown => "its condition is unknown",
        Gate::Mode => "its mode dropped it",
        Gate::Cooldown => "its cooldown isn't over",
        Gate::Disabled => "it's disabled",
        Gate::Resting => "it's resting after a loop",
        Gate::Hold => "its `for` was broken",
    }
}

/// Returns what kept a rule from running.
#[must_use]
pub fn gate_then(gate: Gate) -> &'static str {
    match gate {
        Gate::Condition => "its condition was false",
        Gate::Unknown => "its condition was unknown",
        Gate::Mode => "its mode dropped it",
        Gate::Cooldown => "its cooldown wasn't over",
        Gate::Disabled => "it was disabled",
        Gate::Resting => "it was resting after a loop",
        Gate::Hold => "its `for` was broken",
    }
}
