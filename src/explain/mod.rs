//! Traces and facts in words: what the engine tells as data, people read here.
//!
//! Pure, and above `engine`: it decides nothing, and nothing reads its words back. The command line, failing tests, the
//! HTTP interface and the page all take their words from here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod blocked;
mod near;
mod obstacle;
mod past;
mod report;
mod silence;
mod trace_lines;
mod words;

pub use blocked::{Blocked, blocked};
pub use near::{NearMiss, meant_topics, miss, near_misses, nearest_to_topic, nearest_topic};
pub use obstacle::{Beyond, By, Facts, Obstacle, Repeated, Switcher, obstacle, switched_off_by};
pub use past::{
    Chain, Extent, Gaps, HeardMessage, History, Incident, Link, Memory, Published, Said, SaidKind, Scene, Speaker,
};
pub use report::{Line, LineKind, Report};
pub use silence::Silence;
pub use trace_lines::{step_lines, trace_lines, traces_under_way};
pub use words::{
    LocalTime, awaited, awaited_any, blocked_now, blocked_then, cause_in_short, ended, one_line, overridden_by,
    payload_text, progress, step_result, step_result_with_source, stop_reason, trigger_time, value_text, verdict_text,
    verdict_why,
};
