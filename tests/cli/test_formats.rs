//! The reports of `homerule test` for programs: JSON, `JUnit`, coverage.

use super::tv::tv_with_tests;
use crate::home::Home;

const TESTS: &str = "\
tests:
  passes:
    steps:
      - { publish: home/living/tv, payload: ON }
      - expect: { home/living/light/set: { any: true } }
  fails <1>:
    steps:
      - expect: { a: 1 }
";

#[test]
fn json_has_each_test_with_its_outcome() {
    let said = tv_with_tests(TESTS).say(&["test", "--json"]);
    assert_eq!(said.status, 1);
    let mut answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    for test in answer["tests"].as_array_mut().unwrap() {
        assert!(test["duration"].is_number(), "{test}");
        test["duration"] = 0.into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap());
}

#[test]
fn junit_is_written_into_its_file() {
    let home = tv_with_tests(TESTS);
    home.say(&["test", "--junit", "report.xml"]);
    let report = home.read("report.xml");
    let times: Vec<&str> = report.split(" time=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(times.len(), 3);
    let report = times.iter().fold(report.clone(), |report, time| report.replace(time, "0"));
    insta::assert_snapshot!(report);
}

#[test]
fn what_does_not_load_fails_in_every_report_and_is_counted_alike() {
    let home = tv_with_tests(TESTS);
    home.write("rules/b.yaml", "rules:\n  a: { whne: x }\n  b: { whne: x }\n");
    home.write("rules/broken.test.yaml", "tests:\n  a: { stepz: [] }\n");
    let said = home.say(&["test", "--json", "--junit", "report.xml"]);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&answer["passed"], &answer["failed"]), (&0.into(), &2.into()));
    let files: Vec<&str> =
        answer["tests"].as_array().unwrap().iter().map(|test| test["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["rules/b.yaml", "rules/broken.test.yaml"]);
    insta::assert_snapshot!(home.read("report.xml"));
    assert_eq!(home.say(&["test"]).out, "0 passed, 2 failed\n");
}

#[test]
fn coverage_counts_triggers_conditions_and_actions() {
    let home = tv_with_tests(TESTS);
    home.write(
        "rules/other.yaml",
        "rules:\n  never: { when: [ a, b ], then: [ { publish: c, payload: 1 }, { stop: 'yes' } ] }\n",
    );
    let said = home.say(&["test", "--coverage", "--filter", "passes"]);
    // Of the TV: 1 trigger, 1 condition seen true of true and false, 1 action: 3 of 4.
    assert_eq!(
        said.out,
        "\
other:never      0.0 %  when[0] never fired, when[1] never fired, then[0] never ran, then[1] never ran
tv:dim-lights   75.0 %  if never false
all rules       37.5 %
1 passed, 0 failed
"
    );
}

#[test]
fn too_little_coverage_is_an_answer_of_no() {
    let home = tv_with_tests(TESTS);
    let said = home.say(&["test", "--filter", "passes", "--min-coverage", "75"]);
    assert_eq!((said.status, said.out.as_str()), (0, "1 passed, 0 failed\n"));
    let said = home.say(&["test", "--filter", "passes", "--min-coverage", "75.1"]);
    assert_eq!(said.status, 1);
    assert_eq!(said.err, "error: coverage is 75.0 %, less than the 75.1 % required\n");
    let json = home.say(&["test", "--filter", "passes", "--min-coverage", "75.1", "--json"]);
    assert_eq!((json.status, json.err), (1, said.err));
    assert_eq!(home.say(&["test", "--min-coverage", "101"]).status, 2);
}

const HELD: &str = "\
rules:
  held:
    when: { state: door, to: open, for: 3m }
    mode: single
    if: state('mode') != 'away'
    then:
      - publish: bell
        payload: ding
";

#[test]
fn a_hold_that_was_only_broken_has_fired_nothing_and_what_else_was_never_seen_is_told() {
    let tests = "tests:\n  broken:\n    steps:\n      - { publish: door, payload: open }\n      - { after: 1m }\n      \
                 - { publish: door, payload: closed }\n      - { after: 5m }\n";
    let home = Home::new(&[("rules/a.yaml", HELD), ("rules/a.test.yaml", tests)]);
    assert_eq!(
        home.say(&["test", "--coverage"]).out,
        "\
a:held       0.0 %  when never fired, if never asked, then[0] never ran; also: the for of when never over, mode single never dropped
all rules    0.0 %
1 passed, 0 failed
"
    );
    let tests = tests.replace("- { publish: door, payload: closed }\n      ", "").replace("5m", "2m")
        + "      - expect: { bell: ding }\n";
    home.write("rules/a.test.yaml", &tests);
    let answer: serde_json::Value = serde_json::from_str(&home.say(&["test", "--coverage", "--json"]).out).unwrap();
    let rule = &answer["coverage"]["rules"][0];
    assert_eq!(rule["never"], serde_json::json!(["if never false"]));
    assert_eq!(rule["also"], serde_json::json!(["the for of when never broken", "mode single never dropped"]));
    let said = home.say(&["test", "--coverage=source"]);
    assert_eq!(
        said.out,
        "\
rules/a.yaml
    1   rules:
    2     held:
    3 +     when: { state: door, to: open, for: 3m }
    4       mode: single
    5 -     if: state('mode') != 'away'   # if never false
    6       then:
    7 +       - publish: bell
    8           payload: ding

a:held      75.0 %  if never false; also: the for of when never broken, mode single never dropped
all rules   75.0 %
1 passed, 0 failed
"
    );
}

#[test]
fn what_a_closure_does_is_covered_line_by_line_and_what_must_last_is_told() {
    let script = "\
rule(\"lamp\", #{
    when: \"home/+room/motion\",
    then: |e| {
        if e.msg == \"on\" {
            publish(`home/${e.room}/lamp/set`, \"ON\");
            after(\"off\", \"5m\", || publish(`home/${e.room}/lamp/set`, \"OFF\"));
        } else if e.msg == \"off\" {
            cancel(\"off\"); log(\"quiet\"); log(\"very\");
        }
    },
});
";
    let yaml = "\
rules:
  warm: { while: { all: [ { state: home/window, is: open, for: 5m }, exists('x') ] }, then: { home/alarm: 1 } }
  cold: { when: home/ask, if: { state: home/window, is: open, for: 5m }, then: { home/answer: 1 } }
";
    let tests = "\
tests:
  on:
    steps:
      - { publish: home/hall/motion, payload: 'on' }
      - { publish: home/window, payload: open }
      - { publish: home/ask, payload: 1 }
      - expect: { home/hall/lamp/set: ON }
";
    let home = Home::new(&[("rules/a.rhai", script), ("rules/b.yaml", yaml), ("rules/all.test.yaml", tests)]);
    insta::assert_snapshot!(home.say(&["test", "--coverage=source"]).out);
    let later = tests.replace(
        "home/hall/lamp/set: ON }",
        "home/hall/lamp/set: ON }\n      - after: 5m\n      - { publish: home/hall/motion, payload: 'off' }",
    );
    home.write(
        "rules/all.test.yaml",
        &later.replace("- after", "- after: 5m\n      - expect: { home/hall/lamp/set: OFF }\n      - after"),
    );
    let said = home.say(&["test", "--coverage"]).out;
    assert!(said.starts_with("a:lamp     100.0 %\n"), "{said}");
}
