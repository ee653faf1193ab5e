//! The daemon's recorder: what it leaves on the disk, and what is read of it while the daemon runs and after.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::house::{House, until};
use crate::home::{BINARY, Home, SETTINGS, command, homerule};

const RULES: &str = "\
rules:
  light: { when: home/+room/tv, if: msg == 'ON', then: { 'home/${room}/light/set': '40' } }
";

fn publish(house: &House, topic: &str, payload: &str) {
    let body = json!({ "topic": topic, "payload": payload }).to_string();
    assert_eq!(house.ask("POST", "/api/publish", Some(&body)).0, 202);
}

/// Runs `homerule` in the home, which needs no daemon for it.
fn say(house: &House, arguments: &[&str]) -> (i32, String, String) {
    let said = homerule(house.home.path(), arguments);
    (said.status, said.out, said.err)
}

/// Returns what is recorded, a message each: topic, payload, and who published it.
fn recorded(house: &House) -> Vec<String> {
    let (status, out, err) = say(house, &["record", "--since", "1h"]);
    if status == 2 {
        assert!(err.contains("nothing is recorded"), "{err}");
        return Vec::new();
    }
    assert_eq!((status, err.as_str()), (0, ""));
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| format!("{} {} {}", text(&line, "topic"), text(&line, "payload"), text(&line, "rule"))).collect()
}

fn files(house: &House) -> usize {
    fs::read_dir(house.home.file(".homerule/recordings")).map_or(0, Iterator::count)
}

fn size(house: &House) -> u64 {
    let Ok(entries) = fs::read_dir(house.home.file(".homerule/recordings")) else { return 0 };
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

#[test]
fn a_recording_of_a_homes_own_broker_says_what_rules_published() {
    let house = House::with_rules(RULES);
    let broker = house.mqtt.to_string();
    let publish = |arguments: &[&str]| {
        let (status, _, err) = say(&house, &[&["pub", "--broker", &broker], arguments].concat());
        assert_eq!((status, err.as_str()), (0, ""));
    };
    publish(&["-r", "home/known", "x"]);
    // Where the home's broker listens.
    let settings = Home::with(&[("homerule.yaml", &format!("broker: {{ listen: {broker} }}\n"))]);
    let mut command = command();
    let command =
        command.args(["record", "home/#", "--count", "3"]).current_dir(settings.path()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        (line["topic"].clone(), line["origin"].clone(), line["rule"].clone())
    });
    assert_eq!(lines.next(), Some(("home/known".into(), "retained".into(), Value::Null)));
    publish(&["home/hall/tv", "ON"]);
    assert_eq!(lines.next(), Some(("home/hall/tv".into(), Value::Null, Value::Null)));
    assert_eq!(lines.next(), Some(("home/hall/light/set".into(), "own".into(), "all:light".into())));
    assert_eq!((lines.next(), child.wait().unwrap().code()), (None, Some(0)));
}

#[test]
fn a_recording_is_played_to_a_broker_without_what_rules_published_then() {
    let mut house = House::with_rules(RULES);
    let lines = [
        r#"{"tst":"2024-06-01T18:00:00Z","topic":"home/known","qos":0,"retain":1,"payload":"x"}"#,
        r#"{"tst":"2024-06-01T18:00:00Z","topic":"home/den/light/set","qos":1,"payload":"60","origin":"own","rule":"all:light"}"#,
        r#"{"tst":"2024-06-01T18:10:00Z","topic":"home/den/tv","qos":2,"retain":0,"payload":"ON","origin":"live"}"#,
        r#"{"tst":"2024-06-01T18:10:00Z","topic":"home/left/out","qos":0,"payload":"x"}"#,
    ];
    house.home.write("evening.jsonl", &lines.join("\n"));
    let to = format!("mqtt://{}", house.mqtt);
    let arguments = ["replay", "evening.jsonl", "--to", &to, "--speed", "100000", "--exclude", "home/left/#"];
    assert_eq!(say(&house, &arguments), (0, String::new(), String::new()));
    house.publication("home/den/light/set");
    let state = house.get("/api/state?filter=home/%23");
    let told = |state: &Value| (state["topic"].clone(), state["payload"].clone(), state["retained"].clone());
    let states: Vec<_> = state.as_array().unwrap().iter().map(told).collect();
    assert_eq!(
        states,
        [
            ("home/den/light/set".into(), "40".into(), false.into()),
            ("home/den/tv".into(), "ON".into(), false.into()),
            ("home/known".into(), "x".into(), true.into()),
        ]
    );
    for speed in ["0", "-1", "inf", "nan", "fast"] {
        let (status, _, err) = say(&house, &["replay", "evening.jsonl", "--to", &to, &format!("--speed={speed}")]);
        assert!(status == 2 && err.starts_with("error: "), "{speed}: {err}");
    }
}

