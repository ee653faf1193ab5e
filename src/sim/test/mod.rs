//! A test: how it runs, the snapshot that it may hold a recording to, and the test that an incident is written as.

mod device;
mod incident;
mod run;
mod snapshot;
mod written;

pub use incident::IncidentTest;
pub use run::{Failure, TestOutcome, TestRun, Tried};
pub use snapshot::{Material, Snapshot};
pub use written::{WrittenTest, expectation};

pub(in crate::sim) use written::exactly;
