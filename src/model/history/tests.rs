//! History against a naive re-computation from all samples.
#![expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "what is kept exactly comes back exactly, and the samples that are made up are small"
)]

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Asked, Histories, Kind, Series, Span, Window, instant, seconds};
use crate::model::schedule::Calendar;
use crate::model::{States, Topic, Value, ValuePath};

/// All samples of a topic: when, and what.
type Samples = Vec<(i64, Value)>;

const SECOND: i64 = 1_000_000_000;

/// What numbers were in a span, from all of them.
struct Naive {
    /// Each number of the span with how long it lasted, in order.
    pieces: Vec<(f64, i64)>,
    first: f64,
    last: f64,
}

fn naive_numbers(samples: &Samples, span: &Span) -> Option<Naive> {
    let numbers: Vec<(i64, f64)> = samples
        .iter()
        .filter_map(|(at, value)| Some((*at, value.as_number()?)))
        .filter(|(at, _)| *at <= span.until)
        .collect();
    let last = numbers.last()?.1;
    // Of several at one instant, the last one lasts.
    let begin = numbers.iter().rposition(|(at, _)| *at <= span.start);
    let within = &numbers[begin.unwrap_or(0)..];
    let ends = within.iter().skip(1).map(|(at, _)| *at).chain([span.end]);
    let pieces = within.iter().zip(ends).map(|((at, value), end)| (*value, end.min(span.end) - (*at).max(span.start)));
    Some(Naive { pieces: pieces.collect(), first: within[0].1, last })
}

impl Naive {
    fn area(&self) -> f64 {
        self.pieces.iter().map(|(value, length)| value * seconds(*length)).sum()
    }

    fn average(&self) -> f64 {
        let length: i64 = self.pieces.iter().map(|(_, length)| length).sum();
        if length == 0 { self.last } else { self.area() / seconds(length) }
    }

    fn median(&self) -> f64 {
        let total: i64 = self.pieces.iter().map(|(_, length)| length).sum();
        if total == 0 {
            return self.last;
        }
        let candidates = self.pieces.iter().map(|(value, _)| *value);
        let below =
            |limit: f64| self.pieces.iter().filter(|(value, _)| *value <= limit).map(|(_, length)| length).sum::<i64>();
        candidates.filter(|value| below(*value) * 2 >= total).fold(f64::INFINITY, f64::min)
    }

