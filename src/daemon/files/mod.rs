//! The home's files while the daemon runs: noticed, read and checked again.

pub(super) mod last_good;
pub(super) mod reload;
mod watch;
