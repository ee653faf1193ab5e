//! Devices and inputs of a running home: listed, saved, commanded and shown.

use serde_json::Value;

use super::clients::{Kind, Sent, sent};
use super::house::{House, until};
use crate::home::{Home, Said, homerule};

const RULES: &str = "\
inputs:
  house: { type: choice, options: [home, away], default: home, name: Who is there }
rules:
  cool:
    when: { device: Greenhouse, field: temperature, above: 28 }
    then: { set: Greenhouse, to: { on: true } }
  dark:
    when: { input: house, to: away }
    then: { set: Greenhouse, to: { on: false } }
";

/// What an `ESPHome` node says of itself.
const DEFINITION: &str = r#"{"dev":{"ids":"a1b2c3","name":"Greenhouse","sa":"garden"},"o":{"name":"esphome"},"cmps":{
  "temp":{"p":"sensor","dev_cla":"temperature","unit_of_meas":"°C","stat_t":"greenhouse/temperature","uniq_id":"t"},
  "pump":{"p":"switch","stat_t":"greenhouse/pump","cmd_t":"greenhouse/pump/set","uniq_id":"p"}}}"#;

fn say(house: &House, arguments: &[&str]) -> Said {
    let url = format!("http://{}", house.web);
    let broker = format!("mqtt://{}", house.mqtt);
    let place = if arguments[0] == "pub" { ["--broker", &broker] } else { ["--url", &url] };
    homerule(house.home.path(), &[arguments, &place].concat())
}

fn greenhouse() -> House {
    let house = House::with_rules(RULES);
    assert_eq!(say(&house, &["pub", "-r", "homeassistant/device/greenhouse/config", DEFINITION]).status, 0);
    until("the device is known", || house.ask("GET", "/api/devices/Greenhouse", None).0 == 200);
    house
}