#[test]
fn what_passes_is_recorded_while_the_daemon_runs_and_replays_as_it_was_decided() {
    let mut house = House::with_rules(RULES);
    publish(&house, "home/hall/tv", "ON");
    house.publication("home/hall/light/set");
    until("the recording", || recorded(&house).len() == 2);
    assert_eq!(recorded(&house), ["home/hall/tv ON ", "home/hall/light/set 40 all:light"]);
    let (status, out, err) = say(&house, &["replay", "--since", "1h"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.ends_with("  home/hall/light/set 40  all:light\n") && out.lines().count() == 1, "{out}");
}

#[test]
fn a_kill_takes_at_most_the_last_second_and_a_stop_nothing() {
    let mut house = House::with_rules(RULES);
    publish(&house, "home/hall/tv", "ON");
    until("the recording", || recorded(&house).len() == 2);
    house.end("KILL");
    house.begin();
    publish(&house, "home/den/tv", "ON");
    house.publication("home/den/light/set");
    house.end("TERM");
    let wanted =
        ["home/hall/tv ON ", "home/hall/light/set 40 all:light", "home/den/tv ON ", "home/den/light/set 40 all:light"];
    assert_eq!(recorded(&house), wanted);
    assert_eq!(files(&house), 1, "it goes on with the file");
}

#[test]
fn the_recorder_is_switched_off_and_on_while_the_daemon_runs() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    home.write("homerule.yaml", &format!("{SETTINGS}recorder: off\n"));
    let mut house = home.start();
    publish(&house, "home/hall/tv", "one");
    house
        .home
        .write("homerule.yaml", &format!("{SETTINGS}recorder: {{ include: [\"home/#\"], exclude: [home/noise] }}\n"));
    assert_eq!(house.reloaded()["in_force"], true);
    for topic in ["home/hall/tv", "home/noise", "elsewhere"] {
        publish(&house, topic, "two");
    }
    until("the recording", || !recorded(&house).is_empty());
    house.home.write("homerule.yaml", &format!("{SETTINGS}recorder: off\n"));
    assert_eq!(house.reloaded()["in_force"], true);
    publish(&house, "home/hall/tv", "three");
    house.end("TERM");
    assert_eq!(recorded(&house), ["home/hall/tv two "]);
}

#[test]
fn a_disk_that_is_full_is_said_once_and_the_home_and_the_recording_go_on() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    // A shell's `trap ''` makes the system say no to a write beyond the limit, and not end the program.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" run \"$1\" --json", BINARY]).arg(home.path());
    let mut house = home.start_with(command);
    publish(&house, "home/hall/tv", "1");
    until("the recording", || recorded(&house).len() == 1);
    let limit = |house: &House, bytes: &str| {
        let arguments = ["--pid", &house.id().to_string(), &format!("--fsize={bytes}:unlimited")];
        assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
    };
    limit(&house, "0");
    let failing = |house: &House| house.get("/api/status")["recorder"]["failing"].as_str().map(str::to_owned);
    publish(&house, "home/hall/tv", "2");
    until("the failure", || failing(&house).is_some());
    assert!(failing(&house).unwrap().contains("nothing can be recorded in `"));
    publish(&house, "home/den/tv", "ON");
    house.publication("home/den/light/set");
    let known = house.get("/api/status")["recorder"]["lost"].as_u64();
    until("more to be lost", || house.get("/api/status")["recorder"]["lost"].as_u64() > known);
    limit(&house, "unlimited");
    publish(&house, "home/hall/tv", "3");
    until("the recording to go on", || recorded(&house).contains(&"home/hall/tv 3 ".to_owned()));
    assert_eq!(failing(&house), None);
    let log = house.end("TERM");
    assert_eq!(log.matches("nothing can be recorded in").count(), 1, "{log}");
    assert!(log.contains("Messages are recorded again"), "{log}");
    assert_eq!(recorded(&house), ["home/hall/tv 1 ", "home/hall/tv 3 "]);
}

#[test]
fn kills_during_a_burst_leave_recordings_that_are_read_without_a_complaint() {
    let mut house = House::with_rules(RULES);
    let mut known = Vec::new();
    for kill in 0..3 {
        let (client, mut connection) = rumqttc::Client::new(
            rumqttc::MqttOptions::new(format!("burst-{kill}"), house.mqtt.ip().to_string(), house.mqtt.port()),
            64,
        );
        let broker = std::thread::spawn(move || connection.iter().take_while(Result::is_ok).count());
        let publisher = std::thread::spawn(move || {
            let mut numbers = 0..;
            let publish =
                |n: i32| client.publish(format!("burst/{kill}"), rumqttc::QoS::AtLeastOnce, false, n.to_string());
            // The daemon is killed meanwhile.
            while numbers.next().is_some_and(|n| publish(n).is_ok()) {}
        });
        let before = size(&house);
        until("more to be recorded", || size(&house) > before + 10_000);
        let read = recorded(&house);
        house.end("KILL");
        broker.join().unwrap();
        publisher.join().unwrap();
        let after = recorded(&house);
        assert!(after.starts_with(&read) && read.starts_with(&known), "kill {kill}: what was recorded stays");
        let numbers = after.iter().filter_map(|line| line.strip_prefix(&format!("burst/{kill} "))?.trim().parse().ok());
        let numbers: Vec<usize> = numbers.collect();
        assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "kill {kill}: nothing is missing before the end");
        known = after;
        house.begin();
    }
}
