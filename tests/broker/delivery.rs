//! Who gets a message, how often, and in which order.

use homerule::broker::packet::Version;

use super::VERSIONS;
use super::house::House;
use super::wire::{Connect, Delivery, Got, PUBACK, PUBREC, Publish, ack, subscribe};

fn delivery(got: Option<Got>) -> Delivery {
    match got {
        Some(Got::Publish(delivery)) => delivery,
        got => panic!("{got:?}"),
    }
}

#[test]
fn overlapping_filters_give_one_copy_at_the_highest_qos_with_all_identifiers() {
    let mut house = House::new();
    let hears = house.come(Version::V5, "hears");
    for (number, (filter, qos)) in (1..).zip([("a/#", 0), ("a/+", 2), ("a/b", 1)]) {
        house.say(&hears, &subscribe(Version::V5, 1, Some(number), &[(filter, qos)]));
    }
    house.all(&hears);
    let speaks = house.come(Version::V311, "speaks");
    house.publish(&speaks, &Publish::new(2, 1, "a/b", "x"));
    let got = delivery(house.next(&hears));
    let mut ids: Vec<u8> = got.properties.iter().filter(|(id, _)| *id == 0x0b).map(|(_, bytes)| bytes[0]).collect();
    ids.sort_unstable();
    assert_eq!((got.qos, ids), (2, vec![1, 2, 3]));
    assert_eq!(house.all(&hears), []);
}

#[test]
fn messages_keep_their_order_whatever_their_qos() {
    for version in VERSIONS {
        let mut house = House::new();
        let hears = house.come(version, "hears");
        house.subscribe(&hears, "#", 2);
        let speaks = house.come(version, "speaks");
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for number in 1..=60_u16 {
            let qos = u8::try_from(number % 3).unwrap();
            bytes.extend(Publish::new(qos, number, "a", &number.to_string()).bytes(version));
            expected.push(format!("a {number}"));
            if number % 20 == 0 {
                // MQTT 5.0 lets no more than 20 be under way.
                house.say(&speaks, &std::mem::take(&mut bytes));
                for got in house.all(&speaks) {
                    if let Got::Ack { kind: PUBREC, id, .. } = got {
                        house.say(&speaks, &ack(6, id));
                    }
                }
            }
        }
        assert_eq!(house.messages(&hears), expected);
        assert_eq!(house.heard().len(), 60);
    }
}

#[test]
fn a_client_can_keep_its_own_messages_and_the_retained_flag() {
    let mut house = House::new();
    let client = house.come(Version::V5, "client");
    house.subscribe(&client, "a", 0b0000_0100);
    house.subscribe(&client, "b", 0b0000_1000);
    let other = house.come(Version::V5, "other");
    house.publish(&client, &Publish::new(0, 0, "a", "mine"));
    house.publish(&other, &Publish::new(0, 0, "a", "other's"));
    house.publish(&other, &Publish::retained(0, 0, "b", "kept"));
    assert_eq!(delivery(house.next(&client)).payload, "other's");
    let kept = delivery(house.next(&client));
    assert_eq!((&*kept.payload, kept.retain), ("kept", true));
}

#[test]
fn a_bridge_gets_none_of_its_own_and_keeps_retained_flags() {
    for version in [Version::V31, Version::V311] {
        let mut house = House::new();
        let bridge = house.connect(&Connect { is_bridge: true, ..Connect::new(version, "bridge") });
        house.subscribe(&bridge, "#", 1);
        let other = house.come(Version::V5, "other");
        house.publish(&bridge, &Publish::new(0, 0, "a", "mine"));
        house.publish(&other, &Publish::retained(0, 0, "b", "kept"));
        let kept = delivery(house.next(&bridge));
        assert_eq!((&*kept.payload, kept.retain), ("kept", true));
        assert_eq!(house.all(&bridge), []);
    }
}

#[test]
fn properties_go_on_as_they_came_and_older_clients_get_none() {
    let mut house = House::new();
    let new = house.come(Version::V5, "new");
    let old = house.come(Version::V311, "old");
    for client in [&new, &old] {
        house.subscribe(client, "a", 0);
    }
    let user = [&[0x26, 0, 1][..], b"k", &[0, 1], b"v"].concat();
    let content = [&[0x03, 0, 4][..], b"json"].concat();
    let properties = [user.clone(), content.clone(), user].concat();
    house.publish(&new, &Publish { properties, ..Publish::new(0, 0, "a", "x") });
    let got = delivery(house.next(&new));
    let count = |wanted| got.properties.iter().filter(|(id, _)| *id == wanted).count();
    assert_eq!((count(0x26), count(0x03), got.properties.len()), (2, 1, 3), "none of ours is added");
    assert_eq!(delivery(house.next(&old)).properties, []);
    let published = house.happened.iter().find_map(|happening| match happening {
        homerule::broker::Happening::Published(published) => published.properties.clone(),
        _ => None,
    });
    assert_eq!(published.unwrap().user_properties.len(), 2, "rules get them too");
}

