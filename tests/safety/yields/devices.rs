//! Rules that yield to people who touch devices that rules name, and to apps.

use super::{MOTION, story};
use crate::home::Home;

#[test]
fn devices_by_name_are_watched_property_by_property() {
    let settings = "\
devices:
  - name: Hall lamp
    state: hall/lamp
    set: hall/lamp/set
    properties:
      on: { path: state, values: { true: ON, false: OFF } }
      brightness: { path: brightness, range: [0, 100] }
      power: { path: power, unit: W }
";
    let rules = "\
rules:
  light:
    when: { state: hall/motion, to: true }
    then: { set: Hall lamp, to: { on: true, brightness: 40 } }
    yields: 2h
";
    let test = "\
tests:
  a person switches it off:
    steps:
      - { device: Hall lamp, says: { on: false, brightness: 40, power: 0 } }
      - { publish: hall/motion, payload: true }
      - expect_set: { Hall lamp: { on: true, brightness: 40 } }
      - { device: Hall lamp, says: { on: true, brightness: 41, power: 5 } }
      - after: 1m
      - { device: Hall lamp, says: { power: 9 } }
      - { publish: hall/motion, payload: false }
      - { publish: hall/motion, payload: true }
      - expect_set: { Hall lamp: { on: true, brightness: 40 } }
      - { device: Hall lamp, says: { on: true, brightness: 40 } }
      - after: 10s
      - { device: Hall lamp, says: { on: false } }
      - { publish: hall/motion, payload: false }
      - { publish: hall/motion, payload: true }
      - expect: nothing
      - expect_run: { rule: light, outcome: skipped, by: override, times: 1 }
      - after: 2h
      - { publish: hall/motion, payload: false }
      - { publish: hall/motion, payload: true }
      - expect_set: { Hall lamp: { on: true, brightness: 40 } }
  a person had it on before any command:
    steps:
      - { device: Hall lamp, says: { on: false, brightness: 40 } }
      - { device: Hall lamp, says: { on: true } }
      - { publish: hall/motion, payload: true }
      - expect: nothing
  what it consumes is nobody's hand:
    steps:
      - { device: Hall lamp, says: { on: false, brightness: 40, power: 1 } }
      - { device: Hall lamp, says: { power: 2 } }
      - { publish: hall/motion, payload: true }
      - expect_set: { Hall lamp: { on: true, brightness: 40 } }
";
    let said =
        Home::new(&[("homerule.yaml", settings), ("rules/a.yaml", rules), ("rules/a.test.yaml", test)]).say(&["test"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
}

#[test]
fn what_a_rule_says_beside_its_commands_is_no_command_and_neither_is_availability() {
    let rules = "\
rules:
  light:
    when: { state: hall/motion, to: true }
    then:
      - zigbee2mqtt/lamp/set: { state: ON }
      - home/hall/notice: the light is on
    yields: { for: 1h, to: [zigbee2mqtt/lamp] }
";
    let begin = "zigbee2mqtt/lamp = { state: OFF }
        hall/motion = true
        -> zigbee2mqtt/lamp/set = { state: ON } ; home/hall/notice = the light is on
        zigbee2mqtt/lamp/availability = online\n";
    let again = "hall/motion = false\nhall/motion = true\n";
    let on = "-> zigbee2mqtt/lamp/set = { state: ON } ; home/hall/notice = the light is on";
    // Still in the grace: the report is an old one.
    story(rules, &format!("{begin}after: 2s\nzigbee2mqtt/lamp = {{ state: OFF, x: 1 }}\n{again}{on}"));
    story(rules, &format!("{begin}zigbee2mqtt/lamp = {{ state: ON }}\n{again}{on}"));
    story(
        rules,
        &format!(
            "{begin}zigbee2mqtt/lamp = {{ state: ON }}\nafter: 1s\nzigbee2mqtt/lamp = {{ state: OFF }}\n{again}none"
        ),
    );
}

#[test]
fn an_app_that_commands_while_our_command_is_on_its_way_is_a_person() {
    story(
        MOTION,
        "zigbee2mqtt/lamp = { state: OFF, brightness: 10 }
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }
         zigbee2mqtt/lamp = { state: ON, brightness: 80 }
         after: 30m
         hall/motion = false
         hall/motion = true
         -> zigbee2mqtt/lamp/set = { state: ON, brightness: 80 }
         after: 1s
         zigbee2mqtt/lamp/set = { state: OFF }
         after: 1s
         zigbee2mqtt/lamp = { state: OFF, brightness: 80 }
         hall/motion = false
         hall/motion = true
         none",
    );
}
