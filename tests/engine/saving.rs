//! What is kept at once: what changes nothing durable waits for no disk.

use homerule::engine::{Effect, Event};
use jiff::SignedDuration;

use super::home::{Played, message, ruleset, ruleset_of};
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
