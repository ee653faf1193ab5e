//! A message goes to its subscribers.

use std::sync::Arc;

use crate::broker::connection::{Conn, Connections};
use crate::broker::happening::{Drop, Dropped};
use crate::broker::keep::{KeptFlight, KeptMessage, Key};
use crate::broker::limits::{OUTPUT_FULL, or_unlimited};
use crate::broker::packet::{Ack, Packet, PacketId};
use crate::broker::routing::{Copy, Entry, Hit, Posted, Readiness, Target};
use crate::broker::session::{Offer, Phase, Room, SessionSlot, Sessions, Step};
use crate::broker::{Broker, Happening};
use crate::model::Qos;

use super::send::{Fan, Sending};

impl Broker {
    /// Gives a message to all who subscribed to it. `by`: the session that published it.
    pub(super) fn route(&mut self, posted: &Arc<Posted>, by: Option<SessionSlot>) {
        let mut targets = std::mem::take(&mut self.targets);
        targets.clear();
        self.subscriptions.find(posted.topic.as_str(), &mut targets);
        let mut fan = Fan::new(posted, self.now, targets.len() > 1);
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        hits.extend(targets.iter().filter_map(|target| match target {
            Target::Session(hit) => (!hit.no_local || by != Some(hit.session)).then_some(*hit),
            Target::Group(group) => self.groups.choose(*group, |hit| readiness(&self.sessions, &self.connections, hit)),
        }));
        // One copy for each client and each shared subscription, whatever the order in which filters were found.
        hits.sort_by_key(|hit| (hit.session, hit.group));
        for hits in hits.chunk_by(|one, other| one.session == other.session && one.group == other.group) {
            if let Some(copy) = copy_of(posted, hits)
                && let Some(first) = hits.first()
            {
                self.deliver(first.session, &mut fan, copy, Kind::Live);
            }
        }
        self.hits = hits;
        self.targets = targets;
    }

    /// Gives a message to one client: at once where nothing waits that it would overtake, else behind that.
    pub(super) fn deliver(&mut self, slot: SessionSlot, fan: &mut Fan<'_>, copy: Copy, kind: Kind) {
        let Some(session) = self.sessions.get(slot) else { return };
        if !self.acl.may_receive(&session.who, &fan.posted.topic) {
            return;
        }
        let Some(conn) = session.conn else {
            if copy.qos != Qos::AtMostOnce {
                self.queue(slot, fan.posted, copy, kind);
            }
            return;
        };
        let window = self.connections.get(conn).and_then(|connection| connection.link()).map_or(0, |link| link.window);
        let is_next = session.outgoing.is_idle() && self.has_room(conn);
        if is_next && copy.qos == Qos::AtMostOnce {
            self.send_copy(conn, slot, fan, &copy, Sending::ONCE);
        } else if is_next && session.outgoing.has_window(window) {
            self.start(conn, slot, fan, copy, kind);
        } else {
            self.queue(slot, fan.posted, copy, kind);
        }
    }

    /// Sends a message with `QoS` 1 or 2 for the first time, which didn't wait.
    fn start(&mut self, conn: Conn, slot: SessionSlot, fan: &mut Fan<'_>, copy: Copy, kind: Kind) {
        let Some(session) = self.sessions.get(slot) else { return };
        let (number, is_kept) = (session.number, session.is_kept());
        let posted = Arc::clone(fan.posted);
        let started = self.sessions.change(slot, |outgoing| {
            let sequence = outgoing.take_sequence();
            let entry = Entry { sequence, posted, copy, is_replay: kind == Kind::Replay };
            (outgoing.start(entry.clone()), entry)
        });
        let Some((id, entry)) = started else { return };
        if is_kept {
            self.keep_message(number, &entry, Some(id));
            if entry.copy.qos == Qos::ExactlyOnce {
                self.bar(conn);
            }
        }
        if !self.send_copy(conn, slot, fan, &entry.copy, Sending { id: Some(id), dup: false }) {
            self.give_up(slot, id);
        }
    }

    /// Sends a message. Returns whether the client takes it.
    fn send_copy(&mut self, conn: Conn, slot: SessionSlot, fan: &mut Fan<'_>, copy: &Copy, sending: Sending) -> bool {
        let is_taken = self.send_message(conn, fan, copy, sending);
        if is_taken {
            if let Some(session) = self.sessions.get_mut(slot) {
                session.counts.sent += 1;
            }
        } else {
            self.not_given(slot, fan.posted.topic.text(), Drop::TooLarge);
        }
        is_taken
    }

    fn give_up(&mut self, slot: SessionSlot, id: PacketId) {
        let flight = self.sessions.change(slot, |outgoing| outgoing.give_up(id)).flatten();
        self.forget_flight(slot, flight);
    }

