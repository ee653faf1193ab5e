//! How the link is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::broker::packet::Version;
use crate::model::{Qos, Topic};

/// How the link is set up.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the broker is, for people: `broker.lan:8883`.
    pub address: Arc<str>,
    /// How the broker knows us.
    pub client_id: Arc<str>,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// The password.
    pub password: Option<Bytes>,
    /// The `QoS` of our subscriptions.
    pub qos: Qos,
    /// How many messages wait while the broker is away.
    pub outbox: usize,
    /// What our own topics begin with at the broker: `homerule`, unless two homes share it.
    pub prefix: Arc<str>,
    /// What the broker says when we go without a word.
    pub will: Option<Will>,
    /// The longest silence.
    pub keep_alive: Duration,
    /// The largest packet that we take, in bytes.
    pub packet: usize,
    /// How long the broker keeps our session while we are away.
    pub session_expiry: Duration,
    /// The version that is tried first; older ones if the broker doesn't know it.
    pub version: Version,
    /// What the pauses between tries are spread by.
    pub seed: u64,
}

/// A will: retained, with `QoS` 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Where to.
    pub topic: Topic,
    /// What.
    pub payload: Bytes,
}

impl Settings {
    /// Returns the settings of a link to the broker at `address`, with the defaults of everything else.
    #[must_use]
    pub fn new(address: &str, client_id: &str) -> Settings {
        Settings {
            address: address.into(),
            client_id: client_id.into(),
            user: None,
            password: None,
            qos: Qos::AtLeastOnce,
            outbox: 10_000,
            prefix: "homerule".into(),
            will: None,
            keep_alive: Duration::from_secs(30),
            packet: 16 << 20,
            session_expiry: Duration::from_hours(30 * 24),
            version: Version::V5,
            seed: 0,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stays out of every log.
        let mut shown = formatter.debug_struct("Settings");
        shown.field("address", &self.address).field("client_id", &self.client_id).field("user", &self.user);
        shown.finish_non_exhaustive()
    }
}
