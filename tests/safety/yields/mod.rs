//! Rules that yield to people: stories, each as a test of rules.

mod devices;

use crate::home::{Home, Said};

const SETTINGS: &str = "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n";

fn test(rules: &str, steps: &str) -> Said {
    let test = format!("tests:\n  it:\n{steps}");
    Home::new(&[("homerule.yaml", SETTINGS), ("rules/a.yaml", rules), ("rules/a.test.yaml", &test)]).say(&["test"])
}

/// Runs a story: a line each; `T = V` says something, `-> T = V` expects it, `none` expects nothing, other lines are steps.
fn story(rules: &str, lines: &str) {
    let mut steps = String::from("    steps:\n");
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let step = if line == "none" {
            "expect: nothing".to_owned()
        } else if let Some(expected) = line.strip_prefix("-> ") {
            let all: Vec<String> = expected
                .split(" ; ")
                .map(|one| {
                    let (topic, value) = one.split_once(" = ").unwrap();
                    format!("{topic}: {value}")
                })
                .collect();
            format!("expect: {{ {} }}", all.join(", "))
        } else if let Some((topic, value)) = line.split_once(" = ") {
            format!("{{ publish: {topic}, payload: {value} }}")
        } else {
            line.to_owned()
        };
        steps.push_str("      - ");
        steps.push_str(&step);
        steps.push('\n');
    }
    let said = test(rules, &steps);
    assert_eq!(said.status, 0, "{}{}\n{steps}", said.out, said.err);
}

const MOTION: &str = "\
rules:
  light:
    when: { state: hall/motion, to: true }
    then: { zigbee2mqtt/lamp/set: { state: ON, brightness: 80 } }
    yields: { for: 2h, to: [zigbee2mqtt/lamp] }
";

#[test]
fn a_person_who_switches_the_lamp_off_is_left_alone_for_as_long_as_the_rule_says() {
    story(
        MOTION,
        "zigbee2mqtt/lamp = { state: OFF, brightness: 80 }
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }
         zigbee2mqtt/lamp = { state: ON, brightness: 80 }
         after: 10m
         zigbee2mqtt/lamp = { state: OFF, brightness: 80 }
         hall/motion = false
         hall/motion = true
         none
         expect_run: { rule: light, outcome: skipped, by: override, times: 1 }
         after: 1h59m59s
         hall/motion = false
         hall/motion = true
         none
         after: 1s
         hall/motion = false
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }",
    );
}

#[test]
fn what_the_rule_commanded_and_what_comes_within_grace_is_no_override() {
    let again = "hall/motion = false\nhall/motion = true\n-> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }\n";
    let begin = "zigbee2mqtt/lamp = { state: OFF, brightness: 10, linkquality: 3 }
        hall/motion = true
        -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }\n";
    // The echo, rounded by a step; then what doesn't matter changes.
    story(
        MOTION,
        &format!(
            "{begin}zigbee2mqtt/lamp = {{ state: ON, brightness: 81, linkquality: 3 }}
            after: 1m
            zigbee2mqtt/lamp = {{ state: ON, brightness: 81, linkquality: 90 }}
            {again}"
        ),
    );
    // An old report still on its way.
    story(MOTION, &format!("{begin}after: 4s\nzigbee2mqtt/lamp = {{ state: OFF, brightness: 20 }}\n{again}"));
    // After the grace without an echo.
    let late = format!(
        "{begin}after: 6s\nzigbee2mqtt/lamp = {{ state: OFF, brightness: 5 }}\nhall/motion = false\nhall/motion = true\nnone\n"
    );
    story(MOTION, &late);
    // Once the echo has come, a person counts one second later.
    story(
        MOTION,
        &format!(
            "{begin}zigbee2mqtt/lamp = {{ state: ON, brightness: 80 }}
            after: 1s
            zigbee2mqtt/lamp = {{ state: OFF, brightness: 80 }}
            hall/motion = false
            hall/motion = true
            none"
        ),
    );
}

