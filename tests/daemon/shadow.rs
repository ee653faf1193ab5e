//! Rules in the shadow, as a user sees them: they do nothing, and it's told what they would have done.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::clients::{Kind, Sent, sent};
use super::house::{House, until};
use super::stub::{Stub, answer};
use super::survival::publish;
use crate::home::{Home, SETTINGS, Said};

const RULES: &str = "rules:\n  light: { when: in/motion, then: { lamp/set: '${payload}' } }\n  same: { when: in/button, then: { bell/set: { ring: 1, loud: true } } }\n";
const NEW: &str = "rules:\n  light: { when: in/motion, if: msg != 'OFF', then: { lamp/set: '${payload}' } }\n  same: { when: in/button, then: { bell/set: { loud: true, ring: 1.0 } } }\n";

fn home(rules: &str, new: &str, shadow: &str) -> Home {
    let home = Home::with(&[("rules/all.yaml", rules), ("new-rules/all.yaml", new)]);
    home.write("homerule.yaml", &format!("{SETTINGS}shadow: {{ rules: new-rules, {shadow} }}\n"));
    home
}

/// Runs a command that asks the daemon.
fn say(house: &House, arguments: &[&str]) -> Said {
    let url = format!("http://{}", house.web);
    house.home.say(&[arguments, &["--url", &url]].concat())
}

/// Waits until so much has been decided, and returns what is told of it.
fn decided(house: &House, count: u64) -> Value {
    let mut answer = Value::Null;
    until("that it's decided", || {
        answer = house.get("/api/shadow");
        answer["decided"] == count && answer["undecided"] == 0
    });
    answer
}

#[test]
fn what_the_rules_in_the_shadow_would_do_otherwise_is_told_with_why_and_not_done() {
    let mut house = home(RULES, NEW, "window: 200ms").start();
    for (topic, payload) in [("in/motion", "ON"), ("in/motion", "OFF"), ("in/button", "x")] {
        publish(&house, topic, payload);
    }
    for topic in ["lamp/set", "lamp/set", "bell/set"] {
        house.publication(topic);
    }
    let answer = decided(&house, 3);
    assert_eq!((&answer["agreed"], &answer["rules"]), (&json!(2), &json!("new-rules")), "{answer}");
    let differences = answer["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{answer}");
    let one = &differences[0];
    let told = (&one["rule"], &one["topic"], &one["here"], &one["there"]);
    assert_eq!(told, (&json!("all:light"), &json!("lamp/set"), &json!("OFF"), &Value::Null));
    let (here, there) = (one["why"]["here"].to_string(), one["why"]["there"].to_string());
    assert!(here.contains("finished") && here.contains("in/motion"), "{here}");
    assert!(there.contains("its condition is false") && there.contains("msg != "), "{there}");

    let said = say(&house, &["shadow"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.starts_with("2 of 3 decisions agreed since "), "{}", said.out);
    assert!(said.out.contains("all:light: 1 of 2 agreed") && said.out.contains("there  nothing"), "{}", said.out);
    let said = say(&house, &["shadow", "same", "--json"]);
    let only: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.status, &only["decided"], &only["agreed"]), (0, &json!(1), &json!(1)));
    let page = house.ask("GET", "/shadow", None).1;
    assert!(page.contains("2 of 3") && page.contains("its condition is false"), "{page}");
    assert_eq!(house.publications_so_far(), 0, "the rules in the shadow publish nothing");
}

#[test]
fn requests_and_programs_of_the_shadow_are_not_made_and_told() {
    let new = "rules: { call: { when: in/a, then: [ { http: { method: POST, url: 'http://127.0.0.1:9/x', body: hi } }, { out/a: '${http.status}' } ] } }\n";
    let house = home("rules: {}\n", new, "window: 200ms").start();
    publish(&house, "in/a", "1");
    let answer = decided(&house, 2);
    let told: Vec<_> =
        answer["differences"].as_array().unwrap().iter().map(|one| (&one["topic"], &one["there"])).collect();
    assert_eq!(told, [(&json!("out/a"), &json!(200)), (&json!("POST http://127.0.0.1:9/x"), &json!("hi"))]);
}

#[test]
fn what_people_would_be_told_is_compared_and_not_told() {
    let rules = "rules: { tell: { when: in/a, then: { notify: phone, message: 'Hello ${msg}' } } }\n";
    let ntfy = Stub::start(|_| answer(200, "", "{}"));
    let home = home(rules, &rules.replace("Hello", "Hi"), "window: 200ms");
    let settings = fs::read_to_string(home.file("homerule.yaml")).unwrap();
    home.write("homerule.yaml", &format!("{settings}notify: {{ phone: {{ ntfy: \"{}\" }} }}\n", ntfy.url("/home")));
    let house = home.start();
    publish(&house, "in/a", "1");
    assert_eq!(ntfy.next().json()["message"], "Hello 1");
    let mut told = Value::Null;
    until("that it's told", || {
        told = house.get("/api/shadow");
        told["differences"].as_array().is_some_and(|differences| differences.len() == 1)
    });
    let one = &told["differences"][0];
    assert_eq!((&one["rule"], &one["topic"]), (&json!("all:tell"), &json!("notify phone")), "{told}");
    assert!(one["here"].to_string().contains("Hello 1") && one["there"].to_string().contains("Hi 1"), "{told}");
    assert_eq!(ntfy.so_far().len(), 0, "the rules in the shadow tell nobody");
}

