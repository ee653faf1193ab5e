//! Packets that come, and their answers.

use homerule::broker::packet::Version;
use homerule::broker::{End, Happening};

use super::VERSIONS;
use super::house::{Client, House};
use super::wire::{Connect, Got, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, ack, packet, subscribe, unsubscribe};

#[test]
fn clients_of_all_versions_hear_each_other() {
    for publisher in VERSIONS {
        for subscriber in VERSIONS {
            for qos in 0..3 {
                let mut house = House::new();
                let hears = house.come(subscriber, "hears");
                house.subscribe(&hears, "a/+", 2);
                let speaks = house.come(publisher, "speaks");
                house.publish(&speaks, &Publish::new(qos, 7, "a/b", "x"));
                let expected = match qos {
                    0 => vec![],
                    1 => vec![Got::Ack { kind: PUBACK, id: 7, code: 0 }],
                    _ => vec![Got::Ack { kind: PUBREC, id: 7, code: 0 }],
                };
                assert_eq!(house.all(&speaks), expected);
                let Some(Got::Publish(delivery)) = house.next(&hears) else { panic!("nothing came") };
                assert_eq!((&*delivery.topic, &*delivery.payload), ("a/b", "x"));
                assert_eq!((delivery.qos, delivery.retain, delivery.dup), (qos, false, false));
                assert_eq!(house.heard(), ["speaks a/b x"]);
            }
        }
    }
}

#[test]
fn a_message_with_qos_2_is_taken_once() {
    let mut house = House::new();
    let speaks = house.come(Version::V311, "speaks");
    let mut message = Publish::new(2, 9, "a", "x");
    house.publish(&speaks, &message);
    message.dup = true;
    house.publish(&speaks, &message);
    let received = Got::Ack { kind: PUBREC, id: 9, code: 0 };
    assert_eq!(house.all(&speaks), [received.clone(), received]);
    assert_eq!(house.heard(), ["speaks a x"]);
    house.say(&speaks, &ack(PUBREL, 9));
    assert_eq!(house.next(&speaks), Some(Got::Ack { kind: PUBCOMP, id: 9, code: 0 }));
    house.publish(&speaks, &Publish::new(2, 9, "a", "y"));
    assert_eq!(house.heard(), ["speaks a y"], "the identifier is free again");
}

#[test]
fn acknowledgements_wait_for_the_disk_and_keep_their_order() {
    let mut house = House::new();
    let speaks = house.come(Version::V5, "speaks");
    house.disk_works = false;
    house.publish(&speaks, &Publish::new(1, 1, "a", "x"));
    house.publish(&speaks, &Publish::new(2, 2, "$SYS/a", "x"));
    house.publish(&speaks, &Publish::new(1, 3, "a", "x"));
    assert_eq!(house.all(&speaks), []);
    house.disk_works = true;
    house.turn();
    let kinds: Vec<(u8, u16, u8)> = house
        .all(&speaks)
        .into_iter()
        .map(|got| match got {
            Got::Ack { kind, id, code } => (kind, id, code),
            got => panic!("{got:?}"),
        })
        .collect();
    assert_eq!(kinds, [(PUBACK, 1, 0), (PUBREC, 2, 0x90), (PUBACK, 3, 0)]);
}

#[test]
fn a_message_below_dollar_is_dropped_and_its_client_stays() {
    for (version, code) in [(Version::V311, 0), (Version::V5, 0x90)] {
        let mut house = House::new();
        let speaks = house.come(version, "speaks");
        let hears = house.come(version, "hears");
        house.subscribe(&hears, "$SYS/mine", 1);
        house.messages(&hears);
        house.publish(&speaks, &Publish::new(1, 1, "$SYS/mine", "x"));
        assert_eq!(house.all(&speaks), [Got::Ack { kind: PUBACK, id: 1, code }]);
        assert_eq!(house.messages(&hears), Vec::<String>::new());
        assert_eq!(house.heard(), Vec::<String>::new());
    }
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    for version in VERSIONS {
        for (what, bytes) in [
            ("a second CONNECT", Connect::new(version, "bad").bytes()),
            ("a packet of a server", packet(0xd0, &[])),
            ("an identifier of 0", Publish::new(1, 0, "a", "x").bytes(version)),
            ("a wildcard in a topic", Publish::new(0, 0, "a/#", "x").bytes(version)),
            ("a filter that isn't one", subscribe(version, 1, None, &[("a/#/b", 0)])),
        ] {
            let mut house = House::new();
            let bad = house.come(version, "bad");
            house.say(&bad, &bytes);
            assert!(house.is_closed(&bad), "{what}");
            let is_told = |happening: &Happening| matches!(happening, Happening::Disconnected(gone) if matches!(gone.reason, End::Fault(_)));
            assert!(house.happened.iter().any(is_told), "{what}");
            assert_eq!(house.broker.stats().faults, 1, "{what}");
        }
    }
}

#[test]
fn bytes_may_be_cut_anywhere() {
    for version in VERSIONS {
        let mut house = House::new();
        let conn = house.open();
        let message = Publish::retained(0, 0, "a/b", "x").bytes(version);
        let all = [
            Connect::new(version, "slow").bytes(),
            subscribe(version, 1, None, &[("a/#", 1)]),
            message,
            packet(0xc0, &[]),
            unsubscribe(version, 2, "a/#"),
        ]
        .concat();
        for byte in all {
            house.read(conn, &[byte]);
        }
        let slow = super::house::Client { conn, version };
        let got = house.all(&slow);
        assert!(matches!(&got[0], Got::ConnAck { code: 0, .. }));
        assert!(matches!(&got[1], Got::SubAck { id: 1, .. }));
        assert!(matches!(&got[2], Got::Publish(delivery) if delivery.payload == "x" && !delivery.retain));
        assert_eq!(got[3], Got::Pong);
        assert!(matches!(&got[4], Got::UnsubAck { id: 2, .. }));
        assert_eq!(got.len(), 5);
    }
}