#[test]
fn a_lamp_that_dims_on_its_way_is_no_person() {
    let rules = "\
rules:
  blind:
    when: { state: home/sun, to: true }
    then: { home/blind/set: { position: 0, transition: 10 } }
    yields: { for: 1h, to: [home/blind] }
";
    let begin = "home/blind = { position: 100 }
        home/sun = true
        -> home/blind/set = { position: 0, transition: 10 }
        after: 20s
        home/blind = { position: 60 }
        after: 5s
        home/blind = { position: 30 }\n";
    let again = "home/sun = false\nhome/sun = true\n";
    story(rules, &format!("{begin}{again}-> home/blind/set = {{ position: 0, transition: 10 }}"));
    story(rules, &format!("{begin}after: 1m\nhome/blind = {{ position: 70 }}\n{again}none"));
    // Grace counts from the end of the transition.
    story(
        rules,
        &format!(
            "home/blind = {{ position: 50 }}\nhome/sun = true\n-> home/blind/set = {{ position: 0, transition: 10 }}
            after: 14s\nhome/blind = {{ position: 60 }}\n{again}-> home/blind/set = {{ position: 0, transition: 10 }}"
        ),
    );
}

#[test]
fn the_first_value_ever_and_what_is_retained_or_restored_override_nothing() {
    story(
        MOTION,
        "zigbee2mqtt/lamp = { state: ON, brightness: 3 }
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }",
    );
    story(
        MOTION,
        "zigbee2mqtt/lamp = { state: OFF, brightness: 3 }
         restart: { down: 1m, meanwhile: [ { publish: zigbee2mqtt/lamp, payload: { state: ON, brightness: 9 }, retain: true } ] }
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }",
    );
}

#[test]
fn a_change_before_any_command_is_an_override_and_a_second_one_counts_anew() {
    story(
        MOTION,
        "zigbee2mqtt/lamp = { state: OFF, brightness: 3 }
         zigbee2mqtt/lamp = { state: ON, brightness: 3 }
         hall/motion = true
         none
         after: 1h30m
         zigbee2mqtt/lamp = { state: ON, brightness: 50 }
         after: 1h
         hall/motion = false
         hall/motion = true
         none
         after: 1h
         hall/motion = false
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }",
    );
}

#[test]
fn an_override_survives_a_restart_and_ends_while_the_daemon_is_down() {
    let begin = "zigbee2mqtt/lamp = { state: ON, brightness: 3 }
        zigbee2mqtt/lamp = { state: OFF, brightness: 3 }\n";
    story(MOTION, &format!("{begin}restart: 30m\nhall/motion = true\nnone"));
    story(
        MOTION,
        &format!("{begin}restart: 2h\nhall/motion = true\n-> zigbee2mqtt/lamp/set = {{ state: ON, brightness: 80 }}"),
    );
    // What was commanded is known after a restart, too.
    story(
        MOTION,
        "zigbee2mqtt/lamp = { state: OFF, brightness: 3 }
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }
         restart: 1m
         zigbee2mqtt/lamp = { state: ON, brightness: 80 }
         hall/motion = false
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }",
    );
}

const EVENING: &str = "\
rules:
  evening:
    while: state('dark') == true
    then: { zigbee2mqtt/lamp/set: { state: ON } }
    else: { zigbee2mqtt/lamp/set: { state: OFF } }
    yields: { for: 2h, to: { zigbee2mqtt/lamp: state } }
";

