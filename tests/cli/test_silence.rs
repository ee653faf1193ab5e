//! What `homerule test` says of rules that did nothing: what keeps them, what they wait for, what came near.

use crate::home::Home;

/// Tests a home with one file of rules, and returns what is said.
fn report_of(rules: &str, steps: &str) -> String {
    let home = Home::new(&[("rules/a.yaml", rules)]);
    let steps = steps.lines().map(|step| format!("      {step}\n")).collect::<Vec<_>>().concat();
    home.write("rules/a.test.yaml", &format!("tests:\n  t:\n    steps:\n{steps}"));
    let said = home.say(&["test"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""), "{}", said.out);
    said.out
}

#[test]
fn a_while_that_did_not_become_true_shows_which_part_of_it_is_false() {
    insta::assert_snapshot!(report_of(
        "\
rules:
  fan:
    while: { all: [ \"(state('lux') ?? 0) < 10\", { state: door, is: open, for: 5m } ] }
    then: { out/fan: ON }
",
        "\
- { publish: lux, payload: 3 }
- { publish: door, payload: open }
- after: 4m10s
- expect: { out/fan: ON }
"
    ));
}

#[test]
fn a_while_that_holds_since_before_and_one_whose_if_was_false_say_so() {
    insta::assert_snapshot!(report_of(
        "\
rules:
  on: { while: state('door') == 'open', then: { out/on: 1 } }
  refused: { while: state('door') == 'open', if: state('lux') == 5, then: { out/refused: 1 } }
  off: { enabled: false, while: state('door') == 'open', then: { out/off: 1 } }
",
        "\
- { publish: door, payload: open }
- expect: { out/on: 1 }
- after: 1m
- expect: { out/on: 1, out/refused: 1, out/off: 1 }
"
    ));
}

#[test]
fn messages_that_came_near_a_trigger_are_told_with_what_was_wrong() {
    insta::assert_snapshot!(report_of(
        "\
rules:
  number: { when: { state: t, to: '21' }, then: { out/number: 1 } }
  payload: { when: { topic: tv, payload: ON }, then: { out/payload: 1 } }
  held: { when: { state: door, to: open, for: 3m }, then: { out/held: 1 } }
  at: { when: { at: '07:00' }, then: { out/at: 1 } }
",
        "\
- { publish: t, payload: 20 }
- { publish: t, payload: 21 }
- { publish: tv, payload: on }
- { publish: door, payload: open }
- after: 2m
- expect: { out/number: 1, out/payload: 1, out/held: 1, out/at: 1 }
"
    ));
}

#[test]
fn a_topic_that_is_nearly_that_of_a_trigger_is_named() {
    let said = report_of(
        "rules: { tv: { when: home/+room/tv, then: { 'out/${room}': ON } } }\n",
        "- { publish: hall/tv, payload: ON }\n- expect: { out/hall: ON }\n",
    );
    assert!(said.contains("    nothing spoke there, but `hall/tv` did: is one of them misspelled?\n"), "{said}");
}

#[test]
fn a_timer_that_is_set_at_the_end_says_when_it_is_due_and_not_that_rules_were_reloaded() {
    let rule =
        "rule(\"t\", #{ when: \"motion\", then: |e| after(\"off\", \"2m\", || publish(\"out/t\", \"OFF\")) });\n";
    let tests = "\
tests:
  t:
    steps:
      - { publish: motion, payload: 1 }
      - restart: 10s
      - expect: { out/t: OFF }
";
    let home = Home::new(&[("rules/a.rhai", rule), ("rules/a.test.yaml", tests)]);
    let said = home.say(&["test"]).out;
    assert!(said.contains("after  timer  off, due at 12:02:00, 2m after it was set\n"), "{said}");
    assert!(!said.contains("reloaded"), "{said}");
}

#[test]
fn what_a_run_waited_for_which_case_there_was_none_of_and_what_broke_a_hold_are_told() {
    let said = report_of(
        "\
rules:
  wait: { when: motion, then: [ { wait: { state: motion, to: clear }, timeout: 5m }, { out/wait: 1 } ] }
  until: { when: motion, then: [ { wait: { until: state('lux') > 10 } }, { out/until: 1 } ] }
  cases: { when: scene, then: { choose: msg, cases: { evening: { out/cases: e }, night: { out/cases: n } } } }
  held: { when: { state: door, to: open, for: 3m }, then: { out/held: 1 } }
  night: { when: door, if: { time: { after: '22:00', before: '06:00', weekdays: sat } }, then: { out/night: 1 } }
",
        "\
- { publish: motion, payload: detected }
- { publish: scene, payload: Evening }
- { publish: door, payload: open }
- after: 2m41s
- { publish: door, payload: ajar }
- after: 5m
- expect: { out/wait: 1, out/until: 1, out/cases: e, out/held: 1, out/night: 1 }
",
    );
    for told in [
        "wait     for a change of `motion` to clear, until 12:05:00\n",
        "wait       for `state('lux') > 10`\n",
        "choose   Evening isn't one of the cases (evening, night)\n",
        "hold     `door` held for 2m41s of 3m, then it was ajar\n",
        "if    condition  false: it is Mon 12:00:00, not after 22:00, before 06:00, on sat\n",
    ] {
        assert!(said.contains(told), "{told} in\n{said}");
    }
}

#[test]
fn a_loop_is_said_before_all_that_it_did() {
    let said = report_of(
        "\
rules:
  a: { when: ping, then: { out/pong: 1 } }
  b: { when: out/pong, then: { publish: ping, payload: 1 } }
",
        "- { publish: ping, payload: 1 }\n- expect: { out/pong: 1 }\n",
    );
    let failure = said.find("  `a:a` failed: a loop: 16 publications followed one another").unwrap();
    assert!(failure < said.find("  what the rules did:").unwrap(), "{said}");
}

#[test]
fn requests_and_programs_that_did_not_come_are_explained_as_publications_are() {
    let rules = "\
rules:
  ring: { when: { topic: bell, payload: ring }, then: { http: { url: 'http://chime/' } } }
";
    let said = report_of(rules, "- { publish: bell, payload: Ring }\n- expect_http: [ { url: 'http://chime/' } ]\n");
    let told =
        "  `a:ring` may send a request, but nothing triggered it: it waits for a message on `bell` that says ring\n";
    assert!(said.contains(told), "{said}");
    assert!(said.contains("bell Ring   when: it's Ring, and `payload` wants ring\n"), "{said}");
    let said = report_of(rules, "- { publish: bell, payload: ring }\n- expect_http: [ { url: 'http://bell/' } ]\n");
    assert!(said.contains("http     GET http://chime/\n"), "{said}");
    let said = report_of(rules, "- expect_exec: [ /bin/true ]\n");
    assert!(said.contains("  no rule that is in force has an `exec` action\n"), "{said}");
}

#[test]
fn what_a_device_or_an_input_said_that_came_near_is_told() {
    let rules = "\
inputs: { guests: { type: toggle, default: false } }
rules:
  cold: { when: { device: Sensor, field: t, below: 10 }, then: { out/x: 1 } }
  party: { when: { input: guests, to: true }, then: { out/y: 1 } }
  other: { when: { device: Sensro, field: t, below: 10 }, then: { out/z: 1 } }
";
    let settings = "devices: [ { name: Sensor, state: home/sensor, properties: { t: { path: temp } } } ]\n";
    let home = Home::new(&[("homerule.yaml", settings), ("rules/a.yaml", rules)]);
    let steps = "[ { device: Sensor, says: { t: 8 } }, { input: { guests: false } }, \
                 { expect: { out/x: 1, out/y: 1, out/z: 1 } } ]";
    let test = format!("tests: {{ t: {{ given_inputs: {{ guests: true }}, steps: {steps} }} }}\n");
    home.write("rules/a.test.yaml", &test);
    let said = home.say(&["test"]).out;
    for told in [
        "when: `Sensor.t`: it's the first value that's known, and a first one never crosses\n",
        "when: `inputs.guests`: it's false, and `to` wants true\n",
        "    no device is called `Sensro`\n",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains('$'), "{said}");
}

#[test]
fn a_state_that_a_rule_should_have_made_is_explained_as_a_publication_is() {
    let rules = "rules: { on: { when: { state: tv, to: ON }, then: { lamp/set: ON } } }\n";
    let said = report_of(rules, "- { publish: tv, payload: OFF }\n- expect_state: { lamp/set: ON, tv: ON }\n");
    assert!(
        said.contains(
            "  `a:on` publishes to `lamp/set`, but nothing triggered it: it waits for a change of `tv` to ON\n"
        ),
        "{said}"
    );
    assert!(!said.contains("no rule publishes"), "{said}");
}

#[test]
fn a_topic_that_is_nearly_one_that_a_condition_reads_is_named() {
    let rules = "\
rules:
  when: { when: tv, if: { state: home/lux, below: 10 }, then: { out/when: 1 } }
  while: { while: (state('home/mode') ?? '') == 'on', then: { out/while: 1 } }
";
    let steps = "\
- { publish: lux, payload: 3 }
- { publish: home/Mode, payload: on }
- { publish: tv, payload: 1 }
- expect: { out/when: 1, out/while: 1 }
";
    let said = report_of(rules, steps);
    for (read, near) in [("home/lux", "lux"), ("home/mode", "home/Mode")] {
        let told =
            format!("  nothing spoke on `{read}`, which is read, but `{near}` did: is one of them misspelled?\n");
        assert!(said.contains(&told), "{said}");
    }
}
