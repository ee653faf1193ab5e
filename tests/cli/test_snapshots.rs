//! Tests that play a recording, and their snapshots: missing, accepted, differing, left over.

use super::tv::{TV, Watch};
use crate::home::Home;

const RECORDING: &str = r#"{"tst":"2024-06-01T18:00:00.000000Z","topic":"home/living/tv","qos":0,"retain":0,"payloadlen":2,"payload":"ON"}
{"tst":"2024-06-01T18:00:05.000000Z","topic":"home/hall/tv","qos":0,"retain":0,"payloadlen":2,"payload":"ON"}
"#;

const TESTS: &str = "\
location: { timezone: UTC }
tests:
  an evening:
    replay: ../recordings/evening.jsonl
    snapshot: evening.expected.jsonl
";

const SNAPSHOT: &str = "rules/evening.expected.jsonl";

fn home() -> Home {
    let files = [("rules/tv.yaml", TV), ("rules/tv.test.yaml", TESTS), ("recordings/evening.jsonl", RECORDING)];
    Home::new(&files)
}

#[test]
fn a_missing_snapshot_fails_and_says_how_it_is_written() {
    let home = home();
    let said = home.say(&["test"]);
    assert_eq!(
        said.out,
        "FAILED an evening
rules/tv.test.yaml:5:15: there is no snapshot `rules/evening.expected.jsonl` yet, and 2 messages were published; \
         `homerule test --accept` writes it

  18:00:00 home/living/light/set {\"state\":\"ON\",\"brightness\":80}   by tv:dim-lights
  18:00:05 home/hall/light/set {\"state\":\"ON\",\"brightness\":80}   by tv:dim-lights

0 passed, 1 failed
"
    );
    assert_eq!((said.status, home.path().join(SNAPSHOT).exists()), (1, false));
}

#[test]
fn what_is_accepted_passes_from_then_on_and_is_what_replay_writes() {
    let home = home();
    assert_eq!(home.say(&["test", "--accept"]).out, format!("accepted {SNAPSHOT}\n1 passed, 0 failed\n"));
    assert_eq!(home.read(SNAPSHOT), home.say(&["replay", "recordings/evening.jsonl", "--json"]).out);
    let said = home.say(&["test"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "1 passed, 0 failed\n", ""));
    // Nothing is left to be accepted.
    assert_eq!(home.say(&["test", "--accept"]).out, "1 passed, 0 failed\n");
    assert!(!home.path().join("rules/evening.expected.jsonl.new").exists());
}

#[test]
fn a_rule_that_decides_otherwise_differs_from_its_snapshot() {
    let home = home();
    home.say(&["test", "--accept"]);
    home.write("rules/tv.yaml", &TV.replace("msg == 'ON'", "msg == 'ON' and room == 'hall'").replace("80", "60"));
    let said = home.say(&["test"]);
    assert!(said.out.contains(", compared with the snapshot `rules/evening.expected.jsonl`; "), "{}", said.out);
    assert!(said.out.contains("brightness: expected 80, was 60"), "{}", said.out);
    assert!(said.out.contains("room == 'hall'"), "the condition that stopped it is told: {}", said.out);
    assert_eq!(said.status, 1);
    assert_eq!(home.say(&["test", "--accept"]).status, 0);
    assert_eq!(home.read(SNAPSHOT).lines().count(), 1);
}

#[test]
fn only_the_snapshots_of_tests_that_ran_are_written() {
    let home = home();
    let other = TESTS.replace("an evening", "another").replace("evening.exp", "other.exp");
    home.write("rules/other.test.yaml", &other);
    assert_eq!(home.say(&["test", "--accept", "--filter", "another"]).status, 0);
    let exists = |path: &str| home.path().join(path).exists();
    assert_eq!((exists("rules/other.expected.jsonl"), exists(SNAPSHOT)), (true, false));
}

#[test]
fn a_snapshot_that_no_test_names_is_told() {
    let home = home();
    home.say(&["test", "--accept"]);
    home.write("rules/old.expected.jsonl", "");
    let said = home.say(&["test"]);
    let told = "warning: rules/old.expected.jsonl isn't the snapshot of any test: delete it, or name it in a test's `snapshot:`\n";
    assert_eq!((said.status, said.err.as_str()), (0, told));
    assert_eq!(home.say(&["test", "rules/tv.test.yaml", "--filter", "evening"]).err, told);
}

#[test]
fn a_recording_with_a_broken_line_fails_and_is_never_accepted() {
    let home = home();
    home.write("recordings/evening.jsonl", &format!("{RECORDING}{{\"tst\":\n"));
    let said = home.say(&["test", "--accept"]);
    let told = "rules/tv.test.yaml:4:13: `recordings/evening.jsonl` can't be played whole: 1 line of it can't be read\n\n  line 3 was skipped: ";
    assert!(said.out.contains(told), "{}", said.out);
    assert_eq!((said.status, home.path().join(SNAPSHOT).exists()), (1, false));
}

#[test]
fn a_snapshot_that_cannot_be_read_is_written_anew_when_accepted() {
    let home = home();
    home.write(SNAPSHOT, "no line\n");
    let said = home.say(&["test"]);
    assert!(said.out.contains("the snapshot `rules/evening.expected.jsonl` can't be read"), "{}", said.out);
    assert_eq!(home.say(&["test", "--accept"]).status, 0);
    assert_eq!(home.say(&["test"]).status, 0);
}

#[test]
fn steps_go_on_after_the_last_message() {
    let home = home();
    let steps = "    steps:
      - expect: nothing
      - publish: home/bath/tv
        payload: ON
      - expect:
          - { topic: home/bath/light/set, at: \"18:00:05\" }
";
    home.write("rules/tv.test.yaml", &format!("{TESTS}{steps}"));
    let said = home.say(&["test", "--accept"]);
    assert!(said.out.ends_with("1 passed, 0 failed\n"), "{}", said.out);
    assert_eq!(home.read(SNAPSHOT).lines().count(), 2, "what steps lead to is no part of it");
}

#[test]
fn without_a_snapshot_the_steps_expect_what_was_published() {
    let home = home();
    let tests = "tests:
  an evening:
    replay: ../recordings/evening.jsonl
    steps:
      - expect:
          home/living/light/set: { any: true }
          home/hall/light/set: { any: true }
";
    home.write("rules/tv.test.yaml", tests);
    assert_eq!(home.say(&["test"]).out, "1 passed, 0 failed\n");
}

#[test]
fn paths_that_lead_nowhere_are_errors_for_check_and_test() {
    let home = home();
    let tests = "rules: vt.yaml
tests:
  a:
    replay: ../recordings/evenign.jsonl
    snapshot: a.jsonl
  b:
    replay: ../recordings/evening.jsonl
    snapshot: a.jsonl
    steps:
      - reload: tv.yaml:dim-light
";
    home.write("rules/tv.test.yaml", tests);
    for said in [home.say(&["check"]), home.say(&["test"])] {
        for told in [
            "error[HR096]: there are no rules at `rules/vt.yaml`",
            "did you mean `tv.yaml`?",
            "error[HR096]: there is no recording `recordings/evenign.jsonl`",
            "did you mean `evening.jsonl`?",
            "error[HR096]: `rules/tv.yaml` has no rule `dim-light`; did you mean `dim-lights`?",
            "error[HR097]: `rules/a.jsonl` is the snapshot of another test already, at rules/tv.test.yaml:5:15",
        ] {
            assert!(said.err.contains(told), "{told}\n{}", said.err);
        }
        assert_eq!(said.status, 1);
    }
}

#[test]
fn a_webhook_that_no_rule_hears_is_noted() {
    let rules = "rules:\n  bell:\n    when: { webhook: doorbell }\n    then: { home/bell: ring }\n";
    let tests = "tests:\n  t:\n    steps:\n      - webhook: doorbel\n";
    let home = Home::new(&[("rules/bell.yaml", rules), ("rules/bell.test.yaml", tests)]);
    let said = home.say(&["test"]);
    let told = "note rules/bell.test.yaml:2:3: in `t`, no rule hears the webhook `doorbel`; did you mean `doorbell`?\n";
    assert_eq!((said.out, said.status), (format!("{told}1 passed, 0 failed\n"), 0));
}

#[test]
fn watch_sees_what_becomes_of_a_recording_and_a_snapshot() {
    let home = home();
    let mut watch = Watch::start(&home);
    watch.until("0 passed, 1 failed");
    watch.until("waiting for a change; Ctrl+C ends");
    home.say(&["test", "--accept"]);
    watch.until("1 passed, 0 failed");
    watch.until("waiting for a change; Ctrl+C ends");
    home.write("recordings/evening.jsonl", RECORDING.lines().next().unwrap());
    watch.until("0 passed, 1 failed");
}

#[test]
fn what_is_odd_about_a_recording_is_warned_of_once() {
    let home = home();
    let lines: Vec<&str> = RECORDING.lines().collect();
    let foreign = "{\"tst\":\"2024-06-01T18:00:06.000000Z\",\"topic\":\"home/hall/light/set\",\"payload\":\"x\",\"payloadlen\":9}\n";
    home.write("recordings/evening.jsonl", &format!("{}\n{}\n{foreign}", lines[1], lines[0]));
    home.write(
        "rules/tv.test.yaml",
        &format!("{TESTS}  the same again:\n    replay: ../recordings/evening.jsonl\n    strict: false\n"),
    );
    home.say(&["test", "--accept"]);
    let said = home.say(&["test"]);
    assert_eq!((said.status, said.out.as_str()), (0, "2 passed, 0 failed\n"));
    insta::assert_snapshot!(said.err);
}
