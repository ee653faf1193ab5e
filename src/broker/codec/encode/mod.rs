//! Packets as bytes, straight into what leaves.
//!
//! What an older version doesn't have is left out, and what it has no packet for isn't sent at all.

pub(in crate::broker::codec) mod publish;
pub(in crate::broker::codec) mod writer;

use crate::broker::packet::{Ack, ConnAck, Disconnect, Packet, SubAck, Version};
use crate::broker::reason::Reason;

use writer::Writer;

pub use publish::publish_length;

/// Appends `packet` to `out`, as a client of `version` reads it. Returns whether that version has such a packet from a server: of
/// others nothing is appended.
pub fn encode(packet: &Packet, version: Version, out: &mut Vec<u8>) -> bool {
    let is_new = version == Version::V5;
    match packet {
        Packet::Publish(message) => publish::write(message, version, out),
        Packet::ConnAck(answer) => conn_ack(answer, version, out),
        Packet::PubAck(ack) => acknowledgement(0x40, ack, version, out),
        Packet::PubRec(ack) => acknowledgement(0x50, ack, version, out),
        Packet::PubRel(ack) => acknowledgement(0x62, ack, version, out),
        Packet::PubComp(ack) => acknowledgement(0x70, ack, version, out),
        Packet::SubAck(answer) => sub_ack(0x90, answer, version, out),
        Packet::UnsubAck(answer) => sub_ack(0xb0, answer, version, out),
        Packet::PingResp => out.extend_from_slice(&[0xd0, 0]),
        Packet::Disconnect(word) if is_new => disconnect(word, out),
        Packet::Disconnect(_)
        | Packet::Auth(_)
        | Packet::Connect(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::PingReq => return false,
    }
    true
}

fn acknowledgement(first: u8, ack: &Ack, version: Version, out: &mut Vec<u8>) {
    let [high, low] = ack.id.get().to_be_bytes();
    match (version, &ack.reason_string) {
        (Version::V31 | Version::V311, _) => out.extend_from_slice(&[first, 2, high, low]),
        (Version::V5, None) if ack.reason == Reason::Success => out.extend_from_slice(&[first, 2, high, low]),
        (Version::V5, None) => out.extend_from_slice(&[first, 3, high, low, ack.reason.code()]),
        (Version::V5, Some(words)) => {
            let mut writer = Writer::new(first, out);
            writer.bytes(&[high, low, ack.reason.code()]);
            writer.properties(|properties| properties.text(0x1f, words));
            writer.end();
        }
    }
}

fn sub_ack(first: u8, answer: &SubAck, version: Version, out: &mut Vec<u8>) {
    let mut writer = Writer::new(first, out);
    writer.bytes(&answer.id.get().to_be_bytes());
    if version == Version::V5 {
        writer.byte(0);
    }
    // Before MQTT 5.0 an UNSUBACK has no codes, and a subscription that fails has only one.
    if version == Version::V5 || first == 0x90 {
        for reason in &answer.reasons {
            let is_old_failure = version != Version::V5 && reason.is_error();
            writer.byte(if is_old_failure { 0x80 } else { reason.code() });
        }
    }
    writer.end();
}

fn disconnect(word: &Disconnect, out: &mut Vec<u8>) {
    let mut writer = Writer::new(0xe0, out);
    if let Some(words) = &word.reason_string {
        writer.byte(word.reason.code());
        writer.properties(|properties| properties.text(0x1f, words));
    } else if word.reason != Reason::Success {
        writer.byte(word.reason.code());
    }
    writer.end();
}

fn conn_ack(answer: &ConnAck, version: Version, out: &mut Vec<u8>) {
    let is_in = !answer.reason.is_error();
    // MQTT 3.1 has no such flag.
    let session_present = u8::from(answer.session_present && is_in && version != Version::V31);
    if version != Version::V5 {
        out.extend_from_slice(&[0x20, 2, session_present, old_code(answer.reason)]);
        return;
    }
    let mut writer = Writer::new(0x20, out);
    writer.bytes(&[session_present, answer.reason.code()]);
    let rest = &answer.properties;
    writer.properties(|properties| {
        if let Some(seconds) = rest.session_expiry {
            properties.four_bytes(0x11, seconds);
        }
        if let Some(most) = rest.receive_maximum {
            properties.two_bytes(0x21, most.get());
        }
        if let Some(most) = rest.maximum_packet_size {
            properties.four_bytes(0x27, most.get());
        }
        if let Some(id) = &rest.assigned_client_id {
            properties.text(0x12, id);
        }
        if rest.topic_alias_maximum > 0 {
            properties.two_bytes(0x22, rest.topic_alias_maximum);
        }
        if let Some(words) = &rest.reason_string {
            properties.text(0x1f, words);
        }
        if let Some(seconds) = rest.server_keep_alive {
            properties.two_bytes(0x13, seconds);
        }
    });
    writer.end();
}

/// Returns what MQTT 3.1 and 3.1.1 say instead (MQTT 3.1.1, 3.2.2.3).
fn old_code(reason: Reason) -> u8 {
    match reason {
        reason if !reason.is_error() => 0,
        Reason::UnsupportedProtocolVersion => 1,
        Reason::ClientIdentifierNotValid => 2,
        Reason::BadUserNameOrPassword => 4,
        Reason::NotAuthorized
        | Reason::Banned
        | Reason::BadAuthenticationMethod
        | Reason::ConnectionRateExceeded
        | Reason::TopicNameInvalid => 5,
        _ => 3,
    }
}
