//! What we ask is what a broker reads, and what it says is what we read.

use std::num::NonZeroU32;

use bytes::Bytes;

use super::{ClientDecoder, Said, encode_request};
use crate::broker::codec::{Decoder, encode};
use crate::broker::filter::Filter;
use crate::broker::packet::{
    Connect, Disconnect, Packet, PacketId, Publish, RetainHandling, SubAck, Subscribe, SubscribeOptions,
    SubscribeRequest, Unsubscribe, Version, Will,
};
use crate::broker::reason::Reason;
use crate::model::{Qos, Topic};

fn connect(version: Version) -> Packet {
    let is_new = version == Version::V5;
    Packet::Connect(Box::new(Connect {
        version,
        is_bridge: false,
        client_id: "homerule-a".into(),
        clean_start: false,
        keep_alive: 30,
        will: Some(Will {
            topic: Topic::parse("homerule/status").unwrap(),
            payload: Bytes::from_static(b"offline"),
            qos: Qos::AtLeastOnce,
            retain: true,
            delay: 0,
            expiry: None,
            properties: None,
        }),
        user: Some("u".into()),
        password: Some(Bytes::from_static(b"p\0q")),
        session_expiry: is_new.then_some(3600),
        receive_maximum: is_new.then(|| 100.try_into().unwrap()),
        maximum_packet_size: is_new.then(|| 1_000_000.try_into().unwrap()),
        topic_alias_maximum: 0,
        request_response_information: false,
        request_problem_information: true,
        authentication_method: None,
    }))
}

fn publish(version: Version) -> Packet {
    let ids =
        if version == Version::V5 { vec![NonZeroU32::new(7).unwrap(), NonZeroU32::new(300).unwrap()] } else { vec![] };
    Packet::Publish(Publish {
        dup: true,
        qos: Qos::AtLeastOnce,
        retain: true,
        topic: Some(Topic::parse("a/b").unwrap()),
        id: PacketId::new(9),
        alias: None,
        expiry: None,
        subscription_ids: ids,
        properties: None,
        payload: Bytes::from_static(b"ON"),
    })
}

#[test]
fn what_we_ask_is_read_by_a_broker_as_we_meant_it() {
    for version in [Version::V31, Version::V311, Version::V5] {
        let is_new = version == Version::V5;
        let options = SubscribeOptions {
            qos: Qos::AtLeastOnce,
            no_local: is_new,
            retain_as_published: false,
            retain_handling: if is_new { RetainHandling::SendIfNew } else { RetainHandling::Send },
        };
        let request = |filter: &str| SubscribeRequest { filter: Filter::parse(filter).unwrap(), options };
        let packets = [
            connect(version),
            Packet::Subscribe(Subscribe {
                id: PacketId::FIRST,
                subscription_id: is_new.then(|| 200.try_into().unwrap()),
                requests: vec![request("home/+/tv"), request("#")],
            }),
            Packet::Unsubscribe(Unsubscribe { id: PacketId::FIRST, filters: vec![Filter::parse("a/#").unwrap()] }),
            Packet::PingReq,
            Packet::Disconnect(Disconnect {
                reason: if is_new { Reason::DisconnectWithWill } else { Reason::Success },
                session_expiry: is_new.then_some(0),
                reason_string: None,
            }),
        ];
        let mut bytes = Vec::new();
        for packet in &packets {
            encode_request(packet, version, &mut bytes);
        }
        let mut decoder = Decoder::new(1 << 20);
        let mut rest = bytes.as_slice();
        for packet in packets {
            assert_eq!(decoder.decode(&mut rest).unwrap(), Some(packet), "{version:?}");
        }
    }
}

#[test]
fn what_a_broker_says_is_read_however_it_is_cut() {
    for version in [Version::V311, Version::V5] {
        let packets = [
            publish(version),
            Packet::SubAck(SubAck {
                id: PacketId::FIRST,
                reasons: vec![Reason::GrantedQos1, Reason::UnspecifiedError],
            }),
            Packet::PingResp,
        ];
        let mut bytes = Vec::new();
        for packet in &packets {
            assert!(encode(packet, version, &mut bytes));
        }
        for size in [1, 2, 3, 7, bytes.len()] {
            let mut decoder = ClientDecoder::new(version, 1 << 20);
            let mut heard = Vec::new();
            for chunk in bytes.chunks(size) {
                decoder.push(chunk);
                while let Some(said) = decoder.next_packet().unwrap() {
                    heard.push(said);
                }
            }
            assert_eq!(heard, packets.clone().map(Said::Packet), "{version:?}, {size}");
        }
    }
}

#[test]
fn an_old_brokers_refusal_of_5_0_is_understood() {
    let mut decoder = ClientDecoder::new(Version::V5, 1000);
    decoder.push(&[0x20, 2, 0, 1]);
    let Ok(Some(Said::Answer(answer))) = decoder.next_packet() else { panic!() };
    assert!(answer.is_old);
    assert_eq!(answer.reason, Reason::UnsupportedProtocolVersion);
}

#[test]
fn what_a_broker_cannot_is_read() {
    let mut decoder = ClientDecoder::new(Version::V5, 1000);
    decoder.push(&[0x20, 11, 1, 0, 8, 0x24, 0, 0x25, 0, 0x28, 0, 0x21, 0]);
    // The last value is one byte shorter than it must be.
    assert!(decoder.next_packet().is_err());
    let mut decoder = ClientDecoder::new(Version::V5, 1000);
    decoder.push(&[0x20, 12, 1, 0, 9, 0x24, 0, 0x25, 0, 0x28, 0, 0x21, 0, 9]);
    let Ok(Some(Said::Answer(answer))) = decoder.next_packet() else { panic!() };
    assert!(answer.session_present && !answer.has_retained && !answer.has_wildcards && answer.has_shared);
    assert_eq!((answer.maximum_qos, answer.receive_maximum.unwrap().get()), (Qos::AtMostOnce, 9));
}

#[test]
fn nonsense_is_an_error_and_no_panic() {
    for bytes in
        [&[0x10, 0][..], &[0x30, 0x80, 0x80, 0x80, 0x80, 1], &[0x40, 1, 0], &[0x40, 2, 0, 0], &[0x90, 0], &[0xff, 0]]
    {
        let mut decoder = ClientDecoder::new(Version::V5, 1000);
        decoder.push(bytes);
        assert!(decoder.next_packet().is_err(), "{bytes:?}");
    }
}
