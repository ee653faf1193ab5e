//! `record --since` and `replay --since`: what the daemon's recorder has left in the home.

use crate::home::Home;

const ROOMS: &str = "\
rules:
  dim: { when: home/+room/tv, if: \"msg == 'ON' and state('home/mode') == 'evening'\", then: { 'home/${room}/light/set': '40' } }
";

/// A file of the first evening.
const FIRST: &str = r#"{"tst":"2026-06-01T18:00:00.000000Z","topic":"home/mode","qos":1,"retain":0,"payloadlen":7,"payload":"evening","origin":"live","client":"phone"}
{"tst":"2026-06-01T18:30:00.000000Z","topic":"home/hall/tv","qos":1,"retain":0,"payloadlen":2,"payload":"ON","origin":"live","client":"tv"}
{"tst":"2026-06-01T18:30:00.000000Z","topic":"home/hall/light/set","qos":1,"retain":0,"payloadlen":2,"payload":"40","origin":"own","rule":"rooms:dim","cause":{"kind":"message","sequence":2,"topic":"home/hall/tv","origin":"live","depth":0,"run":null}}
"#;

/// A file of the second one; it begins with what was known, and a kill broke off its last line.
const SECOND: &str = r#"{"tst":"2026-06-02T18:00:00.000000Z","topic":"home/hall/tv","qos":0,"retain":1,"payloadlen":2,"payload":"ON","origin":"restored"}
{"tst":"2026-06-02T18:00:00.000000Z","topic":"home/mode","qos":0,"retain":1,"payloadlen":7,"payload":"evening","origin":"restored"}
{"tst":"2026-06-02T18:00:01.000000Z","topic":"home/den/tv","qos":1,"retain":0,"payloadlen":2,"payload":"ON","origin":"live","client":"tv"}
{"tst":"2026-06-02T18:30:00.000000Z","topic":"home/attic/tv","qos":1,"retain":0,"payloadlen":2,"payload":"ON","origin":"live"}
{"tst":"2026-06-02T18:30:0"#;

fn home() -> Home {
    Home::new(&[
        ("homerule.yaml", "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n"),
        ("rules/rooms.yaml", ROOMS),
        (".homerule/recordings/2026-06-01T180000Z.jsonl", FIRST),
        (".homerule/recordings/2026-06-02T180000Z.jsonl", SECOND),
    ])
}

#[test]
fn what_was_recorded_since_a_time_is_written_as_it_was_recorded() {
    let home = home();
    let said = home.say(&["record", "--since", "2026-06-01T18:10:00Z"]);
    let lines: Vec<&str> = FIRST.lines().skip(1).chain(SECOND.lines().skip(2).take(2)).collect();
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(said.out.lines().collect::<Vec<_>>(), lines);
    let said = home.say(&["record", "--since", "2026-06-01", "home/+/light/set", "-o", "lights.jsonl"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
    assert_eq!(home.read("lights.jsonl").lines().collect::<Vec<_>>(), [FIRST.lines().nth(2).unwrap()]);
    let said = home.say(&["record", "--since", "1s"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
}

#[test]
fn a_replay_since_a_time_knows_what_was_known_then() {
    let home = home();
    let said = home.say(&["replay", "--since", "2026-06-02T18:10:00Z"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(said.out, "2026-06-02 20:30:00.000  home/attic/light/set 40  rooms:dim\n");
    let said = home.say(&["replay", "--since", "2026-06-01T00:00:00Z"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "\
2026-06-01 20:30:00.000  home/hall/light/set 40  rooms:dim
2026-06-02 20:00:01.000  home/den/light/set 40  rooms:dim
2026-06-02 20:30:00.000  home/attic/light/set 40  rooms:dim
"
    );
    let said = home.say(&["replay", "--since", "1s"]);
    assert_eq!(said.err, "warning: ./.homerule/recordings: there are no messages in it\n");
}

#[test]
fn a_damaged_line_in_the_middle_is_told_with_its_file_and_the_rest_is_read() {
    let home = home();
    home.write(".homerule/recordings/2026-06-01T180000Z.jsonl", &FIRST.replace("ON\",\"origin", "ON\0"));
    let told = "error: ./.homerule/recordings: 2026-06-01T180000Z.jsonl, line 2 was skipped: not JSON: \
                control character (\\u0000-\\u001F) found while parsing a string\n";
    for command in ["replay", "record"] {
        let said = home.say(&[command, "--since", "2026-06-01"]);
        assert_eq!((said.status, said.err.as_str()), (1, told), "{command}");
        assert!(said.out.contains("home/den/") && said.out.contains("home/attic/"), "{}", said.out);
    }
}

#[test]
fn nothing_recorded_yet_is_told_with_what_to_do() {
    let home = Home::new(&[("rules/rooms.yaml", ROOMS)]);
    for command in ["replay", "record"] {
        let said = home.say(&[command, "--since", "1h"]);
        assert_eq!(
            (said.status, said.err.as_str()),
            (
                2,
                "error: nothing is recorded in `./.homerule/recordings` yet: the daemon records while it runs \
                 (`homerule run`)\n"
            )
        );
    }
    home.write("homerule.yaml", "recorder: off\ndata: elsewhere\n");
    let said = home.say(&["replay", "--since", "1h"]);
    assert_eq!(
        (said.status, said.err.as_str()),
        (
            2,
            "error: nothing is recorded in `./elsewhere/recordings`: `recorder` is off in homerule.yaml; take that out, \
             and the daemon records\n"
        )
    );
    for (since, told) in [
        ("yesterday", "error: `yesterday` isn't a valid duration; use e.g. `30s`, `5m`, `1h30m` or `2d`\n"),
        ("30", "error: a duration needs a unit: use e.g. `30s`, `30m` or `30h`\n"),
        ("29:00", "error: `29:00` isn't a valid time; write `24h`, `20:10` or `2024-06-01T20:10`\n"),
    ] {
        let said = home.say(&["record", "--since", since]);
        assert_eq!((said.status, said.err.as_str()), (2, told));
    }
}

/// The second evening with what the rule then published, a moment late.
fn home_with_decisions() -> Home {
    let home = home();
    let own = |room: &str, time: &str| {
        format!(
            r#"{{"tst":"{time}","topic":"home/{room}/light/set","qos":1,"retain":0,"payloadlen":2,"payload":"40","origin":"own","rule":"rooms:dim","cause":{{"kind":"message","sequence":2,"topic":"home/{room}/tv","origin":"live","depth":0,"run":7}}}}"#
        )
    };
    let lines: Vec<&str> = SECOND.lines().collect();
    let den = own("den", "2026-06-02T18:00:01.000000Z");
    let attic = own("attic", "2026-06-02T18:30:00.250000Z");
    let person = own("cellar", "2026-06-02T18:31:00.000000Z").replace(r#""kind":"message""#, r#""kind":"person""#);
    let text = [lines[0], lines[1], lines[2], &den, lines[3], &attic, &person].map(|line| format!("{line}\n")).concat();
    home.write(".homerule/recordings/2026-06-02T180000Z.jsonl", &text);
    home
}

#[test]
fn rules_that_decide_as_they_did_pass_against_the_recorder() {
    let said = home_with_decisions().say(&["test", "--from-recorder=2026-06-01"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "3 publications of rules compared, fed with 4 messages of clients; 1 that a person, a webhook, a client or the \
         daemon itself set off are left out\n1 passed, 0 failed\n"
    );
}

#[test]
fn rules_that_decide_as_they_did_fail_if_they_break_an_invariant() {
    let home = home_with_decisions();
    home.write("rules/dim.yaml", "invariants: { dim: { never: \"any('home/+/light/set', 40)\" } }\n");
    let said = home.say(&["test", "--from-recorder=2026-06-01"]);
    assert_eq!(said.status, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("the invariant `dim:dim` is broken: "), "{}", said.out);
    assert!(said.out.ends_with("0 passed, 1 failed\n"), "{}", said.out);
    let said = home.say(&["test", ".", "--from-recorder=2026-06-01", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&answer["failed"], &answer["invariants"][0]["broken"]), (&1.into(), &true.into()), "{answer}");
}

#[test]
fn what_was_due_before_the_begin_of_a_recording_is_not_compared() {
    let home = Home::new(&[("rules/all.yaml", "rules: { tick: { when: { every: 1h }, then: { home/tick: x } } }\n")]);
    let tick = |time: &str, due: &str| {
        format!(
            r#"{{"tst":"{time}","topic":"home/tick","qos":1,"retain":0,"payloadlen":1,"payload":"x","origin":"own","rule":"all:tick","cause":{{"kind":"time","due":"{due}","late":false,"depth":0,"run":1}}}}"#
        )
    };
    let first = tick("2026-06-01T18:00:00.003000Z", "2026-06-01T18:00:00Z");
    let second = tick("2026-06-01T19:00:00.003000Z", "2026-06-01T19:00:00Z");
    let end = FIRST.lines().next().unwrap().replace("18:00", "19:30");
    home.write(".homerule/recordings/2026-06-01T180000Z.jsonl", &format!("{first}\n{second}\n{end}\n"));
    let said = home.say(&["test", "--from-recorder=2026-06-01"]);
    assert_eq!(said.out, "1 publication of rules compared, fed with 1 message of clients\n1 passed, 0 failed\n");
}

#[test]
fn what_the_first_message_of_a_recording_led_to_is_compared() {
    let own = FIRST.lines().nth(2).unwrap();
    let mode = FIRST.lines().next().unwrap().replace("18:00", "18:30").replace("home/mode", "home/hall/tv");
    let home = home();
    home.write("rules/rooms.yaml", &ROOMS.replace("msg == 'ON' and state('home/mode') == 'evening'", "true"));
    home.write(".homerule/recordings/2026-06-01T180000Z.jsonl", &format!("{mode}\n{own}\n"));
    std::fs::remove_file(home.path().join(".homerule/recordings/2026-06-02T180000Z.jsonl")).unwrap();
    let said = home.say(&["test", "--from-recorder=2026-06-01"]);
    assert_eq!(said.out, "1 publication of rules compared, fed with 1 message of clients\n1 passed, 0 failed\n");
}

#[test]
fn rules_that_decide_otherwise_than_they_did_are_told_by_rule() {
    let home = home_with_decisions();
    home.write("rules/rooms.yaml", &ROOMS.replace("msg == 'ON' and", "room != 'attic' and").replace("'40'", "'60'"));
    let said = home.say(&["test", "--from-recorder=2026-06-02T18:00:00Z"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""));
    assert_eq!(
        said.out,
        "\
2 publications of rules compared, fed with 2 messages of clients; 1 that a person, a webhook, a client or the daemon itself \
set off are left out
+ only now
- only then

rooms:dim
  - 2026-06-02 20:00:01.000  home/den/light/set 40
  + 2026-06-02 20:00:01.000  home/den/light/set 60
  - 2026-06-02 20:30:00.250  home/attic/light/set 40

0 passed, 1 failed
"
    );
    let said = home.say(&["test", ".", "--from-recorder=2026-06-02T18:00:00Z", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&answer["passed"], &answer["failed"]), (&0.into(), &1.into()));
    assert_eq!(answer["tests"][0]["outcome"], "failed");
    let topics = |key: &str| -> Vec<&str> {
        answer[key].as_array().unwrap().iter().map(|line| line["topic"].as_str().unwrap()).collect()
    };
    assert_eq!(topics("only_here"), ["home/den/light/set"]);
    assert_eq!(topics("only_there"), ["home/den/light/set", "home/attic/light/set"]);
}

#[test]
fn a_test_from_the_recorder_takes_one_home() {
    let said = home().say(&["test", "rules/rooms.yaml", "--from-recorder"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: `--from-recorder` takes one home's folder\n"));
    let said = Home::new(&[("rules/rooms.yaml", ROOMS)]).say(&["test", "--from-recorder"]);
    assert!(said.status == 2 && said.err.contains("nothing is recorded in"), "{said:?}");
}
