//! Answers to why something was published, and why a rule didn't run, from what the daemon remembers: traces, messages,
//! the engine's own view. Nothing is noted for it while messages are handled, beyond who published which.

mod chain;
mod incident;
mod obstacle;

pub(super) use chain::{Link, chain};
pub(super) use incident::incident;
pub use incident::{Incident, Said, SaidKind};
pub(super) use obstacle::{Obstacle, obstacle};
