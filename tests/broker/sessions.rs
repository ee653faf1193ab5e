//! Sessions outlive connections and restarts.

use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::{End, Happening};

use super::VERSIONS;
use super::house::{Client, House};
use super::wire::{Connect, Delivery, Got, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, ack, disconnect};

const LASTING: [Version; 3] = VERSIONS;

fn deliveries(house: &mut House, client: &Client) -> Vec<Delivery> {
    let delivery = |got| match got {
        Got::Publish(delivery) => Some(delivery),
        _ => None,
    };
    house.all(client).into_iter().filter_map(delivery).collect()
}

/// Lets a client come back; returns whether its session was there.
fn come_back(house: &mut House, connect: &Connect) -> (Client, bool) {
    let client = house.knock(connect);
    match house.next(&client) {
        Some(Got::ConnAck { code: 0, present, .. }) => (client, present),
        got => panic!("{got:?}"),
    }
}

#[test]
fn what_came_while_a_client_was_away_waits_for_it_also_across_a_restart() {
    for version in LASTING {
        for is_restarted in [false, true] {
            let mut house = House::new();
            let connect = Connect::lasting(version, "away");
            let (client, was_known) = come_back(&mut house, &connect);
            assert!(!was_known);
            house.subscribe(&client, "a/#", 2);
            house.lose(&client);
            let speaks = house.come(Version::V311, "speaks");
            for (number, qos) in (1..).zip([1, 0, 2, 1]) {
                house.publish(&speaks, &Publish::new(qos, number, "a/b", &number.to_string()));
            }
            if is_restarted {
                house.restart();
            }
            let (client, was_known) = come_back(&mut house, &connect);
            assert_eq!(was_known, version != Version::V31 || was_known, "3.1 has no word for it");
            assert_eq!(house.messages(&client), ["a/b 1", "a/b 3", "a/b 4"], "{version:?}");
            assert!(house.disk.keys().all(|key| !key.starts_with("mqtt/message/") && !key.starts_with("mqtt/flight/")));
        }
    }
}

#[test]
fn what_was_not_acknowledged_comes_again_in_order_and_marked() {
    for version in VERSIONS {
        for is_restarted in [false, true] {
            let mut house = House::new();
            let connect = Connect::lasting(version, "away");
            let client = house.connect(&connect);
            house.subscribe(&client, "a", 2);
            let speaks = house.come(Version::V311, "speaks");
            for (number, qos) in (1..).zip([2, 1, 2, 1]) {
                house.publish(&speaks, &Publish::new(qos, number, "a", &number.to_string()));
            }
            let before = deliveries(&mut house, &client);
            assert_eq!(before.len(), 4);
            house.say(&client, &ack(PUBREC, before[0].id));
            house.say(&client, &ack(PUBACK, before[1].id));
            house.lose(&client);
            if is_restarted {
                house.restart();
            }
            let (client, _) = come_back(&mut house, &connect);
            let got = house.all(&client);
            assert_eq!(got[0], Got::Ack { kind: PUBREL, id: before[0].id, code: 0 });
            let again = |delivery: &Delivery| Got::Publish(Delivery { dup: true, ..delivery.clone() });
            assert_eq!(got[1..], [again(&before[2]), again(&before[3])], "{version:?} {is_restarted}");
            house.say(&client, &ack(PUBCOMP, before[0].id));
        }
    }
}

#[test]
fn a_message_with_qos_2_is_taken_once_across_a_restart() {
    let mut house = House::new();
    let connect = Connect::lasting(Version::V311, "speaks");
    let speaks = house.connect(&connect);
    house.publish(&speaks, &Publish::new(2, 9, "a", "x"));
    assert_eq!(house.next(&speaks), Some(Got::Ack { kind: PUBREC, id: 9, code: 0 }));
    house.restart();
    house.heard();
    let (speaks, was_known) = come_back(&mut house, &connect);
    assert!(was_known);
    house.publish(&speaks, &Publish { dup: true, ..Publish::new(2, 9, "a", "x") });
    assert_eq!(house.heard(), Vec::<String>::new());
    house.say(&speaks, &ack(PUBREL, 9));
    house.publish(&speaks, &Publish::new(2, 9, "a", "y"));
    assert_eq!(house.heard(), ["speaks a y"]);
}

#[test]
fn a_message_with_qos_2_leaves_once_it_is_on_the_disk() {
    let mut house = House::new();
    let client = house.connect(&Connect::lasting(Version::V311, "hears"));
    house.subscribe(&client, "a", 2);
    house.disk_works = false;
    house.rule_publishes("a", "1", false);
    let speaks = house.knock(&Connect::new(Version::V311, "speaks"));
    house.publish(&speaks, &Publish::new(2, 1, "a", "2"));
    assert_eq!(deliveries(&mut house, &client).len(), 1, "the one with QoS 1 may come twice");
    house.disk_works = true;
    house.turn();
    assert_eq!(deliveries(&mut house, &client).len(), 1);
}

