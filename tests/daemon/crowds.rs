//! Many clients, many subscriptions and large messages at once: the broker takes them, and rules go on meanwhile.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::clients::{Kind, Sent, sent};
use super::hostile::{ECHO, assert_works, connect, count};
use super::house::{House, PATIENCE, until};
use crate::home::Home;

fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut left = body.len();
    loop {
        let low = u8::try_from(left % 128).unwrap();
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            return [packet, body.to_vec()].concat();
        }
    }
}

/// Returns the CONNECT of a client of 3.1.1; with `will`, of one that leaves that word on `will/ID`.
fn hello(id: &str, will: Option<&str>) -> Vec<u8> {
    let flags = if will.is_some() { 0x0e } else { 0x02 };
    let left = will.map(|word| [text(&format!("will/{id}")), text(word)].concat()).unwrap_or_default();
    packet(0x10, &[text("MQTT"), vec![4, flags, 0, 60], text(id), left].concat())
}

/// Opens so many connections, says hello on all of them, and only then waits for the answers.
fn crowd(house: &House, count: usize, will: Option<&str>) -> Vec<TcpStream> {
    let mut streams: Vec<TcpStream> = (0..count).map(|_| TcpStream::connect(house.mqtt).unwrap()).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&hello(&format!("crowd-{number}"), will)).unwrap();
    }
    for stream in &mut streams {
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).unwrap();
        assert_eq!(connack, [0x20, 2, 0, 0]);
    }
    streams
}

#[test]
fn nine_hundred_clients_may_come_at_once_again_and_again() {
    let mut house = House::with_rules(ECHO);
    for _ in 0..3 {
        let all = crowd(&house, 900, None);
        assert_eq!(count(&house, "broker_clients_connected"), 900);
        assert_works(&mut house);
        // Without a word, as after a power cut.
        drop(all);
        until("all to be gone", || count(&house, "broker_clients_connected") == 0);
    }
}

#[test]
fn when_many_go_at_once_each_will_comes_once() {
    let mut house = House::with_rules(ECHO);
    let listener = Kind::Own.subscribe(house.mqtt, &["will/+"]);
    drop(crowd(&house, 300, Some("gone")));
    let came: BTreeSet<String> = (0..300).map(|_| listener.next()).collect();
    assert_eq!(came.len(), 300);
    assert_works(&mut house);
    assert_eq!(count(&house, "broker_wills_total"), 300);
}

#[test]
fn pictures_of_three_megabytes_arrive_whole_and_hold_up_nobody() {
    let mut house = House::with_rules(ECHO);
    let screen = Kind::Own.subscribe(house.mqtt, &["camera/+"]);
    let picture = "x".repeat(3 << 20);
    for round in 0..4 {
        let topic = format!("camera/{round}");
        Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent(&topic, &picture) }]);
        assert_works(&mut house);
        assert_eq!(screen.next().len(), format!("0 {topic} ").len() + picture.len());
    }
    let late = Kind::Own.subscribe(house.mqtt, &["camera/+"]);
    for round in 0..4 {
        assert!(late.next().starts_with(&format!("1 camera/{round} xxx")));
    }
}

#[test]
fn a_client_may_have_ten_thousand_subscriptions_where_that_is_set() {
    let home = Home::with(&[("rules/all.yaml", ECHO)]);
    home.write(
        "homerule.yaml",
        "broker: { listen: \"127.0.0.1:0\", limits: { subscriptions: 10000 } }\nweb: { listen: \"127.0.0.1:0\" }\n",
    );
    let mut house = home.start();
    let mut client = connect(house.mqtt, "many");
    for hundred in 0..100_u16 {
        let filters = (0..100).flat_map(|one| [text(&format!("many/{hundred}/{one}")), vec![1]].concat());
        let body: Vec<u8> = [(hundred + 1).to_be_bytes().to_vec(), filters.collect()].concat();
        client.write_all(&packet(0x82, &body)).unwrap();
        let mut suback = [0; 104];
        client.read_exact(&mut suback).unwrap();
        assert!(suback[0] == 0x90 && suback[4..].iter().all(|code| *code == 1), "{suback:?}");
    }
    assert_works(&mut house);
    Kind::Own.publish(house.mqtt, &[sent("many/77/7", "here"), sent("many/99/99", "and here")]);
    for (topic, payload) in [("many/77/7", "here"), ("many/99/99", "and here")] {
        let mut head = [0; 2];
        client.read_exact(&mut head).unwrap();
        let mut body = vec![0; usize::from(head[1])];
        client.read_exact(&mut body).unwrap();
        assert!(body.starts_with(&text(topic)) && body.ends_with(payload.as_bytes()), "{body:?}");
    }
}