    fn low(&self) -> f64 {
        self.pieces.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min)
    }

    fn high(&self) -> f64 {
        self.pieces.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// How often the value changed; the first one ever is no change.
fn naive_changes(samples: &Samples, span: &Span) -> Option<u64> {
    samples.first().filter(|(at, _)| *at <= span.until)?;
    let changes = samples.windows(2).filter(|pair| pair[0].1 != pair[1].1);
    Some(changes.filter(|pair| pair[1].0 > span.after && pair[1].0 <= span.until).count() as u64)
}

/// How often it became the value, and how long it was so.
fn naive_counted(samples: &Samples, wanted: &Value, span: &Span) -> Option<(u32, i64)> {
    samples.first().filter(|(at, _)| *at <= span.until)?;
    let (mut times, mut lasted, mut before) = (0, 0, false);
    for (index, (at, value)) in samples.iter().enumerate() {
        let is_there = value.matches(wanted);
        if is_there && !before && *at > span.after && *at <= span.until {
            times += 1;
        }
        let end = samples.get(index + 1).map_or(span.end, |(at, _)| *at).min(span.end);
        if is_there {
            lasted += (end - (*at).max(span.start)).max(0);
        }
        before = is_there;
    }
    Some((times, lasted))
}

fn naive_at(samples: &Samples, at: i64) -> Option<&Value> {
    samples.iter().rfind(|(since, _)| *since <= at).map(|(_, value)| value)
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * (1.0 + left.abs().max(right.abs()))
}

fn topic() -> Topic {
    Topic::parse("meter").unwrap()
}

fn asked(kind: Kind, reach: Duration) -> Asked {
    Asked { topic: topic(), path: ValuePath::default(), kind, reach }
}

fn all_kinds() -> [Kind; 3] {
    [Kind::Numbers, Kind::Values, Kind::Counted(Value::Int(3))]
}

fn histories(limit: usize, reach: Duration) -> Histories {
    let mut histories = Histories::new(limit, Vec::new());
    let named: Vec<Asked> = all_kinds().into_iter().map(|kind| asked(kind, reach)).collect();
    histories.keep(&named, &States::default(), Timestamp::UNIX_EPOCH);
    histories
}

fn series(histories: &Histories) -> &Series {
    histories.get("meter", &ValuePath::default()).unwrap()
}

fn check(series: &Series, samples: &Samples, span: &Span, now: i64) -> Result<(), TestCaseError> {
    let wanted = Value::Int(3);
    let naive = naive_numbers(samples, span);
    prop_assert_eq!(series.average(span).is_some(), naive.is_some());
    if let Some(naive) = naive {
        let average = series.average(span).unwrap();
        prop_assert!(close(average, naive.average()), "average {average}, not {}", naive.average());
        prop_assert_eq!(series.median(span).unwrap(), naive.median(), "median");
        prop_assert_eq!(series.lowest(span).unwrap(), naive.low(), "lowest");
        prop_assert_eq!(series.highest(span).unwrap(), naive.high(), "highest");
        prop_assert!(close(series.change(span).unwrap(), naive.last - naive.first), "change");
        prop_assert!(close(series.rise(span).unwrap(), naive.last - naive.low()), "rise");
        prop_assert!(close(series.fall(span).unwrap(), naive.high() - naive.last), "fall");
        prop_assert!(close(series.integral(span).unwrap(), naive.area() / 3600.0), "integral");
    }
    prop_assert_eq!(series.changes(span), naive_changes(samples, span), "changes");
    let counted = naive_counted(samples, &wanted, span);
    prop_assert_eq!(series.times(&wanted, span), counted.map(|(times, _)| times), "times");
    let lasted = series.duration(&wanted, span).map(|lasted| (lasted * 1000.0).round());
    prop_assert_eq!(lasted, counted.map(|(_, lasted)| (seconds(lasted) * 1000.0).round()), "duration");
    prop_assert_eq!(
        series.at(instant(span.start.max(now - span.length()))),
        naive_at(samples, span.start.max(now - span.length())),
        "at"
    );
    Ok(())
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (-3_i64..9).prop_map(Value::Int),
        2 => (-50.0..50.0).prop_map(Value::Float),
        1 => Just(Value::from("unavailable")),
        1 => Just(Value::Bool(true)),
    ]
}

fn any_window() -> impl Strategy<Value = Window> {
    prop_oneof![
        (1_u64..200_000).prop_map(|seconds| Window::Last(Duration::from_secs(seconds))),
        Just(Window::Today),
        Just(Window::Yesterday),
        Just(Window::Week),
        Just(Window::Month),
        Just(Window::parse("since 09:00").unwrap()),
        Just(Window::parse("since 02:30").unwrap()),
    ]
}

/// Something that happens to a home.
#[derive(Debug, Clone)]
enum Happening {
    /// So many milliseconds later, the topic says this.
    Says(u32, Value),
    /// The daemon ends, and starts again so many seconds later.
    Restart(u32),
    /// The clock is set by so many seconds.
    ClockSet(i64),
    /// What came since is written.
    Flush,
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => (prop_oneof![Just(0_u32), 1..5000_u32, 1..20_000_000_u32], any_value()).prop_map(|(ms, value)| Happening::Says(ms, value)),
        1 => (1..200_000_u32).prop_map(Happening::Restart),
        1 => (-9000_i64..9000).prop_map(Happening::ClockSet),
        3 => Just(Happening::Flush),
    ]
}

