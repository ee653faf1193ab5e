//! The codec as a whole: what real clients send, what is refused and how, another codec's opinion, and mutated bytes.

mod against_another;
mod clients;
mod mutated;
mod strict;

use super::{DecodeError, Decoder};
use crate::broker::packet::{Packet, Version};

const LARGEST: usize = 1 << 20;

/// Returns all packets of `bytes`.
fn decode(mut bytes: &[u8]) -> Result<Vec<Packet>, DecodeError> {
    let mut decoder = Decoder::new(LARGEST);
    let mut packets = Vec::new();
    while let Some(packet) = decoder.decode(&mut bytes)? {
        packets.push(packet);
    }
    assert!(bytes.is_empty(), "what isn't a whole packet is kept");
    Ok(packets)
}

/// Returns what follows a CONNECT of `version`.
fn decode_after_connect(version: Version, bytes: &[u8]) -> Result<Vec<Packet>, DecodeError> {
    let mut packets = decode(&[connect(version), bytes.to_vec()].concat())?;
    assert!(matches!(packets.remove(0), Packet::Connect(connect) if connect.version == version));
    Ok(packets)
}

fn connect(version: Version) -> Vec<u8> {
    let head = match version {
        Version::V31 => [&text(b"MQIsdp")[..], &[3, 2, 0, 60]].concat(),
        Version::V311 => [&text(b"MQTT")[..], &[4, 2, 0, 60]].concat(),
        Version::V5 => [&text(b"MQTT")[..], &[5, 2, 0, 60, 0]].concat(),
    };
    packet(0x10, &[&head, &text(b"c1")])
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        packet.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    [packet, body].concat()
}