#[test]
fn a_while_that_was_overridden_ends_without_else_and_begins_anew() {
    let begin = "zigbee2mqtt/lamp = { state: OFF }
        dark = true
        -> zigbee2mqtt/lamp/set = { state: ON }
        zigbee2mqtt/lamp = { state: ON }
        after: 1h
        zigbee2mqtt/lamp = { state: OFF }
        none\n";
    story(EVENING, &format!("{begin}after: 1h59m59s\nnone\nafter: 1s\n-> zigbee2mqtt/lamp/set = {{ state: ON }}"));
    // It became false meanwhile: `else` runs then.
    let ended = format!("{begin}after: 1h\ndark = false\nnone\nafter: 59m59s\nnone\nafter: 1s\n");
    story(EVENING, &format!("{ended}-> zigbee2mqtt/lamp/set = {{ state: OFF }}"));
    story(&EVENING.replace("for: 2h,", "for: 2h, after: nothing,"), &format!("{ended}none"));
    // It begins again meanwhile, and may not.
    story(
        EVENING,
        &format!(
            "{begin}dark = false\ndark = true\nnone\nexpect_run: {{ rule: evening, outcome: skipped, by: override, times: 1 }}\nafter: 2h\n-> zigbee2mqtt/lamp/set = {{ state: ON }}"
        ),
    );
    // Across a restart.
    story(EVENING, &format!("{begin}restart: 1h\nnone\nafter: 1h\n-> zigbee2mqtt/lamp/set = {{ state: ON }}"));
}

#[test]
fn what_waits_in_a_run_goes_no_further() {
    let rules = "\
rules:
  off-later:
    when: { state: hall/motion, to: false }
    then:
      - delay: 5m
      - zigbee2mqtt/lamp/set: { state: OFF }
    yields: { for: 1h, to: [zigbee2mqtt/lamp] }
  told:
    when: { event: overridden }
    then: { home/told: '${trigger.rule}' }
";
    story(
        rules,
        "zigbee2mqtt/lamp = { state: OFF }
         hall/motion = true
         hall/motion = false
         after: 1m
         zigbee2mqtt/lamp = { state: ON }
         -> home/told = 'a:off-later'
         expect_run: { rule: off-later, outcome: cancelled, by: override, times: 1 }
         after: 10m
         none",
    );
}

#[test]
fn rooms_are_overridden_one_by_one() {
    let rules = "\
rules:
  light:
    when: { state: home/+room/motion, to: true }
    then: { 'home/${room}/lamp/set': ON }
    yields: { for: 1h, to: [home/+room/lamp] }
  told:
    when: { event: overridden }
    then: { home/told: '${trigger.rule} ${trigger.captures.room}' }
";
    story(
        rules,
        "home/hall/lamp = OFF
         home/bath/lamp = OFF
         home/hall/motion = true
         -> home/hall/lamp/set = ON
         home/hall/lamp = ON
         after: 1m
         home/hall/lamp = OFF
         -> home/told = 'a:light hall'
         home/hall/motion = false
         home/hall/motion = true
         none
         home/bath/motion = true
         -> home/bath/lamp/set = ON",
    );
}

#[test]
fn another_rule_is_no_person_unless_it_stands_for_a_hand() {
    let rules = "\
rules:
  light:
    when: { state: hall/motion, to: true }
    then: { zigbee2mqtt/lamp/set: { state: ON } }
    yields: { for: 1h, to: [zigbee2mqtt/lamp] }
  night:
    when: night
    then: { zigbee2mqtt/lamp/set: { state: OFF } }
  button:
    when: button
    hand: true
    then: { zigbee2mqtt/lamp/set: { state: OFF } }
";
    let on = "zigbee2mqtt/lamp = { state: OFF }
        hall/motion = true
        -> zigbee2mqtt/lamp/set = { state: ON }
        zigbee2mqtt/lamp = { state: ON }
        after: 1m\n";
    let again = "hall/motion = false\nhall/motion = true\n";
    let off = "-> zigbee2mqtt/lamp/set = { state: OFF }\nafter: 1s\nzigbee2mqtt/lamp = { state: OFF }\n";
    story(rules, &format!("{on}night = 1\n{off}{again}-> zigbee2mqtt/lamp/set = {{ state: ON }}"));
    story(rules, &format!("{on}button = 1\n{off}{again}none"));
}

