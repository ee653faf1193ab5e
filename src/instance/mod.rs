//! Several instances of one home: who leads, who acts for which rule, and what a standby knows.
//!
//! Pure: decisions that are told the time and what was heard, and return what to do. Nothing here knows a broker, a socket or the
//! engine: leases, claims and saves are data, and the shell carries them.
//!
//! - `lease`: the message by which a leader says that it leads.
//! - `election`: who leads (a standby waits until the lease is given up or has run out).
//! - `save`: what a leader saves, as a stream that standbys follow from a snapshot on.
//! - `unhandled`: what was heard and the leader has perhaps not handled.
//! - `sharing`: who of those alive acts for which rule.
//! - `share`: what is left to others, until they have done it or are gone.
//!
//! All times are of the reader's own clock, which never goes back; clocks of different instances are never compared.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod election;
mod lease;
mod save;
mod share;
mod sharing;
mod unhandled;

pub use election::{Decision, Election, Heard, Notice, Role, StepDown};
pub use lease::Lease;
pub use save::{Changes, Followed, Follower, Part, Saved, Stream};
pub use share::Share;
pub use sharing::{Members, owner};
pub use unhandled::{Unhandled, mark};

/// Returns the topic of a home's lease.
#[must_use]
pub fn leader_topic(home: &str) -> String {
    format!("homerule/leader/{home}")
}

/// Returns the topic on which an instance says whether it is there.
#[must_use]
pub fn alive_topic(home: &str, name: &str) -> String {
    format!("homerule/instance/{home}/alive/{name}")
}

/// Returns the topic of what a home's leader saves.
#[must_use]
pub fn save_topic(home: &str) -> String {
    format!("homerule/instance/{home}/save")
}

/// Returns the topic on which a standby asks for all that is saved.
#[must_use]
pub fn ask_topic(home: &str) -> String {
    format!("homerule/instance/{home}/ask")
}

/// Returns the topic on which an instance that shares a home says what it has done.
#[must_use]
pub fn done_topic(home: &str, name: &str) -> String {
    format!("homerule/instance/{home}/done/{name}")
}
