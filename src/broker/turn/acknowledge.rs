//! Clients acknowledge what they got, and release what they sent.

use crate::broker::Broker;
use crate::broker::connection::Conn;
use crate::broker::keep::{KeptFlight, Key};
use crate::broker::packet::{Ack, Packet, PacketId};
use crate::broker::reason::Reason;
use crate::broker::releases::Held;
use crate::broker::session::{Flight, Phase, Session, SessionSlot};

impl Broker {
    pub(super) fn receive_puback(&mut self, slot: SessionSlot, ack: &Ack) {
        let flight = self.sessions.change(slot, |outgoing| outgoing.acknowledge(ack.id)).flatten();
        self.forget_flight(slot, flight);
        self.pump(slot);
        self.note_reading(slot);
    }

    pub(super) fn receive_pubrec(&mut self, conn: Conn, slot: SessionSlot, ack: &Ack) {
        if ack.reason.is_error() {
            // MQTT 5.0, 4.3.3-4 and 4.8.2-6: the client doesn't want it, and nobody else gets it.
            let flight = self.sessions.change(slot, |outgoing| outgoing.give_up(ack.id)).flatten();
            self.forget_flight(slot, flight);
            self.pump(slot);
            return;
        }
        let received = self.sessions.change(slot, |outgoing| outgoing.receive(ack.id));
        let Some((is_known, news)) = received else { return };
        if let (Some(sequence), Some(session)) = (news, self.sessions.get(slot))
            && session.is_kept()
        {
            let flight = KeptFlight { id: ack.id, phase: Phase::Released };
            let key = Key::Flight(session.number, sequence);
            self.keep(&key, Some(flight.write()));
        }
        let reason = if is_known { Reason::Success } else { Reason::PacketIdentifierNotFound };
        self.send_release(conn, slot, Ack::new(ack.id, reason));
    }

    /// Tells a client that it may forget an identifier: once we can't forget that we said so, since the client would take
    /// the message for another one.
    fn send_release(&mut self, conn: Conn, slot: SessionSlot, ack: Ack) {
        let packet = Packet::PubRel(ack);
        if self.sessions.get(slot).is_some_and(Session::is_kept) {
            self.hold_back(conn, Held::Packet(packet));
        } else {
            self.send(conn, &packet);
        }
    }

    pub(super) fn receive_pubcomp(&mut self, slot: SessionSlot, ack: &Ack) {
        let flight = self.sessions.change(slot, |outgoing| outgoing.complete(ack.id)).flatten();
        self.forget_flight(slot, flight);
        self.pump(slot);
        self.note_reading(slot);
    }

    pub(super) fn receive_pubrel(&mut self, conn: Conn, slot: SessionSlot, ack: &Ack) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let is_known = session.incoming.release(ack.id);
        let (number, is_kept) = (session.number, session.is_kept());
        if is_known && is_kept {
            self.keep(&Key::Incoming(number, ack.id), None);
        }
        let reason = if is_known { Reason::Success } else { Reason::PacketIdentifierNotFound };
        self.hold(conn, slot, Packet::PubComp(Ack::new(ack.id, reason)));
    }

    /// Sends an acknowledgement once all that it stands for is on the disk, and all those before it have left.
    pub(super) fn hold(&mut self, conn: Conn, slot: SessionSlot, packet: Packet) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.incoming.hold();
        }
        self.hold_back(conn, Held::Answer(packet));
    }

    /// Forgets a message that has arrived.
    pub(super) fn forget_flight(&mut self, slot: SessionSlot, flight: Option<Flight>) {
        let (Some(flight), Some(session)) = (flight, self.sessions.get(slot)) else { return };
        if session.is_kept() {
            self.forget_message(session.number, &flight.entry, flight.is_kept_apart);
        }
    }

    /// Keeps the identifier of a message with `QoS` 2 until the client releases it.
    pub(super) fn keep_incoming(&mut self, slot: SessionSlot, id: PacketId) {
        let Some(session) = self.sessions.get(slot).filter(|session| session.is_kept()) else { return };
        let key = Key::Incoming(session.number, id);
        self.keep(&key, Some(vec![1]));
    }
}
