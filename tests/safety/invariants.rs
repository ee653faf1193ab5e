//! Invariants in tests and replays: each form, held and broken.

use crate::home::{Home, Said};

/// Says how a test of `rules` ends whose steps are `steps`.
fn test(rules: &str, test: &str) -> Said {
    let test = format!("tests:\n  it:\n{test}");
    Home::new(&[("rules/a.yaml", rules), ("rules/a.test.yaml", &test)]).say(&["test"])
}

fn passes(rules: &str, steps: &str) {
    let said = test(rules, steps);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
}

fn breaks(rules: &str, name: &str, steps: &str) {
    let said = test(rules, steps);
    assert_eq!(said.status, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains(&format!("the invariant `a:{name}` was broken")), "{}{}", said.out, said.err);
    // The same is no failure of a test that says so.
    let strict = if steps.contains("strict") { "" } else { "    strict: false\n" };
    let said = test(rules, &format!("    breaks: \"{name}\"\n{strict}{steps}"));
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
}

const HEATING: &str = "\
rules:
  heat:
    when: { state: room/temperature, below: 19 }
    then: { publish: heating, payload: ON, retain: true }
invariants:
  off-with-open-window:
    never: \"any('room/+/window', #{ open: true }) and state('heating') == 'ON'\"
    for: 2m
";

const WINDOW: &str = "    steps:
      - { publish: room/east/window, payload: { open: true } }
      - { publish: room/temperature, payload: 20 }
      - { publish: room/temperature, payload: 18 }
      - expect: { heating: ON }
";

#[test]
fn what_must_never_be_so_for_longer_than_a_time_breaks_only_after_it() {
    passes(HEATING, &format!("{WINDOW}      - after: 2m\n"));
    let closed = "      - { publish: room/east/window, payload: { open: false } }\n      - after: 1h\n";
    passes(HEATING, &format!("{WINDOW}      - after: 2m\n{closed}"));
    breaks(HEATING, "off-with-open-window", &format!("{WINDOW}      - after: 2m1s\n"));
    let twice = format!(
        "{WINDOW}      - after: 1m59s\n{closed}      - {{ publish: room/west/window, payload: {{ open: true }} }}\n"
    );
    passes(HEATING, &format!("{twice}      - after: 2m\n"));
    breaks(HEATING, "off-with-open-window", &format!("{twice}      - after: 121s\n"));
}

#[test]
fn a_broken_invariant_shows_what_led_there() {
    let said = test(HEATING, &format!("{WINDOW}      - after: 1h\n"));
    insta::assert_snapshot!(said.out);
}

#[test]
fn the_time_goes_on_over_a_restart_and_what_was_due_meanwhile_is_told_after_it() {
    let given = "    given: { room/east/window: { open: true } }\n    steps:\n      - { publish: room/temperature, payload: 20 }\n      - { publish: room/temperature, payload: 18 }\n      - expect: { heating: ON }\n";
    passes(HEATING, &format!("{given}      - after: 1m\n      - restart: 30s\n      - after: 30s\n"));
    breaks(
        HEATING,
        "off-with-open-window",
        &format!("{given}      - after: 1m\n      - restart: 30s\n      - after: 31s\n"),
    );
    breaks(HEATING, "off-with-open-window", &format!("{given}      - restart: 10m\n"));
    let closed = "[ { publish: room/east/window, payload: { open: false }, retain: true } ]";
    passes(HEATING, &format!("{given}      - restart: {{ down: 10m, meanwhile: {closed} }}\n"));
}

#[test]
fn always_is_the_opposite_of_never_and_unknown_is_not_broken() {
    let rules = "invariants: { warm: { always: { state: room, above: 15 } } }\n";
    passes(rules, "    steps:\n      - { publish: other, payload: 1 }\n      - { publish: room, payload: 16 }\n");
    passes(rules, "    steps:\n      - { publish: room, payload: unavailable }\n");
    breaks(rules, "warm", "    steps:\n      - { publish: room, payload: 15 }\n");
}

const LEAK: &str = "\
rules:
  shut:
    when: { state: zigbee2mqtt/+sensor, field: water_leak, to: true }
    then:
      - delay: ${delay}
      - cmnd/water_valve/POWER: OFF
let: { delay: 9s }
invariants:
  leak-shuts-valve:
    after: { state: zigbee2mqtt/+sensor, field: water_leak, to: true }
    expect: state('cmnd/water_valve/POWER') == 'OFF'
    within: 10s
";

