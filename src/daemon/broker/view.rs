//! What is asked of the broker: its clients, and its counts.

use crate::api::{BrokerStatus, ClientAnswer};
use crate::broker::{Broker, Stats};

/// What is known of the broker.
pub(in crate::daemon) struct BrokerView<'a> {
    pub(super) core: &'a Broker,
    pub(super) counts: Counts,
    /// What is wrong with its files, in sentences.
    pub(super) faults: Vec<String>,
}

/// What the shell counts.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::daemon) struct Counts {
    /// Peers that didn't get through TLS or WebSocket.
    pub(in crate::daemon) failed_handshakes: u64,
    /// Wrong passwords.
    pub(in crate::daemon) wrong_passwords: u64,
    /// Clients whose password wasn't looked at, since others from there had been wrong.
    pub(in crate::daemon) throttled: u64,
}

/// All that is counted.
#[derive(Debug)]
pub(in crate::daemon) struct Counted {
    pub(in crate::daemon) status: BrokerStatus,
    /// By the core.
    pub(in crate::daemon) stats: Stats,
    /// By the shell.
    pub(in crate::daemon) counts: Counts,
    /// Bytes in the buffers of all connections.
    pub(in crate::daemon) buffered_bytes: usize,
}

impl BrokerView<'_> {
    /// Returns how it is.
    pub(in crate::daemon) fn status(&self) -> BrokerStatus {
        let (retained, retained_bytes) = self.core.retained_size();
        BrokerStatus {
            connected: self.core.connected(),
            sessions: self.core.session_count(),
            retained,
            retained_bytes,
            queued_bytes: self.core.queued_bytes(),
            refused: self.stats().refused + self.counts.failed_handshakes + self.stats().too_many_connections,
            dropped: self.stats().all_dropped(),
            faults: self.faults.clone(),
        }
    }

    /// Returns all clients, by their identifiers.
    pub(in crate::daemon) fn clients(&self) -> Vec<ClientAnswer> {
        let answer = |view: crate::broker::ClientView| ClientAnswer {
            id: view.client.to_string(),
            user: view.user.map(|user| user.to_string()),
            connected: view.peer.is_some(),
            address: view.peer.as_ref().map(|peer| peer.address.to_string()),
            listener: view.peer.as_ref().map(|peer| peer.listener.to_string()),
            protocol: view.version.as_str().to_owned(),
            since: view.since,
            subscriptions: view.subscriptions,
            queued: view.queued,
            received: view.received,
            sent: view.sent,
            dropped: view.dropped,
            last_error: view.last_error.map(str::to_owned),
        };
        self.core.clients().map(answer).collect()
    }

    /// Returns what was counted since the start.
    pub(in crate::daemon) fn counted(&self) -> Counted {
        Counted {
            status: self.status(),
            stats: self.core.stats().clone(),
            counts: self.counts,
            buffered_bytes: self.core.buffered_bytes(),
        }
    }

    fn stats(&self) -> &Stats {
        self.core.stats()
    }
}
