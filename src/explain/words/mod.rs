//! Words for single facts: times, values, causes, verdicts, steps, outcomes.

mod awaited;
mod cause;
mod local_time;
mod outcome;
mod progress;
mod schedule;
mod step;
mod values;
mod verdict;

pub use awaited::{awaited, awaited_any};
pub use cause::cause_in_short;
pub use local_time::LocalTime;
pub use outcome::{blocked_now, blocked_then, ended, stop_reason};
pub(super) use progress::lingering;
pub use progress::progress;
pub use schedule::trigger_time;
pub use step::{overridden_by, step_result, step_result_with_source};
pub(super) use values::{alternatives, shown, told_apart};
pub use values::{one_line, payload_text, value_text};
pub use verdict::{verdict_text, verdict_why};
