//! What the past of topics costs: room, bytes written, a message, and an average over windows of several lengths.
//!
//! `cargo bench --bench past`: 1,000 series with a message a second for a day, in virtual time. With a number behind `--`, so many series.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and panics when it can't measure")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use homerule::model::history::{Asked, Histories, Kind, Span};
use homerule::model::{States, Topic, Value, ValuePath};
use jiff::{SignedDuration, Timestamp};

const DAY: i64 = 86_400;

/// How often an average is asked for.
const ASKED: u32 = 100_000;

fn main() {
    let count = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1000);
    let topics: Vec<Topic> = (0..count).map(|index| Topic::parse(&format!("meter/{index}/power")).unwrap()).collect();
    let start = Timestamp::UNIX_EPOCH;
    let mut live = Histories::new(2000, Vec::new());
    let asked = topics
        .iter()
        .map(|topic| Asked::of(topic.clone(), ValuePath::default(), Kind::Numbers, Duration::from_hours(31 * 24)));
    live.keep(&asked.collect::<Vec<_>>(), &States::default(), start);
    let (mut written, mut noting, mut bits) = (0, Duration::ZERO, 1_u64);
    for second in 0..DAY {
        let now = start + SignedDuration::from_secs(second);
        let begun = Instant::now();
        for topic in &topics {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            live.note(
                now,
                topic.as_str(),
                &Value::Float(f64::from(u32::try_from(bits % 30_000).unwrap()) / 10.0),
                true,
            );
        }
        live.save(&mut |key, value| written += key.len() + value.map_or(0, |value| value.len()));
        noting += begun.elapsed();
    }
    let messages = u32::try_from(DAY).unwrap() * u32::try_from(topics.len()).unwrap();
    let size: usize = live.iter().map(homerule::model::history::Series::size).sum();
    println!("{count} series, {messages} messages in a day");
    println!("  a message, with what is kept of it: {:?}", noting / messages);
    println!("  written for a message: {} bytes", written / messages as usize);
    println!("  memory of a series: {} KB", size / topics.len() / 1000);
    let now = start + SignedDuration::from_secs(DAY);
    for (name, minutes) in [("5m", 5), ("1h", 60), ("6h", 360), ("24h", 1440)] {
        let span = Span::sliding(now - SignedDuration::from_mins(minutes), now);
        let begun = Instant::now();
        for topic in topics.iter().cycle().take(ASKED as usize) {
            let series = live.get(topic.as_str(), &ValuePath::default()).unwrap();
            black_box(series.average(black_box(&span)));
        }
        println!("  average over {name}: {:?}", begun.elapsed() / ASKED);
    }
}
