//! Packets as a client sends them.

use crate::broker::codec::encode::encode;
use crate::broker::codec::encode::writer::{Writer, put_binary, put_text};
use crate::broker::packet::{Connect, Packet, RetainHandling, Subscribe, Unsubscribe, Version, Will};
use crate::broker::reason::Reason;

/// Appends `packet` to `out`, as a broker that speaks `version` reads it.
pub fn encode_request(packet: &Packet, version: Version, out: &mut Vec<u8>) {
    match packet {
        Packet::Connect(connect) => write_connect(connect, out),
        Packet::Subscribe(subscribe) => write_subscribe(subscribe, version, out),
        Packet::Unsubscribe(unsubscribe) => write_unsubscribe(unsubscribe, version, out),
        Packet::PingReq => out.extend_from_slice(&[0xc0, 0]),
        Packet::Disconnect(word) => {
            let has_reason = version == Version::V5 && word.reason != Reason::Success;
            let expiry = word.session_expiry.filter(|_| version == Version::V5);
            if !has_reason && expiry.is_none() {
                out.extend_from_slice(&[0xe0, 0]);
                return;
            }
            let mut writer = Writer::new(0xe0, out);
            writer.byte(word.reason.code());
            writer.properties(|properties| {
                if let Some(seconds) = expiry {
                    properties.four_bytes(0x11, seconds);
                }
            });
            writer.end();
        }
        // Both sides write these alike.
        other => {
            encode(other, version, out);
        }
    }
}

fn write_connect(connect: &Connect, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    let (name, level) = match connect.version {
        Version::V31 => ("MQIsdp", 3),
        Version::V311 => ("MQTT", 4),
        Version::V5 => ("MQTT", 5),
    };
    put_text(&mut body, name);
    body.push(level);
    let mut flags = u8::from(connect.clean_start) << 1;
    if let Some(will) = &connect.will {
        flags |= 0b100 | u8::from(will.qos) << 3 | u8::from(will.retain) << 5;
    }
    flags |= u8::from(connect.password.is_some()) << 6 | u8::from(connect.user.is_some()) << 7;
    body.push(flags);
    body.extend_from_slice(&connect.keep_alive.to_be_bytes());
    let mut writer = Writer::new(0x10, out);
    writer.bytes(&body);
    let is_new = connect.version == Version::V5;
    if is_new {
        writer.properties(|properties| {
            if let Some(seconds) = connect.session_expiry {
                properties.four_bytes(0x11, seconds);
            }
            if let Some(most) = connect.receive_maximum {
                properties.two_bytes(0x21, most.get());
            }
            if let Some(most) = connect.maximum_packet_size {
                properties.four_bytes(0x27, most.get());
            }
        });
    }
    let mut rest = Vec::new();
    put_text(&mut rest, &connect.client_id);
    writer.bytes(&rest);
    if let Some(will) = &connect.will {
        write_will(will, is_new, &mut writer);
    }
    rest.clear();
    if let Some(user) = &connect.user {
        put_text(&mut rest, user);
    }
    if let Some(password) = &connect.password {
        put_binary(&mut rest, password);
    }
    writer.bytes(&rest);
    writer.end();
}

fn write_will(will: &Will, is_new: bool, writer: &mut Writer<'_>) {
    if is_new {
        writer.properties(|properties| {
            if will.delay > 0 {
                properties.four_bytes(0x18, will.delay);
            }
        });
    }
    let mut bytes = Vec::new();
    put_text(&mut bytes, will.topic.as_str());
    put_binary(&mut bytes, &will.payload);
    writer.bytes(&bytes);
}

fn write_subscribe(subscribe: &Subscribe, version: Version, out: &mut Vec<u8>) {
    let mut writer = Writer::new(0x82, out);
    writer.bytes(&subscribe.id.get().to_be_bytes());
    let is_new = version == Version::V5;
    if is_new {
        writer.properties(|properties| {
            if let Some(id) = subscribe.subscription_id {
                properties.variable(0x0b, id.get());
            }
        });
    }
    for request in &subscribe.requests {
        let mut bytes = Vec::new();
        put_text(&mut bytes, request.filter.text());
        let options = request.options;
        let mut flags = u8::from(options.qos);
        if is_new {
            let handling = match options.retain_handling {
                RetainHandling::Send => 0,
                RetainHandling::SendIfNew => 1,
                RetainHandling::Skip => 2,
            };
            flags |= u8::from(options.no_local) << 2 | u8::from(options.retain_as_published) << 3 | handling << 4;
        }
        bytes.push(flags);
        writer.bytes(&bytes);
    }
    writer.end();
}

fn write_unsubscribe(unsubscribe: &Unsubscribe, version: Version, out: &mut Vec<u8>) {
    let mut writer = Writer::new(0xa2, out);
    writer.bytes(&unsubscribe.id.get().to_be_bytes());
    if version == Version::V5 {
        writer.byte(0);
    }
    for filter in &unsubscribe.filters {
        let mut bytes = Vec::new();
        put_text(&mut bytes, filter.text());
        writer.bytes(&bytes);
    }
    writer.end();
}
