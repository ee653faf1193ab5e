//! Imported templates give what Home Assistant's own engine made of them (`tests/tools/home_assistant_templates.py`).

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::home::Home;

/// Rule files of so many templates, since each test runs all rules of its file.
const IN_A_FILE: usize = 20;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/home_assistant/templates.json")).unwrap()
}

/// A configuration with an automation for each template, which publishes it on `out/NUMBER`.
fn configuration(cases: &[Value]) -> Home {
    let home = Home::new(&[(
        "config/configuration.yaml",
        "mqtt_statestream: { base_topic: ha }\nautomation: !include_dir_merge_list parts\n",
    )]);
    for (part, cases) in cases.chunks(IN_A_FILE).enumerate() {
        let mut text = String::new();
        for (index, case) in cases.iter().enumerate() {
            let number = part * IN_A_FILE + index;
            let template = serde_json::to_string(&case["template"]).unwrap();
            let _ = writeln!(
                text,
                "- {{ alias: T{number}, trigger: {{ platform: mqtt, topic: go/{number} }}, \
                 action: {{ service: mqtt.publish, data: {{ topic: out/{number}, payload: {template} }} }} }}"
            );
        }
        home.write(&format!("config/parts/p{part}.yaml"), &text);
    }
    home
}

/// What Home Assistant's `mqtt_statestream` says of the fixture's states.
fn given(fixture: &Value) -> Value {
    let mut topics = serde_json::Map::new();
    for (entity, said) in fixture["states"].as_object().unwrap() {
        let path = entity.replace('.', "/");
        topics.insert(format!("ha/{path}/state"), said[0].clone());
        for (attribute, value) in said[1].as_object().unwrap() {
            topics.insert(format!("ha/{path}/{attribute}"), value.clone());
        }
    }
    topics.into()
}

fn expected(number: usize, text: &str) -> Value {
    if text.is_empty() {
        return json!({ (format!("out/{number}")): "" });
    }
    json!({ (format!("out/{number}")): { "matches": format!("^(?s:{})$", regex::escape(text)) } })
}

#[test]
fn templates_give_what_home_assistant_makes_of_them() {
    let fixture = fixture();
    let cases = fixture["cases"].as_array().unwrap();
    let home = configuration(cases);
    let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let outcome = |number: usize| {
        let entries = report["entries"].as_array().unwrap().iter();
        let mut found = entries.filter(|entry| entry["name"] == json!(format!("T{number}")));
        found.next().unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    let mut refused = 0;
    for part in 0..cases.len().div_ceil(IN_A_FILE) {
        let mut tests = serde_json::Map::new();
        for (number, case) in cases.iter().enumerate().skip(part * IN_A_FILE).take(IN_A_FILE) {
            let Some(text) = case["text"].as_str().filter(|_| case.get("differs").is_none()) else { continue };
            if outcome(number) == "refused" {
                refused += 1;
                continue;
            }
            let steps =
                json!([{ "publish": format!("go/{number}"), "payload": "x" }, { "expect": expected(number, text) }]);
            let name = format!("{number}: {}", case["template"].as_str().unwrap());
            tests.insert(name, json!({ "at": fixture["now"], "given": given(&fixture), "steps": steps }));
        }
        let location = json!({ "timezone": fixture["zone"] });
        let file = json!({ "location": location, "tests": tests });
        home.write(&format!("home/rules/imported/parts-p{part}.test.yaml"), &file.to_string());
    }
    let tested = home.say(&["test", "home"]);
    assert_eq!(tested.status, 0, "{}{}", tested.out, tested.err);
    // What Home Assistant can do and this import refuses, with its place: no more than these.
    assert_eq!(refused, 17);
}
