//! Sequences and taps against naive matchers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::hits::{Asked, Hits};
use super::taps::{Counting, Taps};
use crate::engine::trace::{Cause, CauseKind};
use crate::engine::trigger::firing::Firing;
use crate::rules::Order;

/// Something that fires: so many seconds after the one before, which part, what its wildcard matched, and whether it comes
/// with the one before, by one message.
#[derive(Debug, Clone)]
struct Event {
    gap: u8,
    part: u16,
    capture: u8,
    is_same: bool,
}

/// What has fired: by which message, when, which part, what it matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fired {
    number: u64,
    at: i64,
    part: u16,
    capture: u8,
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0..4_u8, 0..3_u16, 0..2_u8, prop::bool::weighted(0.2));
    proptest::collection::vec(
        event.prop_map(|(gap, part, capture, is_same)| Event { gap, part, capture, is_same }),
        0..30,
    )
}

fn numbered(events: &[Event]) -> Vec<Fired> {
    let (mut number, mut at) = (0, 0);
    let each = events.iter().map(|event| {
        if !event.is_same || number == 0 {
            number += 1;
            at += i64::from(event.gap);
        }
        Fired { number, at, part: event.part, capture: event.capture }
    });
    // A message fires a part once.
    let mut fired: Vec<Fired> = each.collect();
    let mut known = BTreeSet::new();
    fired.retain(|fired| known.insert((fired.number, fired.part)));
    fired
}

/// Which parts have wildcards, and whether these have one name.
#[derive(Debug, Clone, Copy)]
struct Shape {
    wild: [bool; 3],
    is_named: bool,
}

fn firing(fired: &Fired, shape: Shape) -> Firing {
    let mut firing = Firing::of_cause(fired.number.to_string().into(), Cause::outside(CauseKind::Condition));
    if shape.wild[usize::from(fired.part)] {
        let capture: Arc<str> = fired.capture.to_string().into();
        firing.captures = vec![Arc::clone(&capture)];
        if shape.is_named {
            firing.named = vec![("room".into(), capture)];
        }
    }
    firing
}

/// All orders in which the hits of a combination make the sequence whole, the last of them `events[last]`.
fn all_ways(events: &[Fired], last: usize, parts: u16, order: Order, fits: &dyn Fn(&Fired) -> bool) -> Vec<Vec<Fired>> {
    let mut ways: Vec<Vec<Fired>> = vec![Vec::new()];
    for part in 0..parts {
        let mut longer = Vec::new();
        for way in &ways {
            for event in events[..=last].iter().filter(|event| event.part == part && fits(event)) {
                let is_later =
                    order != Order::AsWritten || way.last().is_none_or(|before| before.number < event.number);
                if is_later && way.iter().all(|before| before.number != event.number) {
                    longer.push(way.iter().copied().chain([*event]).collect());
                }
            }
        }
        ways = longer;
    }
    ways.retain(|way| way.contains(&events[last]));
    ways
}

