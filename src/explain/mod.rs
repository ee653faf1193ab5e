//! Traces and facts in words: what the engine tells as data, people read here.
//!
//! Pure, and above `engine`: it decides nothing, and nothing reads its words back. The command line, failing tests, the
//! HTTP interface and the page all take their words from here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod awaited;
mod blocked;
mod cause;
mod local_time;
mod miss;
mod near_topic;
mod outcome;
mod progress;
mod report;
mod step;
mod trace_lines;
mod values;
mod verdict;

pub use awaited::{awaited, awaited_any};
pub use blocked::{Blocked, blocked};
pub use local_time::LocalTime;
pub use miss::miss;
pub use near_topic::{nearest_to_topic, nearest_topic};
pub use outcome::{ended, gate_now, gate_then, stop_reason};
pub use progress::progress;
pub use report::{Line, LineKind, Report};
pub use step::{step_result, step_result_with_source};
pub use trace_lines::{step_lines, trace_lines, traces_under_way};
pub use values::{one_line, payload_text, value_text};
pub use verdict::{verdict_text, verdict_why};