#[test]
fn a_client_without_an_identifier_gets_one() {
    let mut house = House::new();
    let first = house.knock(&Connect::new(Version::V5, ""));
    let Some(Got::ConnAck { code: 0, properties, .. }) = house.next(&first) else { panic!("not let in") };
    assert!(properties.iter().any(|(id, _)| *id == 0x12), "MQTT 5.0 is told which");
    let second = house.come(Version::V311, "");
    assert_ne!(first.conn, second.conn);
    assert_eq!(house.broker.connected(), 2);
    let refused = house.knock(&Connect { clean: false, ..Connect::new(Version::V311, "") });
    assert!(matches!(house.next(&refused), Some(Got::ConnAck { code: 2, .. })));
    assert!(house.is_closed(&refused));
    let own = house.knock(&Connect::new(Version::V5, "homerule"));
    assert!(matches!(house.next(&own), Some(Got::ConnAck { code: 0x85, .. })));
    let unknown =
        house.knock(&Connect { properties: [&[0x15, 0, 1][..], b"x"].concat(), ..Connect::new(Version::V5, "c") });
    assert!(matches!(house.next(&unknown), Some(Got::ConnAck { code: 0x8c, .. })));
}

#[test]
fn whoever_is_not_let_in_is_told_so() {
    let mut house = House::new();
    house.banned = Some("eve");
    for (version, expected) in [(Version::V31, 5), (Version::V311, 5), (Version::V5, 0x87)] {
        let eve = house.knock(&Connect { user: Some("eve".into()), ..Connect::new(version, "eve") });
        assert!(matches!(house.next(&eve), Some(Got::ConnAck { code, .. }) if code == expected), "{version:?}");
        assert!(house.is_closed(&eve));
    }
    assert_eq!((house.broker.stats().refused, house.broker.connected()), (3, 0));
}

#[test]
fn what_is_no_connect_gets_no_connack_in_the_old_versions() {
    let mut house = House::new();
    let with_flags = |version: Version, flag: u8, rest: &[u8]| {
        let mut bytes = Connect::new(version, "a").bytes();
        // Behind the header of two bytes, the protocol's name and its level.
        bytes[9] |= flag;
        bytes[1] += u8::try_from(rest.len()).unwrap();
        [bytes, rest.to_vec()].concat()
    };
    for (flag, rest) in [(1, &b""[..]), (0, b"zz")] {
        for (version, expected) in [(Version::V311, None), (Version::V5, Some(0x81))] {
            let client = Client { conn: house.open(), version };
            house.say(&client, &with_flags(version, flag, rest));
            let code = house.next(&client).map(|got| match got {
                Got::ConnAck { code, .. } => code,
                got => panic!("{got:?}"),
            });
            assert_eq!(code, expected, "{version:?} {flag} {rest:?}");
            assert!(house.is_closed(&client));
        }
    }
}

#[test]
fn a_client_that_takes_no_connack_is_not_let_in_and_keeps_its_session() {
    let mut house = House::new();
    let connect = |properties: Vec<u8>| Connect { clean: false, properties, ..Connect::new(Version::V5, "client") };
    let before = house.connect(&connect(vec![0x11, 0, 0, 1, 0]));
    // One that takes no success takes a refusal without words, or nothing.
    for (largest, expected) in [(1, None), (4, None), (5, Some(0x95)), (14, Some(0x95))] {
        let small = house.knock(&connect(vec![0x27, 0, 0, 0, largest]));
        let code = house.next(&small).map(|got| match got {
            Got::ConnAck { code, .. } => code,
            got => panic!("{got:?}"),
        });
        assert_eq!(code, expected, "{largest}");
        assert!(house.is_closed(&small) && !house.is_closed(&before), "{largest}");
    }
    let small = house.knock(&connect(vec![0x11, 0, 0, 1, 0, 0x27, 0, 0, 0, 40]));
    assert!(matches!(house.next(&small), Some(Got::ConnAck { code: 0, present: true, .. })));
}

#[test]
fn an_alias_stands_for_a_topic_both_ways() {
    let mut house = House::new();
    let hears = house.connect(&Connect { properties: vec![0x22, 0, 1], ..Connect::new(Version::V5, "hears") });
    house.subscribe(&hears, "#", 0);
    let speaks = house.come(Version::V5, "speaks");
    let alias = vec![0x23, 0, 5];
    house.publish(&speaks, &Publish { properties: alias.clone(), ..Publish::new(0, 0, "a/long/topic", "x") });
    house.publish(&speaks, &Publish { properties: alias, ..Publish::new(0, 0, "", "y") });
    assert_eq!(house.heard(), ["speaks a/long/topic x", "speaks a/long/topic y"]);
    let topics: Vec<(String, bool)> = house
        .all(&hears)
        .into_iter()
        .map(|got| match got {
            Got::Publish(delivery) => (delivery.topic, delivery.properties.contains(&(0x23, vec![0, 1]))),
            got => panic!("{got:?}"),
        })
        .collect();
    assert_eq!(topics, [("a/long/topic".to_owned(), true), (String::new(), true)]);
    house.publish(&speaks, &Publish { properties: vec![0x23, 0, 65], ..Publish::new(0, 0, "a", "x") });
    assert_eq!(house.all(&speaks).last(), Some(&Got::Disconnect(0x94)));
}
