//! What is refused, and with which code.

use crate::broker::packet::{Packet, Version};
use crate::broker::reason::Reason;

use super::{Decoder, LARGEST, connect, decode, decode_after_connect, packet, text};

const MALFORMED: Reason = Reason::MalformedPacket;
const PROTOCOL: Reason = Reason::ProtocolError;
const TOPIC: Reason = Reason::TopicNameInvalid;
const FILTER: Reason = Reason::TopicFilterInvalid;

/// Bytes, what they are, and the code that refuses them; `None`: they are fine.
type Case = (&'static str, Option<Reason>, Vec<u8>);

/// Checks what follows a CONNECT.
fn check(version: Version, cases: Vec<Case>) {
    for (what, refused, bytes) in cases {
        let read = decode_after_connect(version, &bytes);
        assert_eq!(read.as_ref().err().map(|error| error.reason), refused, "{what} ({version:?}): {read:?}");
        if refused.is_none() {
            assert_eq!(read.unwrap().len(), 1, "{what} ({version:?})");
        }
    }
}

#[test]
fn what_all_versions_forbid_is_refused() {
    for version in [Version::V31, Version::V311, Version::V5] {
        let p: &[u8] = if version == Version::V5 { &[0] } else { &[] };
        check(
            version,
            vec![
                ("PUBLISH with DUP and QoS 0", Some(MALFORMED), packet(0x38, &[&text(b"a"), p, b"x"])),
                ("PUBLISH to a/+", Some(TOPIC), packet(0x30, &[&text(b"a/+"), p, b"x"])),
                ("PUBLISH to #", Some(TOPIC), packet(0x30, &[&text(b"#"), p, b"x"])),
                ("PUBLISH to a topic with U+0000", Some(MALFORMED), packet(0x30, &[&text(b"a\0b"), p, b"x"])),
                ("PUBLISH to no topic", Some(PROTOCOL), packet(0x30, &[&text(b""), p, b"x"])),
                ("PUBLISH, not UTF-8", Some(MALFORMED), packet(0x30, &[&text(b"a\xff"), p, b"x"])),
                ("PUBLISH, a surrogate", Some(MALFORMED), packet(0x30, &[&text(b"a\xed\xa0\x80"), p, b"x"])),
                ("PUBLISH, identifier 0", Some(PROTOCOL), packet(0x32, &[&text(b"a"), &[0, 0], p, b"x"])),
                ("PUBLISH with QoS 3", Some(MALFORMED), packet(0x36, &[&text(b"a"), &[0, 1], p, b"x"])),
                ("PUBLISH, a longer topic than packet", Some(MALFORMED), packet(0x30, &[&[0, 9], b"a"])),
                ("PUBLISH with QoS 1 and no identifier", Some(MALFORMED), packet(0x32, &[&text(b"a")])),
                ("PUBACK, identifier 0", Some(PROTOCOL), packet(0x40, &[&[0, 0]])),
                ("PUBACK without an identifier", Some(MALFORMED), packet(0x40, &[&[0]])),
                ("PUBREL with flags 0", Some(MALFORMED), packet(0x60, &[&[0, 1]])),
                ("SUBSCRIBE with flags 0", Some(MALFORMED), packet(0x80, &[&[0, 1], p, &text(b"a"), &[0]])),
                ("SUBSCRIBE, identifier 0", Some(PROTOCOL), packet(0x82, &[&[0, 0], p, &text(b"a"), &[0]])),
                ("SUBSCRIBE without a filter", Some(PROTOCOL), packet(0x82, &[&[0, 1], p])),
                ("SUBSCRIBE, an empty filter", Some(PROTOCOL), packet(0x82, &[&[0, 1], p, &text(b""), &[0]])),
                ("SUBSCRIBE to a/#/b", Some(FILTER), packet(0x82, &[&[0, 1], p, &text(b"a/#/b"), &[0]])),
                ("SUBSCRIBE to a+", Some(FILTER), packet(0x82, &[&[0, 1], p, &text(b"a+"), &[0]])),
                ("SUBSCRIBE to $share/g", Some(FILTER), packet(0x82, &[&[0, 1], p, &text(b"$share/g"), &[0]])),
                ("SUBSCRIBE with QoS 3", Some(PROTOCOL), packet(0x82, &[&[0, 1], p, &text(b"a"), &[3]])),
                ("SUBSCRIBE, reserved bits", Some(MALFORMED), packet(0x82, &[&[0, 1], p, &text(b"a"), &[0xc0]])),
                ("SUBSCRIBE, no options", Some(MALFORMED), packet(0x82, &[&[0, 1], p, &text(b"a")])),
                ("UNSUBSCRIBE without a filter", Some(PROTOCOL), packet(0xa2, &[&[0, 1], p])),
                ("PINGREQ with a body", Some(MALFORMED), packet(0xc0, &[b"x"])),
                ("a length of five bytes", Some(MALFORMED), vec![0x30, 0xff, 0xff, 0xff, 0xff, 1]),
                ("a second CONNECT", Some(PROTOCOL), connect(version)),
                ("CONNACK from a client", Some(PROTOCOL), packet(0x20, &[&[0, 0]])),
                ("SUBACK from a client", Some(PROTOCOL), packet(0x90, &[&[0, 1], p, &[0]])),
                ("PINGRESP from a client", Some(PROTOCOL), packet(0xd0, &[])),
                ("a packet of type 0", Some(MALFORMED), packet(0x00, &[])),
                ("the header of 2 MB", Some(Reason::PacketTooLarge), vec![0x30, 0x80, 0x80, 0x80, 1]),
                ("PUBLISH to 'Über/x'", None, packet(0x30, &[&text("Über/x".as_bytes()), p, b"x"])),
                ("PUBLISH to '/'", None, packet(0x30, &[&text(b"/"), p, b"x"])),
                ("PUBLISH to $SYS/x", None, packet(0x30, &[&text(b"$SYS/x"), p, b"x"])),
                ("PUBLISH without a payload", None, packet(0x30, &[&text(b"a"), p])),
                ("PUBLISH again", None, packet(0x3a, &[&text(b"a"), &[0, 1], p])),
                ("SUBSCRIBE to $share/g/a/#", None, packet(0x82, &[&[0, 1], p, &text(b"$share/g/a/#"), &[0]])),
                ("PUBACK", None, packet(0x40, &[&[0, 9]])),
                ("PINGREQ", None, packet(0xc0, &[])),
                ("DISCONNECT", None, packet(0xe0, &[])),
            ],
        );
    }
}

#[test]
fn what_only_older_versions_forbid_or_allow() {
    let v311 = Version::V311;
    check(
        v311,
        vec![
            ("AUTH", Some(MALFORMED), packet(0xf0, &[])),
            ("DISCONNECT with a reason", Some(MALFORMED), packet(0xe0, &[&[0]])),
            ("PUBACK with a reason", Some(MALFORMED), packet(0x40, &[&[0, 1, 0]])),
            ("SUBSCRIBE with no local", Some(MALFORMED), packet(0x82, &[&[0, 1], &text(b"a"), &[4]])),
            ("SUBSCRIBE again", Some(MALFORMED), packet(0x8a, &[&[0, 1], &text(b"a"), &[1]])),
            // Small devices write lengths of a fixed size.
            ("a length that is longer than it need be", None, vec![0xc0, 0x80, 0x00]),
        ],
    );
    check(
        Version::V31,
        vec![
            ("SUBSCRIBE again", None, packet(0x8a, &[&[0, 1], &text(b"a"), &[1]])),
            ("PUBREL again", None, packet(0x6a, &[&[0, 1]])),
        ],
    );
}

#[test]
fn properties_are_those_that_a_packet_may_have_and_come_once() {
    let publish =
        |properties: &[u8]| packet(0x30, &[&text(b"a"), &[u8::try_from(properties.len()).unwrap()], properties, b"x"]);
    let subscribe = |properties: &[u8], options: u8, filter: &[u8]| {
        packet(0x82, &[&[0, 1, u8::try_from(properties.len()).unwrap()], properties, &text(filter), &[options]])
    };
    check(
        Version::V5,
        vec![
            ("a topic alias twice", Some(PROTOCOL), publish(&[0x23, 0, 1, 0x23, 0, 1])),
            ("a topic alias of 0", Some(Reason::TopicAliasInvalid), publish(&[0x23, 0, 0])),
            ("a property of CONNECT", Some(MALFORMED), publish(&[0x11, 0, 0, 0, 1])),
            ("a property that nobody knows", Some(MALFORMED), publish(&[0x7f, 0])),
            ("a property beyond all bits", Some(MALFORMED), publish(&[0x40, 0])),
            ("a subscription identifier", Some(PROTOCOL), publish(&[0x0b, 1])),
            ("the payload format 2", Some(PROTOCOL), publish(&[1, 2])),
            ("a user property that isn't UTF-8", Some(MALFORMED), publish(&[0x26, 0, 1, 0xff, 0, 1, 0x61])),
            ("a response topic with #", Some(PROTOCOL), publish(&[8, 0, 1, b'#'])),
            ("a value that is cut", Some(MALFORMED), publish(&[2, 0, 0])),
            ("properties longer than the packet", Some(MALFORMED), packet(0x30, &[&text(b"a"), &[90, 1, 1]])),
            ("no properties' length", Some(MALFORMED), packet(0x30, &[&text(b"a")])),
            (
                "a properties' length of five bytes",
                Some(MALFORMED),
                packet(0x30, &[&text(b"a"), &[0x80, 0x80, 0x80, 0x80, 0]]),
            ),
            ("a length that is longer than it need be", Some(MALFORMED), vec![0xc0, 0x80, 0x00]),
            ("user properties twice", None, publish(&[0x26, 0, 0, 0, 0, 0x26, 0, 0, 0, 0])),
            ("an alias without a topic", None, packet(0x30, &[&text(b""), &[3, 0x23, 0, 1], b"x"])),
            ("a subscription identifier of 0", Some(PROTOCOL), subscribe(&[0x0b, 0], 0, b"a")),
            ("two subscription identifiers", Some(PROTOCOL), subscribe(&[0x0b, 1, 0x0b, 2], 0, b"a")),
            ("the retain handling 3", Some(PROTOCOL), subscribe(&[], 0x30, b"a")),
            ("no local with a shared subscription", Some(PROTOCOL), subscribe(&[], 4, b"$share/g/a")),
            ("all options", None, subscribe(&[0x0b, 0xff, 0xff, 0xff, 0x7f], 0x2e, b"a")),
            ("PUBACK with a reason it can't have", Some(PROTOCOL), packet(0x40, &[&[0, 1, 0x8e]])),
            ("PUBREL with a reason it can't have", Some(PROTOCOL), packet(0x62, &[&[0, 1, 0x80]])),
            ("PUBACK with a reason and words", None, packet(0x40, &[&[0, 1, 0x83, 4, 0x1f, 0, 1, b'x']])),
            ("PUBACK with two reason strings", Some(PROTOCOL), packet(0x40, &[&[0, 1, 0, 6, 0x1f, 0, 0, 0x1f, 0, 0]])),
            ("DISCONNECT with a server's reason", Some(PROTOCOL), packet(0xe0, &[&[0x8e]])),
            ("DISCONNECT with an expiry", None, packet(0xe0, &[&[4, 5, 0x11, 0, 0, 0, 1]])),
            ("DISCONNECT with a server reference", Some(MALFORMED), packet(0xe0, &[&[0, 3, 0x1c, 0, 0]])),
            ("AUTH without a method", Some(PROTOCOL), packet(0xf0, &[&[0x18, 0]])),
            ("AUTH", None, packet(0xf0, &[&[0x19, 4, 0x15, 0, 1, b'm']])),
        ],
    );
}

fn connect_with(name: &[u8], level: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
    let properties: &[u8] = if level == 5 { &[0] } else { &[] };
    packet(0x10, &[&text(name), &[level, flags, 0, 60], properties, &text(b"c1"), rest])
}

#[test]
fn a_connect_is_refused_with_its_reason() {
    let will = |topic: &[u8]| [text(topic), text(b"x")].concat();
    let with_properties = |properties: &[u8]| {
        let length = [u8::try_from(properties.len()).unwrap()];
        packet(0x10, &[&text(b"MQTT"), &[5, 2, 0, 60], &length, properties, &text(b"c1")])
    };
    for (what, refused, bytes) in [
        ("a reserved flag", Some(MALFORMED), connect_with(b"MQTT", 4, 3, b"")),
        ("bytes behind it", Some(MALFORMED), connect_with(b"MQTT", 4, 2, b"zz")),
        ("a will with QoS 3", Some(MALFORMED), connect_with(b"MQTT", 4, 0x1e, &will(b"w"))),
        ("retain without a will", Some(MALFORMED), connect_with(b"MQTT", 4, 0x22, b"")),
        ("a will's topic with +", Some(TOPIC), connect_with(b"MQTT", 4, 6, &will(b"w/+"))),
        ("an empty will's topic", Some(TOPIC), connect_with(b"MQTT", 4, 6, &will(b""))),
        ("a password without a user", Some(MALFORMED), connect_with(b"MQTT", 4, 0x42, &text(b"p"))),
        ("that in 5.0", None, connect_with(b"MQTT", 5, 0x42, &text(b"p"))),
        ("a client id with U+0000", Some(MALFORMED), packet(0x10, &[&text(b"MQTT"), &[4, 2, 0, 60], &text(b"a\0")])),
        ("level 6", Some(Reason::UnsupportedProtocolVersion), connect_with(b"MQTT", 6, 2, b"")),
        ("level 3 under the new name", Some(Reason::UnsupportedProtocolVersion), connect_with(b"MQTT", 3, 2, b"")),
        ("level 4 under the old name", Some(Reason::UnsupportedProtocolVersion), connect_with(b"MQIsdp", 4, 2, b"")),
        ("a bridge of 5.0", Some(Reason::UnsupportedProtocolVersion), connect_with(b"MQTT", 0x85, 2, b"")),
        ("another protocol", Some(MALFORMED), connect_with(b"HTTP", 4, 2, b"")),
        ("PUBLISH before CONNECT", Some(PROTOCOL), packet(0x30, &[&text(b"a"), b"x"])),
        ("HTTP", Some(PROTOCOL), b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("an empty client id", None, packet(0x10, &[&text(b"MQTT"), &[4, 0, 0, 60], &text(b"")])),
        ("a receive maximum of 0", Some(PROTOCOL), with_properties(&[0x21, 0, 0])),
        ("a maximum packet size of 0", Some(PROTOCOL), with_properties(&[0x27, 0, 0, 0, 0])),
        ("2 as a flag", Some(PROTOCOL), with_properties(&[0x17, 2])),
        ("authentication data without a method", Some(PROTOCOL), with_properties(&[0x16, 0, 0])),
        ("a property of PUBLISH", Some(MALFORMED), with_properties(&[2, 0, 0, 0, 1])),
        ("a method", None, with_properties(&[0x15, 0, 1, b'm'])),
        (
            "a client id of all characters",
            None,
            connect_with(b"MQTT", 4, 0xc2, &[text("a/+#\u{1}🏠".as_bytes()), text(b"")].concat()),
        ),
    ] {
        let read = decode(&bytes);
        assert_eq!(read.as_ref().err().map(|error| error.reason), refused, "{what}: {read:?}");
    }
}

#[test]
fn bridges_set_the_high_bit_of_the_level() {
    for (name, level, version) in [(&b"MQTT"[..], 0x84, Version::V311), (b"MQIsdp", 0x83, Version::V31)] {
        let packets = decode(&connect_with(name, level, 2, b"")).unwrap();
        let Packet::Connect(connect) = &packets[0] else { panic!("{packets:?}") };
        assert!(connect.is_bridge && connect.version == version);
    }
}

#[test]
fn the_form_of_an_answer_is_known_though_the_connect_is_wrong() {
    for (bytes, version) in [
        (connect_with(b"MQTT", 5, 3, b""), Some(Version::V5)),
        (connect_with(b"MQIsdp", 3, 2, b"x"), Some(Version::V31)),
        (connect_with(b"MQTT", 6, 2, b""), Some(Version::V5)),
        (connect_with(b"MQTT", 2, 2, b""), Some(Version::V311)),
        (connect_with(b"HTTP", 4, 2, b""), None),
    ] {
        let mut decoder = Decoder::new(LARGEST);
        assert!(decoder.decode(&mut &bytes[..]).is_err());
        assert_eq!(decoder.version(), version);
    }
}

#[test]
fn what_will_be_refused_is_not_buffered() {
    // The first byte, and the length, are enough.
    for begin in [&[0x90][..], &[0x36], &[0xff], &[0x30, 0xff, 0xff, 0xff, 0x7f]] {
        let mut decoder = Decoder::new(LARGEST);
        decoder.decode(&mut &connect(Version::V5)[..]).unwrap();
        assert!(decoder.decode(&mut &*begin).is_err(), "{begin:?}");
        assert_eq!(decoder.buffered(), 0);
    }
    // Before CONNECT there is less room.
    let mut decoder = Decoder::new(LARGEST);
    let error = decoder.decode(&mut &[0x10, 0x80, 0x80, 0x08][..]).unwrap_err();
    assert_eq!(error.reason, Reason::PacketTooLarge);
}

#[test]
fn a_length_that_is_only_claimed_takes_no_memory() {
    let mut decoder = Decoder::new(16 << 20);
    decoder.decode(&mut &connect(Version::V311)[..]).unwrap();
    let header = packet(0x30, &[&text(b"a"), &vec![b'x'; 10 << 20]]);
    let mut begin = &header[..100];
    assert_eq!(decoder.decode(&mut begin).unwrap(), None);
    assert!(decoder.buffered() <= 16 * 1024, "{}", decoder.buffered());
    let mut rest = &header[100..1_000_000];
    assert_eq!(decoder.decode(&mut rest).unwrap(), None);
    assert!(decoder.buffered() <= 2_000_000, "{}", decoder.buffered());
    let mut rest = &header[1_000_000..];
    let Some(Packet::Publish(publish)) = decoder.decode(&mut rest).unwrap() else { panic!() };
    assert_eq!((publish.payload.len(), decoder.buffered()), (10 << 20, 0));
}
