//! Which tests `homerule test` runs, and what it says where there are none.

use super::tv::{TV, Watch};
use crate::home::Home;

const PASSES: &str = "tests:\n  passes:\n    steps: [ { after: 1m } ]\n";
const FAILS: &str = "tests:\n  fails:\n    steps: [ { expect: { a: 1 } } ]\n";

#[test]
fn a_file_a_folder_and_a_home_can_be_named() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/a.test.yaml", PASSES), ("rules/sub/b.test.yaml", FAILS)]);
    assert_eq!(home.say(&["test", "rules/a.test.yaml"]).out, "1 passed, 0 failed\n");
    assert!(home.say(&["test", "rules/sub"]).out.ends_with("\n0 passed, 1 failed\n"));
    assert!(home.say(&["test", "."]).out.ends_with("\n1 passed, 1 failed\n"));
    assert!(home.say(&["test"]).out.ends_with("\n1 passed, 1 failed\n"));
}

#[test]
fn several_homes_are_told_apart_by_their_paths() {
    let home = Home::new(&[
        ("one/rules/tv.yaml", TV),
        ("one/rules/a.test.yaml", PASSES),
        ("two/rules/tv.yaml", TV),
        ("two/rules/b.test.yaml", FAILS),
    ]);
    let said = home.say(&["test", "."]);
    assert!(said.out.starts_with("FAILED fails\ntwo/rules/b.test.yaml:3:14: "), "{}", said.out);
    assert!(said.out.ends_with("\n1 passed, 1 failed\n"), "{}", said.out);
}

#[test]
fn a_filter_chooses_by_file_or_name() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/a.test.yaml", PASSES), ("rules/b.test.yaml", FAILS)]);
    assert_eq!(home.say(&["test", "--filter", "passes"]).out, "1 passed, 0 failed\n");
    assert_eq!(home.say(&["test", "--filter", "a.test"]).out, "1 passed, 0 failed\n");
    let said = home.say(&["test", "--filter", "nothing like it"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: no test has `nothing like it` in its file or name\n"));
}

#[test]
fn what_is_no_test_is_said() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("notes/a.txt", "")]);
    for (path, message) in [
        ("nowhere", "error: `nowhere` can't be read: no such file or directory\n"),
        ("rules/tv.yaml", "error: `rules/tv.yaml` isn't a test file: its name must end in `.test.yaml`\n"),
        ("notes", "error: `notes` has no tests: no file in it ends in `.test.yaml`\n"),
    ] {
        let said = home.say(&["test", path]);
        assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (2, "", message));
    }
}

#[test]
fn watch_runs_the_tests_again_when_a_file_changes() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/a.test.yaml", PASSES)]);
    let mut watch = Watch::start(&home);
    let mut until = |wanted: &str| watch.until(wanted);
    until("1 passed, 0 failed");
    until("waiting for a change; Ctrl+C ends");
    home.write("rules/a.test.yaml", FAILS);
    until("0 passed, 1 failed");
}

/// A rule that answers on `topic/o` with 1, and a test of it alone.
fn echo(topic: &str) -> [(String, String); 2] {
    let rule = format!("rules:\n  {topic}: {{ when: {topic}, then: {{ {topic}/o: 1 }} }}\n");
    let steps = format!("[ {{ publish: {topic}, payload: x }}, {{ expect: {{ {topic}/o: 1 }} }} ]");
    let test = format!("rules: {topic}.yaml\ntests:\n  of {topic}: {{ steps: {steps} }}\n");
    [(format!("rules/{topic}.yaml"), rule), (format!("rules/{topic}.test.yaml"), test)]
}

