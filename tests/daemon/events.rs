//! The stream of events: what it tells, and how one comes back to it.

use std::io::{BufRead, BufReader, Lines};

use serde_json::Value;

use super::house::{House, PATIENCE};

const RULES: &str = "rules:\n  light: { when: in/+room, then: { 'out/${room}': '${payload}' } }\n  \
                     off: { when: off, then: { disable: light } }\n";

/// One event.
#[derive(Debug, Default, PartialEq)]
struct Told {
    kind: String,
    id: String,
    data: String,
}

/// Somebody who listens.
struct Listener(Lines<BufReader<ureq::BodyReader<'static>>>);

impl Listener {
    fn new(house: &House, last: Option<&str>) -> Listener {
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        let mut request = agent.get(format!("http://{}/api/events", house.web));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Listener(BufReader::new(request.call().unwrap().into_body().into_reader()).lines())
    }

    /// Returns the next event.
    fn next(&mut self) -> Told {
        let mut told = Told::default();
        loop {
            let line = self.0.next().expect("the stream ended").unwrap();
            if let Some(kind) = line.strip_prefix("event: ") {
                told.kind = kind.to_owned();
            } else if let Some(id) = line.strip_prefix("id: ") {
                told.id = id.to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                told.data = data.to_owned();
            } else if line.is_empty() && !told.kind.is_empty() {
                return told;
            }
        }
    }

    /// Returns the next event of a kind.
    fn next_of(&mut self, kind: &str) -> (String, Value) {
        loop {
            let told = self.next();
            if told.kind == kind {
                return (told.id, serde_json::from_str(&told.data).unwrap());
            }
        }
    }
}

fn say(house: &House, payload: &str) {
    let body = format!(r#"{{"topic": "in/hall", "payload": "{payload}"}}"#);
    assert_eq!(house.ask("POST", "/api/publish", Some(&body)).0, 202);
}

#[test]
fn who_was_cut_off_gets_what_came_meanwhile() {
    let mut house = House::with_rules(RULES);
    let mut listener = Listener::new(&house, None);
    say(&house, "one");
    let (id, _) = listener.next_of("publish");
    drop(listener);
    say(&house, "two");
    house.line("the second publication", |line| line["event"] == "publish" && line["payload"] == "two");
    let mut listener = Listener::new(&house, Some(&id));
    let (_, message) = listener.next_of("message");
    assert_eq!(message["payload"], "two");
}

#[test]
fn ids_are_unique_across_restarts_and_an_unknown_one_is_told_that_some_were_missed() {
    let mut house = House::with_rules(RULES);
    let mut listener = Listener::new(&house, None);
    say(&house, "one");
    let (before, _) = listener.next_of("message");
    drop(listener);
    house.end("TERM");
    house.begin();
    let mut listener = Listener::new(&house, Some(&before));
    assert_eq!(listener.next(), Told { kind: "missed".to_owned(), id: String::new(), data: "null".to_owned() });
    say(&house, "two");
    let (after, message) = listener.next_of("message");
    assert_eq!(message["payload"], "two");
    assert_ne!(after, before);
    assert_eq!(Listener::new(&house, Some("nonsense")).next().kind, "missed");
}

#[test]
fn switches_and_what_was_found_in_the_files_are_told() {
    let mut house = House::with_rules(RULES);
    let mut listener = Listener::new(&house, None);
    assert_eq!(house.ask("POST", "/api/rules/light/disable", None).0, 204);
    let (_, switched) = listener.next_of("switch");
    assert_eq!((&switched["rule"], &switched["enabled"]), (&"all:light".into(), &false.into()));
    assert_eq!(house.ask("POST", "/api/publish", Some(r#"{"topic": "off", "payload": 1}"#)).0, 202);
    let (_, switched) = listener.next_of("switch");
    assert_eq!((&switched["rule"], &switched["by"]), (&"all:light".into(), &"all:off".into()));
    house.home.write("rules/broken.yaml", "rules: { oops: { whne: a, then: { c/d: 1 } } }\n");
    house.reloaded();
    let (_, found) = listener.next_of("diagnostics");
    assert_eq!(found["diagnostics"][0]["file"], "rules/broken.yaml");
    assert_eq!(found["in_force"], false);
}
