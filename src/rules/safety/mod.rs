//! What keeps rules from surprising: what must never happen, and when a rule steps back.

mod invariant;
mod yields;

pub use invariant::{EXPECT, Expect, Invariant, InvariantForm};
pub use yields::{Watched, Yields};
