//! `homerule explore`: what no home should do is found, made short, and written as a test; and a right home is left alone.

use crate::home::Home;

/// Runs `explore --json`, and returns its status and answer.
pub(crate) fn explore(home: &Home, arguments: &[&str]) -> (i32, serde_json::Value) {
    let said = home.say(&[&["explore", "--json"], arguments].concat());
    let answer = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    (said.status, answer)
}

const CIRCLE: &str = "rules:\n  there: { when: a/level, then: { b/level: \"${payload}\" } }\n  back: { when: b/level, then: { a/level: \"${payload}\" } }\n";

/// It fails only where the message comes between the two: the door opens, and within the delay it closes.
const FAILS_SOMETIMES: &str = "rules:\n  door:\n    when: { state: hall/door, to: open }\n    then:\n      - { delay: 10s }\n      - { hall/lamp/set: \"${if state('hall/door') == 'closed' { state('hall/none').x } else { 1 }}\" }\n";

#[test]
fn a_circle_is_found_and_shrunk_to_one_message() {
    let home = Home::new(&[("rules/a.yaml", CIRCLE)]);
    let (status, answer) = explore(&home, &["--steps", "2000", "--save", "rules/found"]);
    assert_eq!(status, 1, "{answer:#}");
    let found = answer["found"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{answer:#}");
    assert_eq!(found[0]["steps"], 1, "{answer:#}");
    let tested = home.say(&["test", "rules/found"]);
    assert_eq!(tested.status, 1, "the test fails now: {}", tested.out);
    home.write("rules/a.yaml", &CIRCLE.replace("when: b/level", "when: c/level"));
    let tested = home.say(&["test", "rules/found"]);
    assert_eq!(tested.status, 0, "and passes once it is mended: {}", tested.out);
}

#[test]
fn a_failure_that_only_one_order_shows_is_found_and_short() {
    let home = Home::new(&[("rules/a.yaml", FAILS_SOMETIMES)]);
    let (status, answer) = explore(&home, &["--steps", "5000", "--save", "rules/found"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("`a:door` fails"), "{answer:#}");
    assert!(answer["found"][0]["steps"].as_u64().unwrap() <= 3, "{answer:#}");
    assert_eq!(home.say(&["test", "rules/found"]).status, 1);
    home.write("rules/a.yaml", &FAILS_SOMETIMES.replace("state('hall/none').x", "0"));
    let tested = home.say(&["test", "rules/found"]);
    assert_eq!(tested.status, 0, "{}{}", tested.out, home.read_all("rules/found"));
}

#[test]
fn the_same_seed_and_steps_find_the_same() {
    let home = Home::new(&[("rules/a.yaml", FAILS_SOMETIMES)]);
    let (_, first) = explore(&home, &["--steps", "3000", "--seed", "7"]);
    let (_, second) = explore(&home, &["--steps", "3000", "--seed", "7"]);
    assert_eq!(first, second);
    let (_, other) = explore(&home, &["--steps", "3000", "--seed", "8"]);
    assert_ne!(first["runs"], other["runs"]);
}

#[test]
fn all_ways_of_a_small_home_are_tried_and_that_is_said() {
    let home = Home::new(&[("rules/a.yaml", FAILS_SOMETIMES)]);
    let (status, answer) = explore(&home, &["--bounded", "3"]);
    assert_eq!((status, &answer["complete"]), (1, &serde_json::json!(true)), "{answer:#}");
    let right = Home::new(&[("rules/a.yaml", &FAILS_SOMETIMES.replace("state('hall/none').x", "0"))]);
    let (status, answer) = explore(&right, &["--bounded", "3"]);
    assert_eq!((status, &answer["complete"]), (0, &serde_json::json!(true)), "{answer:#}");
}

#[test]
fn a_device_that_is_commanded_back_and_forth_is_found() {
    let rules = "rules:\n  blink:\n    when: { topic: hall/button, payload: press }\n    then:\n      - repeat: { every: 1s, until: \"state('hall/button') == 'stop'\" }\n        do: { hall/lamp/set: TOGGLE }\n";
    let home = Home::new(&[("rules/a.yaml", rules)]);
    let (status, answer) = explore(&home, &["--steps", "1000"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("again and again"), "{answer:#}");
    home.write("homerule.yaml", "limits: { at_most: 1000000 }\n");
    assert_eq!(explore(&home, &["--steps", "1000"]).0, 0);
}

/// What a test says of the topic `hall/a`: numbers.
const NUMBERS: &str = "tests:\n  a: { strict: false, steps: [ { publish: hall/a, values: [1, 2], every: 1m } ] }\n";

#[test]
fn texts_where_only_numbers_were_seen_are_said_only_if_that_is_asked_for() {
    let rules = "rules: { twice: { when: hall/a, then: { out/x: '${msg * 2}' } } }\n";
    let home = Home::new(&[("rules/a.yaml", rules), ("rules/a.test.yaml", NUMBERS)]);
    let (status, answer) = explore(&home, &["--steps", "3000"]);
    assert_eq!(status, 0, "{answer:#}");
    let (status, answer) = explore(&home, &["--steps", "3000", "--hostile"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("`a:twice` fails"), "{answer:#}");
}

#[test]
fn a_kill_loses_the_last_second_only_if_that_is_asked_for() {
    // The broker keeps `seen` at once; what `hall/a` said is kept within a second.
    let rules = "rules:\n  note: { when: hall/a, then: { publish: seen, payload: 'yes', retain: true } }\n  \
                 use: { when: { topic: hall/button, payload: press }, if: \"state('seen') == 'yes'\", then: { out/x: \"${state('hall/a') * 2}\" } }\n";
    let home = Home::new(&[("rules/a.yaml", rules), ("rules/a.test.yaml", NUMBERS)]);
    let (status, answer) = explore(&home, &["--steps", "4000"]);
    assert_eq!(status, 0, "{answer:#}");
    let (status, answer) = explore(&home, &["--steps", "4000", "--lossy"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("`a:use` fails"), "{answer:#}");
    assert!(answer["found"][0]["story"].to_string().contains("kill"), "{answer:#}");
}

#[test]
fn what_the_homes_own_tests_expect_is_not_told() {
    let test = "tests:\n  it fails:\n    strict: false\n    steps:\n      - { publish: hall/door, payload: open }\n      - { publish: hall/door, payload: closed }\n      - { after: 10s }\n      - expect_run: { rule: door, outcome: failed }\n";
    let home = Home::new(&[("rules/a.yaml", FAILS_SOMETIMES)]);
    assert_eq!(explore(&home, &["--steps", "5000"]).0, 1);
    home.write("rules/a.test.yaml", test);
    assert_eq!(home.say(&["test"]).status, 0);
    let (status, answer) = explore(&home, &["--steps", "5000"]);
    assert_eq!(status, 0, "{answer:#}");
}

#[test]
fn topics_that_only_an_invariant_reads_speak_and_people_set_inputs() {
    let rules = "rules: { heat: { when: { state: home/temperature, below: 19 }, then: { home/heating/set: 'ON' } } }\n\
                 invariants: { shut: { never: \"state('home/window') == 'open' and state('home/heating/set') == 'ON'\" } }\n";
    let home = Home::new(&[("rules/a.yaml", rules)]);
    let (status, answer) = explore(&home, &["--steps", "5000"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("shut"), "{answer:#}");
    let rules = "inputs: { guests: { type: toggle } }\n\
                 rules: { bell: { when: { topic: bell, payload: ring }, if: inputs.guests, then: { out/x: \"${state('hall/none').x}\" } } }\n";
    let home = Home::new(&[("rules/a.yaml", rules)]);
    let (status, answer) = explore(&home, &["--steps", "5000"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("`a:bell` fails"), "{answer:#}");
}

#[test]
fn a_device_that_only_an_expression_reads_by_name_speaks() {
    let rules = "rules: { bell: { when: { topic: bell, payload: ring }, if: \"device('Door').open\", then: { out/x: \"${state('hall/none').x}\" } } }\n";
    let home = Home::new(&[("rules/a.yaml", rules), ("devices.jsonl", super::look_alikes::DEVICES)]);
    let (status, answer) = explore(&home, &["--steps", "2000"]);
    assert_eq!(status, 1, "{answer:#}");
    assert!(answer["found"][0]["what"].as_str().unwrap().contains("`a:bell` fails"), "{answer:#}");
}

#[test]
fn right_homes_are_left_alone() {
    let mut wrong = Vec::new();
    for (name, rules) in RIGHT {
        let home = Home::new(&[("rules/a.yaml", rules), ("homerule.yaml", LONDON)]);
        let (status, answer) = explore(&home, &["--steps", "3000"]);
        if status != 0 {
            wrong.push(format!("{name}: {answer:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const LONDON: &str = "location: { latitude: 51.5, longitude: -0.12, timezone: Europe/London }\n";

/// Homes that keep to what they say, whatever comes.
const RIGHT: [(&str, &str); 6] = [
    (
        "heating by both conditions",
        "rules: { heat: { while: \"state('home/temperature') < 19 and state('home/window') != 'open'\", then: { heating/set: 'ON' }, else: { heating/set: 'OFF' } } }\n\
         invariants: { shut: { never: \"state('home/window') == 'open' and state('heating/set') == 'ON'\", for: 1s } }\n",
    ),
    (
        "a lamp that restarts its delay",
        "rules: { light: { when: { state: hall/motion, to: 'ON' }, then: { hall/lamp/set: 'ON' } }, dark: { when: { state: hall/motion, to: 'OFF', for: 3m }, then: { hall/lamp/set: 'OFF' } } }\n\
         invariants: { lit: { never: \"state('hall/motion') == 'ON' and state('hall/lamp/set') == 'OFF'\", for: 1s } }\n",
    ),
    (
        "blinds by the sun",
        "rules:\n  blinds: { when: [ { sun: sunrise, id: up }, { sun: sunset, id: down } ], then: { choose: trigger.id, cases: { up: { blinds/set: UP }, down: { blinds/set: DOWN } } } }\n  \
         evening: { while: \"sun.elevation < -3\", then: { porch/set: 'ON' }, else: { porch/set: 'OFF' } }\n",
    ),
    (
        "two that copy changes to each other",
        "rules: { there: { when: { state: a/x }, then: { b/x: '${msg}' } }, back: { when: { state: b/x }, then: { a/x: '${msg}' } } }\n",
    ),
    (
        "an alarm that asks again after its delay",
        "rules: { siren: { when: { state: door, to: open }, if: \"state('alarm') == 'armed'\", then: [ { delay: 30s }, { if: \"state('alarm') == 'armed'\", then: { siren/set: 'ON' } } ] } }\n\
         invariants: { armed: { when: { topic: siren/set, payload: 'ON' }, only_if: \"state('alarm') == 'armed'\" } }\n",
    ),
    (
        "a count with its queue",
        "rules: { count: { when: { topic: +room/button, payload: press }, mode: queued, then: [ { remember: { n: '${(memory.n ?? 0) + 1}' } }, { delay: 2s }, { publish: presses, payload: '${memory.n}', retain: true } ] } }\n\
         invariants: { grows: { never: \"(state('presses') ?? 1) < 1\" } }\n",
    ),
];
