//! Trials: what must happen so that each trigger of an imported rule fires once, and its conditions hold.
//!
//! A trial is a test without its expectation. Whoever runs it sees what the rule publishes, and writes that down.

mod asked;
mod named;
mod settle;
mod situation;
mod started;
mod syntax;
mod tree;

pub use started::Trial;

pub(super) use named::NamedRules;
pub(super) use started::trials;
