//! A burst for a client that reads is no loss; one for a client that doesn't holds up nobody.

use std::time::Duration;

use homerule::broker::Settings;
use homerule::broker::packet::Version;

use super::house::{Client, House};
use super::wire::{Got, PUBACK, Publish, ack};

const MOST: usize = 100;

fn house() -> (House, Client, Client) {
    let mut settings = Settings::default();
    settings.limits.queued_messages = MOST;
    let mut house = House::with(settings);
    let reads = house.come(Version::V311, "reads");
    house.subscribe(&reads, "a", 1);
    let speaks = house.come(Version::V311, "speaks");
    (house, reads, speaks)
}

fn burst(house: &mut House, speaks: &Client, count: usize) {
    let packet = |number: usize| Publish::new(1, u16::try_from(number + 1).unwrap(), "a", &number.to_string());
    let bytes: Vec<u8> = (0..count).flat_map(|number| packet(number).bytes(Version::V311)).collect();
    house.say(speaks, &bytes);
}

/// Takes all that came to a client, and acknowledges it; returns the payloads.
fn take(house: &mut House, reads: &Client) -> Vec<usize> {
    let mut payloads = Vec::new();
    for got in house.all(reads) {
        let Got::Publish(delivery) = got else { continue };
        payloads.push(delivery.payload.parse().unwrap());
        house.say(reads, &ack(PUBACK, delivery.id));
    }
    payloads
}

#[test]
fn a_burst_loses_nothing_for_a_client_that_reads() {
    let (mut house, reads, speaks) = house();
    burst(&mut house, &speaks, 1);
    let mut got = take(&mut house, &reads);
    burst(&mut house, &speaks, 1000);
    assert!(!house.broker.wants_input(speaks.conn), "it waits");
    while got.len() < 1001 {
        house.wait(Duration::from_millis(1));
        let more = take(&mut house, &reads);
        assert!(!more.is_empty(), "after {}", got.len());
        got.extend(more);
    }
    assert_eq!(got[1..], (0..1000).collect::<Vec<_>>());
    assert_eq!(house.broker.stats().all_dropped(), 0);
    assert!(house.broker.wants_input(speaks.conn));
}

#[test]
fn a_client_that_has_not_read_for_a_while_is_not_waited_for() {
    let (mut house, reads, speaks) = house();
    burst(&mut house, &speaks, 1);
    take(&mut house, &reads);
    house.wait(Duration::from_secs(1));
    burst(&mut house, &speaks, 1000);
    assert!(house.broker.wants_input(speaks.conn));
    assert_eq!(house.broker.stats().all_dropped(), 1000 - MOST as u64);
}

#[test]
fn a_publisher_waits_only_so_long_for_clients_that_read_slowly() {
    let (mut house, reads, speaks) = house();
    burst(&mut house, &speaks, 1);
    take(&mut house, &reads);
    burst(&mut house, &speaks, 1000);
    let mut waited = Duration::ZERO;
    // It acknowledges one message each 50 ms.
    while house.broker.stats().all_dropped() == 0 {
        house.wait(Duration::from_millis(50));
        waited += Duration::from_millis(50);
        assert!(waited < Duration::from_secs(2), "its publisher waits for ever");
        if let Some(Got::Publish(delivery)) = house.next(&reads) {
            house.say(&reads, &ack(PUBACK, delivery.id));
        }
    }
    assert!(waited >= Duration::from_millis(900), "{waited:?}");
    assert!(house.broker.wants_input(speaks.conn));
    // For the next burst it has regained little.
    house.wait(Duration::from_secs(1));
    burst(&mut house, &speaks, 1000);
    assert!(house.broker.wants_input(speaks.conn));
}

#[test]
fn two_clients_that_wait_for_each_other_go_on() {
    let (mut house, one, other) = house();
    house.subscribe(&other, "b", 1);
    let both: Vec<u8> = Publish::new(1, 1, "b", "0").bytes(Version::V311).repeat(500);
    burst(&mut house, &other, 1);
    take(&mut house, &one);
    house.say(&one, &Publish::new(1, 1, "b", "0").bytes(Version::V311));
    take(&mut house, &other);
    burst(&mut house, &other, 500);
    house.say(&one, &both);
    house.wait(Duration::from_secs(3));
    assert!(house.broker.wants_input(one.conn) && house.broker.wants_input(other.conn));
}
