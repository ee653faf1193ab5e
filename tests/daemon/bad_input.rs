//! What clients and files can do wrong, and what the daemon does then: it goes on.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::clients::{Kind, Sent, sent};
use super::house::{House, PATIENCE};
use crate::home::{Home, ROOMY, SETTINGS};

const ECHO: &str = "rules: { echo: { when: 'in/#', then: { to/out: '${topic}' } } }\n";

/// Connects with MQTT 3.1.1, under an id of one letter.
fn connect(house: &House, id: u8) -> TcpStream {
    let mut stream = TcpStream::connect(house.mqtt).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01").unwrap();
    stream.write_all(&[id]).unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
    stream
}

/// Returns a PUBLISH with `QoS` 0, of whatever bytes.
fn publish_packet(topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut left = topic.len() + 2 + payload.len();
    loop {
        let (digit, rest) = (left % 128, left / 128);
        packet.push(u8::try_from(digit).unwrap() | if rest > 0 { 0x80 } else { 0 });
        left = rest;
        if left == 0 {
            break;
        }
    }
    packet.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
    packet.extend(topic);
    packet.extend(payload);
    packet
}

/// Publishes with a client of our own, to whatever bytes.
fn publish_raw(house: &House, topic: &[u8], payload: &[u8]) -> TcpStream {
    let mut stream = connect(house, b'r');
    // The broker may have closed the connection on what it saw of it.
    let _ = stream.write_all(&publish_packet(topic, payload));
    stream
}

fn assert_alive(house: &mut House) {
    let _open = publish_raw(house, b"in/alive", b"x");
    house.line("that it is alive", |line| line["event"] == "publish" && line["payload"] == "in/alive");
}

#[test]
fn a_topic_that_begins_with_an_umlaut_reaches_rules() {
    let mut house = House::with_rules("rules: { echo: { when: 'Übergang/+', then: { to/out: '${topic}' } } }\n");
    let _open = publish_raw(&house, "Übergang/licht".as_bytes(), b"an");
    assert_eq!(house.publication("to/out")["payload"], "Übergang/licht");
}

#[test]
fn a_publish_to_a_wildcard_ends_that_client_only() {
    let mut house = House::with_rules(ECHO);
    for topic in [&b"in/+"[..], b"in/#", b"in/\0", b"in/\xff", b""] {
        let mut client = publish_raw(&house, topic, b"x");
        let mut rest = Vec::new();
        // Closed, not timed out.
        let ended = client.read_to_end(&mut rest);
        assert!(ended.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true), "{topic:?}");
    }
    assert_alive(&mut house);
    let topics: Vec<_> = house.get("/api/state?filter=in/%23").as_array().unwrap().clone();
    assert_eq!(topics.len(), 1, "{topics:?}");
}

#[test]
fn a_publish_to_the_brokers_own_topics_reaches_nobody() {
    let mut house = House::with_rules(ECHO);
    let _open = publish_raw(&house, b"$SYS/broker/version", b"mine");
    assert_alive(&mut house);
    assert_eq!(house.get("/api/state?filter=$SYS/%23"), serde_json::json!([]));
}

#[test]
fn a_topic_with_a_control_character_reaches_nobody_since_others_would_close_their_connection() {
    let mut house = House::with_rules(ECHO);
    let topics = ["in/\n", "in/\u{1}", "in/\u{7f}", "in/\u{85}", "in/\u{ffff}"];
    let _open: Vec<_> = topics.map(|topic| publish_raw(&house, topic.as_bytes(), b"x")).into();
    assert_alive(&mut house);
    let known: Vec<_> = house.get("/api/state?filter=in/%23").as_array().unwrap().clone();
    assert_eq!(known.len(), 1, "{known:?}");
}

#[test]
fn a_payload_of_any_bytes_or_size_or_depth_is_taken() {
    let mut house = House::with_rules(ECHO);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = vec![b'x'; 250_000];
    for payload in [&b"\xff\xfe\x00"[..], &large, deep.as_bytes(), b"{\"a\":", b""] {
        let _open = publish_raw(&house, b"in/any", payload);
        assert_eq!(house.publication("to/out")["payload"], "in/any");
        let state = house.get("/api/state?filter=in/any");
        let text = std::str::from_utf8(payload).ok();
        assert_eq!(state[0]["payload"].as_str(), text);
    }
}