    /// Puts a message behind those that wait for a client.
    fn queue(&mut self, slot: SessionSlot, posted: &Arc<Posted>, copy: Copy, kind: Kind) {
        let limits = &self.settings.limits;
        let room = Room { messages: or_unlimited(limits.queued_messages), bytes: or_unlimited(limits.queued_bytes) };
        let is_full = self.sessions.queued() + posted.size() > or_unlimited(limits.total_queued);
        let topic = posted.topic.text();
        if is_full {
            self.not_given(slot, topic, Drop::QueueFull);
            return;
        }
        let posted = Arc::clone(posted);
        let now = self.now;
        let offered = self.sessions.change(slot, |outgoing| {
            let sequence = outgoing.take_sequence();
            let entry = Entry { sequence, posted, copy, is_replay: kind == Kind::Replay };
            (outgoing.offer(now, entry.clone(), room), entry)
        });
        let Some((offer, entry)) = offered else { return };
        match offer {
            Offer::Refused => self.not_given(slot, topic, Drop::QueueFull),
            Offer::Queued(gone) => {
                let Some(session) = self.sessions.get(slot) else { return };
                let (number, is_kept) = (session.number, session.is_kept());
                let is_queued = gone.iter().all(|gone| gone.sequence != entry.sequence);
                if is_queued && is_kept && entry.copy.qos != Qos::AtMostOnce {
                    self.keep_message(number, &entry, None);
                }
                for gone in gone {
                    self.lose(slot, &gone);
                }
                if kind == Kind::Live {
                    self.note_crowd(slot);
                }
            }
        }
    }

    /// Notes that a message that waited is gone.
    fn lose(&mut self, slot: SessionSlot, entry: &Entry) {
        let Some(session) = self.sessions.get(slot) else { return };
        let number = session.number;
        let why = if entry.posted.is_expired(self.now) { Drop::Expired } else { Drop::QueueFull };
        self.forget_message(number, entry, false);
        self.not_given(slot, entry.posted.topic.text(), why);
    }

    /// Sends what waits for a client, for as long as it may be sent.
    pub(super) fn pump(&mut self, slot: SessionSlot) {
        loop {
            let Some(session) = self.sessions.get(slot) else { return };
            let Some(conn) = session.conn.filter(|_| session.outgoing.len() > 0) else { return };
            let link = self.connections.get(conn).and_then(|connection| connection.link());
            let Some(window) = link.map(|link| link.window).filter(|_| self.has_room(conn)) else { return };
            let now = self.now;
            let step = self.sessions.change(slot, |outgoing| outgoing.next(now, window)).flatten();
            let Some(step) = step else { return };
            self.take_step(conn, slot, step);
        }
    }

    fn take_step(&mut self, conn: Conn, slot: SessionSlot, step: Step) {
        match step {
            Step::Release(id) => {
                // That the client has it may not be on the disk, and nothing may overtake.
                self.bar(conn);
                self.send(conn, &Packet::PubRel(Ack::success(id)));
            }
            Step::Expired(entry) => self.lose(slot, &entry),
            Step::Once(entry) => {
                if self.may_receive(slot, &entry) {
                    let mut fan = Fan::new(&entry.posted, self.now, false);
                    self.send_copy(conn, slot, &mut fan, &entry.copy, Sending::ONCE);
                }
            }
            Step::First(id, entry) => self.send_waiting(conn, slot, id, &entry, false),
            Step::Again(id, entry) => self.send_waiting(conn, slot, id, &entry, true),
        }
    }

    /// Sends a message with `QoS` 1 or 2 that waited.
    fn send_waiting(&mut self, conn: Conn, slot: SessionSlot, id: PacketId, entry: &Entry, dup: bool) {
        let Some(session) = self.sessions.get(slot) else { return };
        let (number, is_kept) = (session.number, session.is_kept());
        if !self.may_receive(slot, entry) {
            self.give_up(slot, id);
            return;
        }
        if is_kept && !dup {
            let flight = KeptFlight { id, phase: Phase::Sent };
            self.keep(&Key::Flight(number, entry.sequence), Some(flight.write()));
        }
        // Also again: what it was kept with may not be on the disk yet.
        if is_kept && entry.copy.qos == Qos::ExactlyOnce {
            self.bar(conn);
        }
        let mut fan = Fan::new(&entry.posted, self.now, false);
        if !self.send_copy(conn, slot, &mut fan, &entry.copy, Sending { id: Some(id), dup }) {
            self.give_up(slot, id);
        }
    }

    fn may_receive(&self, slot: SessionSlot, entry: &Entry) -> bool {
        self.sessions.get(slot).is_some_and(|session| self.acl.may_receive(&session.who, &entry.posted.topic))
    }

