//! The HTTP interface.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use super::clients::Kind;
use super::house::{House, PATIENCE};
use crate::home::Home;

const RULES: &str = "rules:\n  light: { when: in/+room, then: { 'out/${room}': '${payload}' } }\n  \
                     bell: { when: { webhook: doorbell }, then: { to/bell: x } }\n";

#[test]
fn the_status_says_what_runs() {
    let house = House::with_rules(RULES);
    let status = house.get("/api/status");
    let keys: Vec<&String> = status.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "version",
            "uptime",
            "listen",
            "rules",
            "failing",
            "ruleset",
            "stale",
            "diagnostics",
            "healthy",
            "store",
            "recorder",
            "broker"
        ]
    );
    assert_eq!(status["listen"], json!([format!("mqtt://{}", house.mqtt), format!("http://{}", house.web)]));
    assert_eq!(status["rules"], json!({ "loaded": 2, "enabled": 2, "failed": 0 }));
    assert_eq!(status["healthy"], true);
}

#[test]
fn what_is_published_over_the_web_is_seen_by_rules_and_in_the_state() {
    let mut house = House::with_rules(RULES);
    let (status, body) = house.ask("POST", "/api/publish", Some(r#"{"topic": "in/hall", "payload": {"a": 1}}"#));
    assert_eq!((status, body.as_str()), (202, ""));
    assert_eq!(house.publication("out/hall")["payload"], r#"{"a":1}"#);
    let state = house.get("/api/state?filter=in/%2B");
    let keys: Vec<&String> = state[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["topic", "value", "payload", "at", "changed_at", "retained", "origin", "device"]);
    assert_eq!(state[0]["topic"], "in/hall");
    assert_eq!(state[0]["value"], json!({ "a": 1 }));
    assert_eq!(state[0]["origin"], "live");
    assert_eq!(house.get("/api/state?filter=out/%23")[0]["origin"], "own");
}

#[test]
fn a_large_state_is_whole_and_in_order() {
    let rules = "rules: { fill: { when: go, then: [ { repeat: { times: 2100 }, do: [ { 'in/${repeat.index - 1}': 1 } ] }, { out/done: 1 } ] } }\n";
    let mut house = House::with_rules(rules);
    house.ask("POST", "/api/publish", Some(r#"{"topic": "go", "payload": 1}"#));
    house.publication("out/done");
    let topics = |path: &str| -> Vec<String> {
        let states = house.get(path);
        states.as_array().unwrap().iter().map(|one| one["topic"].as_str().unwrap().to_owned()).collect()
    };
    let mut expected: Vec<String> = (0..2100).map(|index| format!("in/{index}")).collect();
    expected.sort_unstable();
    assert_eq!(topics("/api/state?filter=in/%2B"), expected);
    assert_eq!(topics("/api/state?filter=in/%2B&limit=1000"), expected[..1000]);
    assert_eq!(topics("/api/state?filter=in/%2B&limit=1000&after=in/999"), [""; 0]);
    assert_eq!(topics("/api/state?filter=in/%2B&after=in/998"), ["in/999"]);
}

#[test]
fn the_state_comes_in_pages_where_that_is_asked_for() {
    let house = House::with_rules("rules: {}\n");
    for topic in ["in/a", "in/b c", "in/d", "in/e", "other"] {
        house.ask("POST", "/api/publish", Some(&format!(r#"{{"topic": "{topic}", "payload": 1}}"#)));
    }
    let (mut path, mut pages) = ("/api/state?filter=in/%23&limit=2".to_owned(), Vec::new());
    loop {
        let said = house.exchange("GET", &path, &[], None);
        let topics = said
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["topic"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>();
        pages.push(topics);
        let link = said.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else { break };
        path = next.to_owned();
    }
    assert_eq!(pages, [["in/a", "in/b c"], ["in/d", "in/e"]]);
    assert_eq!(house.ask("GET", "/api/state?limit=0", None).0, 400);
    assert!(house.get("/api/state").as_array().unwrap().len() > 4);
}

#[test]
fn a_trace_says_what_a_run_did() {
    let mut house = House::with_rules(RULES);
    house.ask("POST", "/api/publish", Some(r#"{"topic": "in/hall", "payload": "ON"}"#));
    house.publication("out/hall");
    let traces = house.get("/api/traces?rule=light&limit=1");
    assert_eq!(traces[0]["rule"], "all:light");
    assert_eq!(traces[0]["outcome"], "finished");
    assert_eq!(traces[0]["cause"]["topic"], "in/hall");
    let steps = traces[0]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["what"] == "publish"), "{steps:?}");
}

#[test]
fn a_hook_triggers_its_rule_and_an_unknown_one_is_not_found() {
    let mut house = House::with_rules(RULES);
    assert_eq!(house.ask("POST", "/hook/doorbell", Some("ding")).0, 202);
    house.publication("to/bell");
    let (status, body) = house.ask("POST", "/hook/nobody", None);
    assert_eq!(status, 404);
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["detail"], "no rule has `webhook: nobody`");
}

#[test]
fn a_rule_is_switched_and_run_over_the_web() {
    let mut house = House::with_rules(RULES);
    assert_eq!(house.ask("POST", "/api/rules/all:bell/run", None).0, 204);
    house.publication("to/bell");
    assert_eq!(house.ask("POST", "/api/rules/all:bell/disable", None).0, 204);
    assert_eq!(house.get("/api/rules/all:bell")["enabled"], false);
    assert_eq!(house.get("/api/status")["rules"]["enabled"], 1);
    assert_eq!(house.ask("POST", "/api/rules/bell/enable", None).0, 204);
    assert_eq!(house.get("/api/rules/bell")["enabled"], true);
    assert_eq!(house.ask("POST", "/api/rules/nobody/enable", None).0, 404);
}

#[test]
fn the_stream_tells_what_happens() {
    let house = House::with_rules(RULES);
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let response = agent.get(format!("http://{}/api/events", house.web)).call().unwrap();
    house.ask("POST", "/api/publish", Some(r#"{"topic": "in/hall", "payload": "ON"}"#));
    let mut lines = BufReader::new(response.into_body().into_reader()).lines().map_while(Result::ok);
    let mut next = |prefix: &str| lines.find_map(|line| line.strip_prefix(prefix).map(ToOwned::to_owned)).unwrap();
    assert_eq!(next("event: "), "message");
    let message: Value = serde_json::from_str(&next("data: ")).unwrap();
    assert_eq!(message["topic"], "in/hall");
    assert_eq!(next("event: "), "publish");
}

#[test]
fn what_is_wrong_with_a_request_is_a_problem_document() {
    let house = Home::with(&[]).start();
    for (method, path, body, expected) in [
        ("GET", "/nothing", None, 404),
        ("DELETE", "/api/status", None, 405),
        ("GET", "/api/state?filter=a/%23/b", None, 400),
        ("GET", "/api/traces?limit=-1", None, 400),
        ("GET", "/api/rules/%ff", None, 400),
        ("POST", "/api/publish", Some("{"), 400),
        ("POST", "/api/publish", Some(r#"{"topic": "a/+", "payload": 1}"#), 400),
        ("POST", "/api/publish", Some(r#"{"topic": "$SYS/x", "payload": 1}"#), 400),
        ("POST", "/api/publish", Some(r#"{"topic": "a", "paylod": 1}"#), 400),
    ] {
        let (status, answer) = house.ask(method, path, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        let problem: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(problem["status"], expected);
        assert!(problem["detail"].is_string(), "{answer}");
    }
}

#[test]
fn metrics_count() {
    let mut house = House::with_rules(RULES);
    house.ask("POST", "/api/publish", Some(r#"{"topic": "in/hall", "payload": "ON"}"#));
    house.publication("out/hall");
    let (status, text) = house.ask("GET", "/metrics", None);
    assert_eq!(status, 200);
    assert!(text.contains("\nhomerule_messages_received_total 1\n"), "{text}");
    assert!(text.contains("\nhomerule_messages_published_total 1\n"), "{text}");
}

#[test]
fn a_web_address_on_an_open_network_needs_a_token() {
    let home = Home::with(&[]);
    home.write("homerule.yaml", "broker: { listen: \"127.0.0.1:0\" }\nweb: { listen: \"0.0.0.0:0\" }\n");
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("token_file"), "{said}");
}

#[test]
fn the_description_of_the_interface_names_each_route_and_the_keys_of_the_answers() {
    let mut house = House::with_rules(RULES);
    house.ask("POST", "/api/publish", Some(r#"{"topic": "in/hall", "payload": "ON"}"#));
    house.publication("out/hall");
    let _client = Kind::Own.subscribe(house.mqtt, &["x"]);
    let description = house.get("/api/openapi.json");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));

    let paths = description["paths"].as_object().unwrap();
    let routes = include_str!("../../src/daemon/web/server.rs").split(".route(\"").skip(1);
    let routes: Vec<String> = routes
        .map(|route| {
            route
                .split('"')
                .next()
                .unwrap()
                .replace("rules/{*path}", "rules/{id}")
                .replace("devices/{*path}", "devices/{id}")
                .replace("{*path}", "{path}")
        })
        .collect();
    assert!(routes.len() > 10, "{routes:?}");
    for route in &routes {
        assert!(paths.contains_key(route), "{route} is not described");
    }

    let schemas = &description["components"]["schemas"];
    for (schema, answer) in [
        ("Status", &house.get("/api/status")),
        ("Rule", &house.get("/api/rules")[0]),
        ("TopicState", &house.get("/api/state")[0]),
        ("Trace", &house.get("/api/traces")[0]),
        ("Now", &house.get("/api/now")),
        ("Verdict", &house.get("/api/rules/light/verdict")),
        ("Source", &house.get("/api/rules/light/source")),
        ("History", &house.get("/api/history?topic=in/hall")),
        ("Timeline", &house.get("/api/timeline")),
        ("Graph", &house.get("/api/graph")),
        ("GraphBox", &house.get("/api/graph")["boxes"][0]),
        ("Client", &house.get("/api/clients")[0]),
    ] {
        let required = schemas[schema]["required"].as_array().unwrap();
        assert!(required.iter().all(|key| answer.get(key.as_str().unwrap()).is_some()), "{schema}: {answer}");
        let known = schemas[schema]["properties"].as_object().unwrap();
        let given = answer.as_object().unwrap().keys();
        let unknown: Vec<&String> = given.filter(|key| !known.contains_key(*key)).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{schema} doesn't describe them");
    }
    let text = description.to_string();
    for name in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(schemas.get(name).is_some(), "`{name}` is named and isn't there");
    }
}
