//! The embedded broker: the only place that names `mqtt5`.
//!
//! What clients publish is taken before it is routed, so that the one loop puts it in sequence with what rules publish
//! (`hook`). What skips that way, wills and `QoS` 2, comes by a subscription in the process (`subscription`).

mod access;
mod clients;
mod hook;
mod publisher;
mod server;
mod subscription;

pub(super) use access::refusal;
pub(super) use publisher::Publisher;
pub(super) use server::{Broker, BrokerError, Stopper, reason as bind_reason};

/// The client id of our own subscription; nobody else may use it.
const OWN_ID: &str = "homerule";