#[test]
fn a_toggle_commands_what_is_said_first_after_it() {
    let rules = "\
rules:
  switch:
    when: button
    then: { cmnd/lamp/POWER: TOGGLE }
    yields: { for: 1h, to: [stat/lamp/POWER] }
";
    story(
        rules,
        "stat/lamp/POWER = OFF
         button = 1
         -> cmnd/lamp/POWER = TOGGLE
         stat/lamp/POWER = ON
         button = 1
         -> cmnd/lamp/POWER = TOGGLE
         stat/lamp/POWER = OFF
         after: 1s
         stat/lamp/POWER = ON
         button = 1
         none",
    );
}

#[test]
fn until_and_resume_end_it() {
    let rules = "\
rules:
  light:
    when: { state: hall/motion, to: true }
    then: { home/lamp/set: ON }
    yields: { until: state('mode') == 'auto', to: home/lamp }
  back:
    when: back
    then: { resume: light }
  watch:
    while: overridden('light')
    then: { home/is: overridden }
    else: { home/is: free }
";
    let over = "mode = manual
        home/lamp = OFF
        home/lamp = ON
        -> home/is = overridden
        hall/motion = true
        after: 24h
        none\n";
    let again = "hall/motion = false\nhall/motion = true\n-> home/lamp/set = ON";
    story(rules, &format!("{over}mode = auto\n-> home/is = free\n{again}"));
    story(rules, &format!("{over}resume: light\n-> home/is = free\n{again}"));
    story(rules, &format!("{over}back = 1\n-> home/is = free\n{again}"));
}

#[test]
fn a_command_topic_that_is_the_state_topic_works_too() {
    let rules = "\
rules:
  heat:
    when: { state: home/cold, to: true }
    then: { publish: home/heating, payload: ON, retain: true }
    yields: { for: 1h, to: home/heating }
";
    story(
        rules,
        "home/cold = true
         -> home/heating = ON
         home/cold = false
         home/heating = OFF
         home/cold = true
         none
         after: 1h
         home/cold = false
         home/cold = true
         -> home/heating = ON",
    );
}

#[test]
fn the_clock_change_adds_and_takes_no_hour() {
    let said = test(
        MOTION,
        "    at: 2026-10-25T01:30:00
    steps:
      - { publish: zigbee2mqtt/lamp, payload: { state: ON, brightness: 1 } }
      - { publish: zigbee2mqtt/lamp, payload: { state: OFF, brightness: 1 } }
      - after: 1h59m
      - { publish: hall/motion, payload: true }
      - expect: nothing
      - after: 1m
      - { publish: hall/motion, payload: false }
      - { publish: hall/motion, payload: true }
      - expect: { zigbee2mqtt/lamp/set: { state: ON, brightness: 80 } }
",
    );
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
}

#[test]
fn a_rule_that_yields_to_nothing_is_a_mistake() {
    let rules = "rules: { a: { when: b, then: { home/c: 1 }, yields: 2h } }\n";
    let said = Home::new(&[("rules/a.yaml", rules)]).say(&["check"]);
    assert!(said.err.contains("HR192"), "{}", said.err);
}

#[test]
fn a_script_may_yield_too() {
    let script = "rule(\"light\", #{ when: #{ state: \"hall/motion\", to: true },
        then: |e| { publish(\"home/lamp/set\", \"ON\"); }, yields: #{ \"for\": \"1h\", to: [\"home/lamp\"] } });\n";
    let test = "tests:\n  it:\n    steps:\n      - { publish: home/lamp, payload: OFF }\n      - { publish: home/lamp, payload: ON }\n      - { publish: hall/motion, payload: true }\n      - expect: nothing\n      - after: 1h\n      - { publish: hall/motion, payload: false }\n      - { publish: hall/motion, payload: true }\n      - expect: { home/lamp/set: ON }\n";
    let said = Home::new(&[("rules/a.rhai", script), ("rules/a.test.yaml", test)]).say(&["test"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
}