#[test]
fn a_shared_subscription_gives_each_message_to_one_member() {
    let mut house = House::new();
    let members: Vec<_> = VERSIONS.iter().map(|version| house.come(*version, &format!("{version:?}"))).collect();
    for member in &members {
        house.subscribe(member, "$share/g/a/#", 1);
    }
    let all = house.come(Version::V311, "all");
    house.subscribe(&all, "a/#", 1);
    let speaks = house.come(Version::V311, "speaks");
    for number in 0..9 {
        house.publish(&speaks, &Publish::new(0, 0, "a/b", &number.to_string()));
    }
    let counts: Vec<usize> = members.iter().map(|member| house.messages(member).len()).collect();
    assert_eq!(counts, [3, 3, 3]);
    assert_eq!(house.messages(&all).len(), 9);
}

#[test]
fn what_a_member_does_not_acknowledge_goes_to_another() {
    let mut house = House::new();
    let first = house.come(Version::V311, "first");
    house.subscribe(&first, "$share/g/a", 1);
    let speaks = house.come(Version::V311, "speaks");
    house.publish(&speaks, &Publish::new(1, 1, "a", "x"));
    assert_eq!(delivery(house.next(&first)).payload, "x");
    let second = house.come(Version::V5, "second");
    house.subscribe(&second, "$share/g/a", 1);
    house.lose(&first);
    assert_eq!(house.messages(&second), ["a x"]);
}

#[test]
fn a_client_gets_no_packet_larger_than_it_takes() {
    let mut house = House::new();
    let small = house.connect(&Connect { properties: vec![0x27, 0, 0, 0, 40], ..Connect::new(Version::V5, "small") });
    house.subscribe(&small, "a", 1);
    let speaks = house.come(Version::V311, "speaks");
    house.publish(&speaks, &Publish::new(1, 1, "a", &"x".repeat(100)));
    house.publish(&speaks, &Publish::new(1, 2, "a", "y"));
    assert_eq!(house.messages(&small), ["a y"]);
}

#[test]
fn no_more_is_under_way_than_a_client_takes() {
    let mut house = House::new();
    let hears = house.connect(&Connect { properties: vec![0x21, 0, 2], ..Connect::new(Version::V5, "hears") });
    house.subscribe(&hears, "a", 1);
    let speaks = house.come(Version::V311, "speaks");
    for number in 1..=5 {
        house.publish(&speaks, &Publish::new(1, number, "a", &number.to_string()));
    }
    let first = house.all(&hears);
    assert_eq!(first.len(), 2);
    house.say(&hears, &ack(PUBACK, 1));
    assert_eq!(delivery(house.next(&hears)).payload, "3");
    house.say(&hears, &ack(PUBACK, 2));
    house.say(&hears, &ack(PUBACK, 3));
    assert_eq!(house.messages(&hears), ["a 4", "a 5"]);
}

#[test]
fn a_slow_reader_holds_up_nobody_and_gets_all_later() {
    let mut house = House::new();
    let slow = house.come(Version::V311, "slow");
    house.subscribe(&slow, "#", 0);
    let quick = house.come(Version::V311, "quick");
    house.subscribe(&quick, "#", 0);
    let speaks = house.come(Version::V311, "speaks");
    let large = "x".repeat(10_000);
    for number in 0..50 {
        house.broker.read(
            house.now,
            speaks.conn,
            &Publish::new(0, 0, &number.to_string(), &large).bytes(Version::V311),
        );
    }
    while house.broker.poll(house.now).is_some() {}
    assert!(house.broker.output(slow.conn).len() < 100_000, "what waits stays in the queue");
    house.turn();
    assert_eq!(house.messages(&quick).len(), 50);
    let topics: Vec<String> =
        house.messages(&slow).iter().map(|text| text.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(topics, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn recorders_alone_are_told_which_rule_published_a_message() {
    let mut house = House::new();
    let recorder = house.come(Version::V5, "homerule-record-1");
    let other = house.come(Version::V5, "other");
    for client in [&recorder, &other] {
        house.subscribe(client, "#", 0);
    }
    house.rule_publishes("a", "x", false);
    let rule = [&[0, 13][..], b"homerule-rule", &[0, 4], b"rule"].concat();
    assert_eq!(delivery(house.next(&recorder)).properties, [(0x26, rule)]);
    assert_eq!(delivery(house.next(&other)).properties, []);
}
