//! What `homerule test` says of a test that fails: all that a stranger needs.

use super::tv::{TV, tv_with_tests};
use crate::home::Home;

fn report(tests: &str) -> String {
    let said = tv_with_tests(tests).say(&["test"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""), "{}", said.out);
    said.out
}

#[test]
fn tests_that_pass_are_only_counted() {
    let said = tv_with_tests(
        "\
tests:
  the lights follow the TV:
    steps:
      - { publish: home/living/tv, payload: ON }
      - expect: { home/living/light/set: { state: ON, brightness: 80 } }
  off is off:
    steps:
      - { publish: home/living/tv, payload: OFF }
      - expect: nothing
",
    )
    .say(&["test"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "2 passed, 0 failed\n", ""));
}

#[test]
fn a_publication_that_differs_is_told_key_by_key() {
    insta::assert_snapshot!(report(
        "\
tests:
  the lights follow the TV:
    at: 2024-06-01T20:00:00
    steps:
      - { publish: home/living/tv, payload: ON }
      - expect: { home/living/light/set: { state: ON, brightness: 90, transition: 2 } }
"
    ));
}

#[test]
fn a_publication_that_a_condition_kept_back_shows_the_condition() {
    insta::assert_snapshot!(report(
        "\
tests:
  the lights follow the TV:
    steps:
      - { publish: home/living/tv, payload: STANDBY }
      - expect: { home/living/light/set: { state: ON, brightness: 80 } }
"
    ));
}

#[test]
fn a_publication_that_nothing_triggered_names_the_rule_that_waits() {
    insta::assert_snapshot!(report(
        "\
tests:
  the lights follow the TV:
    steps:
      - { publish: home/living/TV, payload: ON }
      - expect: { home/living/light/set: { state: ON, brightness: 80 } }
"
    ));
}

#[test]
fn what_is_left_at_the_end_fails_the_test_unless_it_is_not_strict() {
    insta::assert_snapshot!(report(
        "\
tests:
  strict:
    steps:
      - { publish: home/living/tv, payload: ON }
  not strict:
    strict: false
    steps:
      - { publish: home/living/tv, payload: ON }
  ignored:
    ignore: [ home/+/light/# ]
    steps:
      - { publish: home/living/tv, payload: ON }
"
    ));
}

#[test]
fn a_list_is_compared_in_its_order_with_what_was_as_expected() {
    insta::assert_snapshot!(report(
        "\
tests:
  order:
    steps:
      - { publish: home/a/tv, payload: ON }
      - { publish: home/b/tv, payload: ON }
      - { publish: home/c/tv, payload: ON }
      - expect:
          - { topic: home/a/light/set, at: '12:00' }
          - { topic: home/c/light/set, at: '12:00' }
          - { topic: home/b/light/set, at: '12:00' }
"
    ));
}

#[test]
fn a_state_and_a_run_that_are_not_as_expected_are_told() {
    insta::assert_snapshot!(report(
        "\
tests:
  state:
    steps:
      - { publish: home/living/tv, payload: OFF }
      - expect_state: { home/living/tv: ON, home/kitchen/tv: { state: ON } }
  run:
    steps:
      - { publish: home/living/tv, payload: OFF }
      - expect_run: { rule: dim-lights, outcome: finished, times: 1 }
  unknown rule:
    steps:
      - expect_run: { rule: dim-light }
"
    ));
}

#[test]
fn a_run_that_still_waits_is_shown() {
    let rules = "\
rules:
  light:
    when: motion
    then:
      - delay: 2m
      - light: OFF
";
    let tests = "\
tests:
  too early:
    steps:
      - { publish: motion, payload: ON }
      - after: 1m59s
      - expect: { light: OFF }
";
    let home = Home::new(&[("rules/hall.yaml", &rules.replace("light: OFF", "publish: light\n        payload: OFF"))]);
    home.write("rules/hall.test.yaml", tests);
    insta::assert_snapshot!(home.say(&["test"]).out);
}

#[test]
fn a_wrong_step_is_told_with_its_place_and_the_other_files_still_run() {
    let home = Home::new(&[("rules/tv.yaml", TV)]);
    home.write("rules/bad.test.yaml", "tests:\n  t:\n    steps:\n      - expcet: nothing\n      - after: 30\n");
    home.write("rules/good.test.yaml", "tests:\n  t:\n    steps:\n      - after: 30s\n");
    let said = home.say(&["test"]);
    let out = "no test of rules/bad.test.yaml was run: it doesn't load\n1 passed, 1 failed\n";
    assert_eq!((said.status, said.out.as_str()), (1, out));
    insta::assert_snapshot!(said.err);
}

#[test]
fn rules_that_do_not_load_are_shown_instead_of_a_run() {
    let home = tv_with_tests("tests:\n  t:\n    steps:\n      - after: 30s\n");
    home.write("rules/broken.yaml", "rules:\n  x:\n    whne: a\n    then: { a/b: 1 }\n");
    let said = home.say(&["test"]);
    assert_eq!((said.status, said.out.as_str()), (1, "0 passed, 1 failed\n"));
    assert!(said.err.contains("rules/broken.yaml:3:5") && said.err.contains("`when`"), "{}", said.err);
    assert!(
        said.err.ends_with("error: no test of a home runs while its rules or settings don't load\n"),
        "{}",
        said.err
    );
    // Not that no test has that in its name.
    assert_eq!(home.say(&["test", "--filter", "t"]).err, said.err);
}

#[test]
fn a_test_file_that_can_not_be_read_keeps_no_other_from_running() {
    let home = tv_with_tests("tests:\n  t:\n    steps:\n      - after: 30s\n");
    std::os::unix::fs::symlink("nowhere", home.path().join("rules/link.test.yaml")).unwrap();
    std::fs::write(home.path().join("rules/bytes.test.yaml"), b"\xff\xfe").unwrap();
    home.write("rules/empty.test.yaml", "");
    let said = home.say(&["test"]);
    assert!(said.status == 1 && said.out.ends_with("\n1 passed, 2 failed\n"), "{}", said.out);
    for path in ["rules/bytes.test.yaml", "rules/link.test.yaml"] {
        assert!(said.out.contains(&format!("no test of {path} was run: it doesn't load\n")), "{}", said.out);
    }
    for found in ["this file isn't UTF-8", "it links to a file that isn't there"] {
        assert_eq!(said.err.matches(found).count(), 1, "{found} in\n{}", said.err);
    }
}

#[test]
fn an_expected_run_that_still_waits_is_not_said_to_have_had_no_trigger() {
    let rules = "rules:\n  light: { when: hall/motion, then: [ { delay: 2m }, { hall/light: OFF } ] }\n";
    let tests = "\
tests:
  too early:
    steps:
      - { publish: hall/motion, payload: ON }
      - expect_run: { rule: light, outcome: finished }
";
    let home = Home::new(&[("rules/hall.yaml", rules), ("rules/hall.test.yaml", tests)]);
    let said = home.say(&["test"]).out;
    assert!(said.contains("what was still under way:"), "{said}");
    assert!(!said.contains("nothing triggered"), "{said}");
}

#[test]
fn a_home_without_tests_says_so() {
    let said = Home::new(&[("rules/tv.yaml", TV)]).say(&["test"]);
    let out = "there are no tests here: put them in `*.test.yaml` files beside the rules\n0 passed, 0 failed\n";
    assert_eq!((said.status, said.out.as_str()), (0, out));
}

/// A button in a script that fails on any message that is no map.
const BUTTON: &str = r#"
fn lamp(room) { `home/${room}/lamp/set` }
rule("button", #{ when: "home/button", then: |e| {
    if e.msg.action == "single" { publish(lamp("hall"), "ON") }
} });
"#;

