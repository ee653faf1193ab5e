//! The virtual home: the very engine that runs live, under a clock that jumps, with a loopback for a broker.
//!
//! Pure: the shell reads the files, measures how long a test took and prints what is reported.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod coverage;
mod divergence;
mod explore;
mod find;
mod home;
mod replay;
mod report;
mod schedule;
mod shadow;
mod test;
mod witness;

pub use coverage::{Coverage, Exercised, InvariantCoverage, RuleCoverage};
pub use divergence::Divergence;
pub use explore::{Act, Entry, Expected, Explore, Finding, Found, Journal, Settings as ExploreSettings};
pub use find::{Find, Span};
pub use home::{Call, CallKind, Logged, Published, TestHome, Turns, VirtualHome, engine_options};
pub use replay::{Failures, Replay};
pub use report::{Comparison, Row};
pub use schedule::{Due, Schedule, SunlessDays};
pub use shadow::{By, Decision, Said, Score, Shadow, ShadowDifference, Side, Tally};
pub use test::{
    Failure, IncidentTest, Material, Snapshot, TestOutcome, TestRun, Tried, WrittenTest, expectation,
    notice_expectation,
};
pub use witness::{Witness, Witnesses};
