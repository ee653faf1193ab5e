//! The daemon is killed ten times, at points that a fixed seed draws, while a client publishes: what was acknowledged to
//! the client is there, and what that had set off goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use rumqttc::{Client, Event, MqttOptions, Outgoing, Packet, QoS};

use super::clients::{Kind, sent};
use super::house::{Home, SETTINGS};
use super::survival::{has_clients, until};

const RULES: &str = "
rules:
  delay: { when: go/+n, then: [ { delay: 400ms }, { publish: \"to/delay/${n}\", payload: x, retain: true } ] }
  timeout: { when: go/+n, then: [ { wait: never, timeout: 400ms, on_timeout: continue }, { publish: \"to/timeout/${n}\", payload: x, retain: true } ] }
  hold: { when: { state: go/+n, to: x, for: 400ms }, then: { publish: \"to/hold/${n}\", payload: x, retain: true } }
  wait: { when: go/+n, then: [ { wait: finish }, { publish: \"to/wait/${n}\", payload: x, retain: true } ] }
  count: { when: go/+n, per: [], then: [ { remember: { last: \"${n}\" } }, { publish: \"to/memory/${n}\", payload: \"${memory.last}\", retain: true } ] }
";

/// What each message sets off.
const ENDS: [&str; 5] = ["delay", "timeout", "hold", "wait", "memory"];

const KILLS: usize = 10;

/// Publishes retained messages from number `first` on until the connection breaks, and tells which are acknowledged.
fn publish(broker: SocketAddr, first: usize, acknowledged: &Sender<usize>) {
    let mut options = MqttOptions::new("load", broker.ip().to_string(), broker.port());
    options.set_inflight(8);
    let (client, mut connection) = Client::new(options, 16);
    let publisher = std::thread::spawn(move || {
        for n in first.. {
            if client.publish(format!("go/{n}"), QoS::AtLeastOnce, true, "x").is_err() {
                return;
            }
        }
    });
    let (mut numbers, mut under_way) = (first.., BTreeMap::new());
    for event in connection.iter() {
        match event {
            Ok(Event::Outgoing(Outgoing::Publish(id))) => {
                under_way.insert(id, numbers.next().unwrap());
            }
            Ok(Event::Incoming(Packet::PubAck(acknowledgement))) => {
                // The test may have seen enough.
                let _ = acknowledged.send(under_way.remove(&acknowledgement.pkid).unwrap());
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    drop(connection);
    publisher.join().unwrap();
}

/// What is on disk.
fn rows(database: &std::path::Path) -> BTreeMap<String, String> {
    let database = rusqlite::Connection::open(database).unwrap();
    let mut statement = database.prepare("SELECT key, value FROM kept").unwrap();
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, text(row.get(1)?)))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn what_was_acknowledged_before_a_kill_is_kept_and_goes_on() {
    if !has_clients() {
        return;
    }
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    home.write("homerule.yaml", &format!("{SETTINGS}limits: {{ runs: 100000 }}\n"));
    let mut house = home.start();
    assert_eq!(house.get("/api/status")["rules"]["loaded"], ENDS.len());
    let database = house.home.file(".homerule/homerule.db");
    let mut random: u32 = 11;
    let mut next = |below: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % below
    };
    let mut acknowledged = BTreeSet::new();
    let mut landed: BTreeMap<&str, usize> = BTreeMap::new();
    for kill in 0..KILLS {
        let first = kill * 100_000;
        let (sender, receiver) = channel();
        let broker = house.mqtt;
        let client = std::thread::spawn(move || publish(broker, first, &sender));
        for _ in 0..next(40) + 5 {
            acknowledged.insert(receiver.recv().unwrap());
        }
        let end = Instant::now() + Duration::from_micros(next(2000).into());
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        house.end("KILL");
        client.join().unwrap();
        acknowledged.extend(receiver.iter());

        let rows = rows(&database);
        let mut note = |what, is_so: bool| *landed.entry(what).or_default() += usize::from(is_so);
        let runs = || rows.iter().filter(|(key, _)| key.starts_with("run/")).map(|(_, value)| value);
        note("a delay", runs().any(|run| run.contains("all:delay") && run.contains("\"waiting\":{\"Time\"")));
        note("a timer", runs().any(|run| run.contains("all:timeout") && !run.contains("\"timeout\":null")));
        note("a wait", runs().any(|run| run.contains("all:wait") && run.contains("\"waiting\":\"Ear\"")));
        let tracks = || rows.iter().filter(|(key, _)| key.starts_with("trigger/8/all:hold/")).map(|(_, value)| value);
        note("a hold", tracks().any(|track| track.contains("\"hold\":{")));
        // It is on disk, and the client doesn't know yet: between the commit and the acknowledgement.
        let is_unknown = |key: &String| {
            let number = key.strip_prefix("retained/go/").and_then(|number| number.parse().ok());
            number.is_some_and(|number: usize| !acknowledged.contains(&number))
        };
        note("a commit", rows.keys().any(is_unknown));
        for n in &acknowledged {
            assert!(rows.contains_key(&format!("retained/go/{n}")), "kill {kill}: go/{n} was acknowledged and is lost");
        }
        house.begin();
    }
    for what in ["a delay", "a timer", "a wait", "a hold", "a commit"] {
        assert!(landed.get(what).is_some_and(|kills| *kills > 0), "no kill landed during {what}: {landed:?}");
    }
    Kind::Mosquitto.publish(house.mqtt, &[sent("finish", "x")]);
    let missing = || {
        let rows = rows(&database);
        let wanted = acknowledged.iter().flat_map(|n| ENDS.map(|end| format!("retained/to/{end}/{n}")));
        wanted.filter(|key| !rows.contains_key(key)).collect::<Vec<_>>()
    };
    let end = Instant::now() + Duration::from_secs(5);
    while !missing().is_empty() && Instant::now() < end {}
    assert_eq!(missing(), Vec::<String>::new(), "of {} acknowledged", acknowledged.len());
    until("the daemon to be well", || house.get("/api/status")["healthy"] == true);
}
