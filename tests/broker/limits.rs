//! What a client can't do to the others.

use std::time::Duration;

use homerule::broker::access::Acl;
use homerule::broker::packet::Version;
use homerule::broker::{Drop, Happening, Limits, Settings};

use super::house::House;
use super::wire::{Connect, Got, PUBACK, Publish, subscribe};

fn house(change: impl FnOnce(&mut Limits)) -> House {
    let mut settings = Settings::default();
    change(&mut settings.limits);
    House::with(settings)
}

fn dropped(house: &House) -> Vec<Drop> {
    let why = |happening: &Happening| match happening {
        Happening::Dropped(dropped) => Some(dropped.why),
        _ => None,
    };
    house.happened.iter().filter_map(why).collect()
}

#[test]
fn a_full_queue_takes_no_more_and_says_so_once() {
    let mut house = house(|limits| limits.queued_messages = 3);
    let connect = Connect::lasting(Version::V311, "away");
    let away = house.connect(&connect);
    house.subscribe(&away, "a", 1);
    house.lose(&away);
    let speaks = house.come(Version::V5, "speaks");
    for number in 1..=5 {
        house.publish(&speaks, &Publish::new(1, number, "a", &number.to_string()));
        assert_eq!(
            house.next(&speaks),
            Some(Got::Ack { kind: PUBACK, id: number, code: 0 }),
            "its publisher isn't refused"
        );
    }
    assert_eq!(dropped(&house), [Drop::QueueFull]);
    assert_eq!(house.broker.stats().dropped[&Drop::QueueFull], 2);
    let away = house.connect(&connect);
    assert_eq!(house.messages(&away), ["a 1", "a 2", "a 3"]);
}

#[test]
fn a_slow_readers_queue_is_bounded() {
    let mut house = house(|limits| limits.queued_messages = 100);
    let slow = house.come(Version::V311, "slow");
    house.subscribe(&slow, "#", 0);
    let speaks = house.come(Version::V311, "speaks");
    let large = "x".repeat(1000);
    for number in 0..1000 {
        house.broker.read(
            house.now,
            speaks.conn,
            &Publish::new(0, 0, &number.to_string(), &large).bytes(Version::V311),
        );
        while house.broker.poll(house.now).is_some() {}
    }
    let view = house.broker.clients().find(|view| &*view.client == "slow").unwrap();
    assert_eq!((view.queued, view.dropped > 800), (100, true));
    house.turn();
    let last = house.messages(&slow).last().unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(last, "999", "the oldest go first");
}

#[test]
fn retained_messages_are_bounded_and_delivered_all_the_same() {
    let mut house = house(|limits| limits.retained = 2);
    let speaks = house.come(Version::V5, "speaks");
    house.subscribe(&speaks, "#", 0);
    for (id, topic, code) in [(1, "a", 0), (2, "b", 0), (3, "c", 0x97), (4, "a", 0)] {
        house.publish(&speaks, &Publish::retained(1, id, topic, "x"));
        let got = house.all(&speaks);
        assert!(got.contains(&Got::Ack { kind: PUBACK, id, code }), "{got:?}");
        assert!(got.iter().any(|got| matches!(got, Got::Publish(delivery) if delivery.topic == topic)));
    }
    assert_eq!(house.broker.retained().len(), 2);
}

#[test]
fn subscriptions_and_levels_are_bounded() {
    let mut house = house(|limits| (limits.subscriptions, limits.topic_levels) = (2, 3));
    for (version, full, deep) in [(Version::V311, 0x80, 0x80), (Version::V5, 0x97, 0x8f)] {
        let client = house.come(version, &format!("{version:?}"));
        house.say(&client, &subscribe(version, 1, None, &[("a", 0), ("b", 1), ("c", 0), ("a", 2), ("a/b/c/d", 0)]));
        assert_eq!(house.next(&client), Some(Got::SubAck { id: 1, codes: vec![0, 1, full, 2, deep] }));
        house.publish(&client, &Publish::new(1, 7, "a/b/c/d", "x"));
        let code = if version == Version::V5 { 0x90 } else { 0 };
        assert_eq!(house.next(&client), Some(Got::Ack { kind: PUBACK, id: 7, code }));
    }
    assert_eq!(house.heard(), Vec::<String>::new());
}

#[test]
fn sessions_are_bounded() {
    let mut house = house(|limits| limits.sessions = 2);
    house.connect(&Connect::lasting(Version::V5, "1"));
    let second = house.come(Version::V5, "2");
    let third = house.knock(&Connect::new(Version::V5, "3"));
    assert!(matches!(house.next(&third), Some(Got::ConnAck { code: 0x97, .. })));
    house.lose(&second);
    house.come(Version::V5, "3");
}

#[test]
fn a_client_that_sends_too_fast_is_read_from_more_slowly_and_loses_nothing() {
    let mut house = house(|limits| limits.messages_per_second = 10);
    let client = house.connect(&Connect { keep_alive: 1, ..Connect::new(Version::V311, "client") });
    let all: Vec<u8> =
        (0..35).flat_map(|number| Publish::new(0, 0, "a", &number.to_string()).bytes(Version::V311)).collect();
    house.say(&client, &all);
    assert_eq!(house.heard().len(), 10);
    assert!(!house.broker.wants_input(client.conn));
    house.wait(Duration::from_secs(1));
    assert_eq!(house.heard().len(), 10);
    house.wait(Duration::from_secs(2));
    assert_eq!(house.heard().len(), 15, "and it isn't silent meanwhile");
    assert!(house.broker.wants_input(client.conn));
}

