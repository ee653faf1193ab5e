//! Wills come exactly when they are due.

use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::{Besides, Happening};
use homerule::model::{Message, Topic};
use jiff::SignedDuration;

use super::VERSIONS;
use super::house::House;
use super::wire::{Connect, Got, Publish, Will, disconnect};

fn with_will(version: Version, delay: u32) -> Connect {
    let will = Will { topic: "home/will".into(), payload: "gone".into(), qos: 1, retain: true, delay };
    Connect { will: Some(will), ..Connect::new(version, "client") }
}

fn lasting_with_will(version: Version, delay: u32) -> Connect {
    Connect { will: with_will(version, delay).will, ..Connect::lasting(version, "client") }
}

#[test]
fn a_will_comes_when_the_connection_breaks_and_not_after_a_good_bye() {
    for version in VERSIONS {
        let mut house = House::new();
        let client = house.connect(&with_will(version, 0));
        house.lose(&client);
        assert_eq!(house.heard(), ["client home/will gone"]);
        assert_eq!(house.broker.retained().len(), 1);
        let client = house.connect(&with_will(version, 0));
        house.say(&client, &disconnect(version, 0));
        assert_eq!(house.heard(), Vec::<String>::new());
    }
    let mut house = House::new();
    let client = house.connect(&with_will(Version::V5, 0));
    house.say(&client, &disconnect(Version::V5, 4));
    assert_eq!(house.heard(), ["client home/will gone"], "MQTT 5.0 can ask for it");
}

#[test]
fn a_will_comes_after_all_that_its_client_said() {
    let mut house = House::new();
    let client = house.connect(&with_will(Version::V311, 0));
    let messages =
        [Publish::new(0, 0, "a", "1").bytes(Version::V311), Publish::new(2, 1, "a", "2").bytes(Version::V311)];
    house.broker.read(house.now, client.conn, &messages.concat());
    house.broker.closed(house.now, client.conn);
    house.turn();
    assert_eq!(house.heard(), ["client a 1", "client a 2", "client home/will gone"]);
}

#[test]
fn at_a_takeover_the_old_will_comes_before_the_new_connection() {
    for version in VERSIONS {
        let mut house = House::new();
        house.connect(&with_will(version, 0));
        house.happened.clear();
        let conn = house.open();
        let birth = Publish::retained(0, 0, "home/will", "here").bytes(version);
        house.read(conn, &[with_will(version, 0).bytes(), birth].concat());
        let connected =
            house.happened.iter().position(|happening| matches!(happening, Happening::Connected(_))).unwrap();
        let will = house.happened.iter().position(|happening| matches!(happening, Happening::Published(_))).unwrap();
        assert!(will < connected);
        assert_eq!(house.heard(), ["client home/will gone", "client home/will here"]);
        assert_eq!(house.broker.retained()[0].payload, "here");
    }
}

#[test]
fn a_delayed_will_is_not_sent_if_the_client_is_back_in_time() {
    let mut house = House::new();
    let connect = lasting_with_will(Version::V5, 10);
    let client = house.connect(&connect);
    house.lose(&client);
    house.wait(Duration::from_secs(9));
    let client = house.connect(&connect);
    house.wait(Duration::from_secs(20));
    assert_eq!(house.heard(), Vec::<String>::new());
    house.lose(&client);
    house.wait(Duration::from_secs(4));
    house.restart();
    house.wait(Duration::from_secs(5));
    assert_eq!(house.heard(), Vec::<String>::new());
    house.wait(Duration::from_secs(1));
    assert_eq!(house.heard(), ["client home/will gone"]);
}

#[test]
fn a_delayed_will_comes_at_the_latest_with_the_end_of_its_session() {
    let mut house = House::new();
    let client = house.connect(&lasting_with_will(Version::V5, 5000));
    house.lose(&client);
    house.wait(Duration::from_secs(999));
    assert_eq!(house.heard(), Vec::<String>::new());
    house.wait(Duration::from_secs(1));
    assert_eq!(house.heard(), ["client home/will gone"]);
    let client = house.connect(&lasting_with_will(Version::V5, 500));
    house.lose(&client);
    house.connect(&with_will(Version::V5, 0));
    assert_eq!(house.heard(), ["client home/will gone"], "a clean start ends the session");
}

