//! A packet came: who takes it.

use crate::broker::Broker;
use crate::broker::connection::{Conn, Stage};
use crate::broker::happening::{End, Fault};
use crate::broker::packet::{Disconnect, Packet};
use crate::broker::reason::Reason;
use crate::broker::session::SessionSlot;

impl Broker {
    /// Returns the session of a client that is in.
    pub(super) fn session_of(&self, conn: Conn) -> Option<SessionSlot> {
        self.connections.get(conn)?.link().map(|link| link.session)
    }

    /// Takes a packet.
    pub(super) fn receive(&mut self, conn: Conn, packet: Packet) {
        let Some(connection) = self.connections.get(conn) else { return };
        match (&connection.stage, packet) {
            (Stage::Opening, Packet::Connect(connect)) => self.connect(conn, connect),
            (Stage::Opening, _) => self.fail(conn, Fault::protocol("the first packet isn't a CONNECT")),
            (Stage::Open(link), packet) => {
                let session = link.session;
                self.receive_from_client(conn, session, packet);
            }
            (Stage::Admitting(_) | Stage::Closing, _) => {}
        }
    }

    fn receive_from_client(&mut self, conn: Conn, session: SessionSlot, packet: Packet) {
        match packet {
            Packet::Publish(publish) => self.receive_publish(conn, session, publish),
            Packet::PubAck(ack) => self.receive_puback(session, &ack),
            Packet::PubRec(ack) => self.receive_pubrec(conn, session, &ack),
            Packet::PubRel(ack) => self.receive_pubrel(conn, session, &ack),
            Packet::PubComp(ack) => self.receive_pubcomp(session, &ack),
            Packet::Subscribe(subscribe) => self.receive_subscribe(conn, session, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.receive_unsubscribe(conn, session, unsubscribe),
            Packet::PingReq => self.send(conn, &Packet::PingResp),
            Packet::Disconnect(disconnect) => self.receive_disconnect(conn, session, &disconnect),
            Packet::Connect(_) => self.fail(conn, Fault::protocol("a second CONNECT")),
            Packet::Auth(_) => self.fail(conn, Fault::protocol("an AUTH that nobody asked for")),
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                self.fail(conn, Fault::protocol("a packet that only a server sends"));
            }
        }
    }

    fn receive_disconnect(&mut self, conn: Conn, slot: SessionSlot, disconnect: &Disconnect) {
        let longest = self.settings.session_expiry;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        if let Some(expiry) = disconnect.session_expiry {
            if session.expiry.is_zero() && expiry != 0 {
                self.fail(conn, Fault::protocol("a session that was to end with its connection can't outlive it"));
                return;
            }
            session.expiry = super::connect::session_expiry(expiry, longest);
        }
        if disconnect.reason != Reason::DisconnectWithWill {
            session.will = None;
        }
        self.end(conn, End::Goodbye);
    }
}
