//! What is kept at once: what changes nothing durable waits for no disk.

use homerule::engine::{Effect, Engine, Event, Snapshot};
use homerule::model::RuleId;
use jiff::{SignedDuration, Timestamp};

use super::home::{Played, message, options, ruleset, ruleset_of};
use super::pool::RULES;

#[test]
fn a_rule_that_waits_for_nothing_keeps_nothing() {
    let mut home = Played::start(only("plain"));
    let effects = home.engine.handle(home.now, Event::Message(message("home/a/tv", b"ON", false)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Publish(_))), "{effects:?}");
    assert_eq!(saves(&effects), [""; 0]);
}

#[test]
fn a_run_that_waits_is_kept_until_it_has_ended() {
    let mut home = Played::start(only("hold"));
    let effects = home.engine.handle(home.now, Event::Message(message("home/a/tv", b"ON", false)));
    assert_eq!(saves(&effects), ["rule/pool:hold", "trigger/9/pool:hold/0/home/a/tv"]);
    home.now = home.now.checked_add(SignedDuration::from_secs(30)).unwrap();
    let effects = home.engine.handle(home.now, Event::Tick);
    assert_eq!(saves(&effects), ["trigger/9/pool:hold/0/home/a/tv", "run/00000000000000000001"]);
    home.now = home.now.checked_add(SignedDuration::from_secs(45)).unwrap();
    let effects = home.engine.handle(home.now, Event::Tick);
    assert_eq!(saves(&effects), ["run/00000000000000000001 forgotten"]);
}

#[test]
fn a_change_of_one_topic_is_one_row_whatever_is_known_of_others() {
    let mut home = Played::start(only("hold"));
    for room in ["a", "b", "c"] {
        let topic = format!("home/{room}/tv");
        let effects = home.engine.handle(home.now, Event::Message(message(&topic, b"ON", false)));
        assert_eq!(saves(&effects).last(), Some(&format!("trigger/9/pool:hold/0/{topic}")));
        assert!(saves(&effects).len() <= 2, "{effects:?}");
    }
}

#[test]
fn a_rule_that_changed_forgets_what_it_knew_of_topics() {
    let mut home = Played::start(only("hold"));
    let _ = home.engine.handle(home.now, Event::Message(message("home/a/tv", b"ON", false)));
    let shorter = ruleset_of("hold: { when: { state: home/a/lamp, to: ON, for: 10s }, then: { out/hold: 1 } }");
    let effects = home.engine.replace_rules(home.now, shorter);
    assert_eq!(saves(&effects), ["rule/pool:hold", "trigger/9/pool:hold/0/home/a/tv forgotten"]);
}

#[test]
fn a_hold_that_a_switch_has_dropped_is_not_there_after_a_restart() {
    let rules = only("hold");
    let mut home = Played::start(rules.clone());
    home.handle(Event::Message(message("home/a/tv", b"ON", false)));
    home.handle(Event::Switch { rule: RuleId::new("pool", "hold"), is_enabled: false });
    let mut home = home.restart(rules);
    assert_eq!(home.engine.next_deadline(), None);
    home.handle(Event::Switch { rule: RuleId::new("pool", "hold"), is_enabled: true });
    home.said.clear();
    home.now = home.now.checked_add(SignedDuration::from_secs(60)).unwrap();
    home.handle(Event::Tick);
    assert_eq!(home.said, [""; 0]);
}

#[test]
fn what_a_rule_did_in_the_call_that_took_it_out_of_force_is_kept() {
    let rules = only("every");
    let mut home = Played::start(rules.clone());
    // It's due twice before the reload takes it out of force.
    home.now = home.now.checked_add(SignedDuration::from_secs(150)).unwrap();
    let effects = home.engine.replace_rules(home.now, only("plain"));
    home.take(effects);
    let mut home = home.restart(only("plain"));
    home.said.clear();
    let effects = home.engine.replace_rules(home.now, rules);
    home.take(effects);
    let due: Timestamp = "2024-01-01T12:03:20Z".parse().unwrap();
    assert_eq!(home.engine.next_deadline(), Some(due));
    assert_eq!(home.said, [""; 0]);
}

#[test]
fn a_trigger_that_is_switched_off_catches_up_with_nothing() {
    let rules = ruleset_of("late: { when: { at: '12:05', catch_up: 1h, enabled: false }, then: { out/late: 1 } }");
    let mut home = Played::start(rules.clone());
    let late = home.engine.flush();
    home.take(late);
    let saved = Snapshot { alive_at: Some(home.now), ..home.saved.clone() };
    home.now = home.now.checked_add(SignedDuration::from_secs(600)).unwrap();
    let (mut engine, _) = Engine::restore(home.now, rules, saved, options());
    let effects = engine.handle(home.now, Event::Started);
    assert_eq!(engine.next_deadline(), None);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Publish(_))), "{effects:?}");
}

fn only(key: &str) -> homerule::rules::Ruleset {
    ruleset(&[RULES.iter().position(|(known, _)| *known == key).unwrap()])
}

/// Returns the keys of what is kept and forgotten, in order.
fn saves(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Save { key, value: Some(_) } => Some(key.to_string()),
            Effect::Save { key, value: None } => Some(format!("{key} forgotten")),
            _ => None,
        })
        .collect()
}
