//! Traces: the record of a run, or of a rule that didn't run, with what blocked it. They are data: `explain`
//! finds the words, and nothing reads words back.
//!
//! The command line, the page, failed tests, `why` and coverage all read this one thing.

mod awaited;
mod cause;
mod device;
mod fault;
pub(super) mod masked;
mod outcome;
mod record;
mod refusal;
mod result;
mod run_id;
mod step;
pub(super) mod stored;
mod verdict;

pub use awaited::{Awaited, WaitsFor};
pub use cause::{Armed, Cause, CauseKind, DueEvent};
pub use device::{DeviceStep, Missing};
pub use fault::{Fault, Loop, NoRoom, Room};
pub use outcome::{BlockedBy, Outcome, StopReason, StoppedBy};
pub use record::Trace;
pub use refusal::Refusal;
pub use result::StepResult;
pub use run_id::RunId;
pub use step::{Step, StepKind};
pub use verdict::{Verdict, WhyFalse, WhyUnknown};
