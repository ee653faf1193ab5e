//! The properties.

use homerule::engine::{Effect, Event};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::home::{Played, TOPICS, is_ended_by_reload, journals, message, picks, ruleset, ruleset_of, text_of};
use super::pool::{RULES, WORDS};

#[test]
fn the_pool_holds_every_word_of_the_language() {
    for word in WORDS {
        assert!(RULES.iter().any(|(_, rule)| rule.contains(word)), "no rule of the pool has `{word}`");
    }
    let all: Vec<usize> = (0..RULES.len()).collect();
    assert!(ruleset(&all).entries.len() >= RULES.len());
}

#[test]
fn all_rules_of_the_pool_are_drawn() {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut drawn = vec![false; RULES.len()];
    for _ in 0..200 {
        for index in picks().new_tree(&mut runner).unwrap().current() {
            drawn[index] = true;
        }
    }
    let never: Vec<&str> = RULES.iter().zip(drawn).filter(|(_, drawn)| !drawn).map(|((key, _), _)| *key).collect();
    assert!(never.is_empty(), "never drawn: {never:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_same_journal_twice_gives_the_same(picked in picks(), journal in journals()) {
        let rules = ruleset(&picked);
        let mut first = Played::start(rules.clone());
        let mut second = Played::start(rules);
        first.play(&journal);
        second.play(&journal);
        prop_assert_eq!(difference(&first.said, &second.said), None);
        prop_assert_eq!(first.saved, second.saved);
    }

    #[test]
    fn a_restart_at_any_point_changes_nothing(picked in picks(), journal in journals(), at in any::<prop::sample::Index>()) {
        let rules = ruleset(&picked);
        let at = at.index(journal.len());
        let mut through = Played::start(rules.clone());
        through.play(&journal[..at]);
        // A start tells what is due.
        through.settle();
        let mut before = Played::start(rules.clone());
        before.play(&journal[..at]);
        let mut restarted = before.restart(rules);
        restarted.said.clear();
        through.said.clear();
        through.play(&journal[at..]);
        restarted.play(&journal[at..]);
        prop_assert_eq!(difference(&through.said, &restarted.said), None);
    }

    #[test]
    fn more_ticks_change_nothing(picked in picks(), journal in journals()) {
        let rules = ruleset(&picked);
        let mut plain = Played::start(rules.clone());
        let mut ticked = Played::start(rules);
        plain.play(&journal);
        for (after, event) in &journal {
            let then = ticked.now.checked_add(*after).unwrap();
            // At each deadline on the way, and once in between.
            while let Some(due) = ticked.engine.next_deadline().filter(|due| *due <= then) {
                ticked.now = due.max(ticked.now);
                ticked.handle(Event::Tick);
            }
            ticked.now = ticked.now.checked_add((then.duration_since(ticked.now)) / 2).unwrap();
            ticked.handle(Event::Tick);
            ticked.now = then;
            ticked.handle(event.clone());
        }
        prop_assert_eq!(difference(&plain.said, &ticked.said), None);
        let (late, ticked_late) = (plain.engine.flush(), ticked.engine.flush());
        plain.take(late);
        ticked.take(ticked_late);
        prop_assert_eq!(plain.saved, ticked.saved);
    }

    #[test]
    fn equal_rules_replace_nothing(picked in picks(), journal in journals(), at in any::<prop::sample::Index>()) {
        let at = at.index(journal.len());
        let mut plain = Played::start(ruleset(&picked));
        let mut reloaded = Played::start(ruleset(&picked));
        plain.play(&journal[..at]);
        reloaded.play(&journal[..at]);
        for home in [&mut plain, &mut reloaded] {
            home.settle();
            home.said.clear();
        }
        let effects = reloaded.engine.replace_rules(reloaded.now, ruleset(&picked));
        for effect in &effects {
            if let Effect::Trace(trace) = effect {
                prop_assert!(!is_ended_by_reload(&trace.outcome), "{trace:?}");
            }
        }
        plain.play(&journal[at..]);
        reloaded.play(&journal[at..]);
        prop_assert_eq!(difference(&plain.said, &reloaded.said), None);
    }

    /// Where a rule comes or goes, all are put in force anew: that must make no difference.
    #[test]
    fn rules_that_change_in_their_places_reload_as_all_rules_do(
        picked in picks(),
        changed in proptest::collection::vec((any::<prop::sample::Index>(), 0..CHANGED.len()), 0..4),
        journal in journals(),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(journal.len());
        let mut rules: Vec<(&str, &str)> = picked.iter().map(|index| RULES[*index]).collect();
        for (rule, body) in changed {
            let (key, rule) = &mut rules[rule.index(picked.len())];
            // Other rules need these to be what they are.
            if !["named", "calls", "callee"].contains(key) {
                *rule = CHANGED[body];
            }
        }
        let places = ruleset_of(&text_of(rules.iter().copied()));
        let all = ruleset_of(&text_of(rules.iter().copied().chain([("last", "{ when: never/heard, then: { out/never: 1 } }")])));
        let [alone, together] = [places, all].map(|new| {
            let mut home = Played::start(ruleset(&picked));
            home.play(&journal[..at]);
            let effects = home.engine.replace_rules(home.now, new);
            home.take(effects);
            home.play(&journal[at..]);
            home
        });
        prop_assert_eq!(difference(&alone.said, &together.said), None);
        let rows = |home: &Played| {
            let rows = home.saved.values.iter().map(|(key, value)| format!("{key} = {value}"));
            rows.filter(|row| !row.starts_with("rule/pool:last ")).collect::<Vec<_>>()
        };
        prop_assert_eq!(difference(&rows(&alone), &rows(&together)), None);
    }

    #[test]
    fn any_bytes_on_any_topic_are_borne(
        picked in picks(),
        payloads in proptest::collection::vec((0..TOPICS.len(), proptest::collection::vec(any::<u8>(), 0..60)), 1..30),
    ) {
        let mut home = Played::start(ruleset(&picked));
        for (topic, payload) in payloads {
            home.now = home.now.checked_add(SignedDuration::from_secs(1)).unwrap();
            let effects = home.engine.handle(home.now, Event::Message(message(TOPICS[topic], &payload, false)));
            prop_assert!(effects.len() < 5_000, "{} effects", effects.len());
        }
    }
}

/// What rules are changed into.
const CHANGED: [&str; 4] = [
    "{ when: home/+room/tv, mode: restart, then: [ { delay: 20s }, { 'out/${room}/changed': '${msg}' } ] }",
    "{ when: { state: home/+room/door, to: open, for: 10s }, then: [ { remember: { n: 1 } }, { out/changed: held } ] }",
    "{ while: 'state(\"home/a/tv\") == \"ON\"', then: { out/changed: on }, else: { out/changed: 'off' } }",
    "{ when: { every: 40s }, if: { state: home/b/tv, is: ON, for: 5s }, then: { out/changed: tick } }",
];

/// Returns the first lines that differ, which say more than both whole records.
fn difference(left: &[String], right: &[String]) -> Option<String> {
    let longest = left.len().max(right.len());
    let differs = (0..longest).find(|index| left.get(*index) != right.get(*index))?;
    Some(format!("line {differs}:\n  {:?}\n  {:?}", left.get(differs), right.get(differs)))
}