#[test]
fn a_command_of_the_rules_in_force_is_no_hand_in_the_shadow() {
    let rules = "rules: { light: { when: in/motion, then: { hall/lamp/set: '${payload}' } } }\n";
    let new = "rules: { light: { when: in/motion, if: \"msg == 'OFF'\", then: { hall/lamp/set: '${payload}' }, yields: { for: 1h, to: hall/lamp } } }\n";
    let mut house = home(rules, new, "window: 200ms").start();
    publish(&house, "hall/lamp", "OFF");
    for payload in ["ON", "OFF"] {
        publish(&house, "in/motion", payload);
        house.publication("hall/lamp/set");
        publish(&house, "hall/lamp", payload);
    }
    let answer = decided(&house, 2);
    assert_eq!(answer["agreed"], 1, "the light goes out in the shadow too: {answer}");
    publish(&house, "hall/lamp", "ON");
    publish(&house, "in/motion", "OFF");
    house.publication("hall/lamp/set");
    let answer = decided(&house, 3);
    assert_eq!(answer["agreed"], 1, "a hand is one there too: {answer}");
}

#[test]
fn another_system_is_compared_with_within_the_window_and_people_see_who_it_was() {
    let new = "rules: { light: { when: in/motion, then: { lamp/set: '${payload}' } }, more: { when: lamp/set, then: { seen/lamp: '${payload}' } } }\n";
    let house = home("rules: {}\n", new, "compare: live, window: 500ms").start();
    let other = |topic: &str, payload: &str| Kind::Own.publish(house.mqtt, &[sent(topic, payload)]);
    publish(&house, "in/motion", "ON");
    until("its decision", || house.get("/api/shadow")["undecided"] != 0);
    other("lamp/set", "ON");
    other("seen/lamp", "ON");
    // What the shadow has said itself is no news to it, so this rule ran once.
    assert_eq!(decided(&house, 2)["agreed"], 2);
    publish(&house, "in/motion", "ON");
    other("lamp/set", "OFF");
    other("elsewhere", "OFF");
    let answer = decided(&house, 5);
    assert_eq!(answer["agreed"], 2, "{answer}");
    let lamp = answer["differences"].as_array().unwrap().iter().find(|one| one["topic"] == "lamp/set").unwrap().clone();
    assert_eq!((&lamp["here"], &lamp["there"]), (&json!("OFF"), &json!("ON")), "{answer}");
    assert!(lamp["here_by"].as_str().unwrap().starts_with("client "), "{lamp}");
}

#[test]
fn whether_a_message_is_retained_matters() {
    let rules = |retain: bool| {
        format!("rules: {{ a: {{ when: in/a, then: {{ publish: out/a, payload: 1, retain: {retain} }} }} }}\n")
    };
    let house = home(&rules(false), &rules(true), "window: 100ms").start();
    publish(&house, "in/a", "1");
    let answer = decided(&house, 1);
    let one = &answer["differences"][0];
    assert_eq!(
        (&answer["agreed"], &one["here_retain"], &one["there_retain"]),
        (&json!(0), &json!(false), &json!(true))
    );
    Kind::Own.publish(house.mqtt, &[Sent { retain: false, ..sent("x", "y") }]);
}

#[test]
fn errors_in_the_shadow_are_told_and_the_house_goes_on() {
    let mut house = home(RULES, "rules: { light: { whne: in/motion } }\n", "window: 100ms").start();
    let answer = house.get("/api/shadow");
    assert_eq!(answer["diagnostics"][0]["file"], "new-rules/all.yaml", "{answer}");
    assert_eq!(house.get("/api/status")["healthy"], true);
    publish(&house, "in/motion", "ON");
    house.publication("lamp/set");
    assert_eq!(decided(&house, 1)["agreed"], 0);
    // Once it's mended, it is in the shadow, and the rules that came count from then on.
    house.home.write("new-rules/all.yaml", RULES);
    until("the new rules", || house.get("/api/shadow")["diagnostics"] == json!([]));
    publish(&house, "in/motion", "ON");
    let answer = decided(&house, 1);
    assert_eq!((&answer["agreed"], &answer["differences"]), (&json!(1), &json!([])), "{answer}");
    // And broken again, the last good version stays.
    house.home.write("new-rules/all.yaml", "rules: [\n");
    until("the error", || house.get("/api/shadow")["stale"] == json!(["new-rules/all.yaml"]));
    publish(&house, "in/motion", "ON");
    assert_eq!(decided(&house, 2)["agreed"], 2);
}