#[test]
fn a_clean_start_forgets_what_was() {
    for version in VERSIONS {
        let mut house = House::new();
        let client = house.connect(&Connect::lasting(version, "client"));
        house.subscribe(&client, "a", 1);
        house.lose(&client);
        house.rule_publishes("a", "x", false);
        let (client, was_known) = come_back(&mut house, &Connect::new(version, "client"));
        assert!(!was_known);
        house.rule_publishes("a", "y", false);
        assert_eq!(house.messages(&client), Vec::<String>::new());
        house.say(&client, &disconnect(version, 0));
        assert_eq!(house.disk.len(), 0, "{:?}", house.disk.keys());
        assert_eq!(house.broker.session_count(), 0);
    }
}

#[test]
fn a_session_ends_when_its_time_is_over_also_across_a_restart() {
    for is_restarted in [false, true] {
        let mut house = House::new();
        let connect = Connect::lasting(Version::V5, "client");
        let client = house.connect(&connect);
        house.subscribe(&client, "a", 1);
        house.lose(&client);
        house.wait(Duration::from_secs(999));
        if is_restarted {
            house.restart();
        }
        assert_eq!(house.broker.session_count(), 1);
        house.wait(Duration::from_secs(1));
        assert_eq!(house.broker.session_count(), 0);
        assert_eq!(house.disk.len(), 0);
        assert!(!come_back(&mut house, &connect).1);
    }
}

#[test]
fn a_session_may_last_no_longer_than_is_set() {
    let mut house = House::new();
    let for_ever = [&[0x11][..], &u32::MAX.to_be_bytes()].concat();
    let client = house.knock(&Connect { properties: for_ever, ..Connect::lasting(Version::V5, "client") });
    let Some(Got::ConnAck { properties, .. }) = house.next(&client) else { panic!("not let in") };
    assert!(properties.contains(&(0x11, (30 * 86400_u32).to_be_bytes().to_vec())), "{properties:?}");
    let old = house.connect(&Connect::lasting(Version::V311, "old"));
    for client in [&client, &old] {
        house.lose(client);
    }
    house.wait(Duration::from_hours(30 * 24 - 1));
    assert_eq!(house.broker.session_count(), 2);
    house.wait(Duration::from_hours(1));
    assert_eq!(house.broker.session_count(), 0);
}

#[test]
fn another_user_gets_nothing_of_a_session_and_ends_no_connection() {
    for (version, code) in [(Version::V311, 5), (Version::V5, 0x87)] {
        let mut house = House::new();
        let ann = Connect { user: Some("ann".into()), ..Connect::lasting(version, "lamp") };
        let bob = Connect { user: Some("bob".into()), ..Connect::lasting(version, "lamp") };
        let client = house.connect(&ann);
        house.subscribe(&client, "a", 1);
        for other in [&bob, &Connect::lasting(version, "lamp")] {
            let thief = house.knock(other);
            assert!(matches!(house.next(&thief), Some(Got::ConnAck { code: got, .. }) if got == code));
        }
        assert!(!house.is_closed(&client));
        house.lose(&client);
        house.rule_publishes("a", "for ann", false);
        let bobs = house.knock(&bob);
        assert!(matches!(house.next(&bobs), Some(Got::ConnAck { present: false, code: 0, .. })));
        assert_eq!(house.messages(&bobs), Vec::<String>::new());
    }
}

