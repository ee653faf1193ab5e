//! What the broker shows of itself.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::{Qos, Topic};

use super::Broker;
use super::connection::Peer;
use super::packet::{Properties, Version};

/// A client, here or away.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientView {
    /// Its identifier.
    pub client: Arc<str>,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// Where it came from; `None`: it is away.
    pub peer: Option<Peer>,
    /// What it speaks.
    pub version: Version,
    /// Since when it is here, or away.
    pub since: Timestamp,
    /// How many subscriptions it has.
    pub subscriptions: usize,
    /// How many messages wait for it or are on their way to it.
    pub queued: usize,
    /// How many messages it published since it came.
    pub received: u64,
    /// How many it was sent.
    pub sent: u64,
    /// How often something wasn't taken or delivered.
    pub dropped: u64,
    /// What went wrong last.
    pub last_error: Option<&'static str>,
}

/// A retained message.
#[derive(Debug, Clone, PartialEq)]
pub struct RetainedView {
    /// Where.
    pub topic: Topic,
    /// What.
    pub payload: Bytes,
    /// How surely it is delivered.
    pub qos: Qos,
    /// When it was published, by the clock.
    pub at: Timestamp,
    /// Who published it; `None`: a rule.
    pub client: Option<Arc<str>>,
    /// From when on it is retained no more, by the clock; `None`: it is for ever.
    pub expires_at: Option<Timestamp>,
    /// Its properties; `None`: it has none.
    pub properties: Option<Arc<Properties>>,
}

impl Broker {
    /// Returns all clients whose session is known, by their identifiers.
    pub fn clients(&self) -> impl Iterator<Item = ClientView> {
        self.sessions.iter().map(|(_, session)| ClientView {
            client: Arc::clone(&session.who.client),
            user: session.who.user.clone(),
            peer: session.conn.and_then(|conn| self.connections.get(conn)).map(|connection| connection.peer.clone()),
            version: session.version,
            since: self.by_the_clock(session.since),
            subscriptions: session.subscriptions.len(),
            queued: session.outgoing.len(),
            received: session.counts.received,
            sent: session.counts.sent,
            dropped: session.counts.dropped.values().sum(),
            last_error: session.last_error,
        })
    }

    /// Returns all that is retained, by topic.
    #[must_use]
    pub fn retained(&self) -> Vec<RetainedView> {
        let mut all = Vec::new();
        self.retained.all(&mut all);
        let view = |message: &super::routing::RetainedMessage| RetainedView {
            topic: message.posted.topic.clone(),
            payload: message.posted.payload.clone(),
            qos: message.posted.qos,
            at: self.by_the_clock(message.at),
            client: message.client.clone(),
            expires_at: message.posted.expires_at.map(|at| self.by_the_clock(at)),
            properties: message.posted.properties.clone(),
        };
        all.into_iter().map(view).collect()
    }

    /// Returns how many clients are here.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.connected
    }

    /// Returns how many sessions are known.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Returns how many messages are retained, and their bytes.
    #[must_use]
    pub fn retained_size(&self) -> (usize, usize) {
        (self.retained.len(), self.retained.bytes())
    }

    /// Returns how many bytes wait in the buffers of all connections.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffered
    }

    /// Returns how many bytes wait for all clients.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.sessions.queued()
    }
}
