//! Answers for programs: the JSON documents of the command line, the web and `run --json` (spec 9).

mod finding;
mod message;
mod rule;
mod state;
mod status;
mod trace;

pub use finding::{Finding, findings};
pub use message::{MessageLine, Via};
pub use rule::RuleAnswer;
pub use state::StateAnswer;
pub use status::{RuleCounts, Status, StoreStatus};
pub use trace::TraceAnswer;
