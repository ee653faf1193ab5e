//! Rule files over the web: checked, tried on what was recorded, saved.

use serde_json::{Value, json};

use super::house::House;
use crate::home::Home;

const RULES: &str = "rules: { light: { when: in/x, then: { out/x: '${payload}' } } }\n";
const OTHER: &str = "rules: { light: { when: in/x, if: msg > 2, then: { out/x: '${payload}' } } }\n";
const BROKEN: &str = "rules: { light: { whne: in/x, then: { out/x: 1 } } }\n";

fn body(text: &str, more: Value) -> String {
    let mut body = json!({ "file": "rules/all.yaml", "text": text });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

fn post(house: &House, path: &str, body: &str) -> (u16, Value) {
    let (status, answer) = house.ask("POST", path, Some(body));
    (status, serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

fn editable() -> House {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    home.write("homerule.yaml", "broker: { listen: \"127.0.0.1:0\" }\nweb: { listen: \"127.0.0.1:0\", edit: true }\n");
    home.start()
}

#[test]
fn a_text_is_checked_as_the_command_line_checks_it() {
    let house = House::with_rules(RULES);
    let (status, answer) = post(&house, "/api/check", &body(BROKEN, json!({})));
    assert_eq!((status, &answer["errors"]), (200, &json!(1)));
    let found = &answer["diagnostics"][0];
    assert_eq!((&found["file"], &found["line"], &found["column"]), (&json!("rules/all.yaml"), &json!(1), &json!(19)));
    house.home.write("rules/all.yaml", BROKEN);
    let said = house.home.say(&["check", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), answer);
    assert_eq!(post(&house, "/api/check", &body(OTHER, json!({}))).1["errors"], 0);
    let outside = json!({ "file": "homerule.yaml", "text": "" }).to_string();
    assert_eq!(post(&house, "/api/check", &outside).0, 400);
    assert_eq!(post(&house, "/api/check", "{").0, 400);
}

#[test]
fn what_would_have_been_different_is_told_by_rule_and_changes_nothing() {
    let mut house = House::with_rules(RULES);
    for number in 1..=4 {
        let message = format!(r#"{{"topic": "in/x", "payload": {number}}}"#);
        assert_eq!(house.ask("POST", "/api/publish", Some(&message)).0, 202);
        house.publication("out/x");
    }
    let (status, answer) = post(&house, "/api/try", &body(OTHER, json!({ "since": "1h" })));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["only_here"], json!([]));
    let there: Vec<&str> =
        answer["only_there"].as_array().unwrap().iter().map(|one| one["payload"].as_str().unwrap()).collect();
    assert_eq!(there, ["1", "2"]);
    assert_eq!(answer["by_rule"]["all:light"]["only_there"], answer["only_there"]);
    let another =
        "rules: { more: { when: in/x, then: { out/y: 1 } }, light: { when: in/x, then: { out/x: '${payload}' } } }\n";
    let (_, answer) = post(&house, "/api/try", &body(another, json!({})));
    assert_eq!(answer["only_here"].as_array().unwrap().len(), 4);
    assert_eq!(answer["by_rule"]["all:more"]["only_here"].as_array().unwrap().len(), 4);
    assert_eq!(house.home.read("rules/all.yaml"), RULES);
    let html = house.exchange(
        "POST",
        "/api/try",
        &[("accept", "text/html"), ("content-type", "application/json")],
        Some(&body(OTHER, json!({}))),
    );
    assert!(html.body.contains("only with the rules in force"), "{}", html.body);
}

#[test]
fn a_text_that_does_not_load_is_not_tried() {
    let house = House::with_rules(RULES);
    let (status, answer) = post(&house, "/api/try", &body(BROKEN, json!({})));
    assert_eq!((status, &answer["status"], &answer["errors"]), (422, &json!(422), &json!(1)));
    assert_eq!(answer["diagnostics"][0]["file"], "rules/all.yaml");
    assert_eq!(post(&house, "/api/try", &body(OTHER, json!({ "since": "soon" }))).0, 400);
}

#[test]
fn without_a_recorder_there_is_nothing_to_replay_and_it_says_so() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    let settings = home.read("homerule.yaml");
    home.write("homerule.yaml", &format!("{settings}recorder: off\n"));
    let house = home.start();
    let (status, answer) = post(&house, "/api/try", &body(OTHER, json!({})));
    assert!(status == 409 && answer["detail"].as_str().unwrap().contains("recorder"), "{answer}");
}

#[test]
fn a_file_is_saved_only_where_that_is_allowed() {
    let house = House::with_rules(RULES);
    let put = |path: &str| house.exchange("PUT", path, &[("if-match", "*")], Some(OTHER)).status;
    assert_eq!(put("/api/files/rules/all.yaml"), 403);
    assert_eq!(put("/api/files/homerule.yaml"), 400);
    assert_eq!(house.home.read("rules/all.yaml"), RULES);
}

#[test]
fn a_file_is_saved_if_it_loads_and_is_what_it_was() {
    let mut house = editable();
    let path = "/api/files/rules/all.yaml";
    let read = house.exchange("GET", path, &[], None);
    assert_eq!((read.status, read.body.as_str()), (200, RULES));
    let tag = read.header("etag").to_owned();
    let put = |house: &House, headers: &[(&str, &str)], text: &str| house.exchange("PUT", path, headers, Some(text));

    assert_eq!(put(&house, &[], OTHER).status, 428);
    assert_eq!(put(&house, &[("if-match", "\"another\"")], OTHER).status, 412);
    let refused = put(&house, &[("if-match", &tag)], BROKEN);
    assert_eq!((refused.status, refused.json()["diagnostics"][0]["line"].clone()), (422, json!(1)));
    assert_eq!(house.home.read("rules/all.yaml"), RULES, "nothing was saved so far");

    let saved = put(&house, &[("if-match", &tag)], OTHER);
    assert_eq!(saved.status, 204, "{}", saved.body);
    assert_eq!(house.home.read("rules/all.yaml"), OTHER);
    house.reloaded();
    assert_eq!(put(&house, &[("if-match", &tag)], RULES).status, 412, "it was changed meanwhile");
    assert_eq!(put(&house, &[("if-match", saved.header("etag"))], RULES).status, 204);

    let new = [("if-none-match", "*")];
    assert_eq!(house.exchange("PUT", "/api/files/rules/new/more.yaml", &new, Some("rules: {}\n")).status, 201);
    assert_eq!(house.exchange("PUT", "/api/files/rules/new/more.yaml", &new, Some("rules: {}\n")).status, 412);
    assert_eq!(house.home.read("rules/new/more.yaml"), "rules: {}\n");
}

#[test]
fn a_link_that_leads_out_of_the_rules_is_not_followed() {
    let house = editable();
    house.home.write("secret.yaml", "rules: {}\n");
    std::os::unix::fs::symlink("../secret.yaml", house.home.file("rules/link.yaml")).unwrap();
    let path = "/api/files/rules/link.yaml";
    assert_eq!(house.exchange("GET", path, &[], None).status, 400);
    assert_eq!(house.exchange("PUT", path, &[("if-match", "*")], Some("rules: {}\n")).status, 400);
    assert_eq!(house.exchange("GET", "/api/files/rules/..%2Fhomerule.yaml", &[], None).status, 400);
}