#[test]
fn wills_of_clients_that_were_here_come_five_seconds_after_the_start_unless_they_are_back() {
    for connect in [with_will(Version::V311, 0), lasting_with_will(Version::V311, 0), lasting_with_will(Version::V5, 3)]
    {
        for is_stopped in [false, true] {
            let mut house = House::new();
            house.connect(&connect);
            if is_stopped {
                house.broker.stop(house.now);
                house.turn();
            }
            house.happened.clear();
            house.restart();
            house.wait(Duration::from_millis(4900));
            house.restart();
            house.wait(Duration::from_millis(4900));
            assert_eq!(house.heard(), Vec::<String>::new());
            house.wait(Duration::from_millis(100));
            assert_eq!(house.heard(), ["client home/will gone"], "{connect:?}");
            house.wait(Duration::from_secs(90));
            house.restart();
            house.wait(Duration::from_secs(10));
            assert_eq!(house.heard(), Vec::<String>::new(), "once");

            house.connect(&connect);
            house.restart();
            let client = house.connect(&connect);
            house.wait(Duration::from_secs(10));
            assert_eq!(house.heard(), Vec::<String>::new(), "it is back");
            house.say(&client, &disconnect(connect.version, 0));
        }
    }
}

#[test]
fn a_client_has_its_five_seconds_also_after_a_start_that_set_the_clock() {
    let mut house = House::new();
    house.connect(&lasting_with_will(Version::V311, 0));
    house.restart();
    // Keeps all sessions anew.
    house.broker.clock_changed(SignedDuration::ZERO);
    house.turn();
    house.restart();
    house.wait(Duration::from_millis(4900));
    assert_eq!(house.heard(), Vec::<String>::new());
    house.wait(Duration::from_millis(100));
    assert_eq!(house.heard(), ["client home/will gone"]);
}

#[test]
fn a_will_below_dollar_is_accepted_and_never_sent() {
    let mut house = House::new();
    let will = Will { topic: "$SYS/x".into(), payload: "x".into(), qos: 0, retain: false, delay: 0 };
    let client = house.connect(&Connect { will: Some(will), ..Connect::new(Version::V311, "client") });
    house.lose(&client);
    assert_eq!(house.heard(), Vec::<String>::new());
}

#[test]
fn a_silent_client_is_dropped_and_its_will_sent() {
    for version in VERSIONS {
        let mut house = House::new();
        let client = house.connect(&Connect { keep_alive: 10, ..with_will(version, 0) });
        house.wait(Duration::from_secs(14));
        house.say(&client, &[0xc0, 0]);
        house.wait(Duration::from_millis(14_900));
        assert_eq!(house.heard(), Vec::<String>::new());
        house.wait(Duration::from_millis(200));
        assert_eq!(house.heard(), ["client home/will gone"]);
        if version == Version::V5 {
            assert_eq!(house.all(&client).last(), Some(&Got::Disconnect(0x8d)));
        }
        assert_eq!(house.broker.stats().timeouts, 1);
    }
}

#[test]
fn rules_answer_a_will_before_the_next_one_comes() {
    let mut house = House::new();
    let hears = house.come(Version::V311, "hears");
    house.subscribe(&hears, "#", 0);
    for (id, seconds) in [("a", 10), ("b", 10)] {
        let will = Will { topic: format!("will/{id}"), payload: "gone".into(), qos: 0, retain: false, delay: 0 };
        let connect = Connect { will: Some(will), keep_alive: seconds, ..Connect::new(Version::V311, id) };
        house.connect(&connect);
    }
    house.now += Duration::from_secs(20);
    house.broker.tick(house.now);
    while let Some(happening) = house.broker.poll(house.now) {
        if let Happening::Published(published) = happening {
            let answer = Message { topic: Topic::parse("answer").unwrap(), ..published.message };
            house.broker.publish(house.now, &answer, Besides::default());
        }
    }
    house.turn();
    assert_eq!(house.messages(&hears), ["will/a gone", "answer gone", "will/b gone", "answer gone"]);
}
