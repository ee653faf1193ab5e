//! Gathers what the daemon knows for those who ask why something was published, or why a rule didn't run: what's in memory
//! (traces, messages, the engine's own view) and, where that doesn't reach back, what was recorded. `explain` finds the answer.
//!
//! Nothing is noted for it while messages are handled, beyond who published which.

mod asked_time;
mod memory;
mod recorded;

pub(super) use asked_time::asked_time;
pub(super) use memory::{chain, chain_of_run, incident, obstacle};
pub(super) use recorded::Recordings;