/// What each combination of captures makes whole, event by event, looked for among all that has fired.
fn naive(events: &[Fired], shape: Shape, within: i64, order: Order) -> Vec<Vec<Vec<u64>>> {
    let parts = 3;
    let capture_of = |fired: &Fired| shape.wild[usize::from(fired.part)].then_some(fired.capture);
    let mut combinations: Vec<Vec<Option<u8>>> = vec![Vec::new()];
    for part in 0..parts {
        let choices: Vec<Option<u8>> = if shape.wild[part] { vec![Some(0), Some(1)] } else { vec![None] };
        combinations = combinations
            .iter()
            .flat_map(|way| choices.iter().map(move |choice| way.iter().copied().chain([*choice]).collect()))
            .collect();
    }
    if shape.is_named {
        combinations.retain(|way: &Vec<Option<u8>>| way.iter().flatten().collect::<BTreeSet<_>>().len() <= 1);
    }
    let mut whole = vec![Vec::new(); events.len()];
    for combination in combinations {
        let (mut spent, mut start) = (BTreeSet::new(), 0);
        for last in 0..events.len() {
            let fits = |fired: &Fired| {
                capture_of(fired) == combination[usize::from(fired.part)]
                    && fired.number > start
                    && !spent.contains(&fired.number)
                    && events[last].at - fired.at <= within
            };
            let ways = all_ways(events, last, 3, order, &fits);
            let ways = ways.into_iter().filter(|way| order != Order::AsWritten || way.last() == Some(&events[last]));
            let begin = |way: &Vec<Fired>| way.iter().map(|fired| fired.number).min().unwrap();
            // The latest beginning; then each part as late as can be, from the last one.
            let best =
                ways.max_by_key(|way| (begin(way), way.iter().rev().map(|fired| fired.number).collect::<Vec<_>>()));
            if let Some(best) = best {
                start = begin(&best);
                spent = best.iter().map(|fired| fired.number).collect();
                whole[last].push(best.iter().map(|fired| fired.number).collect());
            }
        }
    }
    whole
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sequence_is_whole_when_a_look_at_all_that_fired_finds_it(
        events in any_events(),
        wild in any::<[bool; 3]>(),
        is_named in any::<bool>(),
        within in 1..20_i64,
    ) {
        let shape = Shape { wild, is_named };
        let events = numbered(&events);
        let expected = naive(&events, shape, within, Order::AsWritten);
        let asked = Asked { parts: 3, within: Duration::from_secs(within.unsigned_abs()), order: Order::AsWritten };
        let mut hits = Hits::default();
        for (event, mut expected) in events.iter().zip(expected) {
            let whole = hits.take(asked, (event.number, second(event.at)), event.part, firing(event, shape));
            let mut found: Vec<Vec<u64>> =
                whole.iter().map(|whole| whole.parts.iter().map(|part| part.path.parse().unwrap()).collect()).collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected, "at {:?}", event);
        }
    }

    #[test]
    fn one_in_any_order_is_too(events in any_events(), wild in any::<[bool; 3]>(), is_named in any::<bool>(), within in 1..20_i64) {
        let shape = Shape { wild, is_named };
        let events = numbered(&events);
        let expected = naive(&events, shape, within, Order::Any);
        let asked = Asked { parts: 3, within: Duration::from_secs(within.unsigned_abs()), order: Order::Any };
        let mut hits = Hits::default();
        for (event, expected) in events.iter().zip(expected) {
            let whole = hits.take(asked, (event.number, second(event.at)), event.part, firing(event, shape));
            // Which of several that begin together count is open: that it's whole, and when it began, isn't.
            let begins = |parts: &Vec<u64>| parts.iter().min().copied();
            let mut found: Vec<Option<u64>> =
                whole.iter().map(|whole| begins(&whole.parts.iter().map(|part| part.path.parse().unwrap()).collect())).collect();
            let mut expected: Vec<Option<u64>> = expected.iter().map(begins).collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected, "at {:?}", event);
        }
    }

    #[test]
    fn presses_count_as_a_look_at_all_of_them_says(
        gaps in proptest::collection::vec((0..1500_i64, 0..2_u8), 0..40),
        times in 2..4_u16,
    ) {
        let counting = Counting { times, within: Duration::from_secs(1), exact: false };
        let exact = Counting { exact: true, ..counting };
        let (mut taps, mut exact_taps) = (Taps::default(), Taps::default());
        let (mut now, mut pressed) = (0, BTreeMap::<u8, Vec<i64>>::new());
        let (mut windows, mut fired, mut expected) = (BTreeMap::<u8, Vec<i64>>::new(), 0, 0);
        for (gap, key) in gaps {
            now += gap;
            let at = Timestamp::from_millisecond(now).unwrap();
            let mut firing = Firing::of_cause("press".into(), Cause::outside(CauseKind::Condition));
            firing.captures = vec![key.to_string().into()];
            // Each press counts towards one group.
            let known = pressed.entry(key).or_default();
            known.push(now);
            known.retain(|press| now - press <= 1000);
            let is_enough = known.len() >= usize::from(times);
            if is_enough {
                known.clear();
            }
            prop_assert_eq!(taps.press(counting, at, firing.clone()).is_some(), is_enough);
            // What was pressed in the second from the first press on.
            fired += exact_taps.take_due(exact, at).len();
            let over: Vec<u8> = windows.iter().filter(|(_, window)| now - window[0] >= 1000).map(|(key, _)| *key).collect();
            for key in over {
                expected += usize::from(windows.remove(&key).unwrap().len() == usize::from(times));
            }
            windows.entry(key).or_default().push(now);
            prop_assert!(exact_taps.press(exact, at, firing).is_none());
            prop_assert_eq!(fired, expected);
        }
    }
}
