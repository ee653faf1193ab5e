//! The daemon is killed ten times, at points that a fixed seed draws, while a client publishes: what was acknowledged to
//! the client is there, and what that had set off goes on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use super::clients::{Kind, sent};
use super::house::until;
use crate::home::{Home, SETTINGS};

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

/// How many messages are on their way at once.
const IN_FLIGHT: usize = 8;

/// Publishes retained messages from number `first` on until the connection breaks, and tells which are acknowledged. Speaks
/// MQTT 3.1.1 (`version` 4) or 5.
fn publish(broker: SocketAddr, version: u8, first: usize, acknowledged: &Sender<usize>) {
    // MQTT 5 has properties in both packets; there are none.
    let properties: &[u8] = if version == 5 { &[0] } else { &[] };
    let packet = |kind: u8, parts: &[&[u8]]| {
        let body = parts.concat();
        [&[kind, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
    };
    let mut stream = TcpStream::connect(broker).unwrap();
    stream.write_all(&packet(0x10, &[b"\0\x04MQTT", &[version, 2, 0, 60], properties, b"\0\x04load"])).unwrap();
    assert_eq!(read(&mut stream).unwrap().0, 0x20, "no CONNACK");
    let mut under_way: VecDeque<usize> = VecDeque::new();
    for n in first.. {
        let topic = format!("go/{n}");
        let id = u16::try_from(n % 60_000 + 1).unwrap().to_be_bytes();
        let message =
            packet(0x33, &[&[0, u8::try_from(topic.len()).unwrap()], topic.as_bytes(), &id, properties, b"x"]);
        if stream.write_all(&message).is_err() {
            return;
        }
        under_way.push_back(n);
        if under_way.len() < IN_FLIGHT {
            continue;
        }
        let Ok((kind, body)) = read(&mut stream) else { return };
        let oldest = under_way.pop_front().unwrap();
        let id = u16::try_from(oldest % 60_000 + 1).unwrap().to_be_bytes();
        assert_eq!((kind, &body[..2]), (0x40, id.as_slice()), "not the acknowledgement of the oldest message");
        // The test may have seen enough.
        let _ = acknowledged.send(oldest);
    }
}

/// Returns a packet's kind and what follows its length.
fn read(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 2];
    stream.read_exact(&mut header)?;
    assert!(header[1] < 128, "a long packet");
    let mut body = vec![0; header[1].into()];
    stream.read_exact(&mut body)?;
    Ok((header[0], body))
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
        let version = if kill % 2 == 0 { 4 } else { 5 };
        let client = std::thread::spawn(move || publish(broker, version, first, &sender));
        for _ in 0..next(40) + 5 {
            acknowledged.insert(receiver.recv().unwrap());
        }
        std::thread::sleep(Duration::from_micros(next(2000).into()));
        house.end("KILL");
        client.join().unwrap();
        acknowledged.extend(receiver.iter());

        let rows = rows(&database);
        let mut note = |what, is_so: bool| *landed.entry(what).or_default() += usize::from(is_so);
        let runs = || rows.iter().filter(|(key, _)| key.starts_with("run/")).map(|(_, value)| value);
        note("a delay", runs().any(|run| run.contains("all:delay") && run.contains("\"waiting\":{\"Time\"")));
        note("a timer", runs().any(|run| run.contains("all:timeout") && !run.contains("\"timeout\":null")));
        note("a wait", runs().any(|run| run.contains("all:wait") && run.contains("\"waiting\":\"OpenWait\"")));
        let tracks = || rows.iter().filter(|(key, _)| key.starts_with("trigger/8/all:hold/")).map(|(_, value)| value);
        note("a hold", tracks().any(|track| track.contains("\"hold\":{")));
        // It is on disk, and the client doesn't know yet: between the commit and the acknowledgement.
        let is_unknown = |key: &String| {
            let number = key.strip_prefix("mqtt/retained/go/").and_then(|number| number.parse().ok());
            number.is_some_and(|number: usize| !acknowledged.contains(&number))
        };
        note("a commit", rows.keys().any(is_unknown));
        for n in &acknowledged {
            assert!(
                rows.contains_key(&format!("mqtt/retained/go/{n}")),
                "kill {kill}: go/{n} was acknowledged and is lost"
            );
        }
        house.begin();
    }
    for what in ["a delay", "a timer", "a wait", "a hold", "a commit"] {
        assert!(landed.get(what).is_some_and(|kills| *kills > 0), "no kill landed during {what}: {landed:?}");
    }
    Kind::Own.publish(house.mqtt, &[sent("finish", "x")]);
    let missing = || {
        let rows = rows(&database);
        let wanted = acknowledged.iter().flat_map(|n| ENDS.map(|end| format!("mqtt/retained/to/{end}/{n}")));
        wanted.filter(|key| !rows.contains_key(key)).collect::<Vec<_>>()
    };
    let end = Instant::now() + Duration::from_secs(5);
    while !missing().is_empty() && Instant::now() < end {}
    assert_eq!(missing(), Vec::<String>::new(), "of {} acknowledged", acknowledged.len());
    until("the daemon to be well", || house.get("/api/status")["healthy"] == true);
}