#[test]
fn a_peer_that_does_not_say_who_it_is_is_dropped() {
    let mut house = House::new();
    let conn = house.open();
    house.read(conn, &[0x10]);
    house.wait(Duration::from_millis(9900));
    assert!(!house.happened.contains(&Happening::Close(conn)));
    house.wait(Duration::from_millis(100));
    assert!(house.happened.contains(&Happening::Close(conn)));
}

#[test]
fn a_peer_that_is_not_let_in_gets_little_memory() {
    let mut house = House::new();
    let conn = house.open();
    house.read(conn, &[0x10, 0xff, 0xff, 0x7f]);
    assert!(house.happened.contains(&Happening::Close(conn)), "a CONNECT of 2 MB");
}

#[test]
fn more_under_way_than_we_take_ends_the_connection() {
    let mut house = house(|limits| limits.inflight = 2);
    let client = house.come(Version::V5, "client");
    for id in 1..=3 {
        house.publish(&client, &Publish::new(2, id, "a", "x"));
    }
    assert_eq!(house.all(&client).last(), Some(&Got::Disconnect(0x93)));
    assert_eq!(house.heard().len(), 2);
}

#[test]
fn a_client_that_does_not_count_what_it_sends_is_taken_at_the_pace_of_the_disk() {
    let mut house = house(|limits| limits.inflight = 2);
    let client = house.come(Version::V5, "client");
    // As MQTT.js does: all at once, though we said that we take two at a time.
    let all: Vec<u8> = (1..=7).flat_map(|id| Publish::new(1, id, "a", &id.to_string()).bytes(Version::V5)).collect();
    house.disk_works = false;
    house.say(&client, &all);
    assert_eq!(house.heard().len(), 2, "the others wait in its socket");
    assert!(!house.broker.wants_input(client.conn));
    house.disk_works = true;
    for _ in 0..5 {
        house.turn();
    }
    let acknowledged = (1..=7).map(|id| Got::Ack { kind: PUBACK, id, code: 0 }).collect::<Vec<_>>();
    assert_eq!(house.all(&client), acknowledged);
    assert!(house.broker.wants_input(client.conn));
}

#[test]
fn grants_count_for_messages_subscriptions_wills_and_each_delivery() {
    let mut house = House::new();
    let acl = "user ann\ntopic readwrite ann/#\ntopic read all/#\ntopic deny all/secret\n";
    house.broker.set_acl(Acl::parse(acl.as_bytes()).unwrap());
    for (version, refused) in [(Version::V311, 0), (Version::V5, 0x87)] {
        let will = super::wire::Will { topic: "other".into(), payload: "x".into(), qos: 0, retain: false, delay: 0 };
        let ann = Connect { user: Some("ann".into()), will: Some(will), ..Connect::new(version, "ann") };
        let ann = house.connect(&ann);
        house.say(&ann, &subscribe(version, 1, None, &[("ann/x", 0), ("bob/x", 0), ("all/#", 0)]));
        let denied = if version == Version::V5 { 0x87 } else { 0x80 };
        assert_eq!(house.next(&ann), Some(Got::SubAck { id: 1, codes: vec![0, denied, 0] }));
        house.messages(&ann);
        house.publish(&ann, &Publish::new(1, 1, "bob/x", "no"));
        assert_eq!(house.next(&ann), Some(Got::Ack { kind: PUBACK, id: 1, code: refused }));
        for topic in ["all/secret", "all/open"] {
            house.rule_publishes(topic, "x", true);
        }
        assert_eq!(house.messages(&ann), ["all/open x"]);
        house.lose(&ann);
        assert_eq!(house.heard(), Vec::<String>::new());
    }
}

#[test]
fn a_client_that_takes_no_answer_is_not_let_in() {
    let mut house = House::new();
    let tiny = house.knock(&Connect { properties: vec![0x27, 0, 0, 0, 5], ..Connect::new(Version::V5, "tiny") });
    assert!(house.is_closed(&tiny));
    assert_eq!(house.broker.connected(), 0);
}

#[test]
fn a_client_that_asks_and_does_not_read_the_answers_is_read_from_no_more() {
    let mut house = house(|limits| limits.packet = 1000);
    let deaf = house.come(Version::V311, "deaf");
    let other = house.come(Version::V311, "other");
    let pings: Vec<u8> = [0xc0, 0].repeat(10_000);
    let mut rounds = 0;
    while house.broker.wants_input(deaf.conn) {
        house.broker.read(house.now, deaf.conn, &pings);
        house.turn_but_send_nothing();
        rounds += 1;
        assert!(rounds < 100, "what waits for it has no end");
    }
    house.say(&other, &[0xc0, 0]);
    assert_eq!(house.all(&other), [Got::Pong], "others are served");
    house.turn();
    assert!(house.broker.wants_input(deaf.conn));
    assert_eq!(house.all(&deaf).len(), rounds * 10_000);
}

#[test]
fn a_disk_that_stalls_holds_back_a_bounded_number_of_answers() {
    let mut house = House::new();
    let speaks = house.come(Version::V311, "speaks");
    house.disk_works = false;
    for id in 1..=3000 {
        house.publish(&speaks, &Publish::new(1, id, "a", "x"));
    }
    assert!(!house.broker.wants_input(speaks.conn));
    assert_eq!(house.heard().len(), 1000);
    house.disk_works = true;
    for _ in 0..4 {
        house.turn();
    }
    assert_eq!((house.heard().len(), house.all(&speaks).len()), (2000, 3000));
}
