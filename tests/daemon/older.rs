//! Databases that earlier versions wrote, as they were when these were killed: all that was under way goes on.
//!
//! `tests/fixtures/kept` has what such a database holds, as SQL, and the rules that were in force. A database of a form that is no
//! longer written is added there before the form changes.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::clients::Kind;
use super::house::{House, PATIENCE, until};
use super::survival::{publish, state};
use crate::home::Home;

const RULES: &str = include_str!("../fixtures/kept/rules.yaml");

/// Starts a home with this database.
fn house(kept: &str) -> House {
    let home = Home::with(&[("rules/a.yaml", RULES)]);
    std::fs::create_dir_all(home.file(".homerule")).unwrap();
    rusqlite::Connection::open(home.file(".homerule/homerule.db")).unwrap().execute_batch(kept).unwrap();
    home.start()
}

/// Connects to a session that is kept, and returns it with whether it was there.
fn come_back(house: &House, version: u8, id: &str) -> (TcpStream, bool) {
    let properties: &[u8] = if version == 5 { &[5, 0x11, 255, 255, 255, 255] } else { &[] };
    let name = [&[0, u8::try_from(id.len()).unwrap()], id.as_bytes()].concat();
    let body = [&[0, 4, b'M', b'Q', b'T', b'T', version, 0, 0, 0], properties, &name].concat();
    let mut stream = TcpStream::connect(house.mqtt).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[&[0x10, u8::try_from(body.len()).unwrap()], &body[..]].concat()).unwrap();
    let answer = packet(&mut stream);
    assert_eq!((answer[0], answer[3]), (0x20, 0), "{answer:?}");
    let is_present = answer[2] == 1;
    (stream, is_present)
}

/// Returns the next packet, which is a short one.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body).unwrap();
    [&head[..], &body].concat()
}

/// Returns the payloads that wait for a session, of one letter each.
fn waiting(stream: &mut TcpStream, count: usize) -> String {
    (0..count).map(|_| char::from(*packet(stream).last().unwrap())).collect()
}

fn assert_rules_go_on(house: &mut House) {
    let rules = house.get("/api/rules");
    let off = rules.as_array().unwrap().iter().find(|rule| rule["id"] == "a:off").unwrap();
    assert_eq!(off["enabled"], false, "{off}");
    // What had run out meanwhile is over at the start, whenever that was.
    for (topic, payload) in [("out/slow/done", "two"), ("out/held", "held")] {
        until(topic, || state(house, topic)["value"] == payload);
    }
    publish(house, "in/go", "x");
    until("the wait to end", || state(house, "out/went")["value"] == "went");
    publish(house, "in/count", "x");
    until("what was remembered", || state(house, "out/count")["value"] == 8);
    publish(house, "in/temp", "25");
    until("the end of the heating, which had begun", || state(house, "out/heat")["value"] == "OFF");
}

#[test]
fn sessions_and_rules_of_the_first_own_broker_go_on() {
    let mut house = house(include_str!("../fixtures/kept/sessions.sql"));
    assert_rules_go_on(&mut house);
    let (mut old, is_present) = come_back(&house, 4, "dev-311");
    assert!(is_present);
    assert_eq!(waiting(&mut old, 5), "01201");
    let (mut new, is_present) = come_back(&house, 5, "dev-5");
    assert!(is_present);
    assert_eq!(waiting(&mut new, 3), "012");
    // It was told that this QoS 2 message had come, and says it again.
    let (mut half, is_present) = come_back(&house, 4, "half");
    assert!(is_present);
    let listener = Kind::Own.subscribe(house.mqtt, &["half", "ret/#"]);
    half.write_all(b"\x3c\x0b\x00\x04half\x00\x07one\x62\x02\x00\x07").unwrap();
    assert_eq!(packet(&mut half), [0x50, 2, 0, 7]);
    assert_eq!(packet(&mut half), [0x70, 2, 0, 7]);
    let mut kept: Vec<String> = (0..5).map(|_| listener.next()).collect();
    kept.sort();
    assert_eq!(kept, ["1 ret/many/0 0", "1 ret/many/1 1", "1 ret/many/2 2", "1 ret/plain ü plain", "1 ret/props with"]);
    publish(&house, "half", "another");
    assert_eq!(listener.next(), "0 half another", "it isn't delivered twice");
}

/// Before homerule had a broker of its own it kept no sessions, and retained messages in another form.
#[test]
fn rules_and_retained_messages_of_before_the_own_broker_go_on() {
    let mut house = house(include_str!("../fixtures/kept/retained.sql"));
    assert_rules_go_on(&mut house);
    let listener = Kind::Own.subscribe(house.mqtt, &["ret/#"]);
    let mut kept: Vec<String> = (0..5).map(|_| listener.next()).collect();
    kept.sort();
    assert_eq!(kept, ["1 ret/many/0 0", "1 ret/many/1 1", "1 ret/many/2 2", "1 ret/plain ü plain", "1 ret/props with"]);
    assert!(!come_back(&house, 4, "dev-311").1);
}
