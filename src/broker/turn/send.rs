//! Packets are written to a connection's output.

use std::num::NonZeroU16;
use std::sync::Arc;

use jiff::Timestamp;

use crate::broker::codec;
use crate::broker::connection::{Alias, Conn};
use crate::broker::happening::Fault;
use crate::broker::limits::{ALL_BUFFERS, OUTPUT_FULL};
use crate::broker::packet::{Ack, Disconnect, Packet, PacketId, Properties, Publish, Version};
use crate::broker::reason::Reason;
use crate::broker::releases::Held;
use crate::broker::routing::{Copy, Posted};
use crate::broker::{Broker, RULE_PROPERTY};
use crate::model::Qos;

/// A message that goes to several receivers: those who get the same bytes share the work of writing them.
pub(super) struct Fan<'a> {
    pub(super) posted: &'a Arc<Posted>,
    expiry: Option<u32>,
    /// Whether somebody else may get the same bytes.
    is_shared: bool,
    written: Option<(Form, Vec<u8>)>,
}

/// What the bytes depend on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Form {
    is_version_5: bool,
    qos: Qos,
    retain: bool,
}

/// How a copy is sent.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) id: Option<PacketId>,
    pub(super) dup: bool,
}

/// What one connection needs.
#[derive(Clone, Copy)]
struct Way {
    version: Version,
    alias: Alias,
    is_recorder: bool,
}

impl Sending {
    /// With `QoS` 0.
    pub(super) const ONCE: Sending = Sending { id: None, dup: false };
}

impl<'a> Fan<'a> {
    pub(super) fn new(posted: &'a Arc<Posted>, now: Timestamp, is_shared: bool) -> Fan<'a> {
        Fan { posted, expiry: posted.expiry(now), is_shared, written: None }
    }

    fn packet(&self, copy: &Copy, sending: Sending, way: Way) -> Packet {
        let topic = self.posted.topic.clone();
        let (topic, alias) = match way.alias {
            Alias::None => (Some(topic), None),
            Alias::New(alias) => (Some(topic), Some(alias)),
            Alias::Known(alias) => (None, Some(alias)),
        };
        Packet::Publish(Publish {
            dup: sending.dup,
            qos: copy.qos,
            retain: copy.retain,
            topic,
            id: sending.id,
            alias,
            expiry: self.expiry,
            subscription_ids: copy.ids.clone(),
            properties: if way.is_recorder { self.told_to_recorders() } else { self.posted.properties.clone() },
            payload: self.posted.payload.clone(),
        })
    }

    /// Returns the message's properties with the rule that published it.
    fn told_to_recorders(&self) -> Option<Arc<Properties>> {
        let Some(rule) = &self.posted.rule else { return self.posted.properties.clone() };
        let mut properties = self.posted.properties.as_deref().cloned().unwrap_or_default();
        properties.user_properties.push((RULE_PROPERTY.into(), Arc::clone(rule)));
        Some(Arc::new(properties))
    }

    /// Appends what one receiver gets.
    fn write(&mut self, copy: &Copy, sending: Sending, way: Way, out: &mut Vec<u8>) {
        let form = Form { is_version_5: way.version == Version::V5, qos: copy.qos, retain: copy.retain };
        let is_common = copy.ids.is_empty() && way.alias == Alias::None && !way.is_recorder && !sending.dup;
        let is_common = self.is_shared && is_common;
        let start = out.len();
        if is_common
            && let Some((written, bytes)) = &self.written
            && *written == form
        {
            out.extend_from_slice(bytes);
            if let (Some(id), Some(packet)) = (sending.id, out.get_mut(start..)) {
                put_id(packet, id);
            }
            return;
        }
        codec::encode(&self.packet(copy, sending, way), way.version, out);
        if is_common {
            self.written = Some((form, out.get(start..).unwrap_or_default().to_vec()));
        }
    }
}

/// Puts another packet identifier into a PUBLISH (MQTT 5.0, 3.3.2.2): it is behind the topic.
fn put_id(packet: &mut [u8], id: PacketId) {
    let length = packet.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let topic_at = 1 + length;
    let topic = packet.get(topic_at..topic_at + 2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
    let Some(topic) = topic.map(u16::from_be_bytes) else { return };
    let id_at = topic_at + 2 + usize::from(topic);
    if let Some(place) = packet.get_mut(id_at..id_at + 2) {
        place.copy_from_slice(&id.get().to_be_bytes());
    }
}

impl Broker {
    /// Sends a packet to a client that is in.
    pub(super) fn send(&mut self, conn: Conn, packet: &Packet) {
        let Some(link) = self.connections.get(conn).and_then(|connection| connection.link()) else { return };
        let (version, largest) = (link.version, link.largest_packet);
        let before = self.connections.get(conn).map_or(0, |connection| connection.output.len());
        self.send_as(conn, version, packet);
        // MQTT 5.0, 3.1.2-24: words are left out where they are too many.
        if let Some(connection) = self.connections.get_mut(conn)
            && connection.output.len() - before > largest
        {
            let added = connection.output.len() - before;
            let buffer = connection.output.buffer();
            buffer.truncate(buffer.len() - added);
            self.buffered = self.buffered.saturating_sub(added);
            match without_words(packet) {
                Some(shorter) => self.send_as(conn, version, &shorter),
                None => self
                    .fail(conn, Fault::new(Reason::PacketTooLarge, "it takes no packet that says what must be said")),
            }
        }
    }

    /// Sends a packet as a version has it.
    pub(super) fn send_as(&mut self, conn: Conn, version: Version, packet: &Packet) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let before = connection.output.len();
        codec::encode(packet, version, connection.output.buffer());
        self.buffered += connection.output.len() - before;
        self.stats.packets_sent += 1;
        self.mark_dirty(conn);
    }

    /// Sends a message. Returns whether the client takes it: it may be too large for it.
    pub(super) fn send_message(&mut self, conn: Conn, fan: &mut Fan<'_>, copy: &Copy, sending: Sending) -> bool {
        let Some(connection) = self.connections.get_mut(conn) else { return true };
        let crate::broker::connection::Stage::Open(link) = &mut connection.stage else { return true };
        let alias = if link.version == Version::V5 { link.outbound.choose(&fan.posted.topic) } else { Alias::None };
        let way = Way { version: link.version, alias, is_recorder: link.is_recorder };
        let buffer = connection.output.buffer();
        let start = buffer.len();
        fan.write(copy, sending, way, buffer);
        let length = buffer.len() - start;
        if length > link.largest_packet {
            buffer.truncate(start);
            return false;
        }
        if let Alias::New(number) = alias {
            link.outbound.told(&fan.posted.topic, NonZeroU16::from(number));
        }
        self.buffered += length;
        self.stats.packets_sent += 1;
        self.stats.messages_sent += 1;
        self.mark_dirty(conn);
        true
    }

    /// Holds back what is sent to a connection from now on until what was told to be kept is on the disk.
    pub(super) fn bar(&mut self, conn: Conn) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.output.bar();
        self.hold_back(conn, Held::Barrier);
    }

