//! What the broker says of each rule, and what is asked of rules over the broker.

use serde_json::{Value, json};

use super::clients::{Kind, sent};
use super::house::House;

const RULES: &str = "rules:\n  light: { when: in/light, then: { out/light: '${msg.on}' } }\n  \
                     bell: { enabled: false, when: in/bell, then: { out/bell: x } }\n";

/// Returns what a line of a subscriber says: whether it is retained, its topic, and its payload.
fn read(line: &str) -> (String, Value) {
    let (topic, payload) = line.rsplit_once(' ').unwrap_or((line, ""));
    (topic.to_owned(), serde_json::from_str(payload).unwrap_or(Value::Null))
}

#[test]
fn the_broker_keeps_of_each_rule_whether_it_is_on_and_how_its_last_run_ended() {
    for kind in Kind::installed() {
        let mut house = House::with_rules(RULES);
        let off = json!({ "enabled": false, "last_run": null, "outcome": null });
        // Who comes before the daemon has told of its rules hears it live.
        let told = || kind.subscribe(house.mqtt, &["homerule/rule/all:bell"]).next();
        let kept = std::iter::repeat_with(told).take(20).find(|line| line.starts_with("1 "));
        assert_eq!(kept.map(|line| read(&line)), Some(("1 homerule/rule/all:bell".to_owned(), off)), "{kind:?}");
        kind.publish(house.mqtt, &[sent("in/light", r#"{"on":1}"#)]);
        house.publication("out/light");
        let late = kind.subscribe(house.mqtt, &["homerule/rule/all:light"]);
        let (_, mut told) = read(&late.next());
        // The subscription may have come before the last change.
        while told["last_run"].is_null() {
            told = read(&late.next()).1;
        }
        assert_eq!((&told["enabled"], &told["outcome"]), (&json!(true), &json!("finished")), "{kind:?}");
        kind.publish(house.mqtt, &[sent("in/light", "text")]);
        assert_eq!(read(&late.next()).1["outcome"], "failed", "{kind:?}");
    }
}

#[test]
fn a_rule_is_switched_and_run_over_the_broker() {
    for kind in Kind::installed() {
        let mut house = House::with_rules(RULES);
        let bell = kind.subscribe(house.mqtt, &["homerule/rule/all:bell"]);
        assert_eq!(read(&bell.next()).1["enabled"], false, "{kind:?}");
        kind.publish(house.mqtt, &[sent("homerule/rule/all:bell/set", "enable")]);
        assert_eq!(read(&bell.next()).1["enabled"], true, "{kind:?}");
        kind.publish(house.mqtt, &[sent("homerule/rule/all:bell/set", "run")]);
        house.publication("out/bell");
        kind.publish(house.mqtt, &[sent("homerule/rule/all:bell/set", "disable")]);
        let told = std::iter::repeat_with(|| read(&bell.next()).1).find(|told| told["enabled"] == false);
        assert_eq!(told.unwrap()["outcome"], "finished", "{kind:?}");
        kind.publish(
            house.mqtt,
            &[sent("homerule/rule/all:bell/set", "frob"), sent("homerule/rule/nobody/set", "run")],
        );
        let log = house.end("TERM");
        assert!(log.contains("takes `enable`, `disable`, `run` or `resume`"), "{log}");
        assert!(log.contains("`homerule/rule/nobody/set` asks for no rule: there is no rule `nobody`"), "{log}");
    }
}

#[test]
fn what_the_broker_keeps_of_a_rule_survives_a_restart_and_goes_with_the_rule() {
    for kind in Kind::installed() {
        let mut house = House::with_rules(RULES);
        kind.publish(house.mqtt, &[sent("in/light", r#"{"on":1}"#)]);
        house.publication("out/light");
        house.end("TERM");
        house.home.write("rules/all.yaml", "rules:\n  light: { when: in/light, then: { out/light: '${msg.on}' } }\n");
        house.begin();
        let told = || {
            let all = kind.subscribe(house.mqtt, &["homerule/rule/#", "end"]);
            kind.publish(house.mqtt, &[sent("end", "end")]);
            all.until("end").iter().map(|line| read(line)).collect::<Vec<(String, Value)>>()
        };
        // The first subscriber may come before the daemon has taken back what it told of the rule that is gone.
        let kept = std::iter::repeat_with(told).take(20).find(|kept| kept.len() == 1);
        let kept = kept.unwrap_or_else(|| panic!("{kind:?}: the rule that is gone is still told of"));
        assert_eq!(kept[0].0, "1 homerule/rule/all:light", "{kind:?}");
        assert_eq!(kept[0].1["outcome"], "finished", "{kind:?}");
    }
}

#[test]
fn a_reload_tells_of_a_rule_that_changed_in_its_place_and_takes_back_one_that_is_gone() {
    for kind in Kind::installed() {
        let house = House::with_rules(RULES);
        let bell = kind.subscribe(house.mqtt, &["homerule/rule/all:bell"]);
        assert_eq!(read(&bell.next()).1["enabled"], false, "{kind:?}");
        house.home.write("rules/all.yaml", &RULES.replace("enabled: false", "enabled: true"));
        assert_eq!(read(&bell.next()).1["enabled"], true, "{kind:?}");
        house.home.write("rules/all.yaml", "rules:\n  light: { when: in/light, then: { out/light: '${msg.on}' } }\n");
        let gone = std::iter::repeat_with(|| bell.next()).find(|line| line.trim_end().ends_with("all:bell"));
        assert!(gone.is_some(), "{kind:?}");
    }
}
