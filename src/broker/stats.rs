//! What is counted.

use std::collections::BTreeMap;

use super::happening::Drop;

/// What happened since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that came.
    pub bytes_received: u64,
    /// Bytes that left.
    pub bytes_sent: u64,
    /// Packets that came.
    pub packets_received: u64,
    /// Packets that left, or wait to.
    pub packets_sent: u64,
    /// Messages that clients published.
    pub messages_received: u64,
    /// Messages that subscribers were sent.
    pub messages_sent: u64,
    /// Clients that were let in.
    pub connects: u64,
    /// Peers that weren't let in.
    pub refused: u64,
    /// Connections that couldn't be opened: there were too many.
    pub too_many_connections: u64,
    /// Connections that were taken over by another with the same identifier.
    pub takeovers: u64,
    /// Clients that said nothing for too long.
    pub timeouts: u64,
    /// Clients that broke the protocol, or a limit.
    pub faults: u64,
    /// Wills that were published.
    pub wills: u64,
    /// Sessions that expired.
    pub sessions_expired: u64,
    /// What wasn't taken or delivered, by the reason.
    pub dropped: BTreeMap<Drop, u64>,
    /// The most clients that were here at a time.
    pub most_connected: usize,
}

impl Stats {
    /// Returns how often something wasn't taken or delivered.
    #[must_use]
    pub fn all_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}
