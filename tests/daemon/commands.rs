//! The commands that speak to a running home.

use serde_json::Value;

use super::house::House;
use crate::home::{Said, homerule};

const RULES: &str = "\
rules:
  light: { when: home/+room/tv, if: msg == 'ON', then: { publish: 'home/${room}/light/set', payload: ON } }
";

fn say(house: &House, arguments: &[&str]) -> Said {
    let url = format!("http://{}", house.web);
    let broker = format!("mqtt://{}", house.mqtt);
    let place = if matches!(arguments[0], "pub" | "sub") { ["--broker", &broker] } else { ["--url", &url] };
    homerule(house.home.path(), &[arguments, &place].concat())
}

/// Publishes, and returns when the rule has answered.
fn turn_on_the_tv(house: &mut House) {
    let said = say(house, &["pub", "home/living/tv", "ON"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
    house.publication("home/living/light/set");
}

#[test]
fn pub_publishes_with_each_qos_and_sub_shows_topic_and_payload() {
    let house = House::with_rules(RULES);
    for qos in ["0", "1", "2"] {
        let topic = format!("q/{qos}");
        assert_eq!(say(&house, &["pub", "-r", "-q", qos, &topic, "a b"]).status, 0, "QoS {qos}");
        let said = say(&house, &["sub", &topic, "-C", "1"]);
        assert_eq!((said.status, said.out), (0, format!("q/{qos} a b\n")));
    }
}

#[test]
fn sub_writes_recording_lines() {
    let house = House::with_rules(RULES);
    say(&house, &["pub", "-r", "a/b", "-5"]);
    let said = say(&house, &["sub", "a/+anything", "-C", "1", "--json"]);
    let line: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&line["topic"], &line["payload"], &line["payloadlen"]), (&"a/b".into(), &"-5".into(), &2.into()));
    assert_eq!((&line["qos"], &line["retain"]), (&1.into(), &1.into()));
    assert_eq!(line["origin"], "retained");
}