#[test]
fn a_packet_above_the_limit_ends_that_client_only() {
    let home = Home::with(&[("rules/all.yaml", ECHO)]);
    home.write("homerule.yaml", &SETTINGS.replace("broker: {", "broker: { limits: { packet: 1MiB },"));
    let mut house = home.start();
    let mut client = publish_raw(&house, b"in/large", &vec![b'x'; 3_000_000]);
    let mut rest = Vec::new();
    let ended = client.read_to_end(&mut rest);
    assert!(ended.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true));
    assert_alive(&mut house);
}

#[test]
fn what_is_no_mqtt_ends_that_client_only() {
    let mut house = House::with_rules(ECHO);
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\0", b"\x10\xff\xff\xff\xff"] {
        let mut stream = TcpStream::connect(house.mqtt).unwrap();
        stream.write_all(bytes).unwrap();
    }
    assert_alive(&mut house);
}

#[test]
fn retained_messages_of_rules_and_clients_are_kept_and_cleared() {
    let kind = Kind::Own;
    let mut house = House::with_rules(
        "rules: { keep: { when: in, then: { publish: to/kept, payload: '${payload}', retain: true } } }\n",
    );
    kind.publish(house.mqtt, &[sent("in", "1")]);
    house.publication("to/kept");
    let subscriber = kind.subscribe(house.mqtt, &["to/kept", "end"]);
    assert_eq!(subscriber.next(), "1 to/kept 1");
    kind.publish(house.mqtt, &[Sent { retain: true, ..sent("to/kept", "") }]);
    kind.publish(house.mqtt, &[sent("end", "x")]);
    assert_eq!(subscriber.until("end"), ["0 to/kept "]);
    let late = kind.subscribe(house.mqtt, &["to/kept", "end"]);
    kind.publish(house.mqtt, &[sent("end", "x")]);
    assert!(late.until("end").is_empty());
}

#[test]
fn a_rules_folder_that_cannot_be_read_is_shown() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::with(&[("rules/a.yaml", "rules: {}\n")]);
    let rules = home.file("rules");
    std::fs::set_permissions(&rules, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&rules).is_ok() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let house = home.start();
    let status = house.get("/api/status");
    std::fs::set_permissions(&rules, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(status["healthy"], false);
    assert_eq!(status["diagnostics"][0]["file"], "rules");
}

#[test]
fn a_burst_loses_nothing_and_keeps_its_order() {
    const MANY: usize = 3_000;
    let kind = Kind::Own;
    let rules = "rules: { pass: { when: in/x, then: { to/out: '${payload}' } } }\n";
    let home = Home::with(&[("rules/all.yaml", rules)]);
    home.write("homerule.yaml", ROOMY);
    let house = home.start();
    let subscriber = kind.subscribe(house.mqtt, &["to/out"]);
    let packets: Vec<u8> =
        (0..MANY).flat_map(|number| publish_packet(b"in/x", number.to_string().as_bytes())).collect();
    let mut publisher = connect(&house, b'p');
    publisher.write_all(&packets).unwrap();
    for number in 0..MANY {
        assert_eq!(subscriber.next(), format!("0 to/out {number}"));
    }
}

#[test]
fn a_subscriber_that_never_reads_holds_up_nobody() {
    let mut house = House::with_rules(ECHO);
    let mut stalled = connect(&house, b's');
    stalled.write_all(b"\x82\x06\x00\x01\x00\x01#\x01").unwrap();
    let mut suback = [0; 5];
    stalled.read_exact(&mut suback).unwrap();
    let mut publisher = connect(&house, b'p');
    // More than the system keeps for a connection.
    let packet = publish_packet(b"flood", &vec![b'x'; 500_000]);
    for _ in 0..30 {
        publisher.write_all(&packet).unwrap();
    }
    assert_alive(&mut house);
}
