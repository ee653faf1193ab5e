//! What the state of a home keeps of messages: not for longer than they count, and none that is too large.

use homerule::devices::{DeviceSettings, PayloadLimit};
use homerule::engine::{Effect, Engine, Event, Options, Snapshot};
use homerule::model::{Message, Origin, Payload};
use jiff::{SignedDuration, Timestamp};

use super::home::{message, ruleset_of, start};

const RULES: &str = "\
open: { while: \"state('door') == 'open'\", then: { out/open: 1 }, else: { out/open: 0 } }
  sustained: { while: { state: door, is: open, for: 4m }, then: { out/sustained: 1 }, else: { out/sustained: 0 } }
  held: { when: { state: door, to: open, for: 4m }, then: { out/held: 1 } }
  longer: { when: { state: door, to: open, for: 6m }, then: { out/longer: 1 } }
  changed: { when: { state: door }, then: { out/changed: 1 } }
  spoke: { when: door, then: { out/spoke: 1 } }
  wait: { when: door, then: [ { wait: { until: \"state('door') != 'open'\" }, timeout: 20h }, { out/wait: 1 } ] }
";

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn published(effects: &[Effect]) -> Vec<String> {
    let published = effects.iter().filter_map(|effect| match effect {
        Effect::Publish(publication) => {
            Some(format!("{} {}", publication.message.topic, publication.message.payload.text().unwrap()))
        }
        _ => None,
    });
    published.collect()
}

/// A retained message that expires five minutes after the start.
fn open_door() -> Message {
    Message { expires_at: Some(after(300)), ..message("door", b"open", true) }
}

fn options() -> Options {
    Options::default()
}

#[test]
fn a_payload_at_which_nobody_looks_is_not_read() {
    let rules = "\
average: { when: { every: 1h }, if: \"average('meter', '1h') > 3\", then: { out/high: 1 } }
  yielding: { when: motion, then: { lamp/set: 'ON' }, yields: { to: lamp, for: 1h } }
";
    let (mut engine, _) = Engine::new(start(), ruleset_of(rules), options());
    let _ = engine.handle(start(), Event::Started);
    let mut is_read = |topic: &str| {
        let said = message(topic, br#"{"value": [1, 2, 3]}"#, false);
        for _ in 0..2 {
            let _ = engine.handle(start(), Event::Message(said.clone()));
        }
        said.payload.is_read()
    };
    assert_eq!(["picture", "zigbee2mqtt/bridge/devices"].map(&mut is_read), [false; 2]);
    assert_eq!(["meter", "lamp"].map(is_read), [true; 2]);
}

#[test]
fn a_state_that_expires_is_gone_as_of_its_expiry_and_fires_no_trigger() {
    let (mut engine, _) = Engine::new(start(), ruleset_of(RULES), options());
    let _ = engine.handle(start(), Event::Started);
    let at_once = engine.handle(start(), Event::Message(open_door()));
    assert_eq!(published(&at_once), ["out/open 1", "out/changed 1", "out/spoke 1"]);
    assert_eq!(published(&engine.handle(after(299), Event::Tick)), ["out/sustained 1", "out/held 1"]);
    assert_eq!(engine.next_deadline(), Some(after(300)));
    let late = engine.handle(after(3600), Event::Tick);
    assert_eq!(
        published(&late),
        ["out/open 0", "out/sustained 0", "out/wait 1", "out/longer 1"],
        "nobody spoke, so `changed` is quiet, and a hold goes on as it does where a topic is cleared"
    );
    let state = engine.states().get("door").unwrap();
    assert!(state.payload.is_empty() && !state.retained);
    assert_eq!((state.at, state.changed_at), (start(), after(300)));
    let ended = late.iter().find_map(|effect| match effect {
        Effect::Trace(trace) if trace.rule.as_str() == "pool:open" => Some(trace.cause.clone()),
        _ => None,
    });
    let text = serde_json::to_value(homerule::api::CauseAnswer(&ended.unwrap())).unwrap();
    assert_eq!((&text["kind"], &text["topic"]), (&"expired".into(), &"door".into()));
}

#[test]
fn a_new_message_counts_for_as_long_as_it_says_itself() {
    let (mut engine, _) = Engine::new(start(), ruleset_of(RULES), options());
    let _ = engine.handle(start(), Event::Started);
    let _ = engine.handle(start(), Event::Message(open_door()));
    let _ = engine.handle(after(200), Event::Message(message("door", b"open", true)));
    assert_eq!(published(&engine.handle(after(350), Event::Tick)), ["out/sustained 1", "out/held 1"]);
    assert_eq!(engine.states().get("door").unwrap().payload.text(), Some("open"));
}

/// Stops a home in which the door is open one minute after the start, and starts it again at `back`.
fn restarted(back: Timestamp) -> Vec<String> {
    let mut saved = Snapshot::default();
    let mut keep = |effects: &[Effect]| {
        for effect in effects {
            if let Effect::Save { key, value } = effect {
                saved.apply(key, value.as_ref());
            }
        }
    };
    let (mut engine, effects) = Engine::new(start(), ruleset_of(RULES), options());
    keep(&effects);
    keep(&engine.handle(start(), Event::Started));
    keep(&engine.handle(start(), Event::Message(open_door())));
    keep(&engine.handle(after(60), Event::Tick));
    keep(&engine.flush());
    saved.alive_at = Some(after(60));
    let (mut engine, _) = Engine::restore(back, ruleset_of(RULES), saved, options());
    published(&engine.handle(back, Event::Started))
}

#[test]
fn what_expired_while_the_daemon_was_down_ends_what_it_began_after_what_was_due_before() {
    assert_eq!(restarted(after(299)), ["out/sustained 1", "out/held 1"]);
    assert_eq!(
        restarted(after(3600)),
        ["out/open 0", "out/held 1", "out/longer 1", "out/wait 1"],
        "what had expired begins nothing, and the rest comes in its order"
    );
}

#[test]
fn a_payload_that_is_too_large_fires_and_is_not_kept() {
    let payload = PayloadLimit::new(10, DeviceSettings::default());
    let rules = "\
picture: { when: cam/picture, then: { out/heard: \"${payload.len()}\", out/state: \"${state('cam/picture') ?? 'nothing'}\" } }
  held: { when: { state: cam/picture }, then: { out/changed: 1 } }
";
    let (mut engine, _) = Engine::new(start(), ruleset_of(rules), Options { payload, ..options() });
    let _ = engine.handle(start(), Event::Started);
    let picture = |text: &str| Event::Message(message("cam/picture", text.as_bytes(), true));
    let effects = engine.handle(after(1), picture("0123456789a"));
    assert_eq!(published(&effects), ["out/heard 11", "out/state nothing"]);
    let told = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Log { .. })).count();
    assert_eq!(told(&effects), 1, "{effects:?}");
    assert_eq!(told(&engine.handle(after(2), picture("0123456789b"))), 0, "each topic is told of once");
    assert_eq!(engine.states().get("cam/picture").unwrap().too_large, Some(11));
    let saved = engine.flush();
    assert!(!format!("{saved:?}").contains("0123456789"), "{saved:?}");
    let small = engine.handle(after(3), picture("small"));
    assert_eq!(published(&small), ["out/heard 5", "out/state small", "out/changed 1"]);
}

#[test]
fn what_expires_is_no_payload_that_is_live_and_not_retained() {
    let (mut engine, _) = Engine::new(start(), ruleset_of(RULES), options());
    let _ = engine.handle(start(), Event::Started);
    let live = Message { retain: false, origin: Origin::Live, payload: Payload::from_bytes("open"), ..open_door() };
    let _ = engine.handle(start(), Event::Message(live));
    let _ = engine.handle(after(3600), Event::Tick);
    assert_eq!(engine.states().get("door").unwrap().payload.text(), Some("open"));
}
