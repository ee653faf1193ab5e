//! Homes made up for measuring: many rules made of one, and an engine that runs them.
#![allow(dead_code, reason = "each bench uses what it needs")]

use std::fmt::Write as _;
use std::sync::Arc;

use homerule::engine::{Effect, Engine, Event, Options};
use homerule::lang::{Home, Source, Sources};
use homerule::model::{Message, Origin, Payload, Qos, RuleId, Topic, TopicFilter};
use homerule::rules::{Rule, RuleEntry, Ruleset, Start, TriggerKind};
use jiff::{SignedDuration, Timestamp};

/// A rule with a condition on a JSON field that publishes JSON.
pub(crate) const FIRES: &str = r#"{ when: bench/+room/tv, if: 'msg.state == "ON"', then: { 'bench/${room}/light/set': { state: ON, n: '${msg.n ?? 0}' } } }"#;

/// A message that makes [`FIRES`] fire.
pub(crate) const ON: &str = r#"{"state":"ON","n":1}"#;

/// An engine under a clock of its own.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
}

impl Running {
    /// Returns the engine of `rules`, started at a noon, with room for all runs.
    pub(crate) fn start(rules: Ruleset) -> Running {
        let now: Timestamp = "2024-01-01T12:00:00Z".parse().unwrap();
        let (mut engine, _) = Engine::new(now, rules, Options { runs: 1_000_000, ..Options::default() });
        let _ = engine.handle(now, Event::Started);
        Running { engine, now }
    }

    /// Handles a message a millisecond after the last one, so that it counts as no storm.
    pub(crate) fn hear(&mut self, topic: &Topic, payload: &str) -> Vec<Effect> {
        let message = Message {
            topic: topic.clone(),
            payload: Payload::from_bytes(payload.as_bytes().to_vec()),
            qos: Qos::AtMostOnce,
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        };
        self.pass(SignedDuration::from_millis(1), Event::Message(message))
    }

    /// Handles `event` after `time`.
    pub(crate) fn pass(&mut self, time: SignedDuration, event: Event) -> Vec<Effect> {
        self.now = self.now.checked_add(time).unwrap();
        self.engine.handle(self.now, event)
    }
}

/// Returns so many rules like `rule` of distinct filters, literal, `+` and `#` mixed. The first hears `bench/+room/tv`.
pub(crate) fn rules_of_distinct_filters(rule: &str, count: usize) -> Ruleset {
    let rule = template(rule);
    let filter = |index: usize| match index % 4 {
        _ if index == 0 => "bench/+room/tv".to_owned(),
        0 => format!("home/r{index}/+room/tv"),
        1 => format!("home/r{index}/tv"),
        2 => format!("home/r{index}/#room"),
        _ => format!("+room/r{index}/tv"),
    };
    Ruleset::new((0..count).map(|index| entry(&rule, index, &filter(index))).collect())
}

/// Returns so many rules like `rule` that all hear `bench/+room/tv`.
pub(crate) fn rules_of_one_filter(rule: &str, count: usize) -> Ruleset {
    let rule = template(rule);
    Ruleset::new((0..count).map(|index| entry(&rule, index, "bench/+room/tv")).collect())
}

/// Returns so many topics that `bench/+room/tv` matches.
pub(crate) fn topics(count: usize) -> Vec<Topic> {
    (0..count).map(|index| Topic::parse(&format!("bench/r{index}/tv")).unwrap()).collect()
}

/// Returns an object of about so many bytes whose `state` is `ON`.
pub(crate) fn json_of(bytes: usize) -> String {
    let mut payload = String::from(r#"{"state":"ON""#);
    for index in 0.. {
        if payload.len() + 20 > bytes {
            break;
        }
        write!(payload, r#","key{index}":{index}"#).unwrap();
    }
    payload.push('}');
    payload
}

/// Returns the rules of a file, YAML or Rhai.
pub(crate) fn rules_of_file(name: &str, text: &str) -> Ruleset {
    let mut sources = Sources::new();
    sources.insert(format!("rules/{name}").into(), Source::Content(text.as_bytes().into()));
    let home = Home::load(&sources);
    assert!(!home.has_errors(), "{:?}", home.diagnostics);
    home.ruleset
}

/// Returns a rule as the language reads it.
pub(crate) fn template(rule: &str) -> Rule {
    let mut sources = Sources::new();
    sources.insert("rules/bench.yaml".into(), Source::Content(format!("rules: {{ one: {rule} }}").as_bytes().into()));
    let home = Home::load(&sources);
    assert!(!home.has_errors(), "{:?}", home.diagnostics);
    match home.ruleset.entries.first() {
        Some(RuleEntry::Rule(rule)) => (**rule).clone(),
        other => panic!("not one rule: {other:?}"),
    }
}

/// Returns a copy of a rule under another id and filter.
fn entry(rule: &Rule, index: usize, filter: &str) -> RuleEntry {
    let mut rule = rule.clone();
    rule.id = RuleId::new("bench", &format!("rule{index}"));
    if let Start::When(triggers) = &mut rule.start {
        for trigger in triggers {
            let parsed = TopicFilter::parse(filter).unwrap();
            match &mut trigger.kind {
                TriggerKind::Topic { filter, .. } => *filter = parsed,
                TriggerKind::State(state) => state.filter = parsed,
                _ => {}
            }
        }
    }
    RuleEntry::Rule(Arc::new(rule))
}
