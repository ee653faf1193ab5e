//! Another codec's opinion: mqtt-proto reads what we write as we meant it, and takes whatever we take.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use mqtt_proto::{QosPid, v3, v5};
use proptest::prelude::*;

use crate::broker::codec::{encode, publish_length};
use crate::broker::packet::{
    Ack, ConnAck, ConnAckProperties, Disconnect, Packet, PacketId, Properties, Publish, SubAck, Version,
};
use crate::broker::reason::Reason;
use crate::model::{Qos, Topic};

/// Checks that mqtt-proto reads the packets that we read from the beginning of `bytes`, and finds the same messages in them.
pub(super) fn agree(bytes: &[u8], packets: &[Packet]) {
    let Some(Packet::Connect(connect)) = packets.first() else { return };
    // It knows neither bridges nor packets of MQTT 3.1 that are sent again.
    if connect.is_bridge || connect.version == Version::V31 {
        return;
    }
    let mut rest = bytes;
    for ours in packets {
        let length = length_of(rest);
        let (one, behind) = rest.split_at(length);
        rest = behind;
        let theirs = match read_by_another(one, connect.version) {
            Ok(theirs) => theirs,
            // It looks into payloads that are said to be text; a receiver may, and we pass them on (MQTT 5.0, 3.3.2.3.2).
            Err(error) if error.starts_with("invalid payload format") => continue,
            Err(error) => panic!("{ours:?}: {error}: {one:02x?}"),
        };
        if let Packet::Publish(ours) = ours {
            assert_eq!(Message::of(ours), theirs.expect("a PUBLISH"), "{one:02x?}");
        }
    }
}

/// What both find in a PUBLISH.
#[derive(Debug, PartialEq)]
struct Message {
    topic: String,
    payload: Vec<u8>,
    qos: u8,
    id: u16,
    retain: bool,
    dup: bool,
    alias: Option<u16>,
    expiry: Option<u32>,
    properties: Properties,
}

impl Message {
    fn of(publish: &Publish) -> Message {
        Message {
            topic: publish.topic.as_ref().map_or(String::new(), |topic| topic.as_str().to_owned()),
            payload: publish.payload.to_vec(),
            qos: publish.qos.into(),
            id: publish.id.map_or(0, PacketId::get),
            retain: publish.retain,
            dup: publish.dup,
            alias: publish.alias.map(NonZeroU16::get),
            expiry: publish.expiry,
            properties: publish.properties.as_deref().cloned().unwrap_or_default(),
        }
    }

    fn of_version_5(publish: v5::Publish) -> Message {
        let properties = publish.properties;
        Message {
            alias: properties.topic_alias,
            expiry: properties.message_expiry_interval,
            properties: Properties {
                is_text: properties.payload_is_utf8,
                content_type: properties.content_type,
                response_topic: properties.response_topic.map(|topic| Arc::from(&*topic)),
                correlation_data: properties.correlation_data,
                user_properties: properties.user_properties.into_iter().map(|pair| (pair.name, pair.value)).collect(),
            },
            ..Message::plain(publish.qos_pid, &publish.topic_name, &publish.payload, publish.retain, publish.dup)
        }
    }

    fn plain(qos: QosPid, topic: &str, payload: &[u8], retain: bool, dup: bool) -> Message {
        Message {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            qos: qos.qos() as u8,
            id: qos.pid().map_or(0, mqtt_proto::Pid::value),
            retain,
            dup,
            alias: None,
            expiry: None,
            properties: Properties::default(),
        }
    }
}

fn length_of(bytes: &[u8]) -> usize {
    let (mut length, mut at) = (0, 1);
    loop {
        length |= usize::from(bytes[at] & 0x7f) << (7 * (at - 1));
        at += 1;
        if bytes[at - 1] < 0x80 {
            return at + length;
        }
    }
}

/// Returns the message of a PUBLISH, and nothing of other packets.
fn read_by_another(bytes: &[u8], version: Version) -> Result<Option<Message>, String> {
    if version == Version::V5 {
        return match v5::Packet::decode(bytes).map_err(|error| error.to_string())?.ok_or("more must come")? {
            v5::Packet::Publish(publish) => Ok(Some(Message::of_version_5(publish))),
            _ => Ok(None),
        };
    }
    match v3::Packet::decode(bytes).map_err(|error| error.to_string())?.ok_or("more must come")? {
        v3::Packet::Publish(p) => Ok(Some(Message::plain(p.qos_pid, &p.topic_name, &p.payload, p.retain, p.dup))),
        _ => Ok(None),
    }
}

fn any_text() -> impl Strategy<Value = Arc<str>> {
    "[a-zü🏠 ]{0,20}".prop_map(Arc::from)
}