#[test]
fn what_must_follow_may_come_at_the_last_moment() {
    let steps = "    strict: false\n    steps:\n      - { publish: zigbee2mqtt/cellar, payload: { water_leak: true } }\n      - after: 1m\n";
    passes(LEAK, steps);
    passes(&LEAK.replace("9s", "10s"), steps);
    let late = LEAK.replace("9s", "10001ms");
    let said = test(&late, steps);
    assert!(said.out.contains("the invariant `a:leak-shuts-valve` was broken for cellar at 12:00:10"), "{}", said.out);
    // A deadline that is open at the end is judged by nobody.
    passes(
        &late,
        "    steps:\n      - { publish: zigbee2mqtt/cellar, payload: { water_leak: true } }\n      - after: 10s\n",
    );
}

#[test]
fn a_valve_that_says_nothing_has_not_shut_and_retained_messages_arm_nothing() {
    let rules = "\
invariants:
  shut:
    after: { topic: leak, payload: true }
    expect: { state: valve, is: OFF }
    within: 10s
";
    breaks(rules, "shut", "    steps:\n      - { publish: leak, payload: true }\n      - after: 11s\n");
    passes(rules, "    given: { leak: true }\n    steps:\n      - after: 1m\n");
}

#[test]
fn what_followed_must_last_and_may_be_a_trigger() {
    let rules = "\
invariants:
  locked:
    after: { topic: leave }
    expect: state('lock') == 'locked'
    within: 10s
    throughout: 1m
  answered:
    after: { topic: ask/+room }
    expect: { topic: answer/+room }
    within: 5s
";
    let lock = "      - { publish: lock, payload: locked }\n";
    let leave = "    steps:\n      - { publish: leave, payload: 1 }\n      - after: 9s\n";
    passes(rules, &format!("{leave}{lock}      - after: 1m\n      - {{ publish: lock, payload: open }}\n"));
    breaks(rules, "locked", &format!("{leave}{lock}      - after: 59s\n      - {{ publish: lock, payload: open }}\n"));
    breaks(rules, "locked", &format!("{leave}      - after: 2s\n{lock}"));
    let ask = "    steps:\n      - { publish: ask/hall, payload: 1 }\n      - after: 4s\n";
    passes(rules, &format!("{ask}      - {{ publish: answer/hall, payload: 1 }}\n      - after: 1m\n"));
    breaks(rules, "answered", &format!("{ask}      - {{ publish: answer/attic, payload: 1 }}\n      - after: 1m\n"));
}

const SIREN: &str = "\
rules:
  alarm:
    when: { topic: motion, payload: true }
    then: { home/siren/set: ON }
invariants:
  only-when-armed:
    when: { topic: home/siren/set, payload: ON }
    only_if: state('armed') == true
";

#[test]
fn what_is_published_is_judged_when_that_is_decided() {
    let motion = "      - { publish: motion, payload: true }\n";
    let armed = "      - { publish: armed, payload: true }\n";
    passes(SIREN, &format!("    strict: false\n    steps:\n{armed}{motion}"));
    breaks(SIREN, "only-when-armed", &format!("    strict: false\n    steps:\n{motion}"));
    breaks(SIREN, "only-when-armed", "    steps:\n      - { publish: home/siren/set, payload: ON }\n");
    passes(SIREN, "    steps:\n      - { publish: home/siren/set, payload: OFF }\n");
    // What the rule does at the same moment comes too late.
    let late = SIREN
        .replace("then: { home/siren/set: ON }", "then: [ { home/siren/set: ON }, { publish: armed, payload: true } ]");
    breaks(&late, "only-when-armed", &format!("    strict: false\n    steps:\n{motion}"));
    let before = SIREN.replace(
        "then: { home/siren/set: ON }",
        "then: [ { publish: armed, payload: true }, { delay: 1ms }, { home/siren/set: ON } ]",
    );
    passes(&before, &format!("    strict: false\n    steps:\n{motion}      - after: 1s\n"));
}

#[test]
fn what_may_not_happen_too_often_is_counted_for_each_capture() {
    let rules = "invariants: { rarely: { at_most: 2, of: { topic: zigbee2mqtt/+lamp/set }, within: 1m } }\n";
    let say = |lamp: &str| format!("      - {{ publish: zigbee2mqtt/{lamp}/set, payload: 1 }}\n");
    let (a, b) = (say("a"), say("b"));
    passes(rules, &format!("    steps:\n{a}{b}{a}{b}"));
    breaks(rules, "rarely", &format!("    steps:\n{a}{a}      - restart: 10s\n{a}"));
    breaks(rules, "rarely", &format!("    steps:\n{a}{a}      - after: 1m\n{a}"));
    passes(rules, &format!("    steps:\n{a}{a}      - after: 61s\n{a}"));
}

