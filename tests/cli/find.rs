//! `homerule find`: when a condition held, in what was recorded.

use std::fs;

use crate::home::Home;

const RULES: &str = "\
rules:
  warn:
    when: { topic: door, payload: open }
    then: { home/notice: the door is open }
  airing: { while: state('door') == 'open' and state('window') == 'open' }
";

const SETTINGS: &str = "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n";

/// The door is open from 18:00 to 18:10, and from 18:20 on; the window from 18:05.
const RECORDING: &str = r#"{"tst":"2024-06-01T15:59:00.000000Z","topic":"lamp","qos":0,"retain":1,"payloadlen":3,"payload":"OFF"}
{"tst":"2024-06-01T16:00:00.000000Z","topic":"door","qos":0,"retain":0,"payloadlen":4,"payload":"open"}
{"tst":"2024-06-01T16:05:00.000000Z","topic":"window","qos":0,"retain":0,"payloadlen":4,"payload":"open"}
{"tst":"2024-06-01T16:10:00.000000Z","topic":"door","qos":0,"retain":0,"payloadlen":4,"payload":"shut"}
{"tst":"2024-06-01T16:20:00.000000Z","topic":"door","qos":0,"retain":0,"payloadlen":4,"payload":"open"}
{"tst":"2024-06-01T16:40:00.000000Z","topic":"lamp","qos":0,"retain":0,"payloadlen":2,"payload":"ON"}
"#;

fn home() -> Home {
    Home::new(&[("homerule.yaml", SETTINGS), ("rules/a.yaml", RULES), ("recordings/a.jsonl", RECORDING)])
}

#[test]
fn each_time_in_which_it_held_is_told_with_what_began_it() {
    let said = home().say(&["find", "state('door') == 'open'", "--recording", "recordings/a.jsonl"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "\
2024-06-01 18:00:00 to 2024-06-01 18:10:00  for 10m  since `door` said open
2024-06-01 18:20:00 and still at the end  since `door` said open
it held 2 times
"
    );
}

#[test]
fn programs_get_the_times_and_the_message() {
    let said = home().say(&["find", "state('door') == 'open'", "--recording", "recordings/a.jsonl", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        found,
        serde_json::json!([
            { "from": "2024-06-01T16:00:00Z", "to": "2024-06-01T16:10:00Z",
              "message": { "topic": "door", "payload": "open", "retain": false } },
            { "from": "2024-06-01T16:20:00Z", "to": null,
              "message": { "topic": "door", "payload": "open", "retain": false } },
        ])
    );
}

#[test]
fn time_may_begin_and_end_it_and_other_rules_may_be_asked() {
    let home = home();
    let find = |expression: &str| home.say(&["find", expression, "--recording", "recordings/a.jsonl"]).out;
    assert_eq!(
        find("state('door') == 'open' and age('door') >= 300"),
        "\
2024-06-01 18:05:00 to 2024-06-01 18:10:00  for 5m
2024-06-01 18:25:00 and still at the end
it held 2 times
"
    );
    assert!(find("holds('airing')").starts_with("2024-06-01 18:05:00 to 2024-06-01 18:10:00  for 5m"));
    // What a rule published is heard, too.
    let told = "2024-06-01 18:00:00 and still at the end  since `home/notice` said the door is open\nit held once\n";
    assert_eq!(find("state('home/notice') != ()"), told);
}

#[test]
fn what_never_held_is_a_no() {
    let said = home().say(&["find", "state('door') == 'ajar'", "--recording", "recordings/a.jsonl"]);
    assert_eq!((said.status, said.out.as_str()), (1, "it never held\n"));
}

#[test]
fn a_mistake_in_the_expression_is_shown_at_its_place() {
    let said = home().say(&["find", "state('door') == = 'open'", "--recording", "recordings/a.jsonl"]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("(expression).yaml"), "{said:?}");
    let said = home().say(&["find", "true", "--recording", "recordings/none.jsonl"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("`recordings/none.jsonl` can't be read"), "{said:?}");
}

#[test]
fn a_time_becomes_a_test_that_passes() {
    let home = home();
    let said = home.say(&[
        "find",
        "state('door') == 'open'",
        "--recording",
        "recordings/a.jsonl",
        "--as-test",
        "rules/door.test.yaml",
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    let text = fs::read_to_string(home.path().join("rules/door.test.yaml")).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(home.say(&["test"]).out, "1 passed, 0 failed\n");
    let again = home.say(&["find", "true", "--recording", "recordings/a.jsonl", "--as-test", "rules/door.test.yaml"]);
    assert!(again.err.contains("already exists"), "{again:?}");
}
