//! A client that wants more than its share: memory, connections, the loop's time.

use homerule::broker::packet::Version;
use homerule::broker::{Drop, Happening, Limits, Settings};

use super::house::House;
use super::wire::{Connect, Got, Publish, subscribe};

fn house(change: impl FnOnce(&mut Limits)) -> House {
    let mut settings = Settings::default();
    change(&mut settings.limits);
    House::with(settings)
}

/// Returns why the last one was refused that was.
fn refusal(house: &House) -> Option<&'static str> {
    house.happened.iter().rev().find_map(|happening| match happening {
        Happening::Refused(refused) => Some(refused.fault?.words),
        _ => None,
    })
}

#[test]
fn peers_that_do_not_say_who_they_are_keep_nobody_out() {
    let mut house = house(|limits| limits.connections = 3);
    let client = house.come(Version::V311, "client");
    let silent = [house.open(), house.open()];
    let newcomer = house.come(Version::V5, "newcomer");
    assert!(house.has_closed(silent[0]), "the one that was silent for longest made room");
    assert!(!house.has_closed(silent[1]));
    assert_eq!(refusal(&house), Some("there are too many connections, and it hadn't said who it is"));
    house.come(Version::V5, "another");
    assert!(house.has_closed(silent[1]));
    assert_eq!(house.try_open(), None, "all that are there have been let in");
    assert!(!house.is_closed(&client) && !house.is_closed(&newcomer));
}

#[test]
fn who_sends_most_goes_when_all_send_too_much_and_not_who_sends_then() {
    let mut house = House::new();
    let greedy: Vec<_> = (0..17).map(|number| house.come(Version::V311, &number.to_string())).collect();
    let modest = house.come(Version::V5, "modest");
    // Each begins a packet of 16 MB and doesn't end it.
    let part = vec![b'x'; (15 << 20) + (900 << 10)];
    for client in &greedy {
        house.say(client, &[0x30, 0xf0, 0xff, 0xff, 0x07, 0, 1, b'a']);
        house.say(client, &part);
        house.publish(&modest, &Publish::new(0, 0, "a", "x"));
    }
    assert!(!house.is_closed(&modest));
    assert!(greedy.iter().any(|client| house.is_closed(client)));
    assert_eq!(house.heard().len(), 17);
}

#[test]
fn filters_take_a_bounded_part_of_the_memory() {
    let mut house = house(|limits| limits.subscriptions = 20);
    let client = house.come(Version::V5, "client");
    for number in 1..=6 {
        let filter = format!("{number}{}", "x".repeat(60_000));
        house.say(&client, &subscribe(Version::V5, number, None, &[(&filter, 0)]));
        let code = if number <= 4 { 0 } else { 0x97 };
        assert_eq!(house.next(&client), Some(Got::SubAck { id: number, codes: vec![code] }));
    }
    house.say(&client, &super::wire::unsubscribe(Version::V5, 7, &format!("1{}", "x".repeat(60_000))));
    house.all(&client);
    house.subscribe(&client, &"y".repeat(60_000), 0);
    assert_eq!(house.broker.stats().dropped[&Drop::TooManySubscriptions], 2);
}

#[test]
fn topics_with_aliases_take_a_bounded_part_of_the_memory() {
    let mut house = House::new();
    let client = house.come(Version::V5, "client");
    for alias in 1..=5 {
        let topic = format!("{alias}{}", "x".repeat(60_000));
        let properties = vec![0x23, 0, alias];
        house.publish(&client, &Publish { properties, ..Publish::new(0, 0, &topic, "x") });
        assert_eq!(house.is_closed(&client), alias == 5);
    }
    assert_eq!(house.all(&client).last(), Some(&Got::Disconnect(0x97)));
}

#[test]
fn one_packet_holds_no_more_than_the_loop_can_take_at_a_time() {
    let mut house = House::new();
    let filters = vec![("a", 0); 10_001];
    let properties = [0x26, 0, 0, 0, 0].repeat(10_001);
    for packet in [
        subscribe(Version::V5, 1, None, &filters),
        Publish { properties, ..Publish::new(0, 0, "a", "x") }.bytes(Version::V5),
    ] {
        let client = house.connect(&Connect::new(Version::V5, "client"));
        house.say(&client, &packet);
        assert_eq!(house.all(&client).last(), Some(&Got::Disconnect(0x97)));
    }
    assert_eq!(house.heard(), Vec::<String>::new());
}

#[test]
fn empty_user_properties_count_for_what_they_take() {
    let mut house = house(|limits| limits.retained_bytes = 10_000);
    let client = house.come(Version::V5, "client");
    let properties = [0x26, 0, 0, 0, 0].repeat(1000);
    house.publish(&client, &Publish { properties, ..Publish::retained(1, 1, "a", "x") });
    assert_eq!(house.all(&client), [Got::Ack { kind: super::wire::PUBACK, id: 1, code: 0x97 }]);
}
