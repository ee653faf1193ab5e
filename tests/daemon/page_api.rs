//! What the page shows, as programs ask for it.

use serde_json::{Value, json};

use super::house::{House, until};
use crate::home::Home;

const RULES: &str = "rules:
  light:
    when: { state: in/motion, to: true }
    if:
      - state('in/lux', '', 0) < 60
      - { state: in/mode, is: home }
    cooldown: 1h
    then: { out/light: 'ON' }
  off:
    when: { state: in/motion, to: false, for: 10m }
    then: { out/light: 'OFF' }
  slow:
    when: slow
    then:
      - delay: 1h
      - out/slow: 1
  asks:
    when: asks
    then:
      - wait: { state: in/door, to: shut }
        timeout: 30m
  bad: { when: bad, then: { out/bad: '${msg.a.b}' } }
";

fn say(house: &House, topic: &str, payload: &str) {
    let body = format!(r#"{{"topic": "{topic}", "payload": {payload}}}"#);
    assert_eq!(house.ask("POST", "/api/publish", Some(&body)).0, 202);
}

fn status(house: &House, path: &str) -> u16 {
    house.ask("GET", path, None).0
}

#[test]
fn now_tells_what_is_wrong_what_waits_and_what_happened() {
    let mut house = House::with_rules(RULES);
    house.home.write("rules/broken.yaml", "rules: { oops: { whne: a/b, then: { c/d: 1 } } }\n");
    house.reloaded();
    for (topic, payload) in [("in/motion", "true"), ("in/motion", "false"), ("slow", "1"), ("asks", "1"), ("bad", "1")]
    {
        say(&house, topic, payload);
    }
    let now = house.get("/api/now");
    let wrong: Vec<&Value> = now["wrong"].as_array().unwrap().iter().collect();
    let file = wrong.iter().find(|wrong| wrong["kind"] == "file").unwrap();
    assert_eq!((&file["file"], &file["line"], &file["column"]), (&json!("rules/broken.yaml"), &json!(1), &json!(18)));
    let failed = wrong.iter().find(|wrong| wrong["kind"] == "rule_failed").unwrap();
    assert_eq!(failed["rule"], "all:bad");
    let waiting = now["waiting"].as_array().unwrap();
    let told: Vec<(&str, &str)> =
        waiting.iter().map(|one| (one["kind"].as_str().unwrap(), one["rule"].as_str().unwrap())).collect();
    assert_eq!(told, [("hold", "all:off"), ("wait", "all:asks"), ("delay", "all:slow")], "what ends first comes first");
    for one in waiting {
        assert!(one["since"].as_str() < one["until"].as_str(), "{one}");
    }
    assert_eq!(now["recent"][0]["kind"], "run");
    assert_eq!((&now["recent"][0]["rule"], &now["recent"][0]["outcome"]), (&json!("all:bad"), &json!("failed")));
    assert_eq!((&now["recent"][1]["topic"], &now["recent"][1]["payload"]), (&json!("bad"), &json!("1")));
}

#[test]
fn a_verdict_says_how_each_part_of_a_rule_stands() {
    let mut house = House::with_rules(RULES);
    say(&house, "in/lux", "80");
    let verdict = house.get("/api/rules/light/verdict");
    assert_eq!(verdict["rule"], "all:light");
    assert_eq!(verdict["triggers"][0]["result"], "unknown");
    let told = |verdict: &Value| -> Vec<(String, String)> {
        let parts = verdict["conditions"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        parts.map(|part| (text(&part["source"]), text(&part["result"]))).collect()
    };
    let parts = |all: &str, lux: &str, mode: &str| {
        [("all of", all), ("state('in/lux', '', 0) < 60", lux), ("{ state: in/mode, is: home }", mode)]
            .map(|(source, result)| (source.to_owned(), result.to_owned()))
    };
    assert_eq!(told(&verdict), parts("false", "false", "unknown"));
    assert_eq!(verdict["conditions"][1]["values"], json!({ "in/lux": 80 }));
    assert_eq!(
        verdict["gates"][1],
        json!({
            "path": "cooldown", "source": "cooldown: 1h", "result": "true", "why": null, "values": {}
        })
    );
    for (topic, payload) in [("in/lux", "20"), ("in/mode", "\"home\""), ("in/motion", "true")] {
        say(&house, topic, payload);
    }
    house.publication("out/light");
    let verdict = house.get("/api/rules/all%3Alight/verdict");
    assert_eq!(told(&verdict), parts("true", "true", "true"));
    assert_eq!((&verdict["triggers"][0]["result"], &verdict["gates"][1]["result"]), (&json!("true"), &json!("false")));
    assert_eq!(status(&house, "/api/rules/nobody/verdict"), 404);
    assert_eq!(status(&house, "/api/rules/light/verdict?at=soon"), 400);
}

#[test]
fn a_condition_that_asks_for_a_message_that_never_came_is_unknown() {
    let house = House::with_rules("rules: { on: { when: in/tv, if: msg.state == 'ON', then: { out/x: 1 } } }\n");
    let condition = |house: &House| house.get("/api/rules/on/verdict")["conditions"][0].clone();
    assert_eq!(
        (&condition(&house)["result"], &condition(&house)["why"]),
        (&json!("unknown"), &json!("`in/tv` has no value yet"))
    );
    say(&house, "in/tv", r#"{"state": "ON"}"#);
    assert_eq!(condition(&house)["result"], "true");
}

#[test]
fn a_verdict_of_a_past_moment_is_what_was_recorded_then() {
    let mut house = House::with_rules(RULES);
    say(&house, "in/lux", "80");
    say(&house, "in/mode", "\"home\"");
    say(&house, "in/motion", "true");
    let then = house.get("/api/now")["at"].as_str().unwrap().to_owned();
    say(&house, "in/lux", "20");
    say(&house, "in/motion", "false");
    say(&house, "in/motion", "true");
    house.publication("out/light");
    let path = format!("/api/rules/light/verdict?at={then}");
    let past = house.get(&path);
    assert_eq!(past["at"], json!(then));
    assert_eq!(
        (&past["conditions"][1]["result"], &past["conditions"][1]["values"]),
        (&json!("false"), &json!({ "in/lux": 80 }))
    );
    assert_eq!(past["gates"][1]["result"], "true");
    let now = house.get("/api/rules/light/verdict");
    assert_eq!((&now["conditions"][1]["result"], &now["gates"][1]["result"]), (&json!("true"), &json!("false")));
}

#[test]
fn the_source_of_a_rule_names_its_parts() {
    let house = House::with_rules(RULES);
    let source = house.get("/api/rules/off/source");
    assert_eq!(
        (&source["file"], &source["line"], &source["text"]),
        (&json!("rules/all.yaml"), &json!(9), &json!(RULES))
    );
    let parts: Vec<(&str, u64)> = source["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["path"].as_str().unwrap(), part["line"].as_u64().unwrap()))
        .collect();
    assert!(parts.contains(&("when", 10)), "{parts:?}");
    assert_eq!(source["end"], 12);
    assert_eq!(status(&house, "/api/rules/nobody/source"), 404);
}

#[test]
fn a_run_is_had_by_its_number() {
    let mut house = House::with_rules(RULES);
    for (topic, payload) in [("slow", "1"), ("in/lux", "1"), ("in/mode", "\"home\""), ("in/motion", "true")] {
        say(&house, topic, payload);
    }
    house.publication("out/light");
    let traces = house.get("/api/traces");
    for trace in traces.as_array().unwrap() {
        let run = house.get(&format!("/api/runs/{}", trace["run"]));
        assert_eq!((&run["rule"], &run["outcome"]), (&trace["rule"], &trace["outcome"]));
    }
    assert_eq!(traces.as_array().unwrap().len(), 2);
    assert_eq!(status(&house, "/api/runs/999999"), 404);
    assert_eq!(status(&house, "/api/runs/x"), 400);
}

#[test]
fn a_history_is_sorted_and_keeps_the_extremes() {
    let house = House::with_rules(RULES);
    for number in 0..40 {
        let number = if number == 17 { 99 } else { number % 5 };
        say(&house, "in/climate", &format!(r#"{{"t": {number}, "on": {}}}"#, number > 2));
    }
    let history = house.get("/api/history?topic=in/climate&field=t&points=6");
    let points = history["points"].as_array().unwrap();
    assert!(points.len() <= 6 && history["found"] == 40, "{history}");
    assert!(points.is_sorted_by_key(|point| point["at"].as_str().unwrap()));
    let values: Vec<u64> = points.iter().map(|point| point["value"].as_u64().unwrap()).collect();
    assert!(values.contains(&99) && values.contains(&0), "{values:?}");
    assert_eq!(house.get("/api/history?topic=in/climate&field=nothing")["points"], json!([]));
    assert_eq!(house.get("/api/history?topic=in/climate")["points"].as_array().unwrap().len(), 40);
    let from = points[3]["at"].as_str().unwrap();
    let later = house.get(&format!("/api/history?topic=in/climate&from={from}"));
    assert_eq!(later["points"][0]["at"], from);
    for bad in [
        "",
        "?topic=",
        "?topic=a/%23",
        "?topic=a&points=0",
        "?topic=a&points=-1",
        "?topic=a&points=x",
        "?topic=a&from=soon",
        "?topic=a&field=a..b",
        "?topic=a&from=2024-06-02T00:00:00Z&to=2024-06-01T00:00:00Z",
    ] {
        assert_eq!(status(&house, &format!("/api/history{bad}")), 400, "{bad}");
    }
}

#[test]
fn the_timeline_has_runs_skips_and_holds() {
    let mut house = House::with_rules(RULES);
    for (topic, payload) in [
        ("in/lux", "20"),
        ("in/mode", "\"home\""),
        ("in/motion", "true"),
        ("in/motion", "false"),
        ("in/motion", "true"),
        ("in/motion", "false"),
    ] {
        say(&house, topic, payload);
    }
    house.publication("out/light");
    until("the second motion", || house.get("/api/traces?rule=light").as_array().unwrap().len() == 2);
    let timeline = house.get("/api/timeline?topic=in/motion&topic=in/lux");
    let rules = |key: &str| -> Vec<&str> {
        timeline[key].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect()
    };
    assert_eq!(rules("runs"), ["all:light"]);
    assert_eq!(timeline["skips"][0]["by"], "cooldown");
    assert!(rules("holds").contains(&"all:off"), "{timeline}");
    for key in ["runs", "skips", "holds"] {
        assert!(timeline[key].as_array().unwrap().iter().all(|one| one["at"].is_string()), "{key}");
    }
    let lanes: Vec<&str> =
        timeline["lanes"].as_array().unwrap().iter().map(|lane| lane["topic"].as_str().unwrap()).collect();
    assert_eq!(lanes, ["in/motion", "in/lux"]);
    assert_eq!(timeline["lanes"][0]["points"].as_array().unwrap().len(), 4);
    let before = house.get("/api/timeline?from=2024-01-01T00:00:00Z&to=2024-01-02T00:00:00Z");
    assert_eq!((&before["runs"], &before["skips"]), (&json!([]), &json!([])));
    assert_eq!(status(&house, "/api/timeline?from=soon"), 400);
    assert_eq!(status(&house, "/api/timeline?from=2024-06-02T00:00:00Z&to=2024-06-01T00:00:00Z"), 400);
    assert_eq!(status(&house, "/api/timeline?topic=a/%23"), 400);
}

#[test]
fn what_is_not_overridden_does_not_resume() {
    let house = House::with_rules(RULES);
    assert_eq!(house.ask("POST", "/api/rules/light/resume", None).0, 409);
    assert_eq!(house.ask("POST", "/api/rules/nobody/resume", None).0, 404);
}

#[test]
fn without_a_recorder_a_past_moment_is_not_known_and_it_says_so() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    let settings = home.read("homerule.yaml");
    home.write("homerule.yaml", &format!("{settings}recorder: off\n"));
    let house = home.start();
    let (status, body) = house.ask("GET", "/api/rules/light/verdict?at=2024-06-01T20:00:00Z", None);
    assert!(status == 409 && body.contains("recorder"), "{body}");
    say(&house, "in/lux", "7");
    assert_eq!(house.get("/api/history?topic=in/lux")["points"][0]["value"], 7, "what's in memory is there");
}
