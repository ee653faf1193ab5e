//! What the broker takes at most, so that no client can hurt another.

use std::time::Duration;

/// How the broker is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What it takes at most.
    pub limits: Limits,
    /// How long a session is kept whose client is away, at most.
    pub session_expiry: Duration,
    /// What `$SYS/broker/version` says.
    pub version: String,
    /// What the identifiers come from that clients without one get.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            limits: Limits::default(),
            session_expiry: Duration::from_hours(30 * 24),
            version: format!("homerule {}", env!("CARGO_PKG_VERSION")),
            seed: 0,
        }
    }
}

/// What the broker takes at most. A client's queue, its subscriptions and its rate are unlimited where they are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Bytes of a packet.
    pub packet: usize,
    /// Messages that wait for one client, those in flight among them.
    pub queued_messages: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// Messages with `QoS` 1 and 2 on their way to one client, or from it.
    pub inflight: u16,
    /// Retained messages.
    pub retained: usize,
    /// Their bytes.
    pub retained_bytes: usize,
    /// Subscriptions of one client.
    pub subscriptions: usize,
    /// Levels of a topic or filter.
    pub topic_levels: usize,
    /// Messages that one client publishes in a second. Beyond, we read no more from it for a while.
    pub messages_per_second: u32,
    /// How long a connection may take to say who it is.
    pub connect_timeout: Duration,
    /// Sessions, those of absent clients among them.
    pub sessions: usize,
    /// Bytes that wait for all clients together.
    pub total_queued: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1000,
            packet: 16 << 20,
            queued_messages: 1000,
            queued_bytes: 10 << 20,
            inflight: 20,
            retained: 100_000,
            retained_bytes: 100 << 20,
            subscriptions: 1000,
            topic_levels: 64,
            messages_per_second: 0,
            connect_timeout: Duration::from_secs(10),
            sessions: 10_000,
            total_queued: 1 << 30,
        }
    }
}

/// A peer that hasn't been let in may send so many bytes.
pub(super) const BEFORE_ADMISSION: usize = 64 << 10;

/// What is read from peers and not handled yet, and what waits to be written to them, takes so many bytes together.
pub(super) const ALL_BUFFERS: usize = 256 << 20;

/// With so many bytes waiting to be written, a client's messages stay in its queue, where they take less.
pub(super) const OUTPUT_FULL: usize = 64 << 10;

/// Room for so many bytes is kept between turns. Most clients say little, and there may be many of them.
pub(super) const BUFFER_KEPT: usize = 4 << 10;

/// With so much held back from a client, we read no more from it: the disk is slower than it is.
pub(super) const MOST_HELD: usize = 1000;

/// With so many bytes more than a packet waiting to be written, we read no more from a client: it asks, and doesn't read the
/// answers.
pub(super) const MOST_ANSWERS: usize = 1 << 20;

/// The filters of one client take so many bytes for each that it may have, and this at least.
pub(super) const FILTER: usize = 1 << 10;

/// The filters of one client may take so many bytes, whatever its limit is.
pub(super) const FILTERS_OF_ONE: usize = 256 << 10;

/// The filters of all sessions take so many bytes together.
pub(super) const ALL_FILTERS: usize = 512 << 20;

/// So many filters are taken from one packet, and so many user properties.
pub(super) const MOST_IN_PACKET: usize = 10_000;

/// The topics that a client has aliases for take so many bytes together.
pub(super) const ALIASED: usize = 256 << 10;

/// A longer topic gets no alias of ours.
pub(super) const LONGEST_ALIASED: usize = 4 << 10;

/// How many topic aliases we take from a client, and use towards one.
pub(super) const TOPIC_ALIASES: u16 = 64;

/// Returns a limit that is none where it is 0.
pub(super) fn or_unlimited(limit: usize) -> usize {
    if limit == 0 { usize::MAX } else { limit }
}
