//! What Home Assistant's own schema takes and refuses, held against the import: `tests/fixtures/home_assistant/schema.json` has its answers,
//! which `tests/tools/home_assistant_schema.py` wrote.

use std::fs;

use serde_json::Value;

use crate::home::Home;

/// Home Assistant takes these, although they can't work: each fails, or does nothing, when it runs.
const FAILS_WHEN_IT_RUNS: [&str; 3] =
    ["enabled as a word", "condition numeric state whose bounds leave nothing", "repeat count as a word"];

/// Returns the outcome and the reasons of one automation.
fn imported(automation: &str) -> (String, Vec<String>) {
    let home = Home::new(&[]);
    let mut text = String::from("- ");
    text.push_str(&automation.trim_end().replace('\n', "\n  "));
    home.write("config/automations.yaml", &text);
    home.write("config/configuration.yaml", "automation: !include automations.yaml\n");
    fs::create_dir_all(home.file("home")).unwrap();
    let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--dry-run", "--json"]);
    assert!(said.status < 2, "{automation}\n{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    let entry = &answer["entries"][0];
    let reasons = entry["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap().to_owned());
    (entry["outcome"].as_str().unwrap().to_owned(), reasons.collect())
}

#[test]
fn what_home_assistant_refuses_is_refused_or_said_and_what_it_takes_is_not_called_wrong() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/home_assistant/schema.json");
    let fixture: Value = serde_json::from_str(&fs::read_to_string(fixture).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in fixture["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (outcome, reasons) = imported(case["automation"].as_str().unwrap());
        let refused = &case["refused"];
        if !refused.is_null() && outcome == "taken" {
            wrong.push(format!("{name}: taken, and Home Assistant says {refused}"));
        }
        let is_called_wrong = reasons.iter().any(|reason| reason.ends_with("(HR155)"));
        if refused.is_null() && is_called_wrong && !FAILS_WHEN_IT_RUNS.contains(&name) {
            wrong.push(format!("{name}: HR155, and Home Assistant takes it"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
