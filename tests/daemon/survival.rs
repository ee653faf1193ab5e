//! What survives a clean stop and a `kill -9`: each line of the table in docs/operating.md.

use std::process::Command;
use std::time::{Duration, Instant};

use homerule::model::{Message, Origin, Payload, Qos, Topic};
use serde_json::{Value, json};

use super::clients::{Kind, Sent, sent};
use super::house::{House, until};
use crate::home::{Home, SETTINGS};

/// The ways in which a daemon ends.
const ENDS: [&str; 2] = ["TERM", "KILL"];

/// Publishes a message with `QoS` 1; it is acknowledged when this returns.
pub(crate) fn publish(house: &House, topic: &str, payload: &str) {
    Kind::Own.publish(house.mqtt, &[sent(topic, payload)]);
}

/// Returns what the daemon knows of `topic`.
pub(crate) fn state(house: &House, topic: &str) -> Value {
    let states = house.get("/api/state");
    states.as_array().unwrap().iter().find(|state| state["topic"] == topic).cloned().unwrap_or_default()
}

/// Returns what is on disk under `key`.
pub(crate) fn kept(house: &House, key: &str) -> String {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let path = house.home.file(".homerule/homerule.db");
    let Ok(database) = rusqlite::Connection::open_with_flags(path, flags) else { return String::new() };
    let found = database.query_row("SELECT value FROM kept WHERE key = ?1", [key], |row| row.get::<_, Vec<u8>>(0));
    String::from_utf8_lossy(&found.unwrap_or_default()).into_owned()
}

#[test]
fn retained_messages_survive_with_their_qos_and_are_no_news() {
    for end in ENDS {
        for version in [4, 5] {
            let rules = "rules: { seen: { when: home/tv, then: { to/seen: \"${payload}\" } } }";
            let mut house = House::with_rules(rules);
            for (topic, qos) in [("home/tv", 1), ("home/radio", 2)] {
                let message = Sent { topic, payload: "ON", qos, retain: true, version };
                Kind::Own.publish(house.mqtt, &[message]);
            }
            house.end(end);
            house.begin();
            let subscriber = Kind::Own.subscribe(house.mqtt, &["home/#"]);
            let mut messages = [subscriber.next(), subscriber.next()];
            messages.sort();
            assert_eq!(messages, ["1 home/radio ON", "1 home/tv ON"], "{end}, version {version}");
            assert_eq!(state(&house, "home/tv")["value"], "ON");
            // Had the retained message counted as news, this would not be the first.
            publish(&house, "home/tv", "OFF");
            assert_eq!(house.publication("to/seen")["payload"], "OFF");
        }
    }
}

#[test]
fn with_each_start_retained_messages_are_there_again_for_those_who_ask_for_them() {
    for end in ENDS {
        let rules =
            "rules: { seen: { when: { topic: home/+, retained: true }, then: { to/seen: \"${payload} ${origin}\" } } }";
        let mut house = House::with_rules(rules);
        for (topic, payload) in [("home/radio", "outdated"), ("home/tv", "ON")] {
            Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent(topic, payload) }]);
        }
        publish(&house, "home/radio", "OFF");
        until("what is late", || kept(&house, "topic/home/radio").contains("OFF"));
        house.end(end);
        house.begin();
        assert_eq!(house.publication("to/seen")["payload"], "ON retained", "{end}");
        publish(&house, "home/z", "z");
        // The radio has said something else since.
        assert_eq!(house.publication("to/seen")["payload"], "z live", "{end}");
    }
}

#[test]
fn a_retained_message_that_was_cleared_stays_cleared() {
    for end in ENDS {
        let mut house = House::with_rules("rules: {}");
        for payload in ["ON", ""] {
            let message = Sent { retain: true, ..sent("home/tv", payload) };
            Kind::Own.publish(house.mqtt, &[message]);
        }
        Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("home/z", "there") }]);
        house.end(end);
        house.begin();
        let subscriber = Kind::Own.subscribe(house.mqtt, &["home/#"]);
        assert_eq!(subscriber.next(), "1 home/z there", "{end}");
    }
}

#[test]
fn the_last_state_of_a_topic_survives_though_an_older_message_is_retained() {
    for end in ENDS {
        let mut house = House::with_rules("rules: {}");
        Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("home/tv", "OFF") }]);
        publish(&house, "home/tv", "ON");
        let before = state(&house, "home/tv");
        if end == "KILL" {
            until("what is late", || kept(&house, "topic/home/tv").contains("ON"));
        }
        house.end(end);
        house.begin();
        let after = state(&house, "home/tv");
        assert_eq!(after["value"], "ON", "{end}");
        assert_eq!((&after["at"], &after["changed_at"]), (&before["at"], &before["changed_at"]), "{end}");
    }
}

