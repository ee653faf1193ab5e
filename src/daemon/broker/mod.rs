//! The embedded broker: the only place that names `mqtt5`.
//!
//! What clients publish is taken before it is routed, so that the one loop puts it in sequence with what rules publish
//! (`hook`). What can't go that way (of MQTT 5 clients, with `QoS` 2, wills) comes by a subscription in the process.

mod access;
mod connection;
mod hook;
mod output;
mod publisher;
mod server;
mod subscription;
mod unrouted;

pub(super) use connection::Acknowledgement;
pub(super) use publisher::Publisher;
pub(super) use server::{Broker, BrokerError, Stopper, reason as bind_reason};

/// The client id of our own subscription; nobody else may use it.
const OWN_ID: &str = "homerule";
