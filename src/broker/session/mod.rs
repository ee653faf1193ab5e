//! Sessions: what is known of a client, whether it is here or away (MQTT 5.0, 4.1).

mod incoming;
mod outgoing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::access::Identity;
use super::connection::Conn;
use super::filter::Filter;
use super::happening::Drop;
use super::packet::{SubscribeOptions, SubscriptionId, Version, Will};

pub(super) use incoming::Incoming;
pub(super) use outgoing::{Flight, Offer, Outgoing, Phase, Room, Step};

/// Where a session is, for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionSlot(pub(super) u32);

/// What is known of a client.
#[derive(Debug)]
pub(super) struct Session {
    /// Its number among all sessions there ever were; what is kept of it is kept under that.
    pub(super) number: u64,
    /// Whose it is.
    pub(super) who: Identity,
    pub(super) version: Version,
    pub(super) is_bridge: bool,
    /// Where its client is.
    pub(super) conn: Option<Conn>,
    /// When its client acknowledged something last; `None`: it hasn't since it came.
    pub(super) read_at: Option<Timestamp>,
    /// Since when its client is here, or away.
    pub(super) since: Timestamp,
    /// How long it outlives its connection.
    pub(super) expiry: Duration,
    pub(super) will: Option<Will>,
    pub(super) subscriptions: BTreeMap<Filter, Subscription>,
    /// About how many bytes they take.
    pub(super) filter_bytes: usize,
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
    /// What happened since its client came last.
    pub(super) counts: Counts,
    /// What went wrong last.
    pub(super) last_error: Option<&'static str>,
}

/// A subscription of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) options: SubscribeOptions,
    pub(super) id: Option<SubscriptionId>,
}

/// What happened to a client's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Messages that it published.
    pub(super) received: u64,
    /// Messages that it was sent.
    pub(super) sent: u64,
    /// How often something wasn't taken or delivered, and why.
    pub(super) dropped: BTreeMap<Drop, u64>,
}

impl Session {
    /// Returns whether it outlives its connection, so that what waits for it must survive us.
    pub(super) fn is_kept(&self) -> bool {
        !self.expiry.is_zero()
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Option<Session>>,
    free: Vec<u32>,
    by_client: BTreeMap<Arc<str>, SessionSlot>,
    next_number: u64,
    /// What waits for all of them, in bytes.
    queued: usize,
}

impl Sessions {
    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.by_client.len()
    }

    /// Returns what waits for all of them, in bytes.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Returns the number of a new session.
    pub(super) fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Takes note of a number that is in use.
    pub(super) fn reserve(&mut self, number: u64) {
        self.next_number = self.next_number.max(number);
    }

    /// Adds a session; there must be none of the same client.
    pub(super) fn insert(&mut self, session: Session) -> SessionSlot {
        self.queued += session.outgoing.weight();
        let client = Arc::clone(&session.who.client);
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(session);
        }
        self.by_client.insert(client, SessionSlot(slot));
        SessionSlot(slot)
    }

    /// Removes a session.
    pub(super) fn remove(&mut self, slot: SessionSlot) -> Option<Session> {
        let session = self.slots.get_mut(slot.0 as usize)?.take()?;
        self.queued -= session.outgoing.weight();
        self.by_client.remove(&session.who.client);
        self.free.push(slot.0);
        Some(session)
    }

    pub(super) fn get(&self, slot: SessionSlot) -> Option<&Session> {
        self.slots.get(slot.0 as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: SessionSlot) -> Option<&mut Session> {
        self.slots.get_mut(slot.0 as usize)?.as_mut()
    }

    /// Changes what waits for a session.
    pub(super) fn change<R>(&mut self, slot: SessionSlot, change: impl FnOnce(&mut Outgoing) -> R) -> Option<R> {
        let session = self.slots.get_mut(slot.0 as usize)?.as_mut()?;
        let before = session.outgoing.weight();
        let result = change(&mut session.outgoing);
        self.queued = self.queued + session.outgoing.weight() - before;
        Some(result)
    }

    /// Returns the session of a client.
    pub(super) fn find(&self, client: &str) -> Option<SessionSlot> {
        self.by_client.get(client).copied()
    }

    /// Returns all of them, by the names of their clients.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionSlot, &Session)> {
        self.by_client.values().filter_map(|slot| Some((*slot, self.get(*slot)?)))
    }

    /// Returns where all of them are, by the names of their clients.
    pub(super) fn slots(&self) -> Vec<SessionSlot> {
        self.by_client.values().copied().collect()
    }
}
