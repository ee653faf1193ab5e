//! A message that a broker keeps for those who subscribe later.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::{Message, Origin, Payload, Qos, Topic};

/// A retained message.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::daemon) struct Retained {
    /// Its topic, which the broker took, even where rules wouldn't.
    pub(in crate::daemon) topic: Arc<str>,
    /// What it carries; never empty.
    pub(in crate::daemon) payload: Bytes,
    /// How surely it is delivered.
    pub(in crate::daemon) qos: Qos,
    /// When the broker took it, by the clock of the wall.
    pub(in crate::daemon) at: Timestamp,
    /// Until when it counts; `None`: for ever.
    pub(in crate::daemon) expires_at: Option<Timestamp>,
}

impl Retained {
    /// Returns it as a message for rules; `None` where its topic is none for them.
    pub(in crate::daemon) fn to_message(&self) -> Option<Message> {
        let topic = Topic::from_shared(Arc::clone(&self.topic)).ok()?;
        let payload = Payload::from_bytes(self.payload.clone());
        Some(Message {
            topic,
            payload,
            qos: self.qos,
            retain: true,
            origin: Origin::Retained,
            expires_at: self.expires_at,
        })
    }
}