#[test]
fn state_shows_the_last_payloads() {
    let mut house = House::with_rules(RULES);
    turn_on_the_tv(&mut house);
    let said = say(&house, &["state", "home/+/tv"]);
    assert_eq!(said.status, 0);
    assert!(said.out.starts_with("home/living/tv  ON  ") && said.out.ends_with(" ago\n"), "{}", said.out);
    let said = say(&house, &["state", "home/#", "--json"]);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    let topics: Vec<&str> = answer.as_array().unwrap().iter().map(|state| state["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, ["home/living/light/set", "home/living/tv"]);
}

#[test]
fn status_counts_the_rules_and_says_what_is_wrong() {
    let mut house = House::with_rules(RULES);
    let said = say(&house, &["status"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("1 rules in force, 1 switched on, 0 failed last\n"), "{}", said.out);
    house.home.write("rules/broken.yaml", "rules:\n  x: { whne: a }\n");
    house.reloaded();
    let said = say(&house, &["status"]);
    assert_eq!(said.status, 1, "{}", said.out);
    assert!(said.out.contains("rules/broken.yaml:2:8: error[HR020]: "), "{}", said.out);
}

#[test]
fn trace_shows_each_step() {
    let mut house = House::with_rules(RULES);
    turn_on_the_tv(&mut house);
    let said = say(&house, &["trace", "light"]);
    assert_eq!(said.status, 0, "{}", said.err);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].ends_with(" all:light finished"), "{}", said.out);
    assert!(lines[2].contains("condition") && lines[2].contains("true"), "{}", said.out);
    assert!(lines[3].contains("home/living/light/set ON"), "{}", said.out);
}

#[test]
fn a_rule_is_switched_off_and_on() {
    let mut house = House::with_rules(RULES);
    let is_enabled = |house: &House| {
        let said = say(house, &["status", "--json"]);
        let answer: Value = serde_json::from_str(&said.out).unwrap();
        answer["rules"]["enabled"] == 1
    };
    assert_eq!(say(&house, &["disable", "all:light"]).status, 0);
    assert!(!is_enabled(&house));
    assert_eq!(say(&house, &["enable", "light"]).status, 0);
    assert!(is_enabled(&house));
    turn_on_the_tv(&mut house);
    let said = say(&house, &["disable", "dark"]);
    assert_eq!(said.status, 2);
    assert_eq!(said.err, "error: there is no rule `dark`; `homerule status --rules` lists them\n");
    let said = say(&house, &["disable", "lihgt"]);
    assert_eq!(said.err, "error: there is no rule `lihgt`; did you mean `light`?\n");
}

#[test]
fn run_rule_runs_a_rule_by_hand_with_the_variables_that_are_given() {
    let rules = "rules:\n  blind:\n    when: { topic: home/+room/blind, payload: UP }\n    if: msg == 'never'\n    \
                 then: { \"out/${room}\": \"${room} ${msg ?? 'nothing'}\" }\n";
    let mut house = House::with_rules(rules);
    // It asks no conditions, and what isn't given is `()`.
    let said = say(&house, &["run-rule", "blind", "--with", "room=hall"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
    assert_eq!(house.publication("out/hall")["payload"], "hall nothing");
    let said = say(&house, &["trace", "blind"]);
    assert!(said.out.contains("a person"), "{}", said.out);
    let said = say(&house, &["run-rule", "blidn"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: there is no rule `blidn`; did you mean `blind`?\n"));
    let said = say(&house, &["run-rule", "blind", "--with", "room"]);
    assert!(said.status == 2 && said.err.contains("write it as `name=value`"), "{}", said.err);
}

#[test]
fn a_switch_tells_programs_how_the_rule_is_then() {
    let house = House::with_rules(RULES);
    let said = say(&house, &["disable", "light", "--json"]);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((answer["id"].as_str(), &answer["enabled"]), (Some("all:light"), &Value::Bool(false)));
    let said = say(&house, &["enable", "light", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["enabled"], true);
    assert_eq!(say(&house, &["enable", "light"]).out, "");
}

#[test]
fn of_one_rule_for_each_topic_one_is_named() {
    let rules = "rules:\n  low:\n    each: { topic: device/+name/battery }\n    when: '${topic}'\n    \
                 then: { 'low/${name}': '${payload}' }\n";
    let mut house = House::with_rules(rules);
    for command in ["disable", "why-not"] {
        let said = say(&house, &[command, "low"]);
        let told = "error: `all:low` is one rule for each topic, and none of its topics has been seen yet\n";
        assert_eq!((said.status, said.err.as_str()), (2, told), "{command}");
    }
    house.ask("POST", "/api/publish", Some(r#"{"topic": "device/remote/battery", "payload": 5}"#));
    house.publication("low/remote");
    let said = say(&house, &["disable", "low"]);
    let told = "error: `all:low` could be several rules: name `all:low[remote]`\n";
    assert_eq!((said.status, said.err.as_str()), (2, told));
    let said = say(&house, &["disable", "low[remote]", "--json"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["enabled"], false);
}

#[test]
fn why_goes_back_to_the_outside_and_why_not_names_the_gate() {
    let mut house = House::with_rules(
        "\
rules:
  first: { when: tv, if: msg == 'ON', then: { publish: between, payload: 1 } }
  second: { when: between, then: { publish: lamp, payload: ON } }
  never: { when: nothing, then: { publish: lamp, payload: ON } }
",
    );
    say(&house, &["pub", "tv", "ON"]);
    house.publication("lamp");
    let said = say(&house, &["why", "lamp", "--json"]);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    let rules: Vec<&str> = answer.as_array().unwrap().iter().map(|trace| trace["rule"].as_str().unwrap()).collect();
    assert_eq!((said.status, rules), (0, vec!["all:first", "all:second"]));
    let said = say(&house, &["why", "tv"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains(" tv \"ON\", published by the client `homerule-"), "{}", said.out);
    let said = say(&house, &["why", "nothing"]);
    assert_eq!(
        (said.status, said.out.as_str()),
        (1, "nobody published `nothing`, as far back as the daemon remembers and records\n")
    );

    assert_eq!(say(&house, &["why-not", "first"]).status, 1);
    say(&house, &["pub", "tv", "OFF"]);
    let said = say(&house, &["why-not", "first"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains(" all:first skipped by condition\n"), "{}", said.out);
    let said = say(&house, &["why-not", "never"]);
    let nothing = "all:never: no trigger fired, as far back as the daemon remembers; no message came on `nothing`\n";
    assert_eq!((said.status, said.out.as_str()), (0, nothing));
}