#[test]
fn a_script_that_failed_is_shown_where_what_it_would_have_published_is_missing() {
    let tests = "\
tests:
  press:
    steps:
      - { publish: home/button, payload: ON }
      - expect: { home/hall/lamp/set: ON }
";
    let home = Home::new(&[("rules/button.rhai", BUTTON), ("rules/button.test.yaml", tests)]);
    insta::assert_snapshot!(home.say(&["test"]).out);
}

#[test]
fn only_a_script_that_nothing_triggered_may_publish_what_is_missing() {
    let tests = "\
tests:
  press:
    steps:
      - { publish: home/buton, payload: { action: single } }
      - expect: { home/hall/lamp/set: ON }
";
    let home = Home::new(&[("rules/button.rhai", BUTTON), ("rules/button.test.yaml", tests)]);
    let said = home.say(&["test"]).out;
    assert!(
        said.contains("only a script may publish to `home/hall/lamp/set`, and nothing triggered one: `button:button`"),
        "{said}"
    );
}

#[test]
fn a_test_that_passed_though_a_run_failed_says_so_unless_it_expects_that() {
    let press = "  press:\n    steps:\n      - { publish: home/button, payload: ON }\n      - expect: nothing\n";
    let meant = "      - expect_run: { rule: button, outcome: failed }\n";
    let note = "`press` passed, though a run of `button:button` failed:";
    for (steps, is_noted) in [(press.to_owned(), true), (format!("{press}{meant}"), false)] {
        let tests = format!("tests:\n{steps}");
        let home = Home::new(&[("rules/button.rhai", BUTTON), ("rules/button.test.yaml", &tests)]);
        let said = home.say(&["test"]);
        assert!(said.out.ends_with("1 passed, 0 failed\n") && said.status == 0, "{}", said.out);
        assert_eq!(said.out.contains(note), is_noted, "{}", said.out);
    }
}

#[test]
fn retain_and_qos_are_shown_on_both_sides_where_they_matter() {
    let rules = "\
rules:
  tv:
    when: tv
    then:
      - { publish: usual, payload: 1 }
      - { publish: kept, payload: 1, retain: true, qos: 0 }
      - { publish: once, payload: 1, qos: 2 }
      - { publish: free, payload: 1, retain: true }
      - { publish: more, payload: 1, retain: true, qos: 2 }
";
    let tests = "\
tests:
  flags:
    steps:
      - { publish: tv, payload: 1 }
      - expect:
          - { topic: usual, payload: 2, retain: false, qos: 1 }
          - { topic: kept, payload: 1, retain: false, qos: 1 }
          - { topic: once, payload: 1, qos: 2 }
          - { topic: free, payload: 2 }
";
    let home = Home::new(&[("rules/tv.yaml", rules), ("rules/tv.test.yaml", tests)]);
    insta::assert_snapshot!(home.say(&["test"]).out);
}
