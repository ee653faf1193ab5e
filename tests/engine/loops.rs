//! What is said of loops and failures: each once, with its place.

use homerule::engine::{Alert, AlertKind, Effect, Engine, Event};
use homerule::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use jiff::SignedDuration;

use super::home::{options, ruleset_of, start};

/// What comes of one message on `a/b` in a home of `rules`: the alerts, and the lines of the log.
fn told(rules: &str) -> (Vec<Alert>, Vec<String>) {
    let (mut engine, _) = Engine::new(start(), ruleset_of(rules), options());
    let _ = engine.handle(start(), Event::Started);
    let message = Message {
        topic: Topic::parse("a/b").unwrap(),
        payload: Payload::from_bytes(b"1".to_vec()),
        qos: Qos::default(),
        retain: false,
        origin: Origin::Live,
        expires_at: None,
    };
    let effects = engine.handle(start() + SignedDuration::from_secs(1), Event::Message(message));
    let (mut alerts, mut lines) = (Vec::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::Alert(alert) => alerts.push(alert),
            Effect::Log { text, .. } => lines.push(text),
            _ => {}
        }
    }
    (alerts, lines)
}

#[test]
fn a_chain_that_is_stopped_is_said_once() {
    let (alerts, lines) = told("circle: { when: a/b, then: { a/b: 1 } }");
    assert_eq!(alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(), [AlertKind::LoopDetected]);
    assert_eq!(lines, [alerts[0].message.clone()]);
    assert!(lines[0].starts_with("a loop: 16 publications followed one another"), "{}", lines[0]);
}

#[test]
fn a_rule_that_fails_on_failures_is_stopped_as_a_loop() {
    let fails = "fails: { when: a/b, then: { a/c: '${msg.x ?? ()}' } }";
    let (alerts, _) = told(fails);
    assert_eq!(alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(), [AlertKind::RuleFailed]);
    let again = "again: { when: { event: rule_failed }, then: { a/d: '${msg.x ?? ()}' } }";
    let (alerts, lines) = told(&format!("{fails}\n  {again}"));
    let loops: Vec<_> = alerts.iter().filter(|alert| alert.kind == AlertKind::LoopDetected).collect();
    assert_eq!(loops.len(), 1, "{alerts:?}");
    assert_eq!(loops[0].rule, Some(RuleId::from_text("pool:again")));
    assert!(loops[0].message.starts_with("a loop: 16 failures and publications"), "{}", loops[0].message);
    assert_eq!(lines.len(), alerts.len());
    assert!(lines.len() < 20, "it rests, and fails no more: {lines:?}");
}

#[test]
fn a_payload_that_is_nothing_fails_at_the_place_of_its_action() {
    let (alerts, _) = told("fails: { when: a/b, then: [ { log: hi }, { publish: a/c, payload: '${old}' } ] }");
    assert_eq!(alerts[0].message, "rules/pool.yaml:3:44: the payload for `a/c` is `()`: write `null` to clear a topic");
}
