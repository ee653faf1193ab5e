//! What waits to be published: in order, until the broker has acknowledged it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::broker::packet::PacketId;
use crate::model::{Payload, Qos, Topic};

/// Packet identifiers of messages are 1 to this; those above are for all else.
pub(super) const IDS: u16 = 60_000;

/// The version of a row.
const FORM: u8 = 1;

/// A message on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Out {
    /// Where to, as it is at the broker.
    pub topic: Topic,
    /// What.
    pub payload: Bytes,
    /// How surely.
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// Whether a rule decided it.
    pub is_of_rule: bool,
}

#[derive(Debug)]
struct Entry {
    out: Out,
    /// Whether the broker has it and must only be told that it may forget its number (`QoS` 2, second step).
    is_received: bool,
    /// Whether it was sent on this connection.
    is_sent: bool,
    /// Whether it was ever sent.
    was_sent: bool,
}

/// A row of an entry.
#[derive(Serialize, Deserialize)]
struct Row {
    form: u8,
    topic: Topic,
    payload: Payload,
    qos: Qos,
    retain: bool,
    is_received: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_of_rule: bool,
}

/// What waits to be published.
#[derive(Debug)]
pub(super) struct Outbox {
    /// How many messages may wait.
    most: usize,
    /// By their numbers, which are in the order in which they were published.
    entries: BTreeMap<u64, Entry>,
    next: u64,
    /// The number from which on nothing was sent on this connection.
    cursor: u64,
    /// How many were sent on this connection and not acknowledged.
    in_flight: usize,
    /// How many may be.
    window: usize,
}

/// What is to be sent next.
pub(super) enum Step {
    /// A message.
    Publish {
        number: u64,
        id: Option<PacketId>,
        out: Out,
        /// Whether it may have been sent before.
        dup: bool,
    },
    /// The second step of one with `QoS` 2.
    Release(PacketId),
}

impl Outbox {
    pub(super) fn new(most: usize) -> Outbox {
        Outbox { most, entries: BTreeMap::new(), next: 0, cursor: 0, in_flight: 0, window: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn has_nothing_unsent(&self) -> bool {
        self.entries.range(self.cursor..).next().is_none()
    }

    /// Takes back a row. Returns whether it can be read.
    pub(super) fn restore(&mut self, number: &str, value: &[u8]) -> bool {
        let (Ok(number), Ok(row)) = (number.parse::<u64>(), serde_json::from_slice::<Row>(value)) else { return false };
        if row.form != FORM {
            return false;
        }
        let Row { topic, payload, qos, retain, is_of_rule, .. } = row;
        let out = Out { topic, payload: payload.bytes().clone(), qos, retain, is_of_rule };
        // It may have left before we were killed.
        let entry = Entry { out, is_received: row.is_received, is_sent: false, was_sent: true };
        self.entries.insert(number, entry);
        self.next = self.next.max(number + 1);
        true
    }

    /// Returns the rows of all.
    pub(super) fn rows(&self) -> Vec<(u64, Vec<u8>)> {
        self.entries.iter().map(|(number, entry)| (*number, row(&entry.out, entry.is_received))).collect()
    }

    /// Adds a message. Returns its number and its row.
    pub(super) fn add(&mut self, out: Out) -> (u64, Vec<u8>) {
        let number = self.next;
        self.next += 1;
        let row = row(&out, false);
        self.entries.insert(number, Entry { out, is_received: false, is_sent: false, was_sent: false });
        (number, row)
    }

    /// Takes out the oldest message that isn't on its way, where more wait than may.
    pub(super) fn take_excess(&mut self) -> Option<(u64, Topic)> {
        if self.entries.len() <= self.most {
            return None;
        }
        let number = self.entries.iter().find(|(_, entry)| !entry.is_sent).map(|(number, _)| *number)?;
        self.entries.remove(&number).map(|entry| (number, entry.out.topic))
    }

    /// Takes out all. Returns their numbers.
    pub(super) fn clear(&mut self) -> Vec<u64> {
        let numbers = self.entries.keys().copied().collect();
        self.entries.clear();
        self.in_flight = 0;
        numbers
    }

    /// Begins a new connection, on which so many messages may be unacknowledged.
    pub(super) fn connected(&mut self, window: usize) {
        self.disconnected();
        self.window = window.max(1);
    }

    /// Takes note that nothing is on its way any more.
    pub(super) fn disconnected(&mut self) {
        self.cursor = 0;
        self.in_flight = 0;
        for entry in self.entries.values_mut() {
            entry.is_sent = false;
        }
    }

    /// Returns what is to be sent next; `None`: nothing, or not before something is acknowledged.
    pub(super) fn next_step(&mut self, is_session_kept: bool) -> Option<Step> {
        let oldest = *self.entries.keys().next()?;
        let (number, entry) = self.entries.range_mut(self.cursor..).next()?;
        let number = *number;
        // Two that are unacknowledged can't have one identifier.
        let is_full = self.in_flight >= self.window || number - oldest >= u64::from(IDS);
        if is_full && entry.out.qos != Qos::AtMostOnce {
            return None;
        }
        self.cursor = number + 1;
        if entry.out.qos == Qos::AtMostOnce {
            let entry = self.entries.remove(&number)?;
            return Some(Step::Publish { number, id: None, out: entry.out, dup: false });
        }
        self.in_flight += 1;
        let dup = entry.was_sent && is_session_kept;
        (entry.is_sent, entry.was_sent) = (true, true);
        let id = id(number)?;
        if entry.is_received {
            return Some(Step::Release(id));
        }
        Some(Step::Publish { number, id: Some(id), out: entry.out.clone(), dup })
    }

    /// Takes note that the broker has the message with this identifier, for good. Returns its number and topic.
    pub(super) fn done(&mut self, id: PacketId) -> Option<(u64, Topic)> {
        let number = self.find(id)?;
        let entry = self.entries.remove(&number)?;
        self.in_flight = self.in_flight.saturating_sub(1);
        Some((number, entry.out.topic))
    }

    /// Takes note that the broker has a message with `QoS` 2, and may be told to forget its identifier. Returns its number and row.
    pub(super) fn received(&mut self, id: PacketId) -> Option<(u64, Vec<u8>)> {
        let number = self.find(id)?;
        let entry = self.entries.get_mut(&number)?;
        entry.is_received = true;
        Some((number, row(&entry.out, true)))
    }

    /// Returns the number of the message that was sent with this identifier on this connection.
    fn find(&self, wanted: PacketId) -> Option<u64> {
        let oldest = *self.entries.keys().next()?;
        let ids = u64::from(IDS);
        let place = u64::from(wanted.get()).checked_sub(1).filter(|place| *place < ids)?;
        let number = oldest - oldest % ids + place;
        let number = if number < oldest { number + ids } else { number };
        self.entries.get(&number).filter(|entry| entry.is_sent).map(|_| number)
    }
}

/// Returns the packet identifier of the message with this number: the same before and after a restart.
fn id(number: u64) -> Option<PacketId> {
    let id = number % u64::from(IDS) + 1;
    u16::try_from(id).ok().and_then(PacketId::new)
}

fn row(out: &Out, is_received: bool) -> Vec<u8> {
    let payload = Payload::from_bytes(out.payload.clone());
    let (topic, qos, retain, is_of_rule) = (out.topic.clone(), out.qos, out.retain, out.is_of_rule);
    let row = Row { form: FORM, topic, payload, qos, retain, is_received, is_of_rule };
    serde_json::to_vec(&row).unwrap_or_default()
}
