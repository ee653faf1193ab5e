//! What can't be taken over: each with its place, the reason and what to do, and nothing of it acts.
//!
//! `tests/fixtures/home_assistant/refused.txt` has a case behind each `=== NAME | WHAT IS SAID`: the keys of an automation; what
//! isn't there is a trigger and an action that mean the same here.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::home::Home;

struct Case {
    name: String,
    said: String,
    keys: String,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../fixtures/home_assistant/refused.txt");
    let cases = text.split("=== ").skip(1).map(|case| {
        let (head, keys) = case.split_once('\n').unwrap();
        let (name, said) = head.split_once(" | ").unwrap();
        Case { name: name.to_owned(), said: said.to_owned(), keys: keys.to_owned() }
    });
    cases.collect()
}

/// A configuration with an automation for each case.
fn configuration(cases: &[Case]) -> Home {
    let mut text = String::new();
    for case in cases {
        let _ = writeln!(text, "- alias: {}", case.name);
        let has =
            |keys: &[&str]| case.keys.lines().any(|line| keys.iter().any(|key| line.starts_with(&format!("{key}:"))));
        if !has(&["trigger", "triggers", "use_blueprint"]) {
            text.push_str("  trigger: { platform: mqtt, topic: in/a }\n");
        }
        if !has(&["action", "actions", "use_blueprint"]) {
            text.push_str("  action: { service: mqtt.publish, data: { topic: out/a, payload: x } }\n");
        }
        for line in case.keys.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let home = Home::new(&[]);
    home.write("config/configuration.yaml", "automation: !include automations.yaml\n");
    home.write("config/secrets.yaml", "topic: very/secret\n");
    home.write("config/automations.yaml", &text);
    fs::create_dir_all(home.file("home")).unwrap();
    home
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_its_place_and_what_to_do() {
    let cases = cases();
    assert!(cases.len() > 100);
    let home = configuration(&cases);
    let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    let entries: Vec<&Value> = report["entries"].as_array().unwrap().iter().collect();
    let mut wrong = String::new();
    for case in &cases {
        let entry = entries.iter().find(|entry| entry["name"] == case.name.as_str()).unwrap();
        let reasons: Vec<&str> =
            entry["reasons"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let is_said = reasons.iter().any(|reason| reason.contains(&case.said) && reason.starts_with("line "));
        if entry["outcome"] != "refused" || !is_said {
            let _ = writeln!(wrong, "{}: {} {reasons:?}", case.name, entry["outcome"]);
        }
    }
    assert_eq!(wrong, "");
    let text = home.read("home/rules/imported/automations.yaml");
    assert_eq!(text.matches("\n    enabled: false\n").count(), cases.len(), "{text}");
    let checked = home.say(&["check", "home"]);
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
    // All of them hear `in/a` or nothing: what is refused does nothing at all.
    home.write(
        "home/rules/imported/nothing.test.yaml",
        "rules: automations.yaml\ntests:\n  Nothing acts:\n    steps:\n      - { publish: in/a, payload: x }\n      - { publish: a/b, payload: x }\n      - { after: 1d }\n      - { expect: [] }\n",
    );
    let tested = home.say(&["test", "home/rules/imported/nothing.test.yaml"]);
    assert_eq!(tested.status, 0, "{}{}", tested.out, tested.err);
    assert!(!said.out.contains("very/secret") && !text.contains("very/secret"));
}
