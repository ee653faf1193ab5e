//! How what the engine does grows: each thing at two sizes a factor of ten apart, with the exponent between them.
//!
//! `cargo bench --bench growth`, or with a part of a row's name, `-- swapping`. An exponent of 0 does not grow, 1 grows in proportion, 2 with the square. What is
//! printed is the best of several rounds: what else the machine did would only add to it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and panics when it can't measure"
)]

mod made_up;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use homerule::engine::Event;
use homerule::lang::{Home, Source, Sources};
use homerule::model::Topic;
use homerule::rules::Ruleset;
use jiff::SignedDuration;

use made_up::{FIRES, ON, Running, json_of, rules_of_distinct_filters, rules_of_one_filter, topics};

/// How often each size is measured.
const ROUNDS: usize = 7;

/// How many messages a round handles, where one handles messages.
const MESSAGES: u32 = 20_000;

/// What is measured, what grows, the smaller of the two sizes, and the time of one operation at a size.
type Row = (&'static str, &'static str, usize, fn(usize) -> Duration);

const ROWS: [Row; 12] = [
    ("a message that no rule wants", "rules", 10_000, |size| {
        hear(rules_of_distinct_filters(FIRES, size), "bench/other/thing", ON)
    }),
    ("a message that fires one rule", "rules", 10_000, |size| {
        hear(rules_of_distinct_filters(FIRES, size), "bench/r0/tv", ON)
    }),
    ("a message that fires all of them", "rules", 10, |size| hear(rules_of_one_filter(FIRES, size), "bench/r0/tv", ON)),
    ("a message that a rule reads", "bytes", 1_600, |size| {
        hear(rules_of_one_filter(FIRES, 1), "bench/r0/tv", &json_of(size))
    }),
    ("a message that no rule reads", "bytes", 1_600, |size| {
        hear(rules_of_one_filter(FIRES, 1), "bench/other/thing", &json_of(size))
    }),
    ("a message on one of many known topics", "topics", 10_000, |size| {
        hear_each("{ when: none/at/all, then: { out/none: 1 } }", size)
    }),
    ("a hold that is armed and broken", "holds armed", 1_000, arm_and_break),
    ("a message whose run waits", "runs waiting", 1_000, |size| {
        hear_each("{ when: bench/+room/tv, mode: restart, then: [ { delay: 1h }, { out/late: 1 } ] }", size)
    }),
    ("a delay that is over", "runs waiting", 1_000, fall_due),
    ("a time that comes", "schedules", 1_000, strike),
    ("reading rules from YAML, each", "rules", 1_000, read),
    ("swapping rules that are the same, each", "rules", 1_000, swap),
];

fn main() {
    println!("{:<42} {:>22} {:>22} {:>9}", "", "smaller", "ten times", "exponent");
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (what, unit, size, measure) in ROWS.into_iter().filter(|(what, ..)| what.contains(&wanted)) {
        let [small, large] = [size, size * 10].map(|size| (0..ROUNDS).map(|_| measure(size)).min().unwrap());
        let exponent = (large.as_secs_f64() / small.as_secs_f64()).log10();
        let cell = |size: usize, time: Duration| format!("{size} {unit} {:.2} µs", time.as_secs_f64() * 1e6);
        println!("{what:<42} {:>22} {:>22} {exponent:>9.2}", cell(size, small), cell(size * 10, large));
    }
}

/// Returns the time of one of many messages on one topic.
fn hear(rules: Ruleset, topic: &str, payload: &str) -> Duration {
    let mut home = Running::start(rules);
    let topic = Topic::parse(topic).unwrap();
    let messages = MESSAGES / u32::try_from(payload.len() / 60).unwrap().max(1) / 10;
    home.hear(&topic, payload);
    let begun = Instant::now();
    for _ in 0..messages {
        black_box(home.hear(&topic, payload));
    }
    begun.elapsed() / messages
}

/// Returns the time of a message, each on another of so many topics, after each has had one.
fn hear_each(rule: &str, count: usize) -> Duration {
    let mut home = Running::start(rules_of_one_filter(rule, 1));
    let topics = topics(count);
    for topic in &topics {
        home.hear(topic, "ON");
    }
    let begun = Instant::now();
    for topic in topics.iter().cycle().take(MESSAGES as usize) {
        black_box(home.hear(topic, "ON"));
    }
    begun.elapsed() / MESSAGES
}

/// Returns the time of a message that breaks or arms one hold beside so many others.
fn arm_and_break(count: usize) -> Duration {
    let mut home = Running::start(rules_of_one_filter(
        "{ when: { state: bench/+room/tv, to: ON, for: 10h }, then: { out/hold: 1 } }",
        1,
    ));
    let topics = topics(count);
    for topic in &topics {
        home.hear(topic, "ON");
    }
    let begun = Instant::now();
    for (index, topic) in topics.iter().cycle().take(MESSAGES as usize).enumerate() {
        black_box(home.hear(topic, if (index / count).is_multiple_of(2) { "OFF" } else { "ON" }));
    }
    begun.elapsed() / MESSAGES
}

/// Returns the time of one of so many delays that are over within a second.
fn fall_due(count: usize) -> Duration {
    let mut home = Running::start(rules_of_one_filter(
        "{ when: bench/+room/tv, mode: parallel, max: 100000, then: [ { delay: 1h }, { out/late: 1 } ] }",
        1,
    ));
    for topic in &topics(count) {
        home.hear(topic, "ON");
    }
    let begun = Instant::now();
    let effects = home.pass(SignedDuration::from_hours(2), Event::Tick);
    assert!(effects.len() >= count, "{count} delays led to {} effects", effects.len());
    begun.elapsed() / u32::try_from(count).unwrap()
}

/// Returns the time of one of so many schedules, all at the same time of the day.
fn strike(count: usize) -> Duration {
    let mut home = Running::start(rules_of_one_filter("{ when: { at: '13:00' }, then: { out/late: 1 } }", count));
    let begun = Instant::now();
    let effects = home.pass(SignedDuration::from_hours(24), Event::Tick);
    assert!(effects.len() >= count, "{count} schedules led to {} effects", effects.len());
    begun.elapsed() / u32::try_from(count).unwrap()
}

/// Returns the time of reading one of so many rules.
fn read(count: usize) -> Duration {
    let mut text = String::from("rules:\n");
    for index in 0..count {
        writeln!(
            text,
            "  rule{index}: {{ when: home/r{index}/tv, if: 'msg.state == \"ON\"', then: {{ out/light: 'ON' }} }}"
        )
        .unwrap();
    }
    let mut sources = Sources::new();
    sources.insert("rules/bench.yaml".into(), Source::Content(text.as_bytes().into()));
    let begun = Instant::now();
    let home = Home::load(&sources);
    let time = begun.elapsed();
    assert_eq!((home.ruleset.entries.len(), home.has_errors()), (count, false));
    time / u32::try_from(count).unwrap()
}

/// Returns the time of swapping one of so many rules, none of which changed.
fn swap(count: usize) -> Duration {
    let rules = rules_of_distinct_filters(FIRES, count);
    let mut home = Running::start(rules.clone());
    let begun = Instant::now();
    black_box(home.engine.replace_rules(home.now, rules));
    begun.elapsed() / u32::try_from(count).unwrap()
}