/// One rule for each thing that waits, all of them set off by `go`, and long enough that only what is due later can
/// be what a restart brought.
const WAITING: &str = "
rules:
  delay: { when: go, then: [ { to/delay: begun }, { delay: 3s }, { to/delay: done } ] }
  wait: { when: go, then: [ { wait: go/on, timeout: 1h }, { to/wait: heard } ] }
  timeout: { when: go, then: [ { wait: never, timeout: 3s, on_timeout: continue }, { to/timeout: over } ] }
  hold: { when: { state: go, to: now, for: 3s }, then: { to/hold: held } }
  linger: { while: \"state('go') == 'now' && state('go/on') != 'heard'\", linger: 1h, then: { to/linger: begun }, else: { to/linger: ended } }
  silent: { when: { silent: go, for: 3s }, then: { to/silent: silent } }
  repeat: { when: go, then: { repeat: { every: 3s, until: \"state('go/on') == 'heard'\" }, do: { to/repeat: \"${repeat.index}\" } } }
  memory: { when: go, then: [ { remember: { count: \"${(memory.count ?? 0) + 1}\" } }, { to/memory: \"${memory.count}\" } ] }
  cooled: { when: cool, cooldown: 1h, then: { to/cooled: ran } }
  switched: { when: flip, then: { to/switched: ran } }
  switch: { when: go, then: { disable: switched } }
";

#[test]
fn what_waits_goes_on_after_a_restart() {
    for end in ENDS {
        let mut house = House::with_rules(WAITING);
        publish(&house, "cool", "x");
        house.publication("to/cooled");
        publish(&house, "go", "now");
        house.end(end);
        house.begin();
        let mut published = std::collections::BTreeMap::new();
        for _ in 0..5 {
            let line = house.line("what was due", |line| line["event"] == "publish");
            published.insert(line["topic"].as_str().unwrap().to_owned(), line["payload"].clone());
        }
        let expected = json!({
            "to/delay": "done", "to/timeout": "over", "to/hold": "held", "to/silent": "silent", "to/repeat": "2"
        });
        assert_eq!(json!(published), expected, "{end}");

        // A restart is no new start of a `while`; `go/on` ends it only after its linger.
        publish(&house, "go/on", "heard");
        assert_eq!(house.publication("to/wait")["payload"], "heard");
        for nothing in ["cool", "flip"] {
            publish(&house, nothing, "x");
        }
        publish(&house, "go", "again");
        let next = house.line("a publication", |line| line["event"] == "publish");
        assert_eq!((&next["topic"], &next["payload"]), (&json!("to/delay"), &json!("begun")), "{end}");
        assert_eq!(house.publication("to/memory")["payload"], "2", "{end}");
        let rule = house.get("/api/rules/all%3Aswitched");
        assert_eq!(rule["enabled"], false, "{end}: {rule}");
    }
}

#[test]
fn what_fell_due_meanwhile_happens_at_once() {
    for end in ENDS {
        let mut house = House::with_rules("rules: { later: { when: go, then: [ { delay: 1s }, { to/later: x } ] } }");
        publish(&house, "go", "x");
        house.end(end);
        let ended = Instant::now();
        until("a second", || ended.elapsed() > Duration::from_secs(1));
        house.begin();
        house.publication("to/later");
        let trace = house.get("/api/traces?rule=all%3Alater");
        assert_eq!(trace[0]["outcome"], "finished", "{end}: {trace}");
    }
}

/// Writes a row as the daemon would have (FNV-1a of the key, 0xff and the value).
fn keep(house: &House, key: &str, value: &str) {
    let bytes = key.bytes().chain([0xff]).chain(value.bytes());
    let sum =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let database = rusqlite::Connection::open(house.home.file(".homerule/homerule.db")).unwrap();
    let row = rusqlite::params![key, value.as_bytes(), sum.cast_signed()];
    database.execute("INSERT INTO kept VALUES (?1, ?2, ?3)", row).unwrap();
}

#[test]
fn what_was_decided_and_had_not_left_is_sent_once_in_order_and_before_what_fell_due() {
    let rules =
        "rules: { late: { when: go, then: [ { delay: 1s }, { publish: home/z, payload: late, retain: true } ] } }";
    let mut house = House::with_rules(rules);
    publish(&house, "go", "x");
    house.end("KILL");
    let ended = Instant::now();
    let message = |topic: &str, payload: &str| {
        let payload = Payload::from_bytes(payload.as_bytes().to_vec());
        let (topic, qos) = (Topic::parse(topic).unwrap(), Qos::AtLeastOnce);
        Message { topic, payload, qos, retain: true, origin: Origin::Own, expires_at: None }
    };
    let (last, first) = ("outbox/00000000000000000100", "outbox/00000000000000000099");
    keep(&house, last, &json!([message("home/a", "3"), message("home/z", "early")]).to_string());
    keep(&house, first, &json!([message("home/a", "1"), message("home/a", "2")]).to_string());
    until("a second", || ended.elapsed() > Duration::from_secs(1));
    house.begin();
    house.publication("home/z");
    let subscriber = Kind::Own.subscribe(house.mqtt, &["home/#"]);
    let mut messages = [subscriber.next(), subscriber.next()];
    messages.sort();
    assert_eq!(messages, ["1 home/a 3", "1 home/z late"]);
    assert_eq!(state(&house, "home/a")["value"], 3);
    until("what has left to be forgotten", || [first, last].iter().all(|key| kept(&house, key).is_empty()));
    Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("home/a", "new") }]);
    house.end("KILL");
    house.begin();
    assert_eq!(Kind::Own.subscribe(house.mqtt, &["home/a"]).next(), "1 home/a new");
}

#[test]
fn traces_and_counters_do_not_survive_and_what_waits_for_clients_that_are_away_does() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    for end in ENDS {
        let mut house = House::with_rules("rules: { seen: { when: home/tv, then: { to/seen: x } } }");
        let away = ["-i", "away", "-c"];
        drop(Kind::Mosquitto.subscribe_with(house.mqtt, &["home/#", "to/#", "end"], &away));
        publish(&house, "home/tv", "meanwhile");
        house.publication("to/seen");
        until("a trace", || house.get("/api/traces") != json!([]));
        assert!(house.ask("GET", "/metrics", None).1.contains("homerule_runs_total 1\n"));
        house.end(end);
        house.begin();
        assert_eq!(house.get("/api/traces"), json!([]), "{end}");
        let metrics = house.ask("GET", "/metrics", None).1;
        assert!(metrics.contains("homerule_runs_total 0\n"), "{end}: {metrics}");
        let back = Kind::Mosquitto.subscribe_with(house.mqtt, &["home/#", "to/#", "end"], &away);
        publish(&house, "end", "x");
        assert_eq!(back.until("end"), ["0 home/tv meanwhile", "0 to/seen x"], "{end}");
    }
}

#[test]
fn what_rules_publish_for_a_client_that_is_not_back_is_held_for_it() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    for end in ENDS {
        let rules = "rules:
  motion: { when: home/motion, then: [ { lamp/set: ON }, { delay: 1s }, { lamp/set: OFF } ] }
  started: { when: { event: started }, then: { lamp/set: hello } }
";
        let mut house = House::with_rules(rules);
        // A clean session, which ends with the daemon.
        let lamp = Kind::Mosquitto.subscribe_with(house.mqtt, &["lamp/set"], &["-i", "lamp"]);
        publish(&house, "home/motion", "x");
        assert_eq!(lamp.next(), "0 lamp/set ON");
        house.end(end);
        lamp.kill();
        let ended = Instant::now();
        until("a second", || ended.elapsed() > Duration::from_secs(1));
        house.begin();
        house.publication("lamp/set");
        house.publication("lamp/set");
        let back = Kind::Mosquitto.subscribe_with(house.mqtt, &["lamp/set"], &["-i", "lamp"]);
        assert_eq!([back.next(), back.next()], ["0 lamp/set OFF", "0 lamp/set hello"], "{end}");
    }
}

#[test]
fn mqtt_5_properties_of_a_retained_message_survive() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    for end in ENDS {
        let mut house = House::with_rules("rules: {}");
        let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", &host, "-p", &port, "-V", "5", "-q", "1", "-r", "-t", "home/tv", "-m", "ON"]);
        command.args(["-D", "publish", "content-type", "text/tv"]);
        assert!(command.status().unwrap().success());
        let options = ["-V", "5", "-F", "message %r %t %p %C"];
        let shown = |house: &House| Kind::Mosquitto.subscribe_with(house.mqtt, &["home/tv"], &options).next();
        assert_eq!(shown(&house), "1 home/tv ON text/tv");
        house.end(end);
        house.begin();
        assert_eq!(shown(&house), "1 home/tv ON text/tv", "{end}");
    }
}

#[test]
fn a_run_that_waits_for_an_answer_fails_at_the_restart_and_nothing_is_asked_again() {
    for end in ENDS {
        let rules = "rules:
  exec: { when: go, then: [ { exec: [sleep, \"30\"], on_error: continue }, { to/exec: \"${exists('go')}\" } ] }
  http: { when: go, then: [ { http: { url: \"http://URL/\", timeout: 30s }, on_error: continue }, { to/http: went on } ] }
  ends: { when: go, then: [ { exec: [sleep, \"30\"] }, { to/ends: x } ] }
";
        // It takes connections and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let rules = rules.replace("URL", &silent.local_addr().unwrap().to_string());
        let home = Home::with(&[("rules/all.yaml", &rules)]);
        home.write("homerule.yaml", &format!("{SETTINGS}allow: {{ exec: [sleep], http: [\"*\"] }}\n"));
        let mut house = home.start();
        publish(&house, "go", "x");
        let asked = silent.accept().unwrap();
        house.end(end);
        house.begin();
        let mut topics = [(); 2].map(|()| {
            let line = house.line("a publication", |line| line["event"] == "publish");
            line["topic"].as_str().unwrap().to_owned()
        });
        topics.sort();
        assert_eq!(topics, ["to/exec", "to/http"], "{end}");
        let ended = house.get("/api/traces?rule=all%3Aends");
        assert_eq!(ended[0]["outcome"], "failed", "{end}: {ended}");
        silent.set_nonblocking(true).unwrap();
        assert!(silent.accept().is_err(), "{end}: it asked again");
        drop(asked);
    }
}
