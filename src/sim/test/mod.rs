//! A test: how it runs, the snapshot that it may hold a recording to, and the test that an incident is written as.

mod calls;
mod device;
mod incident;
mod invariants;
mod outcome;
mod run;
mod snapshot;
mod tried;
mod written;

pub use incident::IncidentTest;
pub use outcome::{Failure, TestOutcome};
pub use run::TestRun;
pub use snapshot::{Material, Snapshot};
pub use tried::Tried;
pub use written::{WrittenTest, expectation, notice_expectation};

pub(in crate::sim) use written::exactly;
