//! What the shell sees: who is here, what is counted, and the end.

use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::reason::Reason;
use homerule::broker::{End, Happening};

use super::house::House;
use super::wire::{Connect, Got, Publish};

#[test]
fn what_is_below_sys_comes_at_once_and_each_ten_seconds() {
    let mut house = House::new();
    let client = house.come(Version::V311, "client");
    house.wait(Duration::from_mins(1));
    assert_eq!(house.broker.next_deadline(), None, "nobody wants to know it");
    house.subscribe(&client, "$SYS/broker/clients/+", 0);
    let expected = ["connected 1", "disconnected 0", "total 1", "maximum 1"];
    let expected = expected.map(|text| format!("$SYS/broker/clients/{text}"));
    assert_eq!(house.messages(&client), expected);
    house.wait(Duration::from_secs(9));
    assert_eq!(house.messages(&client), Vec::<String>::new());
    house.wait(Duration::from_secs(1));
    assert_eq!(house.messages(&client), expected);
    house.say(&client, &super::wire::unsubscribe(Version::V311, 2, "$SYS/broker/clients/+"));
    house.wait(Duration::from_secs(20));
    assert_eq!(house.broker.next_deadline(), None);
    house.all(&client);
    assert_eq!(house.broker.retained().len(), 0);
    house.subscribe(&client, "$SYS/#", 0);
    let all = house.messages(&client);
    for name in ["version", "uptime", "messages/stored", "retained messages/count", "load/messages/received/1min"] {
        assert!(all.iter().any(|text| text.starts_with(&format!("$SYS/broker/{name} "))), "{name}: {all:?}");
    }
    house.subscribe(&client, "#", 0);
    house.wait(Duration::from_secs(10));
    assert!(house.messages(&client).len() <= all.len(), "`#` doesn't match them");
}

#[test]
fn a_client_is_dismissed_by_its_identifier() {
    let mut house = House::new();
    let client = house.come(Version::V5, "client");
    assert!(house.broker.dismiss(house.now, "client", Reason::NotAuthorized));
    house.turn();
    assert_eq!(house.next(&client), Some(Got::Disconnect(0x87)));
    assert!(!house.broker.dismiss(house.now, "client", Reason::NotAuthorized));
}

#[test]
fn all_are_told_when_we_stop() {
    let mut house = House::new();
    let new = house.come(Version::V5, "new");
    let old = house.come(Version::V311, "old");
    house.broker.stop(house.now);
    house.turn();
    assert_eq!((house.next(&new), house.next(&old)), (Some(Got::Disconnect(0x8b)), None));
    assert!(house.is_closed(&new) && house.is_closed(&old));
    let stopped =
        |happening: &&Happening| matches!(happening, Happening::Disconnected(gone) if gone.reason == End::Stopping);
    assert_eq!(house.happened.iter().filter(stopped).count(), 2);
}

#[test]
fn clients_are_shown_here_and_away() {
    let mut house = House::new();
    let client = house.connect(&Connect { user: Some("ann".into()), ..Connect::lasting(Version::V311, "client") });
    house.subscribe(&client, "a", 1);
    house.publish(&client, &Publish::new(0, 0, "a", "x"));
    let view = house.broker.clients().next().unwrap();
    assert_eq!((&*view.client, view.user.as_deref(), view.version), ("client", Some("ann"), Version::V311));
    assert_eq!(view.peer.map(|peer| peer.address), Some("192.0.2.1:5".into()));
    assert_eq!((view.subscriptions, view.received, view.sent, view.queued), (1, 1, 1, 0));
    house.wait(Duration::from_secs(5));
    house.lose(&client);
    house.rule_publishes("a", "y", false);
    let view = house.broker.clients().next().unwrap();
    assert_eq!((view.peer, view.since, view.queued), (None, house.now, 1));
    assert_eq!(view.last_error, Some("the connection was lost"));
}

#[test]
fn a_clock_that_is_set_moves_nothing_that_lasts_a_time() {
    for hours in [-5, 5] {
        let mut house = House::new();
        let client = house.connect(&Connect::lasting(Version::V5, "client"));
        house.subscribe(&client, "a", 1);
        house.lose(&client);
        let jump = jiff::SignedDuration::from_hours(hours);
        house.broker.clock_changed(jump);
        house.turn();
        house.wait(Duration::from_secs(500));
        // The process ends, and the next one goes by the clock as it is then.
        house.now += jump;
        house.restart();
        house.wait(Duration::from_secs(499));
        assert_eq!(house.broker.session_count(), 1);
        house.wait(Duration::from_secs(1));
        assert_eq!(house.broker.session_count(), 0);
    }
}