    /// Returns whether more may be written to a connection: a client that reads slowly leaves its messages in its queue.
    pub(super) fn has_room(&self, conn: Conn) -> bool {
        let Some(connection) = self.connections.get(conn) else { return false };
        let waiting = connection.output.len();
        waiting == 0 || (waiting < OUTPUT_FULL && self.buffered < ALL_BUFFERS)
    }
}

fn without_words(packet: &Packet) -> Option<Packet> {
    match packet {
        Packet::PubAck(ack) => Some(Packet::PubAck(Ack::new(ack.id, ack.reason))),
        Packet::Disconnect(disconnect) => {
            Some(Packet::Disconnect(Disconnect { reason_string: None, ..disconnect.clone() }))
        }
        Packet::ConnAck(_)
        | Packet::SubAck(_)
        | Packet::UnsubAck(_)
        | Packet::PubRec(_)
        | Packet::PubRel(_)
        | Packet::PubComp(_)
        | Packet::PingResp
        | Packet::Publish(_)
        | Packet::Connect(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::PingReq
        | Packet::Auth(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_put_behind_the_topic() {
        for length in [1, 200] {
            let topic = "t".repeat(length);
            let mut packet = vec![0x32];
            packet.extend(if length == 1 { vec![6] } else { vec![0xcd, 0x01] });
            packet.extend(u16::try_from(length).unwrap().to_be_bytes());
            packet.extend(topic.bytes());
            packet.extend([0, 1, b'x']);
            put_id(&mut packet, PacketId::new(0x1234).unwrap());
            assert!(packet.ends_with(&[b't', 0x12, 0x34, b'x']), "{packet:?}");
        }
    }
}