#[test]
fn it_is_told_again_only_after_it_held_again_and_rules_may_hear_of_it() {
    let rules = "\
rules:
  tell:
    when: { event: invariant_broken }
    then: { home/told: '${trigger.invariant} ${captures}' }
invariants:
  rarely: { at_most: 1, of: { topic: lamp/+name }, within: 1m }
";
    let say = "      - { publish: lamp/a, payload: 1 }\n";
    let told = "      - expect: { home/told: 'a:rarely [\"a\"]' }\n";
    let first = format!("{say}{say}{told}{say}      - expect: nothing\n");
    passes(rules, &format!("    breaks: [rarely]\n    steps:\n{first}      - after: 2m\n{first}"));
}

#[test]
fn a_test_must_break_what_it_says() {
    let steps = "    steps:\n      - { publish: room/temperature, payload: 20 }\n";
    let said = test(HEATING, &format!("    breaks: off-with-open-window\n{steps}"));
    assert!(said.out.contains("the invariant `off-with-open-window` wasn't broken"), "{}", said.out);
    let said = test(HEATING, &format!("    breaks: off-with-open-windw\n{steps}"));
    assert!(
        said.out.contains("there is no invariant `off-with-open-windw` here; did you mean `off-with-open-window`?"),
        "{}",
        said.out
    );
}

#[test]
fn each_and_let_make_invariants_too() {
    let rules = "\
let: { most: 30 }
invariants:
  not-hot:
    each: { room: [bath, hall] }
    let: { now_there: \"${state('${room}/t') ?? 0}\" }
    never: now_there > most
  topics:
    each: { topic: lamp/+lamp/power }
    never: msg > 100
";
    breaks(rules, "not-hot[hall]", "    steps:\n      - { publish: hall/t, payload: 31 }\n");
    passes(rules, "    steps:\n      - { publish: attic/t, payload: 31 }\n      - { publish: hall/t, payload: 30 }\n");
    breaks(rules, "topics[kitchen]", "    steps:\n      - { publish: lamp/kitchen/power, payload: 101 }\n");
}

#[test]
fn a_test_holds_those_of_the_home_whose_rules_are_all_loaded() {
    let watch = "invariants: { off: { never: state('pump') == 'ON' } }\nrules: { x: { when: unrelated, then: { home/y: 1 } } }\n";
    let pump = "rules: { on: { when: start, then: { publish: pump, payload: ON } } }\n";
    let steps = "tests:\n  it:\n    strict: false\n    steps:\n      - { publish: start, payload: 1 }\n      - { publish: pump, payload: ON }\n";
    let home =
        |test: &str| Home::new(&[("rules/watch.yaml", watch), ("rules/pump.yaml", pump), ("rules/z.test.yaml", test)]);
    assert_eq!(home(steps).say(&["test"]).status, 1);
    assert_eq!(home(&format!("rules: pump.yaml\n{steps}")).say(&["test"]).status, 1);
    assert_eq!(home(&format!("rules: watch.yaml\n{steps}")).say(&["test"]).status, 0);
}

#[test]
fn a_script_may_have_them_too() {
    let script = "invariant(\"off\", #{ never: \"state('pump') == 'ON'\", \"for\": \"1m\" });\n";
    let test = "tests:\n  it:\n    steps:\n      - { publish: pump, payload: ON }\n      - after: 2m\n";
    let said = Home::new(&[("rules/a.rhai", script), ("rules/a.test.yaml", test)]).say(&["test"]);
    assert!(said.out.contains("the invariant `a:off` was broken at 12:01:00"), "{said:?}");
}

#[test]
fn a_replay_reports_it_with_its_moment() {
    let recording = r#"{"tst":"2024-06-01T10:00:00.000000Z","topic":"pump","qos":0,"retain":0,"payloadlen":2,"payload":"ON"}
{"tst":"2024-06-01T10:05:00.000000Z","topic":"other","qos":0,"retain":0,"payloadlen":1,"payload":"1"}
"#;
    let home = Home::new(&[
        ("homerule.yaml", "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n"),
        (
            "rules/a.yaml",
            "invariants: { off: { never: state('pump') == 'ON', for: 1m } }\nrules: { x: { when: y, then: { home/z: 1 } } }\n",
        ),
        ("day.jsonl", recording),
    ]);
    let said = home.say(&["replay", "day.jsonl"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert_eq!(
        said.out,
        "2024-06-01 12:01:00.000  the invariant `a:off` is broken: what must never be so for longer than 1m has been so\n"
    );
    let said = home.say(&["replay", "day.jsonl", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((line["invariant"].as_str(), line["tst"].as_str()), (Some("a:off"), Some("2024-06-01T10:01:00Z")));
}