fn any_properties() -> impl Strategy<Value = Properties> {
    let pairs = prop::collection::vec((any_text(), any_text()), 0..3);
    let data = proptest::option::of(prop::collection::vec(any::<u8>(), 0..300));
    let topic = proptest::option::of("[a-z/]{1,200}");
    (proptest::option::of(any::<bool>()), proptest::option::of(any_text()), topic, data, pairs).prop_map(
        |(is_text, content_type, response_topic, data, user_properties)| Properties {
            is_text,
            content_type,
            response_topic: response_topic.map(Arc::from),
            correlation_data: data.map(Into::into),
            user_properties,
        },
    )
}

fn any_publish() -> impl Strategy<Value = Publish> {
    let numbers = (any::<bool>(), any::<bool>(), 0..3_u8, 1..=u16::MAX);
    let optional = (
        proptest::option::of(1..=u16::MAX),
        proptest::option::of(any::<u32>()),
        proptest::option::of(any_properties()),
    );
    let payload = prop_oneof![0..300_usize, 16_000..17_000_usize].prop_map(|length| vec![b'x'; length]);
    ("[a-zäß/]{1,40}", numbers, optional, payload).prop_map(
        |(topic, (dup, retain, qos, id), (alias, expiry, properties), payload)| {
            let qos = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][usize::from(qos)];
            let is_counted = qos != Qos::AtMostOnce;
            Publish {
                dup: dup && is_counted,
                qos,
                retain,
                topic: Some(Topic::parse(&topic).unwrap()),
                id: PacketId::new(id).filter(|_| is_counted),
                alias: alias.and_then(NonZeroU16::new),
                expiry,
                subscription_ids: Vec::new(),
                properties: properties.filter(|properties| *properties != Properties::default()).map(Arc::new),
                payload: payload.into(),
            }
        },
    )
}

/// Returns what an older version keeps of a message.
fn plain(publish: &Publish) -> Publish {
    Publish { alias: None, expiry: None, properties: None, ..publish.clone() }
}

proptest! {
    #[test]
    fn what_we_write_is_read_by_us_and_by_another_codec(publish in any_publish(), before in prop::collection::vec(any::<u8>(), 0..9)) {
        for version in [Version::V31, Version::V311, Version::V5] {
            let mut bytes = before.clone();
            prop_assert!(encode(&Packet::Publish(publish.clone()), version, &mut bytes));
            let bytes = &bytes[before.len()..];
            prop_assert_eq!(bytes.len(), publish_length(&publish, version));
            let expected = if version == Version::V5 { publish.clone() } else { plain(&publish) };
            let read = super::decode_after_connect(version, bytes).unwrap();
            prop_assert_eq!(&read, &[Packet::Publish(expected.clone())]);
            prop_assert_eq!(read_by_another(bytes, version).unwrap().unwrap(), Message::of(&expected));
        }
    }
}

fn written(packet: Packet, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(encode(&packet, version, &mut bytes), "{packet:?}");
    bytes
}

#[test]
fn acknowledgements_have_reasons_in_version_5_only() {
    let id = PacketId::new(258).unwrap();
    let words = Ack { reason_string: Some("no".into()), ..Ack::new(id, Reason::NotAuthorized) };
    for version in [Version::V31, Version::V311] {
        for (packet, first) in [
            (Packet::PubAck(words.clone()), 0x40),
            (Packet::PubRec(words.clone()), 0x50),
            (Packet::PubRel(words.clone()), 0x62),
            (Packet::PubComp(words.clone()), 0x70),
        ] {
            assert_eq!(written(packet, version), [first, 2, 1, 2]);
        }
    }
    assert_eq!(written(Packet::PubAck(Ack::success(id)), Version::V5), [0x40, 2, 1, 2]);
    assert_eq!(written(Packet::PubRec(Ack::new(id, Reason::QuotaExceeded)), Version::V5), [0x50, 3, 1, 2, 0x97]);
    let bytes = written(Packet::PubAck(words), Version::V5);
    let Ok(Some(v5::Packet::Puback(read))) = v5::Packet::decode(&bytes) else { panic!("{bytes:?}") };
    assert_eq!(
        (read.reason_code, read.properties.reason_string.as_deref()),
        (v5::PubackReasonCode::NotAuthorized, Some("no"))
    );
}

