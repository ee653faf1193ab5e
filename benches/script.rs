//! What rules in Rhai cost beside the same in YAML: a message that calls a closure, what the closure does, and the
//! stack that one needs which may nest values without end.
//!
//! `cargo bench --bench script`. A measurement handles a thousand messages: a millisecond here is a microsecond each.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that can't measure panics")]

mod made_up;

use divan::Bencher;
use divan::counter::ItemsCount;
use homerule::model::Topic;
use homerule::script::with_deep_stack;

use made_up::{ON, Running, rules_of_file};

/// How many messages each measurement handles.
const BATCH: usize = 1_000;

/// The rows: what each is, its file, and its text.
const ROWS: [(&str, &str, &str); 6] = [
    (
        "yaml",
        "bench.yaml",
        r#"rules: { one: { when: bench/+room/tv, if: 'msg.state == "ON"', then: { 'out/${room}': { state: ON } } } }"#,
    ),
    (
        "closure",
        "bench.rhai",
        r#"rule("one", #{ when: "bench/+room/tv", then: |e| if e.msg.state == "ON" { publish(`out/${e.room}`, #{ state: "ON" }); } });"#,
    ),
    ("nothing", "bench.rhai", r#"rule("one", #{ when: "bench/+room/tv", then: |e| { } });"#),
    (
        "loop",
        "bench.rhai",
        r#"rule("one", #{ when: "bench/+room/tv", then: |e| { for lamp in ["left", "right"] { publish(`out/${lamp}`, e.msg.state); } } });"#,
    ),
    (
        "timer",
        "bench.rhai",
        r#"rule("one", #{ when: "bench/+room/tv", then: |e| { after("off", "1h", || publish("out/x", "OFF")); } });"#,
    ),
    (
        "memory",
        "bench.rhai",
        r#"rule("one", #{ when: "bench/+room/tv", then: |e| { remember("n", (memory.n ?? 0) + 1); } });"#,
    ),
];

fn main() {
    with_deep_stack(divan::main);
}

#[divan::bench(args = ["yaml", "nothing", "closure", "loop", "timer", "memory"])]
fn message_that_calls(bencher: Bencher<'_, '_>, row: &str) {
    let (mut home, topic) = home(row);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| hear(&mut home, &topic));
}

/// Here a call that may nest values needs a thread of its own.
#[divan::bench(args = ["closure", "loop"])]
fn message_that_calls_on_a_usual_stack(bencher: Bencher<'_, '_>, row: &str) {
    let (mut home, topic) = home(row);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        std::thread::scope(|scope| scope.spawn(|| hear(&mut home, &topic)).join().unwrap());
    });
}

fn home(row: &str) -> (Running, Topic) {
    let Some((_, file, text)) = ROWS.iter().find(|(name, ..)| *name == row) else { panic!("`{row}` is no row") };
    (Running::start(rules_of_file(file, text)), Topic::parse("bench/living/tv").unwrap())
}

fn hear(home: &mut Running, topic: &Topic) {
    for _ in 0..BATCH {
        home.hear(topic, ON);
    }
}
