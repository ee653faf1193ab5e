//! `homerule replay`: what rules would have published, and where two sets of rules decide differently.

use std::fs;
use std::process::Command;

use super::recording_formats::fixture;
use crate::home::{Home, Said};

const ROOMS: &str = "\
rules:
  dim-lights:
    when: home/+room/tv
    if: payload.contains('ON')
    then:
      - home/${room}/light/set: { state: ON, brightness: 80 }
      - delay: 1s
      - { publish: home/log, payload: '${room} at ${now.time}', retain: true, qos: 0 }
";

const SETTINGS: &str = "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n";

const EVENING: &str = r#"{"tst":"2024-06-01T18:00:00.000000Z","topic":"home/living/tv","qos":0,"retain":0,"payloadlen":2,"payload":"ON","origin":"live"}
{"tst":"2024-06-01T18:00:00.000000Z","topic":"home/living/light/set","qos":1,"retain":0,"payloadlen":30,"payload":"{\"state\":\"ON\",\"brightness\":80}","origin":"own","rule":"rooms:dim-lights"}
{"tst":"2024-06-01T18:10:00.500000Z","topic":"home/living/tv","qos":0,"retain":0,"payloadlen":3,"payload":"OFF","origin":"live"}
"#;

fn home() -> Home {
    Home::new(&[("homerule.yaml", SETTINGS), ("rules/rooms.yaml", ROOMS), ("recordings/evening.jsonl", EVENING)])
}

fn said(said: &Said) -> String {
    format!("{}\n--- {}\n{}", said.out, said.status, said.err)
}