#[test]
fn answers_to_a_connect_have_the_codes_of_their_version() {
    let answer = |reason| {
        Packet::ConnAck(Box::new(ConnAck { session_present: true, reason, properties: ConnAckProperties::default() }))
    };
    assert_eq!(written(answer(Reason::Success), Version::V31), [0x20, 2, 0, 0]);
    assert_eq!(written(answer(Reason::Success), Version::V311), [0x20, 2, 1, 0]);
    assert_eq!(written(answer(Reason::Success), Version::V5), [0x20, 3, 1, 0, 0]);
    for (reason, code) in [
        (Reason::UnsupportedProtocolVersion, 1),
        (Reason::ClientIdentifierNotValid, 2),
        (Reason::ServerUnavailable, 3),
        (Reason::QuotaExceeded, 3),
        (Reason::BadUserNameOrPassword, 4),
        (Reason::NotAuthorized, 5),
        (Reason::ConnectionRateExceeded, 5),
    ] {
        assert_eq!(written(answer(reason), Version::V311), [0x20, 2, 0, code]);
        assert_eq!(written(answer(reason), Version::V5), [0x20, 3, 0, reason.code(), 0]);
    }
    let properties = ConnAckProperties {
        session_expiry: Some(7),
        receive_maximum: NonZeroU16::new(20),
        maximum_packet_size: NonZeroU32::new(1 << 24),
        assigned_client_id: Some("auto".into()),
        topic_alias_maximum: 10,
        server_keep_alive: Some(30),
        reason_string: Some("x".repeat(200).into()),
    };
    let packet = Packet::ConnAck(Box::new(ConnAck { session_present: false, reason: Reason::Success, properties }));
    let bytes = written(packet, Version::V5);
    let Ok(Some(v5::Packet::Connack(read))) = v5::Packet::decode(&bytes) else { panic!("{bytes:?}") };
    let read = read.properties;
    assert_eq!(
        (read.session_expiry_interval, read.receive_max, read.max_packet_size),
        (Some(7), Some(20), Some(1 << 24))
    );
    assert_eq!(
        (read.assigned_client_id.as_deref(), read.topic_alias_max, read.server_keep_alive),
        (Some("auto"), Some(10), Some(30))
    );
    assert_eq!(read.reason_string.unwrap().len(), 200);
}

#[test]
fn answers_to_subscriptions_have_the_codes_of_their_version() {
    let id = PacketId::FIRST;
    let reasons = vec![Reason::Success, Reason::GrantedQos2, Reason::NotAuthorized];
    let answer = SubAck { id, reasons };
    assert_eq!(written(Packet::SubAck(answer.clone()), Version::V311), [0x90, 5, 0, 1, 0, 2, 0x80]);
    assert_eq!(written(Packet::SubAck(answer.clone()), Version::V5), [0x90, 6, 0, 1, 0, 0, 2, 0x87]);
    assert_eq!(written(Packet::UnsubAck(answer), Version::V31), [0xb0, 2, 0, 1]);
    let answer = SubAck { id, reasons: vec![Reason::NoSubscriptionExisted] };
    assert_eq!(written(Packet::UnsubAck(answer), Version::V5), [0xb0, 4, 0, 1, 0, 0x11]);
}

#[test]
fn older_versions_are_sent_no_packet_that_they_do_not_have() {
    let word =
        Packet::Disconnect(Disconnect { reason: Reason::SessionTakenOver, session_expiry: None, reason_string: None });
    for version in [Version::V31, Version::V311] {
        let mut bytes = vec![1];
        assert!(!encode(&word, version, &mut bytes));
        assert_eq!(bytes, [1]);
    }
    assert_eq!(written(word, Version::V5), [0xe0, 1, 0x8e]);
    let word = Disconnect { reason: Reason::ProtocolError, session_expiry: None, reason_string: Some("why".into()) };
    assert_eq!(written(Packet::Disconnect(word), Version::V5), [0xe0, 8, 0x82, 6, 0x1f, 0, 3, b'w', b'h', b'y']);
    assert_eq!(written(Packet::PingResp, Version::V31), [0xd0, 0]);
}

#[test]
fn a_message_names_all_its_subscriptions() {
    let ids: Vec<NonZeroU32> = [1, 127, 128, 268_435_455].into_iter().filter_map(NonZeroU32::new).collect();
    let publish = Publish {
        dup: false,
        qos: Qos::AtMostOnce,
        retain: false,
        topic: Topic::parse("a").ok(),
        id: None,
        alias: None,
        expiry: None,
        subscription_ids: ids,
        properties: None,
        payload: b"x"[..].into(),
    };
    let bytes = written(Packet::Publish(publish), Version::V5);
    let expected = [0x30, 17, 0, 1, b'a', 12, 0x0b, 1, 0x0b, 127, 0x0b, 0x80, 1, 0x0b, 0xff, 0xff, 0xff, 0x7f, b'x'];
    assert_eq!(bytes, expected);
}
