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

/// The user property (MQTT 5.0, 3.3.2.3.7) that names the rule which published a message. Only `record` asks for it: see
/// [`RECORDERS`].
pub const RULE_PROPERTY: &str = "homerule-rule";

/// The client ids of `homerule record` begin so. Until one has come, nobody is told which rule published what: that costs
/// each message a little.
const RECORDERS: &str = "homerule-record-";

/// The client id of our own subscription; nobody else may use it.
const OWN_ID: &str = "homerule";
