//! A journal: what happens to a home, with the time in between.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Payload, Topic};

/// What happens to a home from its start on.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// When the home starts.
    pub start: Timestamp,
    /// What happens.
    pub entries: Vec<Entry>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// How long after what came before.
    pub after: Duration,
    /// What.
    pub act: Act,
}

/// What may happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A device speaks.
    Say {
        /// On this topic.
        topic: Topic,
        /// This.
        payload: Payload,
        /// To be kept by the broker.
        retain: bool,
    },
    /// Nothing but that time passes.
    Pass,
    /// The daemon stops, is down for this time, and starts again.
    Restart(Duration),
    /// It's killed, is down for this time, and starts again.
    Kill(Duration),
    /// The rules are read again.
    Reload,
    /// A POST comes to a hook.
    Webhook(Arc<str>),
    /// An MQTT client comes (true) or goes.
    Client(Arc<str>, bool),
}
