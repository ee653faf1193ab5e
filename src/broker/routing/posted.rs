//! A message on its way to its subscribers.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::{Qos, Topic};

use super::shared::GroupId;
use crate::broker::packet::{Properties, SubscriptionId};

/// A message, once for all its receivers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) struct Posted {
    pub(in crate::broker) topic: Topic,
    pub(in crate::broker) payload: Bytes,
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) retain: bool,
    /// From when on it is of no more use.
    pub(in crate::broker) expires_at: Option<Timestamp>,
    pub(in crate::broker) properties: Option<Arc<Properties>>,
    /// The rule that published it; only recorders are told.
    pub(in crate::broker) rule: Option<Arc<str>>,
}

impl Posted {
    /// Returns about how many bytes it takes.
    pub(in crate::broker) fn size(&self) -> usize {
        let properties = self.properties.as_ref().map_or(0, |properties| properties.size());
        self.topic.as_str().len() + self.payload.len() + properties
    }

    /// Returns for how many seconds it is still of use; `Some(0)`: no longer.
    pub(in crate::broker) fn expiry(&self, now: Timestamp) -> Option<u32> {
        let left = self.expires_at?.duration_since(now).as_millis();
        // A second that has begun counts: what is still of use must not be sent as if it weren't.
        let seconds = left.max(0).unsigned_abs().div_ceil(1000);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    pub(in crate::broker) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// What a user property takes beside its texts.
const PAIR: usize = 64;

impl Properties {
    fn size(&self) -> usize {
        let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        let user: usize = self.user_properties.iter().map(|(name, value)| name.len() + value.len() + PAIR).sum();
        let correlation = self.correlation_data.as_ref().map_or(0, Bytes::len);
        text(&self.content_type) + text(&self.response_topic) + correlation + user
    }
}

/// How one receiver gets a message.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) struct Copy {
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) retain: bool,
    /// What the receiver calls the subscriptions that match.
    pub(in crate::broker) ids: Vec<SubscriptionId>,
    /// The shared subscription by which it got it.
    pub(in crate::broker) group: Option<GroupId>,
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) struct Entry {
    /// Its place among all that the session ever queued.
    pub(in crate::broker) sequence: u64,
    pub(in crate::broker) posted: Arc<Posted>,
    pub(in crate::broker) copy: Copy,
    /// Whether it comes since it was retained when the client subscribed; such ones aren't counted.
    pub(in crate::broker) is_replay: bool,
}

impl Entry {
    /// What it takes beside the message.
    pub(in crate::broker) const OVERHEAD: usize = 80;
}
