//! What one line of a recording says, before it is put in its place in time.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::{Origin, Qos, RuleId, Topic};

/// What one line of a recording says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    pub(super) time: Option<Time>,
    pub(super) topic: Topic,
    pub(super) qos: Qos,
    /// Whether a broker replayed it at a subscription.
    pub(super) retain: bool,
    pub(super) payload: Bytes,
    /// The length that the line tells, where the payload was written as it came.
    pub(super) length: Option<usize>,
    /// Whether the payload stands in the line as the JSON that it is.
    pub(super) is_embedded: bool,
    /// Whether a secret in it was masked.
    pub(super) is_masked: bool,
    /// Where it came from, if the line is one of ours.
    pub(super) origin: Option<Origin>,
    pub(super) rule: Option<RuleId>,
    pub(super) client: Option<Arc<str>>,
    /// As JSON.
    pub(super) cause: Option<Box<str>>,
}

/// A time that a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) at: Timestamp,
    /// Whether the line says in which zone.
    pub(super) has_zone: bool,
}

/// Why a line is no message, in words.
pub(super) type Reason = String;

/// Returns the topic that `text` is.
pub(super) fn topic(text: &str) -> Result<Topic, Reason> {
    Topic::parse(text).map_err(|error| error.to_string())
}

/// Returns the `QoS` that `text` is.
pub(super) fn qos(text: &str) -> Result<Qos, Reason> {
    let number: Option<u8> = text.parse().ok();
    number
        .and_then(|number| Qos::try_from(number).ok())
        .ok_or_else(|| format!("`{text}` isn't a valid QoS; it must be 0, 1 or 2"))
}
