//! What people want to know of the link.

use std::sync::Arc;

use jiff::Timestamp;

use crate::broker::packet::Version;

/// What people want to know of the link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Whether the broker has let us in.
    pub is_up: bool,
    /// Since when it is as it is.
    pub since: Option<Timestamp>,
    /// What is spoken; `None` while there is no connection.
    pub version: Option<Version>,
    /// What the broker can't do, in words.
    pub lacks: Vec<String>,
    /// How many messages wait to be published or acknowledged.
    pub waiting: usize,
    /// How many messages were dropped.
    pub dropped: u64,
    /// How many of our own messages a broker of 3.1.1 sent back.
    pub echoes: u64,
    /// What went wrong last, in words.
    pub last_error: Option<String>,
    /// When it is tried again.
    pub next_try: Option<Timestamp>,
    /// How many filters are subscribed.
    pub subscriptions: usize,
    /// The filters that the broker doesn't give us.
    pub refused: Vec<Arc<str>>,
    /// How often the broker let us in.
    pub connects: u64,
    /// How many messages came.
    pub received: u64,
    /// How many messages were sent, again and again among them.
    pub sent: u64,
}
