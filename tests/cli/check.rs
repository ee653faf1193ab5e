//! `homerule check`: all mistakes of rules, tests and settings.

use super::tv::{TV, tv_with_tests};
use crate::home::Home;

#[test]
fn a_home_without_mistakes_is_counted() {
    let said = tv_with_tests("tests:\n  t:\n    steps: [ { after: 1m } ]\n").say(&["check"]);
    let wanted = (0, "1 rule, 1 test: 0 errors, 0 warnings\n", "");
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), wanted);
}

#[test]
fn mistakes_of_rules_and_tests_are_shown_together() {
    let home = tv_with_tests("tests:\n  t:\n    steps:\n      - expct: nothing\n");
    home.write("rules/tv.yaml", "rules:\n  x: { whne: a, then: { publish: a/+, payload: 1 } }\n");
    let said = home.say(&["check"]);
    assert_eq!(said.status, 1);
    for place in ["rules/tv.yaml:2:8", "rules/tv.yaml:2:34", "rules/tv.test.yaml:4:9"] {
        assert!(said.err.contains(place), "{place} in\n{}", said.err);
    }
}

#[test]
fn json_is_one_document() {
    let home = tv_with_tests("tests:\n  t:\n    steps:\n      - expct: nothing\n");
    let said = home.say(&["check", "--json"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""));
    insta::assert_snapshot!(said.out);
}

#[test]
fn a_folder_that_is_not_there_could_not_be_checked() {
    let said = Home::new(&[]).say(&["check", "nowhere"]);
    assert_eq!((said.status, said.out.as_str()), (2, ""));
    assert!(said.err.starts_with("error: there is no folder `nowhere`"), "{}", said.err);
}

#[test]
fn what_the_daemon_would_refuse_to_start_with_is_an_error_and_tests_run_all_the_same() {
    let home = Home::new(&[
        ("homerule.yaml", "web: { tls: { certificate: c.pem, key: k.pem } }\n"),
        ("rules/tv.yaml", TV),
        ("rules/tv.test.yaml", "tests:\n  quiet:\n    steps:\n      - expect: nothing\n"),
    ]);
    let said = home.say(&["check"]);
    assert_eq!(said.status, 1);
    assert!(said.err.starts_with("error[HR095]: the HTTP interface has no TLS"), "{}", said.err);
    assert!(said.err.contains("homerule.yaml:1:8"), "{}", said.err);
    assert_eq!(home.say(&["test"]).status, 0);
    let refused = home.say(&["run"]);
    assert_eq!(refused.status, 2);
    assert!(refused.err.contains("error[HR095]") && refused.err.contains("homerule.yaml:1:8"), "{}", refused.err);
    let refused = home.say(&["run", "--json"]);
    assert!(refused.err.contains("\"level\":\"ERROR\"") && !refused.err.contains("WARN"), "{}", refused.err);
}

#[test]
fn a_webhook_in_a_test_that_no_rule_hears_is_warned_of() {
    let rules = "rules:\n  bell: { when: { webhook: doorbell }, then: { publish: bell, payload: 1 } }\n  gate:\n    when: home/gate\n    then: [ { wait: { webhook: opened } }, { publish: gate, payload: 1 } ]\n";
    let tests =
        "tests:\n  bell:\n    steps:\n      - webhook: dorbell\n      - webhook: opened\n      - webhook: fire\n";
    let home = Home::new(&[("rules/bell.yaml", rules), ("rules/bell.test.yaml", tests)]);
    let said = home.say(&["check"]);
    assert_eq!((said.status, said.out.as_str()), (0, "2 rules, 1 test: 0 errors, 2 warnings\n"));
    insta::assert_snapshot!(said.err);
}

#[test]
fn what_is_wrong_with_a_library_comes_before_what_follows_from_it() {
    let home = Home::new(&[
        ("rules/a.yaml", "rules:\n  a: { when: a/b, if: 'light::is_dark(5)', then: { publish: c, payload: 1 } }\n"),
        ("rules/lib/light.rhai", "fn is_dark(lux) { lux < }\n"),
        ("rules/z.yaml", "rules:\n  z: { when: a/b, if: 'heat::is_cold(5)', then: { publish: c, payload: 1 } }\n"),
    ]);
    let said = home.say(&["check"]);
    assert_eq!(said.status, 1);
    insta::assert_snapshot!(said.err);
}

#[test]
fn a_folder_that_is_named_like_a_script_is_a_folder() {
    let home = Home::new(&[
        ("rules/tv.rhai/inner.yaml", &TV.replace("state: ON, ", "")),
        ("rules/lib/light.rhai/dark.txt", ""),
        ("rules/hall.rhai", "rule(\"hall\", #{ when: \"home/hall\", then: || publish(\"home/light\", 1) });\n"),
    ]);
    let said = home.say(&["check"]);
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (0, "2 rules, 0 tests: 0 errors, 0 warnings\n", "")
    );
    home.write("rules/hall.rhai", "import \"lib/light\" as light;\n");
    let said = home.say(&["check"]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("there is no `rules/lib/light.rhai`"), "{}", said.err);
    assert!(said.err.contains("rules/hall.rhai:1:8"), "{}", said.err);
}

#[test]
fn fix_changes_what_is_sure_and_shows_the_rest() {
    let home = Home::new(&[(
        "rules/a.yaml",
        "rules:\n  a: { whne: t/a, enabled: yes, then: { run: othr } }\n  other: { when: t/a, then: { t/b: 1 } }\n",
    )]);
    let said = home.say(&["check"]);
    assert_eq!(said.status, 1);
    assert!(said.out.ends_with(" (2 can be fixed with `homerule check --fix`)\n"), "{}", said.out);
    let said = home.say(&["check", "--fix"]);
    assert_eq!(said.status, 1);
    assert!(said.out.starts_with("fixed rules/a.yaml: 2 changes\n"), "{}", said.out);
    let text = std::fs::read_to_string(home.path().join("rules/a.yaml")).unwrap();
    assert!(text.contains("a: { when: t/a, enabled: true, then: { run: othr } }"), "{text}");
    assert!(said.err.contains("did you mean `other`?"), "a guess is left alone: {}", said.err);
    let again = home.say(&["check", "--fix"]);
    assert!(!again.out.contains("fixed"), "{}", again.out);
}
