//! The virtual home: the very engine that runs live, under a clock that jumps, with a loopback for a broker.
//!
//! Pure: the shell reads the files, measures how long a test took and prints what is reported.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod comparison;
mod concern;
mod coverage;
mod difference;
mod divergence;
mod heard;
mod incident_test;
mod local_clock;
mod replay;
mod report;
mod run_report;
mod silence;
mod snapshot;
mod test_home;
mod test_run;
mod virtual_home;

pub use comparison::{Comparison, Row};
pub use coverage::{Coverage, Exercised, RuleCoverage};
pub use divergence::Divergence;
pub use incident_test::IncidentTest;
pub use replay::{Failures, Replay};
pub use snapshot::{Material, Snapshot};
pub use test_home::TestHome;
pub use test_run::{Failure, TestOutcome, TestRun};
pub use virtual_home::{Call, CallKind, Logged, Published, Turns, VirtualHome};
