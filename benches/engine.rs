//! The engine alone: what a message, a rule, a hold and a waiting run cost, and how that grows.
//!
//! `cargo bench --bench engine`. Each group prints sizes a factor of ten apart, so that the ratio within one run is
//! what counts.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that can't measure panics")]

use std::fmt::Write as _;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use homerule::engine::{Effect, Engine, Event, Options};
use homerule::lang::{Home, Source, Sources};
use homerule::model::{Message, Origin, Payload, Qos, RuleId, Topic, TopicFilter};
use homerule::rules::{Rule, RuleEntry, Ruleset, Start, TriggerKind};
use jiff::{SignedDuration, Timestamp};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

/// How many rules there are.
const RULES: [usize; 5] = [1, 100, 1_000, 10_000, 100_000];

/// How many messages each measurement handles.
const BATCH: usize = 1_000;

fn main() {
    divan::main();
}

#[divan::bench(args = RULES)]
fn message_that_no_rule_wants(bencher: Bencher<'_, '_>, rules: usize) {
    messages(bencher, rules, FIRES, "bench/other/thing", r#"{"state":"ON","n":1}"#);
}

#[divan::bench(args = RULES)]
fn message_that_fires_one_rule(bencher: Bencher<'_, '_>, rules: usize) {
    messages(bencher, rules, FIRES, "bench/r0/tv", r#"{"state":"ON","n":1}"#);
}

#[divan::bench(args = RULES)]
fn message_whose_rule_declines(bencher: Bencher<'_, '_>, rules: usize) {
    messages(bencher, rules, FIRES, "bench/r0/tv", r#"{"state":"OFF","n":1}"#);
}

#[divan::bench(args = [60, 1_000, 16_000])]
fn message_of_so_many_bytes(bencher: Bencher<'_, '_>, bytes: usize) {
    let mut payload = String::from(r#"{"state":"ON""#);
    for index in 0.. {
        if payload.len() + 20 > bytes {
            break;
        }
        write!(payload, r#","key{index}":{index}"#).unwrap();
    }
    payload.push('}');
    messages(bencher, 100, FIRES, "bench/r0/tv", &payload);
}

#[divan::bench(args = [1, 10, 100])]
fn message_that_fires_so_many_rules(bencher: Bencher<'_, '_>, rules: usize) {
    let rule = template(FIRES);
    let entries = (0..rules).map(|index| entry(&rule, index, "bench/+room/tv")).collect();
    play(bencher, Ruleset::new(entries), "bench/r0/tv", r#"{"state":"ON"}"#);
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn message_with_so_many_holds_armed(bencher: Bencher<'_, '_>, topics: usize) {
    armed(bencher, "{ when: { state: bench/+room/tv, to: ON, for: 1h }, then: { out/hold: 1 } }", topics);
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn message_with_so_many_runs_waiting(bencher: Bencher<'_, '_>, topics: usize) {
    armed(bencher, "{ when: bench/+room/tv, then: [ { delay: 1h }, { out/late: 1 } ] }", topics);
}

const FIRES: &str = r#"{ when: bench/+room/tv, if: 'msg.state == "ON"', then: { 'bench/${room}/light/set': { state: ON, n: '${msg.n ?? 0}' } } }"#;

/// Handles one message again and again, with so many rules of distinct filters: literal, `+` and `#` mixed.
fn messages(bencher: Bencher<'_, '_>, rules: usize, rule: &str, topic: &str, payload: &str) {
    let rule = template(rule);
    let filter = |index: usize| match index % 4 {
        _ if index == 0 => "bench/+room/tv".to_owned(),
        0 => format!("home/r{index}/+room/tv"),
        1 => format!("home/r{index}/tv"),
        2 => format!("home/r{index}/#room"),
        _ => format!("+room/r{index}/tv"),
    };
    let entries = (0..rules).map(|index| entry(&rule, index, &filter(index))).collect();
    play(bencher, Ruleset::new(entries), topic, payload);
}

fn play(bencher: Bencher<'_, '_>, rules: Ruleset, topic: &str, payload: &str) {
    let mut home = Running::start(rules);
    let topic = Topic::parse(topic).unwrap();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            home.hear(&topic, payload);
        }
    });
}

/// Handles messages while a hold or a run waits for each of so many topics.
fn armed(bencher: Bencher<'_, '_>, rule: &str, topics: usize) {
    let rule = template(rule);
    let entries = vec![entry(&rule, 0, "bench/+room/tv")];
    let mut home = Running::start(Ruleset::new(entries));
    let topics: Vec<Topic> = (0..topics).map(|index| Topic::parse(&format!("bench/r{index}/tv")).unwrap()).collect();
    for topic in &topics {
        home.hear(topic, "ON");
    }
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for topic in topics.iter().cycle().take(BATCH) {
            home.hear(topic, "ON");
        }
    });
}

/// An engine under a clock that goes on by a second with each message, so that nothing counts as a storm.
struct Running {
    engine: Engine,
    now: Timestamp,
}

impl Running {
    fn start(rules: Ruleset) -> Running {
        let now: Timestamp = "2024-01-01T12:00:00Z".parse().unwrap();
        let (mut engine, _) = Engine::new(now, rules, Options::default());
        let _ = engine.handle(now, Event::Started);
        Running { engine, now }
    }

    fn hear(&mut self, topic: &Topic, payload: &str) -> Vec<Effect> {
        self.now = self.now.checked_add(SignedDuration::from_millis(1)).unwrap();
        let message = Message {
            topic: topic.clone(),
            payload: Payload::from_bytes(payload.as_bytes().to_vec()),
            qos: Qos::AtMostOnce,
            retain: false,
            origin: Origin::Live,
        };
        self.engine.handle(self.now, Event::Message(message))
    }
}

/// Returns a rule as the language reads it.
fn template(rule: &str) -> Rule {
    let mut sources = Sources::new();
    sources.insert("rules/bench.yaml".into(), Source::Content(format!("rules: {{ one: {rule} }}").as_bytes().into()));
    let home = Home::load(&sources);
    assert!(!home.has_errors(), "{:?}", home.diagnostics);
    match home.ruleset.entries.into_iter().next() {
        Some(RuleEntry::Rule(rule)) => (*rule).clone(),
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
