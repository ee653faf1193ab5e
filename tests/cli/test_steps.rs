//! Each step of a test does what docs/testing.md says, with a near miss that fails.

use crate::home::Home;

/// Runs tests of `rules`, and returns the names of those that failed.
fn failed(rules: &str, tests: &str) -> Vec<String> {
    let home = Home::new(&[("rules/r.yaml", rules), ("rules/r.test.yaml", tests)]);
    let said = home.say(&["test", "--json"]);
    assert_eq!(said.err, "");
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let tests = answer["tests"].as_array().unwrap();
    let failed = tests.iter().filter(|test| test["outcome"] == "failed");
    failed.map(|test| test["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn time_passes_by_after_and_until() {
    let rules = "rules:\n  evening: { when: { at: '20:10' }, then: { publish: light, payload: ON } }\n";
    let tests = "\
tests:
  after, right:
    at: 2024-06-01T20:00:00
    steps:
      - after: 10m
      - expect: { light: ON }
  after, too short:
    at: 2024-06-01T20:00:00
    steps:
      - after: 9m59s
      - expect: { light: ON }
  until, right:
    at: 2024-06-01T20:00:00
    steps:
      - until: '2024-06-01T20:10:00'
      - expect: [ { topic: light, payload: ON, at: '20:10:00', retain: false, qos: 1 } ]
  until a time of day is the next one:
    at: 2024-06-01T20:30:00
    steps:
      - until: '20:10'
      - expect: [ { topic: light, at: 2024-06-02T20:10:00 } ]
  the past:
    at: 2024-06-01T20:00:00
    steps:
      - until: 2024-06-01T19:00:00
";
    assert_eq!(failed(rules, tests), ["after, too short", "the past"]);
}

#[test]
fn given_messages_fill_the_state_and_trigger_nothing() {
    let rules = "\
rules:
  door: { when: door, then: { publish: heard, payload: ON } }
  ask: { when: ask, if: state('door') == 'open', then: { publish: answer, payload: 'yes' } }
";
    let tests = "\
tests:
  given:
    given: { door: open }
    steps:
      - expect: nothing
      - { publish: ask, payload: 1 }
      - expect: { answer: 'yes' }
      - expect_state: { door: open }
  not given:
    steps:
      - { publish: ask, payload: 1 }
      - expect: { answer: 'yes' }
";
    assert_eq!(failed(rules, tests), ["not given"]);
}

#[test]
fn a_series_is_published_at_its_times() {
    let rules = "\
rules:
  warm: { when: { state: temperature, above: 22 }, then: { publish: fan, payload: ON } }
  each: { when: level, then: { publish: heard, payload: '${msg}' } }
";
    let tests = "\
tests:
  from to:
    steps:
      - { publish: temperature, from: 20, to: 25, over: 1h, every: 1m }
      - expect: [ { topic: fan, payload: ON, at: '12:25:00' } ]
  values:
    steps:
      - { publish: level, values: [ 1, ~, 3.5 ], every: 30s }
      - expect:
          - { topic: heard, payload: 1, at: '12:00:00' }
          - { topic: heard, payload: 3.5, at: '12:01:00' }
  values, near miss:
    steps:
      - { publish: level, values: [ 1, 2 ], every: 30s }
      - expect: [ { topic: heard, payload: 1 } ]
";
    assert_eq!(failed(rules, tests), ["values, near miss"]);
}

#[test]
fn a_restart_keeps_what_must_survive_and_replays_what_is_retained() {
    let rules = "\
rules:
  later:
    when: button
    then:
      - delay: 2m
      - { publish: light, payload: ON }
  door: { when: { topic: door, retained: true }, then: { publish: heard, payload: '${msg}' } }
  start: { when: { event: started }, then: { publish: started, payload: 1 } }
";
    let tests = "\
tests:
  a delay goes on:
    ignore: [ started ]
    steps:
      - { publish: button, payload: 1 }
      - restart: 30s
      - after: 1m29s
      - expect: nothing
      - after: 1s
      - expect: [ { topic: light, at: '12:02:00' } ]
  what fell due meanwhile fires at once:
    ignore: [ started ]
    steps:
      - { publish: button, payload: 1 }
      - restart: 1h
      - expect: [ { topic: light, at: '13:00:00' } ]
  each start is told:
    steps:
      - restart: 1m
      - expect: [ { topic: started, at: '12:00' }, { topic: started, at: '12:01' } ]
  retained meanwhile:
    ignore: [ started ]
    steps:
      - restart: { down: 1h, meanwhile: [ { publish: door, payload: open, retain: true } ] }
      - expect: { heard: open }
  not retained meanwhile:
    ignore: [ started ]
    steps:
      - restart: { down: 1h, meanwhile: [ { publish: door, payload: open } ] }
      - expect: nothing
";
    assert_eq!(failed(rules, tests), Vec::<String>::new());
}

#[test]
fn clients_and_webhooks_come_as_events() {
    let rules = "\
rules:
  tv: { when: { client: 'tv*', is: disconnected }, then: { publish: gone, payload: '${trigger.client}' } }
  bell: { when: { webhook: doorbell }, then: { publish: bell, payload: '${msg}' } }
";
    let tests = "\
tests:
  client:
    steps:
      - client: { id: tv-1, is: connected }
      - expect: nothing
      - client: { id: tv-1, is: disconnected }
      - expect: { gone: tv-1 }
  webhook:
    steps:
      - { webhook: doorbell, payload: front }
      - expect: { bell: front }
";
    assert_eq!(failed(rules, tests), Vec::<String>::new());
}

#[test]
fn the_outside_answers_what_the_test_says() {
    let rules = "\
rules:
  ask:
    when: ask
    then:
      - http: { url: 'http://example.org/', method: POST, body: { a: 1 } }
      - { publish: answer, payload: '${http.status} ${http.body}' }
";
    let tests = "\
tests:
  answered:
    answers: { 'http://example.org/': { status: 503, body: later } }
    steps:
      - { publish: ask, payload: 1 }
      - expect: { answer: 503 later }
      - expect_http: { method: POST, url: 'http://example.org/', body: { a: 1 } }
      - expect_http: nothing
  not asked:
    steps:
      - expect_http: { url: 'http://example.org/' }
";
    assert_eq!(failed(rules, tests), ["not asked"]);
}

#[test]
fn a_reload_takes_other_rules() {
    let home = Home::new(&[
        ("rules/r.yaml", "rules:\n  a: { when: x, then: { publish: y, payload: 1 } }\n"),
        ("other-rules/r.yaml", "rules:\n  a: { when: x, then: { publish: y, payload: 2 } }\n"),
        (
            "rules/r.test.yaml",
            "\
tests:
  reload:
    steps:
      - { publish: x, payload: 1 }
      - expect: { y: 1 }
      - reload: ../other-rules
      - { publish: x, payload: 1 }
      - expect: { y: 2 }
",
        ),
        ("rules/s.test.yaml", "tests:\n  no such rules:\n    steps:\n      - reload: ../nowhere\n"),
    ]);
    let said = home.say(&["test"]);
    assert_eq!(said.out, "no test of rules/s.test.yaml was run: it doesn't load\n1 passed, 1 failed\n");
    assert!(
        said.err.starts_with("error[HR096]: there are no rules at `nowhere`\n --> rules/s.test.yaml:4:17\n"),
        "{}",
        said.err
    );
}

#[test]
fn rules_chooses_files_folders_and_single_rules() {
    let rule = |payload: &str| format!("rules:\n  a: {{ when: x, then: {{ publish: y, payload: {payload} }} }}\n");
    let test = |rules: &str, expected: &str| {
        format!(
            "rules: {rules}\ntests:\n  t:\n    steps:\n      - {{ publish: x, payload: 1 }}\n      - expect: {expected}\n"
        )
    };
    let home = Home::new(&[
        ("rules/one.yaml", &rule("1")),
        ("rules/sub/two.yaml", &format!("{}  b: {{ when: x, then: {{ publish: z, payload: 3 }} }}\n", rule("2"))),
        ("rules/file.test.yaml", &test("one.yaml", "{ y: 1 }")),
        ("rules/folder.test.yaml", &test("sub", "{ y: 2, z: 3 }")),
        ("rules/rule.test.yaml", &test("sub/two.yaml:b", "{ z: 3 }")),
        ("rules/several.test.yaml", &test("[ one.yaml, 'sub/two.yaml:b' ]", "{ y: 1, z: 3 }")),
        ("rules/sub/missing.test.yaml", &test("two.yaml:c", "nothing")),
    ]);
    let said = home.say(&["test"]);
    assert_eq!(said.out, "no test of rules/sub/missing.test.yaml was run: it doesn't load\n4 passed, 1 failed\n");
    let told = "error[HR096]: `rules/sub/two.yaml` has no rule `c`\n --> rules/sub/missing.test.yaml:1:8\n";
    assert!(said.err.starts_with(told), "{}", said.err);
}

#[test]
fn a_run_that_goes_on_is_a_run_without_an_outcome() {
    let rules = "rules:\n  light: { when: motion, then: [ { delay: 2m }, { hall/light: OFF } ] }\n";
    let tests = "\
tests:
  waits:
    steps:
      - { publish: motion, payload: ON }
      - expect_run: { rule: light }
      - expect_run: { rule: light, times: 1 }
      - expect_run: { rule: light, outcome: finished, times: 0 }
      - { publish: motion, payload: ON }
      - expect_run: { rule: light, times: 2 }
      - expect_run: { rule: light, outcome: cancelled, times: 1 }
";
    let home = Home::new(&[("rules/hall.yaml", rules), ("rules/hall.test.yaml", tests)]);
    let said = home.say(&["test"]);
    assert_eq!((said.status, said.out.as_str()), (0, "1 passed, 0 failed\n"), "{}", said.out);
}
