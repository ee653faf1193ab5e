//! Topics that are homerule's own, connections that never ask, and settings that break while the daemon runs.

use std::io::Write;
use std::net::TcpStream;

use super::clients::{Kind, Sent, sent};
use super::house::House;
use crate::home::{Home, homerule};

#[test]
fn what_clients_publish_to_our_topics_is_put_right_again_and_left_after_ten_times() {
    let mut house = House::with_rules("rules: { a: { when: in, then: { to/out: x } } }\n");
    for topic in ["homerule/status", "homerule/rule/all:a"] {
        let subscriber = Kind::Own.subscribe(house.mqtt, &[topic]);
        let mut ours = subscriber.next();
        // The rule's topic may not have been told of yet when we came.
        ours.replace_range(0..1, "0");
        for wrong in ["wrong", "", "again"] {
            Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent(topic, wrong) }]);
            assert_eq!(subscriber.next(), format!("0 {topic} {wrong}"));
            assert_eq!(subscriber.next(), ours);
        }
    }
    let log = house.end("TERM");
    assert!(!log.contains("left as it is"), "{log}");
}

#[test]
fn requests_that_never_end_keep_no_mqtt_client_out() {
    let mut house = House::with_rules("rules: { a: { when: in, then: { to/out: x } } }\n");
    let half: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(house.web).unwrap();
            stream.write_all(b"GET /api/status HTTP/1.1\r\n").unwrap();
            stream
        })
        .collect();
    Kind::Own.publish(house.mqtt, &[sent("in", "x")]);
    house.publication("to/out");
    let open = std::fs::read_dir(format!("/proc/{}/fd", house.id())).unwrap().count();
    assert!(open < 200, "{open} descriptors for {} half requests", half.len());
}

#[test]
fn a_zone_that_nobody_knows_is_refused() {
    let home = Home::with(&[]);
    let mut command = home.command();
    let run = command.env("TZ", "Europe/Belin").output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("`TZ=Europe/Belin` isn't a known time zone"), "{said}");
}

#[test]
fn status_finds_the_daemon_though_its_settings_are_broken_now() {
    let mut house = House::with_rules("rules: { a: { when: in, then: { to/out: x } } }\n");
    house.home.write("homerule.yaml", "web: { lisen: x }\n");
    assert_eq!(house.reloaded()["in_force"], false);
    let said = homerule(house.home.path(), &["status"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("homerule.yaml is NOT in force"), "{said:?}");
}
