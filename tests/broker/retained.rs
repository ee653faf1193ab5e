//! What is retained.

use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::{Happening, Published};
use homerule::model::{Size, States};

use super::VERSIONS;
use super::house::House;
use super::wire::{Delivery, Got, Publish};

fn deliveries(got: Vec<Got>) -> Vec<Delivery> {
    let delivery = |got| match got {
        Got::Publish(delivery) => Some(delivery),
        _ => None,
    };
    got.into_iter().filter_map(delivery).collect()
}

#[test]
fn a_new_subscriber_gets_what_is_retained_and_an_empty_message_removes_it() {
    for version in VERSIONS {
        let mut house = House::new();
        let speaks = house.come(version, "speaks");
        for (topic, payload) in [("a/1", "x"), ("a/2", "y"), ("a/1", "z"), ("b", "x")] {
            house.publish(&speaks, &Publish::retained(0, 0, topic, payload));
        }
        house.restart();
        let hears = house.come(version, "hears");
        house.subscribe(&hears, "a/#", 1);
        let got = deliveries(house.all(&hears));
        let texts: Vec<_> = got.iter().map(|got| (&*got.topic, &*got.payload, got.retain)).collect();
        assert_eq!(texts, [("a/1", "z", true), ("a/2", "y", true)]);
        let speaks = house.come(version, "speaks");
        house.publish(&speaks, &Publish::retained(0, 0, "a/1", ""));
        assert_eq!(house.messages(&hears), ["a/1 "], "who is there hears it");
        house.restart();
        let late = house.come(version, "late");
        house.subscribe(&late, "#", 1);
        assert_eq!(house.messages(&late), ["a/2 y", "b x"]);
    }
}

#[test]
fn all_that_is_retained_reaches_a_subscriber_however_much_it_is() {
    for qos in 0..3 {
        let mut house = House::new();
        for number in 0..12_500 {
            house.rule_publishes(&format!("a/{number:05}"), "x", true);
        }
        let hears = house.come(Version::V311, "hears");
        house.subscribe(&hears, "#", qos);
        let got = house.messages(&hears);
        assert_eq!(got.len(), 12_500);
        assert!(got.is_sorted());
    }
}

#[test]
fn retain_handling_decides_when_it_comes() {
    let mut house = House::new();
    house.rule_publishes("a", "x", true);
    let client = house.come(Version::V5, "client");
    for (handling, expected) in [(1_u8, 1), (1, 0), (0, 1), (2, 0)] {
        house.subscribe(&client, "a", handling << 4);
        assert_eq!(house.messages(&client).len(), expected);
    }
    house.subscribe(&client, "$share/g/a", 0);
    assert_eq!(house.messages(&client).len(), 0, "a shared subscription gets none");
}

#[test]
fn what_is_retained_for_a_time_goes_when_that_is_over() {
    let mut house = House::new();
    let speaks = house.come(Version::V5, "speaks");
    let properties = [&[0x02][..], &10_u32.to_be_bytes()].concat();
    house.publish(&speaks, &Publish { properties, ..Publish::retained(1, 1, "a", "x") });
    house.wait(Duration::from_secs(4));
    house.restart();
    let hears = house.come(Version::V5, "hears");
    house.subscribe(&hears, "a", 0);
    assert_eq!(deliveries(house.all(&hears))[0].properties, [(0x02, 6_u32.to_be_bytes().to_vec())]);
    house.wait(Duration::from_secs(6));
    assert_eq!(house.broker.retained_size(), (0, 0));
    assert!(!house.disk.contains_key("mqtt/retained/a"));
}

#[test]
fn a_subscription_and_a_message_in_one_piece_keep_their_order() {
    let mut house = House::new();
    let conn = house.open();
    let version = Version::V311;
    house.read(conn, &super::wire::Connect::new(version, "client").bytes());
    let first = Publish::retained(0, 0, "a", "1").bytes(version);
    let subscribe = super::wire::subscribe(version, 1, None, &[("a", 0)]);
    let second = Publish::retained(0, 0, "a", "2").bytes(version);
    house.read(conn, &[first, subscribe, second].concat());
    let got = deliveries(house.all(&super::house::Client { conn, version }));
    let texts: Vec<_> = got.iter().map(|got| (&*got.payload, got.retain)).collect();
    assert_eq!(texts, [("1", true), ("2", false)]);
}

#[test]
fn the_state_of_a_home_keeps_a_message_for_as_long_as_the_broker_does() {
    let mut house = House::new();
    let speaks = house.come(Version::V5, "speaks");
    for (topic, seconds) in [("a", 10_u32), ("b", 20), ("c", 30)] {
        let properties = [&[0x02][..], &seconds.to_be_bytes()].concat();
        house.publish(&speaks, &Publish { properties, ..Publish::retained(1, 1, topic, "x") });
    }
    house.publish(&speaks, &Publish::retained(1, 1, "d", "x"));
    let mut states = States::default();
    for happening in &house.happened {
        if let Happening::Published(Published { message, .. }) = happening {
            states.note(house.now, message, Size::Fits);
        }
    }
    for kept in [3, 2, 1] {
        for (at, topic) in states.expired(house.now) {
            states.expire(at, &topic);
        }
        let known = states.iter().filter(|(_, state)| !state.payload.is_empty());
        let known: Vec<String> = known.map(|(topic, _)| format!("{topic} x")).collect();
        let hears = house.come(Version::V5, &format!("hears-{kept}"));
        house.subscribe(&hears, "#", 1);
        assert_eq!(house.messages(&hears), known, "{kept} of three are left");
        assert_eq!(known.len(), kept + 1);
        house.wait(Duration::from_secs(11));
    }
}