#[test]
fn what_rules_would_have_published_is_a_line_each() {
    let said = home().say(&["replay", "recordings/evening.jsonl"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "\
2024-06-01 20:00:00.000  home/living/light/set {\"state\":\"ON\",\"brightness\":80}  rooms:dim-lights
2024-06-01 20:00:01.000  home/log living at 20:00:01  rooms:dim-lights
"
    );
}

#[test]
fn programs_read_recording_lines_with_rule_and_cause() {
    insta::assert_snapshot!(said(&home().say(&["replay", "recordings/evening.jsonl", "--json"])));
}

#[test]
fn a_recording_by_mosquitto_sub_replays_as_our_own_of_the_same_traffic() {
    let home = home();
    let replay = |name: &str| -> String {
        let said = home.say(&["replay", fixture(name).to_str().unwrap()]);
        assert_eq!(said.status, 0, "{said:?}");
        // The recorders read their clocks one after the other.
        said.out.lines().flat_map(|line| [line.get(25..).unwrap(), "\n"]).collect()
    };
    let ours = replay("homerule.jsonl");
    assert_eq!(
        ours.replace(|letter: char| letter.is_ascii_digit(), "0"),
        "\
home/living/light/set {\"state\":\"ON\",\"brightness\":00}  rooms:dim-lights
home/kitchen/light/set {\"state\":\"ON\",\"brightness\":00}  rooms:dim-lights
home/log living at 00:00:00  rooms:dim-lights
home/log kitchen at 00:00:00  rooms:dim-lights
home/living/light/set {\"state\":\"ON\",\"brightness\":00}  rooms:dim-lights
"
    );
    for name in [
        "mosquitto_j.jsonl",
        "mosquitto_j.jsonl.gz",
        "mosquitto_j.jsonl.zst",
        "mosquitto_berlin.jsonl",
        "mosquitto_json.jsonl",
        "mosquitto_uqrtlp.txt",
        "mqtt_recorder_b64.csv",
        "mqtt_recorder_rs.jsonl",
    ] {
        // `%J` leaves out payloads that aren't JSON.
        let wanted = if name == "mosquitto_json.jsonl" {
            ours.lines().filter(|line| !line.contains("kitchen")).flat_map(|line| [line, "\n"]).collect()
        } else {
            ours.clone()
        };
        assert_eq!(replay(name), wanted, "{name}");
    }
}

#[test]
fn a_line_that_cannot_be_read_is_told_and_the_exit_status_says_so() {
    let home = home();
    home.write(
        "broken.jsonl",
        &EVENING.replacen("\"payloadlen\":2", "\"payloadlen\":5", 1).replacen(
            ":0,\"retain\":0,\"payloadlen\":3",
            "",
            1,
        ),
    );
    insta::assert_snapshot!(said(&home.say(&["replay", "broken.jsonl"])));
}

#[test]
fn a_foreign_recording_with_commands_of_rules_is_warned_of() {
    let home = home();
    home.write(
        "foreign.txt",
        "2024-06-01T20:00:00+0200 home/living/tv ON\n2024-06-01T20:00:00+0200 home/living/light/set ON\n",
    );
    let said = home.say(&["replay", "foreign.txt"]);
    assert_eq!(said.status, 0);
    assert_eq!(
        said.err,
        "warning: foreign.txt: rules publish to `home/living/light/set`, and the recording has it too without saying who \
         published it; `--exclude home/living/light/set` leaves it out\n"
    );
    let said = home.say(&["replay", "foreign.txt", "--exclude", "home/+/light/set"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
}

#[test]
fn retained_messages_at_the_begin_only_fill_the_state() {
    let home = home();
    home.write("retained.jsonl", &EVENING.replace("\"retain\":0", "\"retain\":1").replace(",\"origin\":\"live\"", ""));
    let said = home.say(&["replay", "retained.jsonl"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
}

#[test]
fn retained_messages_at_the_begin_keep_their_qos() {
    let home = home();
    let rule =
        "rules: { qos: { when: { topic: home/+room/tv, retained: true }, then: { 'log/${room}': '${qos}' } } }\n";
    home.write("rules/rooms.yaml", rule);
    let line = |room: &str, qos: u8| {
        format!(r#"{{"tst":"2024-06-01T18:00:00Z","topic":"home/{room}/tv","qos":{qos},"retain":1,"payload":"ON"}}"#)
    };
    home.write("retained.jsonl", &[line("a", 0), line("b", 2)].join("\n"));
    let said = home.say(&["replay", "retained.jsonl"]);
    let line = |room: &str, qos: u8| format!("2024-06-01 20:00:00.000  log/{room} {qos}  rooms:qos\n");
    assert_eq!((said.status, said.out), (0, [line("a", 0), line("b", 2)].concat()));
}

#[test]
fn rules_that_fail_and_homes_without_rules_are_warned_of() {
    let home = home();
    home.write("rules/rooms.yaml", &ROOMS.replace("brightness: 80", "brightness: '${80 + msg.level}'"));
    home.write("twice.jsonl", &EVENING.replace("OFF", "ON!"));
    let said = home.say(&["replay", "twice.jsonl"]);
    assert_eq!((said.status, said.out.as_str()), (0, ""));
    insta::assert_snapshot!(said.err);
    let diff = home.say(&["replay", "twice.jsonl", "--diff", "."]);
    assert_eq!(diff.err, said.err.repeat(2));
    fs::remove_dir_all(home.path().join("rules")).unwrap();
    let said = home.say(&["replay", "recordings/evening.jsonl"]);
    assert_eq!((said.status, said.err.as_str()), (0, "warning: `.` has no rules: nothing is published\n"));
}

#[test]
fn two_homes_are_compared_by_their_decisions() {
    let home = home();
    home.write("other/homerule.yaml", SETTINGS);
    home.write("other/rules/rooms.yaml", &ROOMS.replace("80", "40").replace("delay: 1s", "delay: 2s"));
    insta::assert_snapshot!(said(&home.say(&["replay", "recordings/evening.jsonl", "--diff", "other"])));
    let same = home.say(&["replay", "recordings/evening.jsonl", "--diff", "."]);
    assert_eq!((same.status, same.out.as_str()), (0, "`.` and `.` decide the same\n"));
    let json = home.say(&["replay", "recordings/evening.jsonl", "--diff", "other", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let payloads = |key: &str| -> Vec<&str> {
        json[key].as_array().unwrap().iter().map(|line| line["payload"].as_str().unwrap()).collect()
    };
    assert_eq!(payloads("only_here"), ["{\"state\":\"ON\",\"brightness\":80}", "living at 20:00:01"]);
    assert_eq!(payloads("only_there"), ["{\"state\":\"ON\",\"brightness\":40}", "living at 20:00:02"]);
}

#[test]
fn a_change_is_compared_with_a_revision_of_git() {
    let home = home();
    let git = |arguments: &[&str]| {
        let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let output = Command::new("git").args(author).args(arguments).current_dir(home.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    home.write("rules/rooms.yaml", &ROOMS.replace("80", "40"));
    let said = home.say(&["replay", "recordings/evening.jsonl", "--diff", "git:HEAD"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""));
    assert_eq!(
        said.out,
        "\
+ only .
- only git:HEAD

rooms:dim-lights
  - 2024-06-01 20:00:00.000  home/living/light/set {\"state\":\"ON\",\"brightness\":80}
  + 2024-06-01 20:00:00.000  home/living/light/set {\"state\":\"ON\",\"brightness\":40}

1 only here, 1 only there
"
    );
    let said = home.say(&["replay", "recordings/evening.jsonl", "--diff", "git:nowhere"]);
    assert_eq!(
        (said.status, said.err.as_str()),
        (2, "error: git, asked for the rules of `.`, says: Not a valid object name nowhere\n")
    );
}

#[test]
fn what_cannot_be_replayed_is_told() {
    let home = home();
    for (arguments, status, told) in [
        (&["replay", "none.jsonl"][..], 2, "error: `none.jsonl` can't be read: no such file or directory\n"),
        (&["replay", "rules"][..], 2, "error: `rules` can't be read: it is a folder\n"),
        (&["replay", "--since", "1"][..], 2, "error: a duration needs a unit: use e.g. `1s`, `1m` or `1h`\n"),
        (
            &["replay", "--since", "1h"][..],
            2,
            "error: nothing is recorded in `./.homerule/recordings` yet: the daemon records while it runs (`homerule run`)\n",
        ),
        (
            &["replay", "homerule.yaml", "--exclude", "a/#/b"][..],
            2,
            "error: `a/#/b`: `#` must be the last level of a topic filter\n",
        ),
    ] {
        let said = home.say(arguments);
        assert_eq!((said.status, said.err.as_str()), (status, told), "{arguments:?}");
    }
    home.write("empty.jsonl", "");
    let said = home.say(&["replay", "empty.jsonl"]);
    assert_eq!((said.status, said.err.as_str()), (0, "warning: empty.jsonl: there are no messages in it\n"));
}

#[test]
fn rules_that_do_not_load_are_not_replayed() {
    let home = home();
    home.write("rules/broken.yaml", "rules:\n  a: { when: b/#/c }\n");
    let said = home.say(&["replay", "recordings/evening.jsonl"]);
    assert_eq!((said.status, said.out.as_str()), (1, ""));
    assert!(said.err.contains("rules/broken.yaml:2:"), "{}", said.err);
}

#[test]
fn only_the_rules_whose_decisions_changed_are_counted() {
    let home = home();
    let said = home.say(&["replay", "recordings/evening.jsonl", "--rules-changed"]);
    // The recording has one of both publications, by the same rule.
    assert_eq!(
        (said.status, said.out.as_str()),
        (1, "rooms:dim-lights  1 more, 0 fewer\n1 rule decides otherwise\n"),
        "{said:?}"
    );
    home.write("other/homerule.yaml", SETTINGS);
    home.write("other/rules/rooms.yaml", &ROOMS.replace("80", "90"));
    let said = home.say(&["replay", "recordings/evening.jsonl", "--diff", "other", "--rules-changed", "--json"]);
    let changed: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        changed,
        serde_json::json!([{ "rule": "rooms:dim-lights", "changed": 1, "only_here": 1, "only_there": 1 }])
    );
    home.write("other/rules/rooms.yaml", ROOMS);
    let said = home.say(&["replay", "recordings/evening.jsonl", "--diff", "other", "--rules-changed"]);
    assert_eq!((said.status, said.out.as_str()), (0, "no rule decides otherwise\n"));
}
