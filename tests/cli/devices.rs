//! Devices by name in `check` and `test`: what is known of them is held against what rules and tests say.

use crate::home::Home;

/// What zigbee2mqtt says of a lamp and a sensor, as `homerule devices --save` keeps it.
const DEVICES: &str = include_str!("../../examples/hall-light-by-name/devices.jsonl");

fn home(rules: &str, tests: &str) -> Home {
    let home = Home::new(&[("devices.jsonl", DEVICES), ("rules/hall.yaml", rules)]);
    if !tests.is_empty() {
        home.write("rules/hall.test.yaml", tests);
    }
    home
}

#[test]
fn an_entry_of_devices_that_names_none_is_a_warning_with_the_near_name() {
    let home = home("rules: { a: { when: in/x, then: { out/y: 1 } } }\n", "");
    let settings = "devices:\n  - { device: Hal lamp, area: hall }\n  - { device: Hall sensor, name: Sensor, area: hall }\n  \
                    - { device: zigbee2mqtt/0x00158d0000000001, aliases: [light] }\n";
    home.write("homerule.yaml", settings);
    let said = home.say(&["check"]);
    assert_eq!(said.status, 0, "{said:?}");
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("HR130") && told.contains("homerule.yaml:2:15"), "{told}");
    assert!(told.contains("no device is called `Hal lamp`") && told.contains("`Hall lamp`"), "{told}");
    assert_eq!(told.matches("[HR130]").count(), 1, "{told}");
    std::fs::remove_file(home.file("devices.jsonl")).unwrap();
    let said = home.say(&["check"]);
    assert!(!format!("{}{}", said.out, said.err).contains("HR130"), "nothing is known of any: {said:?}");
}

#[test]
fn a_value_that_a_property_never_is_is_told() {
    for (trigger, told) in [
        ("{ device: Hall lamp, field: on, to: ON }", "`on` of `Hall lamp` is `true` or `false`, never `ON`"),
        (
            "{ device: Hall sensor, field: illuminance, to: dark }",
            "`illuminance` of `Hall sensor` is a number, never `dark`",
        ),
        (
            "{ device: Hall sensor, field: sensitivity_level, to: [low, huge] }",
            "one of `low`, `medium`, `high`, never `huge`",
        ),
        ("{ device: Hall lamp, field: on, from: ~, to: true }", ""),
        ("{ device: Hall sensor, field: sensitivity_level, to: [low, high] }", ""),
    ] {
        let said = home(&format!("rules: {{ a: {{ when: {trigger}, then: {{ out/y: 1 }} }} }}\n"), "").say(&["check"]);
        let all = format!("{}{}", said.out, said.err);
        if told.is_empty() {
            assert!(!all.contains("HR131"), "{trigger}: {all}");
        } else {
            assert!(all.contains(told), "{trigger}: {all}");
        }
    }
}

const LIGHT: &str = "\
rules:
  light:
    when: { device: Hall sensor, field: occupancy, to: true }
    then: [{ set: Hall lamp, to: { on: true, brightness: 60% }, confirm: 5s, retry: 0 }, { out/y: done }]
";

#[test]
fn a_device_that_obeys_says_what_it_was_told_and_one_that_is_deaf_does_not() {
    let test = |obey: &str, then: &str| {
        format!(
            "tests:\n  it:\n{obey}    steps:\n      - {{ device: Hall sensor, says: {{ occupancy: true }} }}\n      \
             - expect_set: {{ Hall lamp: {{ on: true, brightness: 60 }} }}\n{then}"
        )
    };
    let done = "      - expect: { out/y: done }\n";
    let waits = "      - expect: nothing\n      - after: 5s\n      - expect_run: { rule: light, outcome: failed }\n";
    for (obey, then) in [
        ("    devices: obey\n", done),
        ("    devices: { obey: [Hall lamp] }\n", done),
        ("    devices: { obey: [Hall sensor] }\n", waits),
        ("    devices: deaf\n", waits),
        ("", waits),
    ] {
        let said = home(LIGHT, &test(obey, then)).say(&["test"]);
        assert!(said.out.contains("1 passed, 0 failed"), "{obey}{then}: {said:?}");
    }
    let said = home(LIGHT, &test("    devices: { obey: [Hal lamp] }\n", waits)).say(&["test"]);
    assert!(said.status != 0, "{said:?}");
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains("Hal lamp"), "{all}");
}

const INPUTS: &str = "\
inputs:
  vacation: { type: toggle }
  level: { type: number, default: 20, min: 1, max: 100 }
rules:
  a: { when: in/x, if: not inputs.vacation, then: { out/y: '${inputs.level}' } }
";

#[test]
fn what_inputs_are_at_the_start_of_a_test_can_be_given() {
    let test = |given: &str, expected: &str| {
        format!(
            "tests:\n  it:\n{given}    steps:\n      - {{ publish: in/x, payload: 1 }}\n      - expect: {expected}\n"
        )
    };
    for (given, expected) in [
        ("", "{ out/y: 20 }"),
        ("    given_inputs: { vacation: true }\n", "nothing"),
        ("    given_inputs: { vacation: false, level: 7 }\n", "{ out/y: 7 }"),
    ] {
        let said = home(INPUTS, &test(given, expected)).say(&["test"]);
        assert!(said.out.contains("1 passed, 0 failed"), "{given}{expected}: {said:?}");
    }
    for (given, told) in
        [("    given_inputs: { vacatoin: true }\n", "vacatoin"), ("    given_inputs: { level: 700 }\n", "level")]
    {
        let said = home(INPUTS, &test(given, "nothing")).say(&["test"]);
        let all = format!("{}{}", said.out, said.err);
        assert!(said.status != 0 && all.contains(told) && all.contains("given_inputs"), "{given}: {all}");
    }
}
