//! What a client is sending us: exactly once means knowing what came already (MQTT 5.0, 4.3.3).

use std::collections::BTreeSet;

use crate::broker::packet::PacketId;

/// The messages of a client that haven't been acknowledged to the end.
#[derive(Debug, Default)]
pub(in crate::broker) struct Incoming {
    /// Those with `QoS` 2 that came and were not released.
    received: BTreeSet<PacketId>,
    /// Those whose acknowledgement hasn't left.
    unacknowledged: usize,
}

impl Incoming {
    /// Returns whether a message with `QoS` 2 came already.
    pub(in crate::broker) fn has(&self, id: PacketId) -> bool {
        self.received.contains(&id)
    }

    /// Notes a message with `QoS` 2. Returns whether it is new.
    pub(in crate::broker) fn receive(&mut self, id: PacketId) -> bool {
        self.received.insert(id)
    }

    /// Notes that the client knows that we have it. Returns whether we had.
    pub(in crate::broker) fn release(&mut self, id: PacketId) -> bool {
        self.received.remove(&id)
    }

    /// Notes that an acknowledgement is held back.
    pub(in crate::broker) fn hold(&mut self) {
        self.unacknowledged += 1;
    }

    /// Notes that an acknowledgement has left.
    pub(in crate::broker) fn acknowledge(&mut self) {
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
    }

    /// Notes that the connection ended: what is held back never leaves.
    pub(in crate::broker) fn disconnect(&mut self) {
        self.unacknowledged = 0;
    }

    /// Returns how many acknowledgements haven't left.
    pub(in crate::broker) fn unacknowledged(&self) -> usize {
        self.unacknowledged
    }

    /// Returns how many messages with `QoS` 2 the client hasn't released.
    pub(in crate::broker) fn unreleased(&self) -> usize {
        self.received.len()
    }

    /// Returns the identifiers of those with `QoS` 2 that were not released.
    pub(in crate::broker) fn received(&self) -> impl Iterator<Item = PacketId> {
        self.received.iter().copied()
    }
}
