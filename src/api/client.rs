//! A client of the broker, as programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A client of the embedded broker, here or away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientAnswer {
    /// Its identifier.
    pub id: String,
    /// Its user; `None`: it came without one.
    pub user: Option<String>,
    /// Whether it is here.
    pub connected: bool,
    /// Where it came from; `None`: it is away.
    pub address: Option<String>,
    /// The listener that it came to, as a URL; `None`: it is away.
    pub listener: Option<String>,
    /// The version of MQTT that it speaks: `3.1`, `3.1.1`, `5.0`.
    pub protocol: String,
    /// Since when it is here, or away.
    pub since: Timestamp,
    /// How many subscriptions it has.
    pub subscriptions: usize,
    /// How many messages wait for it, or are on their way to it.
    pub queued: usize,
    /// How many messages it published since it came.
    pub received: u64,
    /// How many it was sent since then.
    pub sent: u64,
    /// How often something of it or for it wasn't taken or delivered since then.
    pub dropped: u64,
    /// What went wrong last; `None`: nothing did.
    pub last_error: Option<String>,
}

/// How the embedded broker is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct BrokerStatus {
    /// How many clients are here.
    pub connected: usize,
    /// How many sessions there are, those of absent clients among them.
    pub sessions: usize,
    /// How many messages are retained.
    pub retained: usize,
    /// How many bytes those take.
    pub retained_bytes: usize,
    /// How many bytes wait for all clients.
    pub queued_bytes: usize,
    /// How many peers weren't let in since the start.
    pub refused: u64,
    /// How often something wasn't taken or delivered since the start.
    pub dropped: u64,
    /// What is wrong with its files of users, grants and certificates: what they said before is in force.
    pub faults: Vec<String>,
}
