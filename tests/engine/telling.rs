//! What the engine tells of itself at a time at which it decides nothing.

use homerule::engine::{Effect, Engine, Event, Options, Outcome, StepKind, StepResult, WaitsFor};
use homerule::explain::{LocalTime, blocked, step_result};
use homerule::model::{LogLevel, Message, Origin, Payload, Qos, RuleId, Topic};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::home::{ruleset_of, start};

const RULES: &str = "\
kept: { while: { state: door, is: open, for: 3m }, then: { out/kept: 1 } }
  waits: { when: door, then: [ { delay: 1h }, { out/waits: 1 } ] }
  held: { when: { state: door, to: open, for: 3m }, then: { out/held: 1 } }
";

/// Returns a home in which the door opens at the start.
fn home() -> Engine {
    let options = Options::default();
    let (mut engine, _) = Engine::new(start(), ruleset_of(RULES), options);
    let _ = engine.handle(start(), Event::Started);
    let message = Message {
        topic: Topic::parse("door").unwrap(),
        payload: Payload::from_bytes("open"),
        qos: Qos::AtLeastOnce,
        retain: false,
        origin: Origin::Live,
        expires_at: None,
    };
    let _ = engine.handle(start(), Event::Message(message));
    engine
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

#[test]
fn how_long_something_has_held_is_told_as_of_the_time_that_is_asked_about() {
    let mut home = home();
    let kept = RuleId::from_text("pool:kept");
    let utc = LocalTime::new(TimeZone::UTC);
    let result = |home: &mut Engine, seconds| {
        let view = home.view(&kept, after(seconds)).unwrap();
        step_result(view.judged.last().unwrap(), &utc).into_owned()
    };
    assert_eq!(result(&mut home, 0), "false: `door` has been so for 0s of 3m");
    assert_eq!(result(&mut home, 70), "false: `door` has been so for 1m10s of 3m");
    let held = home.view(&RuleId::from_text("pool:held"), after(70)).unwrap();
    let blocked = blocked(&held, after(70), &utc).unwrap();
    assert_eq!(blocked.text, "`door` has held for 1m10s of 3m: `when` fires at 2024-01-01 12:03:00");
    // To be asked decides nothing.
    assert_eq!(result(&mut home, 0), "false: `door` has been so for 0s of 3m");
}

#[test]
fn a_run_under_way_is_told_as_of_the_time_that_is_asked_about() {
    let runs = home().runs_under_way(after(70));
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!((&run.outcome, run.at, run.ended_at), (&Outcome::Running, start(), after(70)));
    let waits = run.steps.last().unwrap();
    assert_eq!((waits.kind, waits.at), (StepKind::Waits, after(70)));
    assert_eq!(waits.result, StepResult::WaitsFor(WaitsFor::Time(after(60 * 60))));
    assert_eq!(step_result(waits, &LocalTime::new(TimeZone::UTC)), "until 2024-01-01 13:00:00");
}

#[test]
fn what_a_device_loses_is_news_and_a_warning_where_a_rule_names_it() {
    let rules = "\
used: { when: { device: shelly-1, field: on, to: true }, then: { out/x: 1 } }
";
    let (mut engine, _) = Engine::new(start(), ruleset_of(rules), Options::default());
    let _ = engine.handle(start(), Event::Started);
    let mut logged = Vec::new();
    for (topic, payload) in [
        ("shelly-1/online", "true"),
        ("shelly-1/status/switch:0", r#"{"id":0,"output":false,"apower":0.0}"#),
        ("shelly-1/status/switch:1", r#"{"id":1,"output":false,"apower":0.0}"#),
    ] {
        let message = Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes(payload),
            qos: Qos::AtLeastOnce,
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        };
        let effects = engine.handle(start(), Event::Message(message));
        logged.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Log { level, text, .. } => Some((level, text)),
            _ => None,
        }));
    }
    logged.retain(|(_, text)| text.contains("no longer has"));
    logged.sort_by(|(_, one), (_, other)| one.cmp(other));
    assert_eq!(
        logged,
        [
            (LogLevel::Warn, "`shelly-1` no longer has `on`; used by `pool:used`".to_owned()),
            (LogLevel::Info, "`shelly-1` no longer has `power`".to_owned()),
        ]
    );
}
