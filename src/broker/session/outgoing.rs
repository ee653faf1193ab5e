//! What waits for a client, and what is on its way to it: one queue for all `QoS`, so that nothing overtakes.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::broker::packet::PacketId;
use crate::broker::routing::{Entry, GroupId};
use crate::model::Qos;

/// The messages for one client.
#[derive(Debug)]
pub(in crate::broker) struct Outgoing {
    waiting: VecDeque<Entry>,
    /// Those with `QoS` 1 and 2 that are on their way, in the order in which they left first.
    flights: VecDeque<Flight>,
    /// How many of the flights, counted from the first, were sent on the present connection. The others come before
    /// anything that waits.
    sent: usize,
    next_id: PacketId,
    next_sequence: u64,
    /// How many messages count towards the limits, and their bytes.
    messages: usize,
    bytes: usize,
    /// How many of those that wait have `QoS` 0.
    at_most_once: usize,
    /// How many wait since they were retained when the client subscribed.
    replays: usize,
    /// How many of those that wait are of no more use at some time.
    expiring: usize,
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) struct Flight {
    pub(in crate::broker) id: PacketId,
    pub(in crate::broker) phase: Phase,
    pub(in crate::broker) entry: Entry,
    /// Whether something is kept of it beside the message.
    pub(in crate::broker) is_kept_apart: bool,
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum Phase {
    /// It was sent.
    Sent,
    /// The client has it (`QoS` 2), and may forget that.
    Released,
}

/// What is sent next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) enum Step {
    /// This message, with `QoS` 0.
    Once(Entry),
    /// This message, for the first time.
    First(PacketId, Entry),
    /// This message again.
    Again(PacketId, Entry),
    /// That the client may forget the identifier.
    Release(PacketId),
    /// This one is of no more use.
    Expired(Entry),
}

/// What became of a message that was offered.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) enum Offer {
    /// It waits, and these make room for it.
    Queued(Vec<Entry>),
    /// There is no room.
    Refused,
}

/// The room in a queue.
#[derive(Debug, Clone, Copy)]
pub(in crate::broker) struct Room {
    pub(in crate::broker) messages: usize,
    pub(in crate::broker) bytes: usize,
}

/// What an acknowledgement ends.
pub(in crate::broker) type Finished = Option<Flight>;

impl Default for Outgoing {
    fn default() -> Outgoing {
        Outgoing {
            waiting: VecDeque::new(),
            flights: VecDeque::new(),
            sent: 0,
            next_id: PacketId::FIRST,
            next_sequence: 0,
            messages: 0,
            bytes: 0,
            at_most_once: 0,
            replays: 0,
            expiring: 0,
        }
    }
}

