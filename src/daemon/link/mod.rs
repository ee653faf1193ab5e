//! The link to another broker: sockets and certificates around the pure [`crate::link::Link`].
//!
//! A task for each connection dials, reads and writes; what comes goes through one bounded queue, so that a broker that is faster
//! than the rules waits at its socket.

mod address;
mod client;
mod dial;
mod linked;
mod needed;
mod probe;
mod settings;
mod tls;
mod wire;

pub use client::{Client, Told, broker_at};
pub(in crate::daemon) use linked::Linked;
pub use probe::{Tried, settings_at, try_broker};
pub(in crate::daemon) use settings::LinkError;
