//! Answers to why something was published, and why a rule didn't run, from what the daemon remembers (traces, messages,
//! the engine's own view) and, where that doesn't reach back, from what its recorder has. Nothing is noted for it while messages are handled, beyond who published which.

mod asked_time;
mod chain;
mod incident;
mod near;
mod obstacle;

pub(super) use asked_time::asked_time;
pub(super) use chain::{Chain, Link, chain};
pub(super) use incident::incident;
pub use incident::{Incident, Said, SaidKind};
pub(super) use obstacle::{Obstacle, obstacle};