impl Outgoing {
    /// Returns whether a message may be sent at once: nothing waits that it would overtake.
    pub(in crate::broker) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.sent == self.flights.len()
    }

    /// Returns whether one more message may be on its way, of at most `window`.
    pub(in crate::broker) fn has_window(&self, window: u16) -> bool {
        self.sent < usize::from(window)
    }

    /// Returns how many messages wait or are on their way.
    pub(in crate::broker) fn len(&self) -> usize {
        self.waiting.len() + self.flights.len()
    }

    /// Returns how many of them wait since they were retained when the client subscribed.
    pub(in crate::broker) fn replays(&self) -> usize {
        self.replays
    }

    /// Returns about how many bytes all of them take.
    pub(in crate::broker) fn weight(&self) -> usize {
        self.bytes + self.replays * Entry::OVERHEAD
    }

    /// Returns the place of a new message among all that were ever queued.
    pub(in crate::broker) fn take_sequence(&mut self) -> u64 {
        self.next_sequence += 1;
        self.next_sequence
    }

    /// Puts a message behind those that wait. What is of no more use goes first, then what has `QoS` 0, oldest first.
    pub(in crate::broker) fn offer(&mut self, now: Timestamp, entry: Entry, room: Room) -> Offer {
        if entry.is_replay {
            self.push(entry);
            return Offer::Queued(Vec::new());
        }
        let size = weight(&entry);
        let has_room = |outgoing: &Outgoing| {
            outgoing.messages < room.messages && outgoing.bytes.saturating_add(size) <= room.bytes
        };
        let mut gone = Vec::new();
        if !has_room(self) && self.expiring > 0 {
            self.take_where(|entry| entry.posted.is_expired(now), &mut gone);
        }
        while !has_room(self) && self.at_most_once > 0 {
            let Some(place) = self.waiting.iter().position(is_droppable) else { break };
            gone.extend(self.take_at(place));
        }
        if has_room(self) {
            self.push(entry);
            return Offer::Queued(gone);
        }
        if gone.is_empty() {
            return Offer::Refused;
        }
        // What went is of less use than what came, though that finds no room: the caller tells of both.
        gone.push(entry);
        Offer::Queued(gone)
    }

    /// Begins the way of a message that waits for nothing. There must be a window.
    pub(in crate::broker) fn start(&mut self, entry: Entry) -> PacketId {
        self.fly(entry, false)
    }

    fn fly(&mut self, entry: Entry, is_kept_apart: bool) -> PacketId {
        let id = self.free_id();
        self.count(&entry);
        self.flights.push_back(Flight { id, phase: Phase::Sent, entry, is_kept_apart });
        self.sent += 1;
        id
    }

    /// Returns what is sent next, and notes that it is, if no more than `window` are on their way.
    pub(in crate::broker) fn next(&mut self, now: Timestamp, window: u16) -> Option<Step> {
        if let Some(flight) = self.flights.get(self.sent) {
            if self.sent >= usize::from(window) {
                return None;
            }
            self.sent += 1;
            return Some(match flight.phase {
                Phase::Released => Step::Release(flight.id),
                Phase::Sent => Step::Again(flight.id, flight.entry.clone()),
            });
        }
        let next = self.waiting.front()?;
        if next.posted.is_expired(now) {
            return self.pop().map(Step::Expired);
        }
        if next.copy.qos == Qos::AtMostOnce {
            return self.pop().map(Step::Once);
        }
        if self.sent >= usize::from(window) {
            return None;
        }
        let entry = self.pop()?;
        let id = self.fly(entry.clone(), true);
        Some(Step::First(id, entry))
    }

    /// Takes the client's word that it has a message with `QoS` 1.
    pub(in crate::broker) fn acknowledge(&mut self, id: PacketId) -> Finished {
        self.end(id, |flight| flight.entry.copy.qos == Qos::AtLeastOnce)
    }

    /// Takes the client's word that it has a message with `QoS` 2. Returns whether it was on its way, and its place in
    /// the queue where that is news.
    pub(in crate::broker) fn receive(&mut self, id: PacketId) -> (bool, Option<u64>) {
        let is_meant = |flight: &&mut Flight| flight.id == id && flight.entry.copy.qos == Qos::ExactlyOnce;
        let Some(flight) = self.flights.iter_mut().find(is_meant) else { return (false, None) };
        let is_news = flight.phase == Phase::Sent;
        flight.phase = Phase::Released;
        flight.is_kept_apart = true;
        (true, is_news.then_some(flight.entry.sequence))
    }

    /// Takes the client's word that it has forgotten an identifier.
    pub(in crate::broker) fn complete(&mut self, id: PacketId) -> Finished {
        self.end(id, |flight| flight.phase == Phase::Released)
    }

    /// Gives up a message that can't be sent, or isn't wanted.
    pub(in crate::broker) fn give_up(&mut self, id: PacketId) -> Finished {
        self.end(id, |_| true)
    }

    /// Notes that the connection ended. What was on its way will be sent again; what has `QoS` 0 is gone. Returns that.
    pub(in crate::broker) fn disconnect(&mut self) -> Vec<Entry> {
        self.sent = 0;
        let mut gone = Vec::new();
        self.take_where(|entry| entry.copy.qos == Qos::AtMostOnce, &mut gone);
        gone
    }

    /// Takes what came by shared subscriptions and the client hasn't got: another member gets it. What has `QoS` 2 and
    /// was sent stays: nobody else may get it (MQTT 5.0, 4.8.2). `goes`: whether a group has another member. Beside each
    /// comes whether something is kept of it beside the message.
    pub(in crate::broker) fn take_shared(&mut self, goes: impl Fn(GroupId) -> bool) -> Vec<(Entry, bool)> {
        let goes = |entry: &Entry| entry.copy.group.is_some_and(&goes);
        let is_meant = |flight: &&Flight| flight.entry.copy.qos == Qos::AtLeastOnce && goes(&flight.entry);
        let ids: Vec<PacketId> = self.flights.iter().filter(is_meant).map(|flight| flight.id).collect();
        let flights = ids.into_iter().filter_map(|id| self.give_up(id));
        let mut taken: Vec<(Entry, bool)> = flights.map(|flight| (flight.entry, flight.is_kept_apart)).collect();
        let mut waiting = Vec::new();
        self.take_where(goes, &mut waiting);
        taken.extend(waiting.into_iter().map(|entry| (entry, false)));
        taken
    }

    /// Puts back what was kept, in its order.
    pub(in crate::broker) fn restore(&mut self, entry: Entry, flight: Option<(PacketId, Phase)>) {
        self.next_sequence = self.next_sequence.max(entry.sequence);
        let Some((id, phase)) = flight else { return self.push(entry) };
        self.count(&entry);
        self.next_id = id.next();
        self.flights.push_back(Flight { id, phase, entry, is_kept_apart: true });
    }

    /// Returns all messages: those on their way first.
    pub(in crate::broker) fn iter(&self) -> impl Iterator<Item = (&Entry, Option<&Flight>)> {
        let flights = self.flights.iter().map(|flight| (&flight.entry, Some(flight)));
        flights.chain(self.waiting.iter().map(|entry| (entry, None)))
    }

    fn end(&mut self, id: PacketId, is_meant: impl Fn(&Flight) -> bool) -> Finished {
        let place = self
            .flights
            .iter()
            .position(|flight| flight.id == id)
            .filter(|place| self.flights.get(*place).is_some_and(is_meant))?;
        let flight = self.flights.remove(place)?;
        if place < self.sent {
            self.sent -= 1;
        }
        self.discount(&flight.entry);
        Some(flight)
    }

    fn push(&mut self, entry: Entry) {
        self.count(&entry);
        self.at_most_once += usize::from(is_droppable(&entry));
        self.expiring += usize::from(entry.posted.expires_at.is_some());
        self.waiting.push_back(entry);
    }

    fn pop(&mut self) -> Option<Entry> {
        self.take_at(0)
    }

    fn take_at(&mut self, place: usize) -> Option<Entry> {
        let entry = self.waiting.remove(place)?;
        self.leave(&entry);
        Some(entry)
    }

    fn take_where(&mut self, is_meant: impl Fn(&Entry) -> bool, taken: &mut Vec<Entry>) {
        let (gone, staying) = std::mem::take(&mut self.waiting).into_iter().partition::<VecDeque<Entry>, _>(is_meant);
        self.waiting = staying;
        for entry in &gone {
            self.leave(entry);
        }
        taken.extend(gone);
    }

    /// Notes that a message waits no longer.
    fn leave(&mut self, entry: &Entry) {
        self.discount(entry);
        self.at_most_once -= usize::from(is_droppable(entry));
        self.expiring -= usize::from(entry.posted.expires_at.is_some());
    }

    fn count(&mut self, entry: &Entry) {
        if entry.is_replay {
            self.replays += 1;
        } else {
            self.messages += 1;
            self.bytes += weight(entry);
        }
    }

    fn discount(&mut self, entry: &Entry) {
        if entry.is_replay {
            self.replays -= 1;
        } else {
            self.messages -= 1;
            self.bytes -= weight(entry);
        }
    }

    /// Returns an identifier that nothing on its way has. There are fewer of those than identifiers.
    fn free_id(&mut self) -> PacketId {
        while self.flights.iter().any(|flight| flight.id == self.next_id) {
            self.next_id = self.next_id.next();
        }
        let id = self.next_id;
        self.next_id = id.next();
        id
    }
}

