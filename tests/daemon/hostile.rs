//! Hostile clients against the real daemon: none of them hurts another.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::clients::{Kind, sent};
use super::house::{House, PATIENCE, until};
use crate::home::Home;
use crate::net::Certificates;

pub(super) const ECHO: &str = "rules: { echo: { when: 'in/+', then: { to/out: '${payload}' } } }\n";

pub(super) fn count(house: &House, name: &str) -> u64 {
    let metrics = house.ask("GET", "/metrics", None).1;
    let line = metrics.lines().find(|line| line.starts_with(&format!("homerule_{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{name}: {metrics}"))
}

/// Connects with MQTT 3.1.1 under this id, and waits for the answer.
pub(super) fn connect(broker: SocketAddr, id: &str) -> TcpStream {
    let mut stream = TcpStream::connect(broker).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    let head = [0x10, 12 + length(id), 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, length(id)];
    stream.write_all(&[&head, id.as_bytes()].concat()).unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).unwrap();
    assert_eq!(connack[3], 0, "{id}");
    stream
}

pub(super) fn assert_works(house: &mut House) {
    Kind::Own.publish(house.mqtt, &[sent("in/x", "alive")]);
    assert_eq!(house.publication("to/out")["payload"], "alive");
}

/// A home that lets clients be silent for so long, with a listener for each kind of handshake.
fn impatient(connect_timeout: &str, connections: usize) -> (House, Vec<SocketAddr>) {
    let certificates = Certificates::new();
    let home = Home::with(&[("rules/all.yaml", ECHO)]);
    for file in ["server.pem", "server.key"] {
        std::fs::copy(certificates.path(file), home.file(file)).unwrap();
    }
    home.write(
        "homerule.yaml",
        &format!(
            "broker:\n  listen:\n    - 127.0.0.1:0\n    - {{ address: \"127.0.0.1:0\", tls: {{ certificate: server.pem, key: server.key }} }}\n    \
             - {{ address: \"127.0.0.1:0\", websocket: true }}\n  limits: {{ connect_timeout: {connect_timeout}, connections: {connections} }}\n\
             web: {{ listen: \"127.0.0.1:0\" }}\n"
        ),
    );
    let house = home.start();
    let listen = house.get("/api/status")["listen"].clone();
    let address = |url: &serde_json::Value| url.as_str().unwrap().split("://").nth(1).unwrap().parse().unwrap();
    let addresses = listen.as_array().unwrap().iter().take(3).map(address).collect();
    (house, addresses)
}

#[test]
fn silent_peers_are_dropped_whatever_they_came_by() {
    let (mut house, addresses) = impatient("1s", 1000);
    let mut silent: Vec<TcpStream> = addresses.iter().map(|address| TcpStream::connect(address).unwrap()).collect();
    // One that begins to say who it is, and goes no further.
    silent[0].write_all(b"\x10\x0d\x00\x04MQ").unwrap();
    for mut peer in silent {
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        assert!(peer.read_to_end(&mut rest).is_ok(), "it is closed, not waited for");
    }
    assert_works(&mut house);
    until("the handshakes to be counted", || count(&house, "broker_failed_handshakes_total") == 2);
}

#[test]
fn half_open_handshakes_keep_nobody_out() {
    let (mut house, addresses) = impatient("10m", 100);
    // More than may be under way: the oldest make room.
    let halves: Vec<TcpStream> =
        (0..330).map(|number| TcpStream::connect(addresses[1 + number % 2]).unwrap()).collect();
    assert_works(&mut house);
    let mut newcomer = TcpStream::connect(addresses[2]).unwrap();
    newcomer.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        addresses[2]
    );
    newcomer.write_all(request.as_bytes()).unwrap();
    let mut line = [0; 12];
    newcomer.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 101");
    drop(halves);
}

#[test]
fn one_beyond_the_limit_is_closed_counted_and_logged_and_finds_room_later() {
    let (mut house, addresses) = impatient("10s", 3);
    let mut clients: Vec<TcpStream> = ["a", "b", "c"].map(|id| connect(addresses[0], id)).into();
    let mut beyond = TcpStream::connect(addresses[0]).unwrap();
    beyond.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    assert!(matches!(beyond.read_to_end(&mut rest), Ok(0)));
    assert_eq!(count(&house, "broker_too_many_connections_total"), 1);
    clients.clear();
    until("room", || count(&house, "broker_clients_connected") == 0);
    assert_works(&mut house);
    assert!(house.end("TERM").contains("as many as `broker.limits.connections` allows"));
}

#[test]
fn a_storm_of_takeovers_leaves_one_connection_and_one_line() {
    let mut house = House::with_rules(ECHO);
    let mut old: Vec<TcpStream> = (0..200).map(|_| connect(house.mqtt, "storm")).collect();
    let last = old.pop().unwrap();
    for mut stream in old {
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).is_ok());
    }
    assert_eq!((count(&house, "broker_takeovers_total"), count(&house, "broker_clients_connected")), (199, 1));
    assert_works(&mut house);
    drop(last);
    let log = house.end("TERM");
    assert_eq!(log.matches("its old connection was closed").count(), 1, "{log}");
}

#[test]
fn a_reader_that_stalls_has_a_full_queue_and_delays_nobody() {
    let home = Home::with(&[("rules/all.yaml", ECHO)]);
    home.write(
        "homerule.yaml",
        "broker: { listen: \"127.0.0.1:0\", limits: { queued_messages: 50 } }\nweb: { listen: \"127.0.0.1:0\" }\n",
    );
    let mut house = home.start();
    let alerts = Kind::Own.subscribe(house.mqtt, &["homerule/alert"]);
    let mut stalled = connect(house.mqtt, "stalled");
    stalled.write_all(b"\x82\x0a\x00\x01\x00\x05flood\x01").unwrap();
    let mut suback = [0; 5];
    stalled.read_exact(&mut suback).unwrap();
    let flood: Vec<_> = (0..500).map(|_| sent("flood", "x")).collect();
    let began = Instant::now();
    Kind::Own.publish(house.mqtt, &flood);
    assert!(began.elapsed() < Duration::from_secs(20), "its publisher isn't delayed");
    let alert = alerts.next();
    assert!(alert.contains("\"kind\":\"queue_full\"") && alert.contains("`stalled`"), "{alert}");
    let clients = house.get("/api/clients");
    let stalled = clients.as_array().unwrap().iter().find(|client| client["id"] == "stalled").unwrap();
    assert_eq!((&stalled["queued"], &stalled["dropped"]), (&50.into(), &450.into()), "{stalled}");
    assert_works(&mut house);
}

#[test]
fn garbage_ends_the_connection_that_sent_it() {
    let mut house = House::with_rules(ECHO);
    let mut random: u32 = 7;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random.to_be_bytes()[0]
    };
    for round in 0..200 {
        let bytes: Vec<u8> = (0..64).map(|_| next()).collect();
        let mut stream = TcpStream::connect(house.mqtt).unwrap();
        // It may be closed before all of it was written.
        let _ = stream.write_all(&bytes);
        if round % 2 == 0 {
            let mut stream = connect(house.mqtt, "garbage");
            let _ = stream.write_all(&bytes);
        }
    }
    assert_works(&mut house);
    until("all to be gone", || count(&house, "broker_clients_connected") <= 1);
}