/// Writes all that is to be kept, and reads it back.
fn restarted(
    histories: &mut Histories,
    disk: &mut std::collections::BTreeMap<String, String>,
    limit: usize,
) -> Histories {
    flush(histories, disk);
    let mut restored = Histories::new(limit, Vec::new());
    for (key, value) in disk.iter() {
        restored.restore(key, value).unwrap().unwrap();
    }
    restored.restored();
    restored
}

fn flush(histories: &mut Histories, disk: &mut std::collections::BTreeMap<String, String>) {
    histories.save(&mut |key, value| {
        match value {
            Some(value) => disk.insert(key, value),
            None => disk.remove(&key),
        };
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_function_gives_what_all_samples_give(
        happenings in proptest::collection::vec(any_happening(), 1..120),
        windows in proptest::collection::vec(any_window(), 1..6),
        zone in prop_oneof![Just("Europe/Berlin"), Just("Australia/Lord_Howe"), Just("UTC")],
        start in 1_711_000_000_i64..1_712_000_000,
    ) {
        let calendar = Calendar { zone: TimeZone::get(zone).unwrap(), ..Calendar::default() };
        let (limit, mut now) = (1000, start * SECOND);
        let mut live = histories(limit, Duration::from_hours(40 * 24));
        let (mut samples, mut disk) = (Samples::new(), std::collections::BTreeMap::new());
        for happening in happenings {
            match happening {
                Happening::Says(ms, value) => {
                    now += i64::from(ms) * 1_000_000;
                    live.note(instant(now), "meter", &value, true);
                    if samples.last().is_none_or(|(_, last)| *last != value) {
                        samples.push((now, value));
                    }
                }
                Happening::Restart(down) => {
                    live = restarted(&mut live, &mut disk, limit);
                    now += i64::from(down) * SECOND;
                }
                Happening::ClockSet(by) => {
                    live.shift(SignedDuration::from_secs(by));
                    now += by * SECOND;
                    for (at, _) in &mut samples {
                        *at += by * SECOND;
                    }
                }
                Happening::Flush => flush(&mut live, &mut disk),
            }
        }
        for later in [0, 1, 7_300] {
            let now = now + later * SECOND;
            for window in &windows {
                let span = window.span(instant(now), &calendar);
                check(series(&live), &samples, &span, now)?;
            }
        }
    }

    #[test]
    fn what_is_thinned_stays_close(
        seed in any::<u64>(),
        gap in prop_oneof![Just(1_u64), 1..30_u64],
        count in 3000..20_000_usize,
        window in any_window(),
    ) {
        // A wave with noise on it, as sensors give.
        let calendar = Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() };
        let mut bits = seed | 1;
        let mut random = move || {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            (bits >> 11) as f64 / (1_u64 << 53) as f64
        };
        let start = 1_711_700_000 * SECOND;
        let (limit, reach) = (500, Duration::from_hours(40 * 24));
        let mut live = histories(limit, reach);
        let mut samples = Samples::new();
        let mut now = start;
        for index in 0..count {
            now += (1.0 + random() * gap as f64) as i64 * SECOND;
            let value = if random() < 0.3 { Value::Int(3) } else {
                Value::Float(((index as f64 / 700.0).sin() * 20.0 + random() * 5.0 * 10.0).round() / 10.0)
            };
            live.note(instant(now), "meter", &value, true);
            if samples.last().is_none_or(|(_, last)| *last != value) {
                samples.push((now, value));
            }
        }
        let span = window.span(instant(now), &calendar);
        let (series, Some(naive)) = (series(&live), naive_numbers(&samples, &span)) else { return Ok(()) };
        let range = naive_numbers(&samples, &Span::sliding(instant(start), instant(now))).map_or(0.0, |all| all.high() - all.low());
        let average = series.average(&span).unwrap();
        prop_assert!((average - naive.average()).abs() <= range / 1000.0 + 1e-9, "average {average}, not {}", naive.average());
        let hours = seconds(span.length()) / 3600.0;
        prop_assert!((series.integral(&span).unwrap() - naive.area() / 3600.0).abs() <= range * hours / 1000.0 + 1e-9);
        prop_assert!(series.lowest(&span).unwrap() <= naive.low() + 1e-9 && series.highest(&span).unwrap() >= naive.high() - 1e-9);
        // Counted for good: exact where the window begins with a cell, as local days do.
        if !matches!(window, Window::Last(_)) {
            let wanted = Value::Int(3);
            let (times, lasted) = naive_counted(&samples, &wanted, &span).unwrap();
            prop_assert_eq!(series.times(&wanted, &span), Some(times));
            prop_assert!(close(series.duration(&wanted, &span).unwrap(), seconds(lasted)));
            prop_assert_eq!(series.changes(&span), naive_changes(&samples, &span));
        }
        prop_assert!(series.size() < 600_000, "{}", series.size());
        let mut disk = std::collections::BTreeMap::new();
        let again = restarted(&mut live.clone(), &mut disk, limit);
        let again = again.get("meter", &ValuePath::default()).unwrap();
        prop_assert_eq!(again.average(&span), series.average(&span));
        prop_assert_eq!(again.changes(&span), series.changes(&span));
    }
}

#[test]
fn a_month_of_seconds_takes_little_room() {
    let mut live = Histories::new(2000, Vec::new());
    live.keep(&[asked(Kind::Numbers, Duration::from_hours(31 * 24))], &States::default(), Timestamp::UNIX_EPOCH);
    for second in 0..31 * 86_400_i64 {
        live.note(instant(second * SECOND), "meter", &Value::Int(second * 7919 % 1000), true);
    }
    let size = series(&live).size();
    assert!(size < 200_000, "{size} bytes");
}

#[test]
fn only_what_is_asked_is_kept() {
    let mut live = Histories::new(2000, Vec::new());
    let hour = Duration::from_hours(1);
    live.keep(&[asked(Kind::Numbers, hour)], &States::default(), instant(0));
    for minute in 0..600_i64 {
        live.note(instant(minute * 60 * SECOND), "meter", &Value::Int(minute), true);
        live.note(instant(minute * 60 * SECOND), "other", &Value::Int(minute), true);
    }
    assert_eq!(live.iter().count(), 1);
    assert!(series(&live).len() <= 62, "{}", series(&live).len());
    assert_eq!(series(&live).changes(&Span::sliding(instant(0), instant(600))), None);
    live.keep(&[], &States::default(), instant(600 * 60 * SECOND));
    assert_eq!(live.iter().count(), 0, "a reload without the rule drops it");
}

#[test]
fn what_the_recorder_knows_is_put_before_what_came_since() {
    let mut live = histories(2000, Duration::from_hours(1));
    let at = |minute: i64| instant(minute * 60 * SECOND);
    assert_eq!(live.take_recalls(at(60)).len(), 1);
    assert_eq!(live.take_recalls(at(60)).len(), 0, "asked once");
    live.note(at(61), "meter", &Value::Int(10), true);
    let older: Vec<(Timestamp, Value)> = (0..61).map(|minute| (at(minute), Value::Int(minute % 2))).collect();
    live.fill(&topic(), &older);
    let hour = Span::sliding(at(2), at(62));
    assert_eq!(series(&live).changes(&hour), Some(59));
    assert_eq!(series(&live).highest(&hour), Some(10.0));
    assert_eq!(series(&live).times(&Value::Int(3), &hour), Some(0));
}

#[test]
fn a_message_costs_no_rewrite_of_its_series() {
    let mut live = histories(2000, Duration::from_hours(24));
    let mut written = 0;
    for second in 0..10_000_i64 {
        live.note(instant(second * SECOND), "meter", &Value::Int(second % 50), true);
        live.save(&mut |key, value| written += key.len() + value.map_or(0, |value| value.len()));
    }
    assert!(written / 10_000 < 300, "{} bytes a message", written / 10_000);
}