#[test]
fn a_rule_that_names_a_device_hears_and_commands_it_once_it_is_known() {
    let mut house = greenhouse();
    say(&house, &["pub", "greenhouse/temperature", "20"]);
    say(&house, &["pub", "greenhouse/temperature", "29.5"]);
    assert_eq!(house.publication("greenhouse/pump/set")["payload"], "ON");
    say(&house, &["pub", "greenhouse/pump", "ON"]);
    let listed = say(&house, &["devices"]);
    assert!(listed.out.starts_with("Greenhouse (") && listed.out.contains("in garden"), "{}", listed.out);
    let device = house.get("/api/devices/home_assistant/a1b2c3");
    let value = |name: &str| -> Value {
        let properties = device["properties"].as_array().unwrap();
        properties.iter().find(|property| property["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((value("temperature"), value("on")), (29.5.into(), true.into()));
}

#[test]
fn what_devices_say_of_themselves_is_saved_as_recording_lines() {
    let house = greenhouse();
    let said = say(&house, &["devices", "--save"]);
    assert_eq!(said.status, 0, "{}", said.err);
    let kept = house.home.read("devices.jsonl");
    let line: Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
    assert_eq!((&line["topic"], &line["retain"]), (&"homeassistant/device/greenhouse/config".into(), &1.into()));
    assert_eq!(kept.lines().count(), 1);
    assert_eq!(say(&house, &["devices", "--save"]).status, 0);
    assert_eq!(house.home.read("devices.jsonl"), kept, "what says the same stays as it is");
    let checked = homerule(house.home.path(), &["check"]);
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
}

#[test]
fn a_person_commands_a_device_and_sets_an_input() {
    let mut house = greenhouse();
    let said = say(&house, &["set", "Greenhouse", "on=maybe"]);
    assert_ne!(said.status, 0, "a word that the device hasn't is refused");
    assert_eq!(say(&house, &["input", "house", "away"]).status, 0);
    assert_eq!(house.publication("greenhouse/pump/set")["payload"], "OFF");
    assert_ne!(say(&house, &["input", "house", "gone"]).status, 0);
    assert_eq!(house.get("/api/inputs")[0]["value"], "away");
}

#[test]
fn the_page_shows_devices_and_inputs_with_what_sets_them() {
    let house = greenhouse();
    let html = ("accept", "text/html");
    for (path, wanted) in [
        ("/devices", "<h2>garden</h2>"),
        ("/devices/home_assistant%2Fa1b2c3", "data-post=\"/api/devices/home_assistant%2Fa1b2c3/set\""),
        ("/devices/Greenhouse", "greenhouse%2Ftemperature"),
        ("/inputs", "data-body=\"{&quot;value&quot;:&quot;away&quot;}\""),
    ] {
        let said = house.exchange("GET", path, &[html], None);
        assert_eq!(said.status, 200, "{path}: {}", said.body);
        assert!(said.body.contains(wanted), "{path} lacks `{wanted}`: {}", said.body);
    }
    assert_eq!(house.get("/api/now")["wrong"].as_array().unwrap().len(), 0);
    say(&house, &["pub", "-r", "homeassistant/sensor/broken/config", "{"]);
    until("what can't be read is told", || house.get("/api/now")["wrong"][0]["kind"] == "device");
    assert_eq!(house.exchange("GET", "/devices/nobody", &[html], None).status, 404);
}

#[test]
fn what_the_file_knows_is_kept_where_the_broker_says_nothing() {
    let line = r#"{"tst":"2026-01-01T00:00:00Z","topic":"homie/5/pump/$description","qos":1,"retain":1,"payloadlen":2,"payload":"{}"}"#;
    let house = Home::with(&[("rules/all.yaml", RULES), ("devices.jsonl", &format!("{line}\n"))]).start();
    assert_eq!(say(&house, &["devices", "--save"]).status, 0);
    assert_eq!(house.home.read("devices.jsonl"), format!("{line}\n"));
}

#[test]
fn home_assistant_is_told_of_rules_and_inputs_and_of_what_is_gone() {
    let settings = format!("{}\nname: home\ndiscovery: {{ announce: true }}\n", crate::home::SETTINGS);
    let mut house = Home::with(&[("homerule.yaml", &settings), ("rules/all.yaml", RULES)]).start();
    let topic = "homeassistant/device/homerule_home/config";
    let told = |house: &House| -> Value {
        let state = house.get(&format!("/api/state?filter={}", topic.replace('/', "%2F")));
        state[0]["value"].clone()
    };
    until("it is told", || told(&house)["cmps"]["rule_all_3a_cool_run"]["p"] == "button");
    assert_eq!(told(&house)["cmps"]["input_house"]["p"], "select");
    assert!(house.get("/api/devices")["devices"].as_array().unwrap().is_empty(), "our own isn't a device");
    house.home.write("rules/all.yaml", RULES.split_once("  dark:").unwrap().0);
    house.reloaded();
    let now = told(&house);
    assert!(now["cmps"].get("rule_all_3a_dark_run").is_none() && now["cmps"].get("rule_all_3a_cool_run").is_some());
}

#[test]
fn what_an_input_is_told_is_retained_and_why_names_who_set_it() {
    let house = greenhouse();
    let told = Kind::Own.subscribe(house.mqtt, &["homerule/input/house"]);
    assert_eq!(told.next(), "1 homerule/input/house home");
    assert_eq!(house.ask("POST", "/api/inputs/house", Some(r#"{"value": "away"}"#)).0, 200);
    assert_eq!(told.next(), "0 homerule/input/house away");
    let why = say(&house, &["why", "homerule/input/house"]).out;
    assert!(why.contains("`http`") && why.contains("away"), "{why}");
    let page = ("sec-fetch-site", "same-origin");
    let json = ("content-type", "application/json");
    let said = house.exchange("POST", "/api/inputs/house", &[page, json], Some(r#"{"value": "home"}"#));
    assert_eq!((said.status, told.next().as_str()), (200, "0 homerule/input/house home"));
    let why = say(&house, &["why", "homerule/input/house"]).out;
    assert!(why.contains("`page`") && why.contains("home"), "{why}");
    let late = Kind::Own.subscribe(house.mqtt, &["homerule/input/house"]);
    assert_eq!(late.next(), "1 homerule/input/house home");
}

#[test]
fn what_was_announced_is_cleared_when_announcing_ends() {
    let with =
        |announce: bool| format!("{}\nname: home\ndiscovery: {{ announce: {announce} }}\n", crate::home::SETTINGS);
    let mut house = Home::with(&[("homerule.yaml", &with(true)), ("rules/all.yaml", RULES)]).start();
    let announced = ["homeassistant/device/#", "end"];
    let first = Kind::Own.subscribe(house.mqtt, &announced).next();
    assert!(first.starts_with("1 homeassistant/device/homerule_home/config {"), "{first}");
    house.end("TERM");
    house.home.write("homerule.yaml", &with(false));
    house.begin();
    until("it is cleared", || {
        let late = Kind::Own.subscribe(house.mqtt, &announced);
        house.ask("POST", "/api/publish", Some(r#"{"topic": "end", "payload": 1}"#));
        late.until("end").is_empty()
    });
    assert!(house.get("/api/devices")["devices"].as_array().unwrap().is_empty(), "our own isn't a device");
}

#[test]
fn a_home_says_that_somebody_is_there_unless_another_has_said_so() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    let mut house = House::with_rules(RULES);
    let keep = |house: &House| {
        let options = ["-c", "-i", "keeper", "-V", "311"];
        Kind::Mosquitto.subscribe_with(house.mqtt, &["homeassistant/status", "end"], &options)
    };
    let heard = |house: &mut House| {
        house.end("TERM");
        house.begin();
        let keeper = keep(house);
        house.ask("POST", "/api/publish", Some(r#"{"topic": "end", "payload": 1, "qos": 1}"#));
        keeper.until("end")
    };
    drop(keep(&house));
    assert_eq!(heard(&mut house), ["0 homeassistant/status online"]);
    let said = Sent { retain: true, ..sent("homeassistant/status", "offline") };
    Kind::Mosquitto.publish(house.mqtt, &[said]);
    let heard = heard(&mut house);
    assert!(heard.contains(&"1 homeassistant/status offline".to_owned()), "{heard:?}");
    assert!(!heard.iter().any(|line| line.ends_with("online")), "somebody else speaks there: {heard:?}");
}

#[test]
fn what_a_device_did_not_promise_is_told_first() {
    let house = greenhouse();
    say(&house, &["pub", "greenhouse/temperature", "21"]);
    say(&house, &["pub", "greenhouse/temperature", "warm"]);
    let misfit = |house: &House| {
        let device = house.get("/api/devices/Greenhouse");
        let properties = device["properties"].as_array().unwrap().clone();
        properties.into_iter().find(|property| property["name"] == "temperature").unwrap()
    };
    until("it is told", || misfit(&house)["misfit"] == "warm");
    assert_eq!(misfit(&house)["value"], 21, "what it said before is still what is known");
    let html = ("accept", "text/html");
    let body = house.exchange("GET", "/devices", &[html], None).body;
    assert!(body.contains("Something is wrong with") && body.contains("which should be a number"), "{body}");
    let body = house.exchange("GET", "/devices/Greenhouse", &[html], None).body;
    for wanted in ["which should be a number", "is started by it, commands it", "all:cool", "<svg class=\"chart\""] {
        assert!(body.contains(wanted), "{wanted}: {body}");
    }
    say(&house, &["pub", "greenhouse/temperature", "22"]);
    until("it is over", || misfit(&house)["misfit"].is_null());
}