    /// Gives what came to a session by shared subscriptions, and its client hasn't got, to other members that get it at
    /// least as soon as `soon`.
    pub(super) fn share_again(&mut self, slot: SessionSlot, soon: Readiness) {
        let Broker { groups, sessions, connections, .. } = self;
        let is_shared = sessions
            .get(slot)
            .is_some_and(|session| session.outgoing.iter().any(|(entry, _)| entry.copy.group.is_some()));
        if !is_shared {
            return;
        }
        let with_others: Vec<_> = sessions
            .get(slot)
            .map(|session| {
                let ids = session.outgoing.iter().filter_map(|(entry, _)| entry.copy.group);
                ids.filter(|group| groups.has_other(*group, slot, |hit| readiness(sessions, connections, hit) <= soon))
                    .collect()
            })
            .unwrap_or_default();
        let Some(number) = sessions.get(slot).map(|session| session.number) else { return };
        let taken = sessions.change(slot, |outgoing| outgoing.take_shared(|group| with_others.contains(&group)));
        for (entry, is_kept_apart) in taken.unwrap_or_default() {
            self.forget_message(number, &entry, is_kept_apart);
            let Some(group) = entry.copy.group else { continue };
            let Broker { groups, sessions, connections, .. } = self;
            let rate =
                |hit: &Hit| if hit.session == slot { Readiness::Never } else { readiness(sessions, connections, hit) };
            let Some(hit) = groups.choose(group, rate) else { continue };
            if let Some(copy) = copy_of(&entry.posted, &[hit]) {
                let mut fan = Fan::new(&entry.posted, self.now, false);
                self.deliver(hit.session, &mut fan, copy, Kind::Live);
            }
        }
    }

    pub(super) fn keep_message(&mut self, number: u64, entry: &Entry, id: Option<PacketId>) {
        let group =
            entry.copy.group.and_then(|group| self.groups.filter(group)).map(|filter| Arc::clone(filter.text()));
        let value = KeptMessage::write(entry, group.as_deref(), id, self.skew);
        self.keep(&Key::Message(number, entry.sequence), Some(value));
    }

    /// Forgets a message that doesn't wait any longer.
    pub(super) fn forget_message(&mut self, number: u64, entry: &Entry, is_kept_apart: bool) {
        if entry.copy.qos == Qos::AtMostOnce {
            return;
        }
        self.keep(&Key::Message(number, entry.sequence), None);
        if is_kept_apart {
            self.keep(&Key::Flight(number, entry.sequence), None);
        }
    }

    /// Counts something that wasn't taken or delivered, and tells of the first of its kind.
    pub(super) fn dropped(&mut self, slot: Option<SessionSlot>, client: &Arc<str>, topic: Arc<str>, why: Drop) {
        *self.stats.dropped.entry(why).or_default() += 1;
        if let Some(session) = slot.and_then(|slot| self.sessions.get_mut(slot)) {
            let count = session.counts.dropped.entry(why).or_default();
            *count += 1;
            if *count > 1 {
                return;
            }
        }
        self.happened(Happening::Dropped(Dropped { client: Arc::clone(client), topic, why }));
    }

    /// Counts something that a session wasn't given.
    pub(super) fn not_given(&mut self, slot: SessionSlot, topic: Arc<str>, why: Drop) {
        if let Some(session) = self.sessions.get(slot) {
            let client = Arc::clone(&session.who.client);
            self.dropped(Some(slot), &client, topic, why);
        }
    }
}

/// Why a client gets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was published.
    Live,
    /// It is retained, and the client subscribed.
    Replay,
}

/// Returns the one copy that a client gets by all its subscriptions that match.
fn copy_of(posted: &Posted, hits: &[Hit]) -> Option<Copy> {
    let qos = hits.iter().map(|hit| hit.qos).max()?.min(posted.qos);
    let retain = posted.retain && hits.iter().any(|hit| hit.retain_as_published);
    let ids = hits.iter().filter_map(|hit| hit.id).collect();
    Some(Copy { qos, retain, ids, group: hits.first()?.group })
}

/// Returns how soon a member of a group would get a message.
fn readiness(sessions: &Sessions, connections: &Connections, hit: &Hit) -> Readiness {
    let Some(session) = sessions.get(hit.session) else { return Readiness::Never };
    let Some(conn) = session.conn else {
        return if session.is_kept() { Readiness::Away } else { Readiness::Never };
    };
    let Some(connection) = connections.get(conn) else { return Readiness::Never };
    let window = connection.link().map_or(0, |link| link.window);
    let is_ready =
        session.outgoing.is_idle() && session.outgoing.has_window(window) && connection.output.len() < OUTPUT_FULL;
    if is_ready { Readiness::Now } else { Readiness::Later }
}