#[test]
fn another_connection_with_the_same_identifier_takes_over() {
    for version in VERSIONS {
        let mut house = House::new();
        let connect = Connect::lasting(version, "client");
        let first = house.connect(&connect);
        house.subscribe(&first, "a", 1);
        house.happened.clear();
        let (second, _) = come_back(&mut house, &connect);
        if version == Version::V5 {
            assert_eq!(house.next(&first), Some(Got::Disconnect(0x8e)));
        }
        let told: Vec<String> = house
            .happened
            .iter()
            .map(|happening| match happening {
                Happening::Disconnected(gone) => format!("gone {:?}", gone.reason),
                Happening::Connected(came) => format!("came {}", came.took_over),
                Happening::Close(_) => "close".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [format!("gone {:?}", End::TakenOver), "close".to_owned(), "came true".to_owned()]);
        house.rule_publishes("a", "x", false);
        assert_eq!(house.messages(&second), ["a x"]);
        assert_eq!((house.broker.connected(), house.broker.stats().takeovers), (1, 1));
    }
}

#[test]
fn a_message_that_is_of_no_more_use_is_not_delivered_and_the_others_say_how_long_they_are() {
    let mut house = House::new();
    let connect = Connect::lasting(Version::V5, "away");
    let client = house.connect(&connect);
    house.subscribe(&client, "a", 1);
    house.lose(&client);
    let speaks = house.come(Version::V5, "speaks");
    for (number, seconds) in [(1, 10_u32), (2, 100)] {
        let properties = [&[0x02][..], &seconds.to_be_bytes()].concat();
        house.publish(&speaks, &Publish { properties, ..Publish::new(1, number, "a", &number.to_string()) });
    }
    house.wait(Duration::from_secs(30));
    house.restart();
    let (client, _) = come_back(&mut house, &connect);
    let got = deliveries(&mut house, &client);
    assert_eq!(got.len(), 1);
    assert_eq!((&*got[0].payload, &got[0].properties), ("2", &vec![(0x02, 70_u32.to_be_bytes().to_vec())]));
}

#[test]
fn what_rules_publish_after_a_restart_is_held_for_clients_that_were_here() {
    let mut house = House::new();
    let lamp = house.come(Version::V311, "lamp");
    house.subscribe(&lamp, "lamp/set", 0);
    let other = house.come(Version::V5, "other");
    house.subscribe(&other, "other/+", 1);
    house.restart();
    house.rule_publishes("lamp/set", "OFF", false);
    house.rule_publishes("other/set", "x", false);
    let held = house.happened.iter().filter(|happening| matches!(happening, Happening::Held { .. })).count();
    assert_eq!(held, 2);
    house.wait(Duration::from_secs(20));
    let lamp = house.come(Version::V311, "lamp");
    house.subscribe(&lamp, "lamp/set", 0);
    assert_eq!(house.messages(&lamp), ["lamp/set OFF"]);
    house.rule_publishes("lamp/set", "ON", false);
    assert_eq!(house.messages(&lamp), ["lamp/set ON"], "it is here");
    house.wait(Duration::from_secs(50));
    let expired = Happening::HeldExpired { client: "other".into(), messages: 1 };
    assert!(house.happened.contains(&expired), "{:?}", house.happened);
    let other = house.come(Version::V5, "other");
    house.subscribe(&other, "other/+", 1);
    assert_eq!(house.messages(&other), Vec::<String>::new());
}

#[test]
fn what_is_held_goes_to_a_new_client_with_the_same_filter() {
    let mut house = House::new();
    let lamp = house.come(Version::V311, "lamp-1");
    house.subscribe(&lamp, "lamp/set", 0);
    house.subscribe(&lamp, "#", 0);
    house.restart();
    house.rule_publishes("lamp/set", "OFF", false);
    let lamp = house.come(Version::V311, "lamp-2");
    house.subscribe(&lamp, "#", 0);
    assert_eq!(house.messages(&lamp), Vec::<String>::new(), "a filter without a literal level says nothing");
    house.say(&lamp, &disconnect(Version::V311, 0));
    let lamp = house.come(Version::V311, "lamp-3");
    house.subscribe(&lamp, "lamp/set", 0);
    assert_eq!(house.messages(&lamp).len(), 1);
}

#[test]
fn what_is_held_for_another_client_does_not_come_to_one_that_has_it_already() {
    let mut house = House::new();
    let panel = house.connect(&Connect::lasting(Version::V5, "panel"));
    house.subscribe(&panel, "lamp/set", 1);
    let lamp = house.come(Version::V311, "lamp-1");
    house.subscribe(&lamp, "lamp/+", 1);
    house.restart();
    house.rule_publishes("lamp/set", "OFF", false);
    let (panel, was_known) = come_back(&mut house, &Connect::lasting(Version::V5, "panel"));
    assert!(was_known);
    assert_eq!(deliveries(&mut house, &panel).len(), 1);
    house.subscribe(&panel, "lamp/+", 1);
    assert_eq!(deliveries(&mut house, &panel).len(), 0, "it has that by `lamp/set`");
    let lamp = house.come(Version::V311, "lamp-2");
    house.subscribe(&lamp, "lamp/+", 1);
    assert_eq!(house.messages(&lamp), ["lamp/set OFF"], "it is still there for whom it was held");
}

#[test]
fn a_session_that_is_to_end_with_its_next_connection_leaves_nothing() {
    for is_restarted in [false, true] {
        let mut house = House::new();
        let client = house.connect(&Connect::lasting(Version::V5, "client"));
        house.subscribe(&client, "a", 2);
        house.publish(&client, &Publish::new(2, 5, "b", "x"));
        house.rule_publishes("a", "1", false);
        house.rule_publishes("a", "2", false);
        house.lose(&client);
        let (client, was_known) =
            come_back(&mut house, &Connect { clean: false, ..Connect::new(Version::V5, "client") });
        assert!(was_known);
        let got = deliveries(&mut house, &client);
        assert_eq!(got.len(), 2);
        house.say(&client, &ack(PUBACK, got[0].id));
        if is_restarted {
            house.restart();
            assert!(!come_back(&mut house, &Connect { clean: false, ..Connect::new(Version::V5, "client") }).1);
        } else {
            house.lose(&client);
        }
        house.wait(Duration::from_secs(70));
        let left: Vec<_> = house.disk.keys().filter(|key| !key.starts_with("mqtt/session/")).collect();
        assert_eq!(left, Vec::<&std::sync::Arc<str>>::new());
        assert_eq!(house.disk.len(), usize::from(is_restarted), "the one that is here");
    }
}