#[test]
fn watch_runs_again_what_a_change_touches_and_what_failed() {
    let home = Home::new(&[]);
    for (path, text) in ["a", "b", "c"].into_iter().flat_map(echo) {
        home.write(&path, &text);
    }
    let mut watch = Watch::start(&home);
    let mut until = |wanted: &[&str]| {
        for line in wanted {
            watch.until(line);
        }
        watch.until("waiting for a change; Ctrl+C ends");
    };
    until(&["3 passed, 0 failed"]);
    home.write("rules/a.yaml", &home.read("rules/a.yaml").replace('1', "2"));
    until(&["FAILED of a", "2 not run again: nothing that changed touches them", "0 passed, 1 failed"]);
    home.write("rules/b.test.yaml", &home.read("rules/b.test.yaml").replace("of b", "of b alone"));
    until(&["FAILED of a", "1 not run again: nothing that changed touches them", "1 passed, 1 failed"]);
    home.write("rules/a.yaml", &home.read("rules/a.yaml").replace('2', "1"));
    until(&["2 not run again: nothing that changed touches them", "1 passed, 0 failed"]);
    home.write("rules/lib/all.rhai", "fn one() { 1 }\n");
    until(&["3 passed, 0 failed"]);
    home.write("rules/b.yaml", "rules: { b: { whne: b } }\n");
    until(&["0 passed, 1 failed"]);
    home.write("rules/b.yaml", &echo("b")[0].1);
    until(&["3 passed, 0 failed"]);
}

#[test]
fn watch_sees_tests_and_rules_beside_those_of_the_home() {
    let home = Home::new(&[("rules/tv.yaml", TV)]);
    let [(_, rule), (_, test)] = echo("a");
    home.write("other/a.yaml", &rule);
    home.write("tests/a.test.yaml", &test.replace("a.yaml", "../other"));
    let mut watch = Watch::of(&home, &["tests"]);
    let mut until = |wanted: &str| {
        watch.until(wanted);
        watch.until("waiting for a change; Ctrl+C ends");
    };
    until("1 passed, 0 failed");
    home.write("other/a.yaml", &rule.replace('1', "2"));
    until("0 passed, 1 failed");
    home.write("tests/a.test.yaml", &test.replace("a.yaml", "../other").replace('1', "2"));
    until("1 passed, 0 failed");
    home.write("tests/b.test.yaml", FAILS);
    until("0 passed, 1 failed");
}

#[test]
fn a_rule_file_in_the_homes_own_folder_can_be_tested_and_nothing_else_there() {
    let [(_, rule), (_, test)] = echo("a");
    let home = Home::new(&[("homerule.yaml", "data: elsewhere\n"), ("rules/tv.yaml", TV)]);
    home.write("a.yaml", &rule);
    home.write("b.yaml", "this is for another program");
    home.write("rules/a.test.yaml", &test.replace("a.yaml", "../a.yaml"));
    assert_eq!(home.say(&["test"]).out, "1 passed, 0 failed\n");
    let reload = "tests:\n  t:\n    steps:\n      - reload: ../a.yaml\n      - { publish: a, payload: x }\n      - expect: { a/o: 1 }\n";
    home.write("rules/a.test.yaml", reload);
    assert_eq!(home.say(&["test"]).out, "1 passed, 0 failed\n");
    for (path, told) in
        [("../none.yaml", "there are no rules at `none.yaml`"), ("..", "the home's own folder holds no rules")]
    {
        home.write("rules/a.test.yaml", &reload.replace("../a.yaml", path));
        let said = home.say(&["test"]);
        assert!(said.status == 1 && said.err.starts_with(&format!("error[HR096]: {told}")), "{}", said.err);
    }
}

#[test]
fn tests_without_rules_have_those_of_the_file_with_their_name_or_all() {
    let rule = |topic: &str| format!("rules:\n  r: {{ when: a/b, then: {{ {topic}: 1 }} }}\n");
    let tests = |topics: &str| {
        format!("tests:\n  t:\n    steps:\n      - {{ publish: a/b, payload: 1 }}\n      - expect: {{ {topics} }}\n")
    };
    let home = Home::new(&[
        ("rules/lamp.yaml", &rule("lamp/set")),
        ("rules/lamp.test.yaml", &tests("lamp/set: 1")),
        ("rules/in/lamp.yaml", &rule("in/set")),
        ("rules/in/lamp.test.yaml", &tests("in/set: 1")),
        ("rules/whole.test.yaml", &tests("lamp/set: 1, in/set: 1")),
    ]);
    let said = home.say(&["test"]);
    assert_eq!((said.status, said.out.lines().last()), (0, Some("3 passed, 0 failed")), "{}", said.out);
}