#[test]
fn a_rule_that_never_ends_in_the_shadow_holds_nothing_up() {
    let endless = "rule(\"light\", #{ when: \"in/motion\", then: || { loop {} } });\n";
    let home = home(RULES, "rules: {}\n", "window: 100ms");
    home.write("new-rules/endless.rhai", endless);
    let mut house = home.start();
    for _ in 0..20 {
        publish(&house, "in/motion", "ON");
        house.publication("lamp/set");
    }
    until("that it failed", || {
        let answer = house.get("/api/shadow");
        let rules = answer["by_rule"].as_array().unwrap();
        rules.iter().any(|rule| rule["rule"] == "endless:light" && rule["failed"] != 0)
    });
    let log = house.end("TERM");
    assert!(!log.contains("didn't end in time"), "{log}");
}

#[test]
fn the_score_and_waits_go_on_over_a_restart() {
    let rule = "rules: { late: { when: in/a, then: [ { delay: 3s }, { out/a: done } ] } }\n";
    let mut house = home(rule, rule, "window: 500ms").start();
    publish(&house, "in/a", "1");
    until("that it runs", || house.get("/api/rules/all:late")["doing"]["running_since"] != Value::Null);
    house.end("TERM");
    house.begin();
    house.publication("out/a");
    let answer = decided(&house, 1);
    assert_eq!(answer["agreed"], 1, "{answer}");
    let since = answer["since"].clone();
    house.end("TERM");
    house.begin();
    let answer = house.get("/api/shadow");
    assert_eq!((&answer["since"], &answer["decided"], &answer["agreed"]), (&since, &json!(1), &json!(1)));
}

#[test]
fn promoting_swaps_the_folders_and_puts_the_rules_in_force() {
    let mut house = home(RULES, NEW, "window: 100ms").start();
    let said = say(&house, &["shadow", "--promote"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
    assert!(said.out.starts_with("`rules` and `new-rules` have changed places"), "{}", said.out);
    assert_eq!((house.home.read("rules/all.yaml"), house.home.read("new-rules/all.yaml")), (NEW.into(), RULES.into()));
    publish(&house, "in/motion", "OFF");
    publish(&house, "in/motion", "ON");
    assert_eq!(house.publication("lamp/set")["payload"], "ON");
    // Now it's the other way round.
    until("that the shadow has the old rules", || {
        publish(&house, "in/motion", "OFF");
        let answer = house.get("/api/shadow");
        answer["differences"].as_array().unwrap().iter().any(|one| one["here"].is_null() && one["there"] == "OFF")
    });
}

#[test]
fn what_cant_be_promoted_is_refused_and_left() {
    let broken = home(RULES, "rules: { light: { whne: in/motion } }\n", "");
    let said = broken.say(&["shadow", "--promote"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.err.contains("new-rules/all.yaml:1:19") && said.out.contains("nothing was changed"), "{said:?}");
    assert_eq!(broken.read("rules/all.yaml"), RULES);

    let refused = |home: &Home, why: &str| {
        let said = home.say(&["shadow", "--promote"]);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.err.contains(why) && said.err.contains("nothing was changed"), "{said:?}");
    };
    let linked = home(RULES, NEW, "");
    fs::rename(linked.file("new-rules"), linked.file("elsewhere")).unwrap();
    refused(&linked, "can't be found");
    symlink("elsewhere", linked.file("new-rules")).unwrap();
    refused(&linked, "`new-rules` is a link");
    let empty = home(RULES, "rules: {}\n", "");
    refused(&empty, "there are no rules in `new-rules`");
    let within = home(RULES, NEW, "");
    within.write("homerule.yaml", &format!("{SETTINGS}rules: new-rules/old\nshadow: {{ rules: new-rules }}\n"));
    within.write("new-rules/old/a.yaml", RULES);
    refused(&within, "is within the other");
    let none = Home::with(&[("rules/all.yaml", RULES)]);
    let said = none.say(&["shadow", "--promote"]);
    assert!(said.status == 2 && said.err.contains("no rules are in the shadow"), "{said:?}");
}

#[test]
fn a_home_may_be_named_on_the_command_line() {
    let other = Home::new(&[("homerule.yaml", ""), ("rules/all.yaml", NEW)]);
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    let mut command = home.command();
    command.arg("--json").arg("--shadow").arg(other.path());
    let house = home.start_with(command);
    publish(&house, "in/motion", "OFF");
    let answer = decided(&house, 1);
    assert_eq!(answer["rules"], other.file("rules").to_str().unwrap(), "{answer}");
    let said = Home::with(&[]).say(&["run", ".", "--shadow", "nowhere"]);
    assert!(said.status == 2 && said.err.contains("there is no folder `nowhere`"), "{said:?}");
}

#[test]
fn without_a_shadow_it_says_how_to_have_one() {
    let house = House::with_rules(RULES);
    assert_eq!(house.ask("GET", "/api/shadow", None).0, 404);
    let said = say(&house, &["shadow"]);
    assert!(said.status == 2 && said.err.contains("homerule run --shadow DIR"), "{said:?}");
    assert!(house.ask("GET", "/shadow", None).1.contains("No rules run in the shadow"));
}