/// Returns whether a message may make room for others.
fn is_droppable(entry: &Entry) -> bool {
    entry.copy.qos == Qos::AtMostOnce && !entry.is_replay
}

fn weight(entry: &Entry) -> usize {
    entry.posted.size() + Entry::OVERHEAD
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::broker::routing::{Copy, Posted};
    use crate::model::Topic;

    const ROOM: Room = Room { messages: 3, bytes: 1000 };

    fn entry(outgoing: &mut Outgoing, qos: Qos, text: &str) -> Entry {
        let topic = Topic::parse("a").unwrap();
        let payload = text.to_owned().into();
        let posted = Posted { topic, payload, qos, retain: false, expires_at: None, properties: None, rule: None };
        let copy = Copy { qos, retain: false, ids: Vec::new(), group: None };
        Entry { sequence: outgoing.take_sequence(), posted: Arc::new(posted), copy, is_replay: false }
    }

    fn offer(outgoing: &mut Outgoing, qos: Qos, text: &str) -> Offer {
        let entry = entry(outgoing, qos, text);
        outgoing.offer(Timestamp::UNIX_EPOCH, entry, ROOM)
    }

    fn next(outgoing: &mut Outgoing) -> Option<(Option<u16>, String)> {
        let text = |entry: Entry| String::from_utf8(entry.posted.payload.to_vec()).unwrap();
        Some(match outgoing.next(Timestamp::UNIX_EPOCH, 2)? {
            Step::Once(entry) => (None, text(entry)),
            Step::First(id, entry) => (Some(id.get()), text(entry)),
            Step::Again(id, entry) => (Some(id.get()), format!("{} again", text(entry))),
            Step::Release(id) => (Some(id.get()), "release".to_owned()),
            Step::Expired(entry) => (None, format!("{} expired", text(entry))),
        })
    }

    #[test]
    fn all_qos_leave_in_one_order_within_the_window() {
        let mut outgoing = Outgoing::default();
        for (qos, text) in [(Qos::AtLeastOnce, "a"), (Qos::AtMostOnce, "b"), (Qos::ExactlyOnce, "c")] {
            assert_eq!(offer(&mut outgoing, qos, text), Offer::Queued(vec![]));
        }
        assert_eq!(next(&mut outgoing), Some((Some(1), "a".to_owned())));
        assert_eq!(next(&mut outgoing), Some((None, "b".to_owned())));
        assert_eq!(next(&mut outgoing), Some((Some(2), "c".to_owned())));
        offer(&mut outgoing, Qos::AtLeastOnce, "d");
        assert_eq!(next(&mut outgoing), None, "the window is full");
        assert!(outgoing.acknowledge(PacketId::new(2).unwrap()).is_none(), "it has another QoS");
        assert!(outgoing.acknowledge(PacketId::FIRST).is_some());
        assert_eq!(next(&mut outgoing), Some((Some(3), "d".to_owned())));
        assert_eq!(outgoing.receive(PacketId::new(2).unwrap()), (true, Some(3)));
        assert_eq!(outgoing.receive(PacketId::new(2).unwrap()), (true, None));
        assert!(outgoing.complete(PacketId::new(2).unwrap()).is_some());
        assert_eq!(outgoing.len(), 1);
    }

    #[test]
    fn after_a_reconnection_what_was_on_its_way_comes_first_and_in_order() {
        let mut outgoing = Outgoing::default();
        for (qos, text) in [(Qos::ExactlyOnce, "a"), (Qos::AtLeastOnce, "b")] {
            offer(&mut outgoing, qos, text);
            next(&mut outgoing);
        }
        outgoing.receive(PacketId::FIRST);
        offer(&mut outgoing, Qos::AtMostOnce, "c");
        assert_eq!(outgoing.disconnect().len(), 1, "QoS 0 isn't kept for the absent");
        offer(&mut outgoing, Qos::AtLeastOnce, "d");
        assert!(!outgoing.is_idle());
        assert_eq!(next(&mut outgoing), Some((Some(1), "release".to_owned())));
        assert_eq!(next(&mut outgoing), Some((Some(2), "b again".to_owned())));
        assert_eq!(next(&mut outgoing), None);
        outgoing.complete(PacketId::FIRST);
        assert_eq!(next(&mut outgoing), Some((Some(3), "d".to_owned())));
    }

    #[test]
    fn a_full_queue_drops_the_oldest_of_qos_0_and_refuses_the_newest_others() {
        let mut outgoing = Outgoing::default();
        offer(&mut outgoing, Qos::AtLeastOnce, "a");
        offer(&mut outgoing, Qos::AtMostOnce, "b");
        offer(&mut outgoing, Qos::AtMostOnce, "c");
        let Offer::Queued(gone) = offer(&mut outgoing, Qos::AtLeastOnce, "d") else { panic!("refused") };
        assert_eq!(gone.iter().map(|entry| entry.posted.payload.clone()).collect::<Vec<_>>(), ["b"]);
        offer(&mut outgoing, Qos::AtLeastOnce, "e");
        assert_eq!(offer(&mut outgoing, Qos::AtLeastOnce, "f"), Offer::Refused);
        assert_eq!(offer(&mut outgoing, Qos::AtMostOnce, "f"), Offer::Refused);
        next(&mut outgoing);
        assert_eq!(offer(&mut outgoing, Qos::AtLeastOnce, "f"), Offer::Refused, "what is on its way counts");
        outgoing.acknowledge(PacketId::FIRST);
        assert_eq!(offer(&mut outgoing, Qos::AtLeastOnce, "f"), Offer::Queued(vec![]));
        for id in 2..5 {
            next(&mut outgoing);
            outgoing.acknowledge(PacketId::new(id).unwrap());
        }
        assert_eq!((outgoing.len(), outgoing.weight()), (0, 0));
    }
}
