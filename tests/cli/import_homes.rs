//! Whole homes in the shapes in which people have them: how much of each is taken over, and that nothing of it acts half.
//!
//! `tests/fixtures/home_assistant/homes` has a home of 2019, one of today, and one whose entities file names devices and topics.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::home::{Home, copy_folder};

const HOMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/home_assistant/homes");

/// A home with what was imported from a configuration, and the report.
fn imported(name: &str) -> (Home, Value) {
    let home = Home::new(&[]);
    copy_folder(&Path::new(HOMES).join(name), &home.file("config"));
    fs::create_dir_all(home.file("home")).unwrap();
    let mut arguments = vec!["import", "home-assistant", "config", "--into", "home", "--json"];
    if home.file("config/homeassistant-entities.yaml").exists() {
        fs::copy(Path::new(HOMES).join("../devices.jsonl"), home.file("home/devices.jsonl")).unwrap();
        arguments.extend(["--entities", "config/homeassistant-entities.yaml"]);
    }
    let said = home.say(&arguments);
    assert!(said.status < 2, "{}{}", said.out, said.err);
    let report = serde_json::from_str(&said.out).unwrap();
    (home, report)
}

/// What is refused of the automations, each with its first reason.
fn refused(report: &Value) -> String {
    let entries = report["entries"].as_array().unwrap().iter();
    let lines = entries.filter(|entry| entry["outcome"] == "refused").map(|entry| {
        let reasons = entry["reasons"].as_array().unwrap();
        assert!(!reasons.is_empty(), "{entry}");
        format!(
            "{}:{} {}: {}\n",
            entry["file"].as_str().unwrap(),
            entry["line"],
            entry["name"].as_str().unwrap(),
            reasons[0].as_str().unwrap()
        )
    });
    lines.collect()
}

/// Asserts that what was written loads, that its tests pass, and that all that is refused is switched off.
fn holds(home: &Home, report: &Value) {
    let checked = home.say(&["check", "home"]);
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
    let tested = home.say(&["test", "home"]);
    assert_eq!(tested.status, 0, "{}{}", tested.out, tested.err);
    let rules = rules(home);
    let entries = report["entries"].as_array().unwrap().iter();
    for entry in entries.filter(|entry| entry["outcome"] == "refused") {
        let name = entry["name"].as_str().unwrap();
        for rule in rules.iter().filter(|rule| rule.contains(&format!("\n    name: {name}\n"))) {
            assert!(rule.contains("\n    enabled: false\n"), "{rule}");
        }
    }
}

/// The rules that were written, each as its text.
fn rules(home: &Home) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    for entry in fs::read_dir(home.file("home/rules/imported")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(path).unwrap();
        for line in text.lines() {
            let begins = line.starts_with("  ") && !line.starts_with("   ") && !line.starts_with("  #");
            if begins {
                rules.push(String::new());
            }
            if let Some(rule) = rules.last_mut() {
                rule.push_str(line);
                rule.push('\n');
            }
        }
    }
    rules
}

fn share(report: &Value) -> String {
    let counts = &report["automations"];
    format!(
        "{} found, {} taken, {} differ, {} refused\n",
        counts["found"], counts["taken"], counts["differs"], counts["refused"]
    )
}

#[test]
fn a_home_of_2019_is_taken_over() {
    let (home, report) = imported("old");
    insta::assert_snapshot!("import_home_old", format!("{}{}", share(&report), refused(&report)));
    holds(&home, &report);
}

#[test]
fn a_home_of_today_is_taken_over() {
    let (home, report) = imported("new");
    insta::assert_snapshot!("import_home_new", format!("{}{}", share(&report), refused(&report)));
    holds(&home, &report);
}

#[test]
fn a_home_whose_entities_are_named_is_taken_over() {
    let (home, report) = imported("devices");
    insta::assert_snapshot!("import_home_devices", format!("{}{}", share(&report), refused(&report)));
    holds(&home, &report);
}
