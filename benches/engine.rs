//! The engine alone: what a message, a condition, a template, a hold and a waiting run cost, with the allocations
//! counted. How that grows, and times without the counting, are `growth.rs`'s.
//!
//! `cargo bench --bench engine`. A measurement handles a thousand messages: a millisecond here is a microsecond each.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that can't measure panics")]

mod made_up;

use divan::Bencher;
use divan::counter::ItemsCount;
use homerule::rules::Ruleset;

use made_up::{FIRES, ON, Running, json_of, rules_of_distinct_filters, rules_of_one_filter, topics};

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
    play(bencher, rules_of_distinct_filters(FIRES, rules), "bench/other/thing", ON);
}

#[divan::bench(args = RULES)]
fn message_that_fires_one_rule(bencher: Bencher<'_, '_>, rules: usize) {
    play(bencher, rules_of_distinct_filters(FIRES, rules), "bench/r0/tv", ON);
}

#[divan::bench(args = RULES)]
fn message_whose_rule_declines(bencher: Bencher<'_, '_>, rules: usize) {
    play(bencher, rules_of_distinct_filters(FIRES, rules), "bench/r0/tv", r#"{"state":"OFF","n":1}"#);
}

#[divan::bench(args = [1, 10, 100])]
fn message_that_fires_so_many_rules(bencher: Bencher<'_, '_>, rules: usize) {
    play(bencher, rules_of_one_filter(FIRES, rules), "bench/r0/tv", ON);
}

/// What a rule is made of, one thing more from row to row.
#[divan::bench(args = ["fixed", "condition", "condition_on_state", "template", "json"])]
fn rule_with(bencher: Bencher<'_, '_>, what: &str) {
    let rule = match what {
        "fixed" => "{ when: bench/+room/tv, then: { out/light: 'ON' } }",
        "condition" => r#"{ when: bench/+room/tv, if: 'msg.state == "ON"', then: { out/light: 'ON' } }"#,
        "condition_on_state" => {
            "{ when: bench/+room/tv, if: { state: bench/r0/tv, field: state, is: 'ON' }, then: { out/light: 'ON' } }"
        }
        "template" => "{ when: bench/+room/tv, then: { 'out/${room}': 'is ${msg.state}' } }",
        "json" => "{ when: bench/+room/tv, then: { out/light: { state: 'ON', brightness: 200 } } }",
        other => panic!("`{other}` is no row"),
    };
    play(bencher, rules_of_one_filter(rule, 1), "bench/r0/tv", ON);
}

#[divan::bench(args = [60, 1_000, 16_000])]
fn message_of_so_many_bytes_that_a_rule_reads(bencher: Bencher<'_, '_>, bytes: usize) {
    play(bencher, rules_of_distinct_filters(FIRES, 100), "bench/r0/tv", &json_of(bytes));
}

#[divan::bench(args = [60, 1_000, 16_000])]
fn message_of_so_many_bytes_that_no_rule_reads(bencher: Bencher<'_, '_>, bytes: usize) {
    play(bencher, rules_of_distinct_filters(FIRES, 100), "bench/other/thing", &json_of(bytes));
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn message_with_so_many_holds_armed(bencher: Bencher<'_, '_>, topics: usize) {
    armed(bencher, "{ when: { state: bench/+room/tv, to: ON, for: 1h }, then: { out/hold: 1 } }", topics);
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn message_with_so_many_runs_waiting(bencher: Bencher<'_, '_>, topics: usize) {
    armed(bencher, "{ when: bench/+room/tv, then: [ { delay: 1h }, { out/late: 1 } ] }", topics);
}

/// Handles one message again and again.
fn play(bencher: Bencher<'_, '_>, rules: Ruleset, topic: &str, payload: &str) {
    let mut home = Running::start(rules);
    let topic = homerule::model::Topic::parse(topic).unwrap();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            home.hear(&topic, payload);
        }
    });
}

/// Handles messages while a hold or a run waits for each of so many topics.
fn armed(bencher: Bencher<'_, '_>, rule: &str, count: usize) {
    let mut home = Running::start(rules_of_one_filter(rule, 1));
    let topics = topics(count);
    for topic in &topics {
        home.hear(topic, "ON");
    }
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for topic in topics.iter().cycle().take(BATCH) {
            home.hear(topic, "ON");
        }
    });
}
