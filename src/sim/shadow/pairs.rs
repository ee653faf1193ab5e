//! Which decisions of both sides belong together: pure, and the same whichever side decides first.
//!
//! A decision waits for its like for the length of the window. One that finds none, but something else that the other side decided on
//! that topic within the window, differs from it; else it stands alone. What waits is bounded: beyond, the oldest wait no longer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::decision::{Decision, Side};

/// How many decisions wait at most.
const MOST: usize = 10_000;

/// How many bytes they may take.
const MOST_BYTES: usize = 8 << 20;

/// Decisions that wait for their like.
#[derive(Debug)]
pub(super) struct Pairs {
    window: SignedDuration,
    waiting: BTreeMap<Arc<str>, Waiting>,
    /// When the window of each ends.
    dues: BTreeSet<(Timestamp, Arc<str>)>,
    count: usize,
    bytes: usize,
}

/// What waits on a topic, the oldest first.
#[derive(Debug, Default)]
struct Waiting {
    here: VecDeque<Decision>,
    there: VecDeque<Decision>,
}

/// What became of a decision.
#[derive(Debug, PartialEq)]
pub(super) enum Paired {
    /// Both sides decided the same.
    Same {
        /// What the rules in the shadow decided.
        there: Decision,
    },
    /// Both decided something on one topic, but not the same.
    Differs {
        /// What was decided here.
        here: Decision,
        /// And there.
        there: Decision,
    },
    /// One side decided something, and the other nothing.
    Only(Side, Decision),
}

impl Waiting {
    fn of(&self, side: Side) -> &VecDeque<Decision> {
        match side {
            Side::Here => &self.here,
            Side::There => &self.there,
        }
    }

    fn of_mut(&mut self, side: Side) -> &mut VecDeque<Decision> {
        match side {
            Side::Here => &mut self.here,
            Side::There => &mut self.there,
        }
    }
}

impl Pairs {
    /// Returns none yet; two decisions belong together if they are at most `window` apart.
    pub(super) fn new(window: SignedDuration) -> Pairs {
        Pairs { window, waiting: BTreeMap::new(), dues: BTreeSet::new(), count: 0, bytes: 0 }
    }

    /// Returns how many decisions wait.
    pub(super) fn waiting(&self) -> usize {
        self.count
    }

    /// Returns when the first window ends.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let (due, _) = self.dues.first()?;
        due.checked_add(SignedDuration::from_nanos(1)).ok()
    }

    /// Returns whether `decision` has its like among what waits on the other side.
    pub(super) fn has_like(&self, side: Side, decision: &Decision) -> bool {
        let waiting = self.waiting.get(&decision.topic);
        let mut others = waiting.into_iter().flat_map(|waiting| waiting.of(side.other()));
        others.any(|other| self.is_near(decision, other) && decision.is_same(other))
    }

    /// Takes a decision of one side.
    pub(super) fn add(&mut self, side: Side, decision: Decision) -> Vec<Paired> {
        let window = self.window;
        let waiting = self.waiting.entry(Arc::clone(&decision.topic)).or_default();
        let others = waiting.of_mut(side.other());
        let is_like = |other: &Decision| are_near(&decision, other, window) && decision.is_same(other);
        if let Some(other) = others.iter().position(is_like).and_then(|found| others.remove(found)) {
            (self.count, self.bytes) = (self.count - 1, self.bytes - other.size());
            let there = if side == Side::There { decision } else { other };
            self.forget_if_empty(&there.topic);
            return vec![Paired::Same { there }];
        }
        (self.count, self.bytes) = (self.count + 1, self.bytes + decision.size());
        let due = decision.at.checked_add(window).unwrap_or(Timestamp::MAX);
        self.dues.insert((due, Arc::clone(&decision.topic)));
        waiting.of_mut(side).push_back(decision);
        let mut paired = Vec::new();
        while self.count > MOST || self.bytes > MOST_BYTES {
            let Some((due, topic)) = self.dues.pop_first() else { break };
            self.resolve(&topic, due, true, &mut paired);
        }
        paired
    }

    /// Returns what became of those whose window is over at `now`.
    pub(super) fn settle(&mut self, now: Timestamp) -> Vec<Paired> {
        let mut paired = Vec::new();
        while let Some((due, topic)) = self.dues.first().cloned().filter(|(due, _)| *due < now) {
            self.dues.remove(&(due, Arc::clone(&topic)));
            self.resolve(&topic, due, false, &mut paired);
        }
        paired
    }

    /// Forgets all that waits: what it would be compared with was missed.
    pub(super) fn clear(&mut self) {
        *self = Pairs::new(self.window);
    }

    /// The clock was set: what waits keeps the time that it has left.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        let shifted = |at: Timestamp| at.checked_add(by).unwrap_or(at);
        let waiting = self.waiting.values_mut();
        let all = waiting.flat_map(|waiting| waiting.here.iter_mut().chain(&mut waiting.there));
        all.for_each(|decision| decision.at = shifted(decision.at));
        let dues = std::mem::take(&mut self.dues);
        self.dues = dues.into_iter().map(|(due, topic)| (shifted(due), topic)).collect();
    }

    fn due(&self, decision: &Decision) -> Timestamp {
        decision.at.checked_add(self.window).unwrap_or(Timestamp::MAX)
    }

    fn is_near(&self, one: &Decision, other: &Decision) -> bool {
        are_near(one, other, self.window)
    }

    /// Decides about what waits on `topic` and whose window ended by `until`. What may still find its like keeps waiting, and with it
    /// what it may differ from; `must` ends that too.
    fn resolve(&mut self, topic: &Arc<str>, until: Timestamp, must: bool, paired: &mut Vec<Paired>) {
        for side in [Side::Here, Side::There] {
            let mut index = 0;
            while let Some(one) = self.waiting.get(topic).and_then(|waiting| waiting.of(side).get(index)) {
                if self.due(one) > until {
                    break;
                }
                let others = self.waiting.get(topic).map(|waiting| waiting.of(side.other()));
                let near = |other: &&Decision| self.is_near(one, other);
                let mut near = others.into_iter().flatten().filter(near);
                let other = near.clone().next().map(|first| first.at);
                if near.any(|other| self.due(other) > until) && !must {
                    index += 1;
                    continue;
                }
                let Some(one) = self.take(topic, side, index) else { break };
                let other = other.and_then(|at| self.take_at(topic, side.other(), at));
                paired.push(match (side, other) {
                    (_, None) => Paired::Only(side, one),
                    (Side::Here, Some(there)) => Paired::Differs { here: one, there },
                    (Side::There, Some(here)) => Paired::Differs { here, there: one },
                });
            }
        }
        self.forget_if_empty(topic);
    }

    fn take(&mut self, topic: &Arc<str>, side: Side, index: usize) -> Option<Decision> {
        let taken = self.waiting.get_mut(topic)?.of_mut(side).remove(index)?;
        (self.count, self.bytes) = (self.count - 1, self.bytes - taken.size());
        Some(taken)
    }

    fn take_at(&mut self, topic: &Arc<str>, side: Side, at: Timestamp) -> Option<Decision> {
        let index = self.waiting.get(topic)?.of(side).iter().position(|decision| decision.at == at)?;
        self.take(topic, side, index)
    }

    fn forget_if_empty(&mut self, topic: &Arc<str>) {
        if self.waiting.get(topic).is_some_and(|waiting| waiting.here.is_empty() && waiting.there.is_empty()) {
            self.waiting.remove(topic);
        }
    }
}

fn are_near(one: &Decision, other: &Decision, window: SignedDuration) -> bool {
    one.at.duration_since(other.at).abs() <= window
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Payload;
    use crate::sim::shadow::By;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).unwrap()
    }

    fn decision(milliseconds: i64, topic: &str, payload: &str) -> Decision {
        let payload = Payload::from_bytes(payload.to_owned());
        Decision { at: at(milliseconds), topic: topic.into(), payload, retain: false, by: By::Somebody }
    }

    fn pairs() -> Pairs {
        Pairs::new(SignedDuration::from_secs(1))
    }

    fn words(paired: &[Paired]) -> Vec<String> {
        let text = |decision: &Decision| decision.payload.text().unwrap().to_owned();
        let word = |paired: &Paired| match paired {
            Paired::Same { there } => format!("={}", text(there)),
            Paired::Differs { here, there } => format!("{}~{}", text(here), text(there)),
            Paired::Only(Side::Here, here) => format!("-{}", text(here)),
            Paired::Only(Side::There, there) => format!("+{}", text(there)),
        };
        paired.iter().map(word).collect()
    }

    /// Takes decisions in the order of the list, and returns all that becomes of them.
    fn all(list: &[(Side, i64, &str)]) -> Vec<String> {
        let mut pairs = pairs();
        let mut found = Vec::new();
        for (side, milliseconds, payload) in list {
            found.extend(pairs.settle(at(*milliseconds)));
            found.extend(pairs.add(*side, decision(*milliseconds, "a", payload)));
        }
        found.extend(pairs.settle(at(1_000_000)));
        assert_eq!((pairs.waiting(), pairs.bytes, pairs.waiting.len(), pairs.dues.len()), (0, 0, 0, 0));
        words(&found)
    }

    use Side::{Here, There};

    #[test]
    fn the_same_on_both_sides_agrees_whoever_is_first() {
        assert_eq!(all(&[(Here, 0, "ON"), (There, 900, "ON")]), ["=ON"]);
        assert_eq!(all(&[(There, 0, "ON"), (Here, 1000, "ON")]), ["=ON"]);
    }

    #[test]
    fn what_comes_after_the_window_is_late() {
        assert_eq!(all(&[(Here, 0, "ON"), (There, 1001, "ON")]), ["-ON", "+ON"]);
    }

    #[test]
    fn something_else_on_the_topic_differs_and_nothing_stands_alone() {
        assert_eq!(all(&[(Here, 0, "ON"), (There, 0, "OFF")]), ["ON~OFF"]);
        assert_eq!(all(&[(There, 0, "OFF")]), ["+OFF"]);
        // What could still agree isn't taken for what differs.
        assert_eq!(all(&[(Here, 0, "ON"), (There, 900, "OFF"), (Here, 1500, "OFF")]), ["=OFF", "-ON"]);
    }

    #[test]
    fn each_decision_counts_once() {
        assert_eq!(all(&[(Here, 0, "ON"), (Here, 0, "ON"), (There, 0, "ON")]), ["=ON", "-ON"]);
        assert_eq!(all(&[(Here, 0, "1"), (There, 0, "2"), (There, 0, "1.0")]), ["=1.0", "+2"]);
    }

    #[test]
    fn payloads_are_compared_as_json_and_retained_ness_counts() {
        assert_eq!(all(&[(Here, 0, r#"{"a":1,"b":2}"#), (There, 0, r#"{ "b": 2.0, "a": 1 }"#)]).len(), 1);
        let mut pairs = pairs();
        let retained = Decision { retain: true, ..decision(0, "a", "ON") };
        assert_eq!(pairs.add(Here, decision(0, "a", "ON")), []);
        assert_eq!(pairs.add(There, retained), []);
        assert_eq!(words(&pairs.settle(at(2000))), ["ON~ON"]);
    }

    #[test]
    fn what_waits_is_bounded_and_the_oldest_goes_first() {
        let mut pairs = pairs();
        let mut found = Vec::new();
        for index in 0..20_000 {
            found.extend(pairs.add(Here, decision(index, &format!("a/{index}"), &index.to_string())));
        }
        assert_eq!((pairs.waiting(), found.len()), (MOST, 10_000));
        assert_eq!(words(&found[..1]), ["-0"]);
        let large = "x".repeat(1 << 20);
        for index in 0..20 {
            let _ = pairs.add(Here, decision(30_000 + index, "large", &large));
            assert!(pairs.bytes <= MOST_BYTES, "{}", pairs.bytes);
        }
    }

    #[test]
    fn a_clock_that_is_set_leaves_the_time_that_was_left() {
        let mut pairs = pairs();
        let _ = pairs.add(Here, decision(0, "a", "ON"));
        pairs.shift(SignedDuration::from_hours(1));
        assert_eq!(pairs.settle(at(3_600_900)), []);
        assert_eq!(words(&pairs.add(There, decision(3_600_900, "a", "ON"))), ["=ON"]);
    }

    prop_compose! {
        fn decisions()(list in prop::collection::vec((any::<bool>(), 0..400_i64, 0..3_usize, 0..3_usize), 0..40)) -> Vec<(Side, Decision)> {
            let mut now = 0;
            let make = |(is_here, later, topic, payload): (bool, i64, usize, usize)| {
                now += later;
                let side = if is_here { Here } else { There };
                (side, decision(now, ["a", "b", "c"][topic], ["1", "2", "3"][payload]))
            };
            list.into_iter().map(make).collect()
        }
    }

    fn run(list: &[(Side, Decision)]) -> (usize, usize, usize) {
        let mut pairs = pairs();
        let mut found = Vec::new();
        for (side, decision) in list {
            found.extend(pairs.settle(decision.at));
            found.extend(pairs.add(*side, decision.clone()));
        }
        found.extend(pairs.settle(at(100_000_000)));
        assert_eq!((pairs.waiting(), pairs.bytes, pairs.waiting.len()), (0, 0, 0));
        let count = |wanted: fn(&Paired) -> bool| found.iter().filter(|paired| wanted(paired)).count();
        (
            count(|paired| matches!(paired, Paired::Same { .. })),
            count(|paired| matches!(paired, Paired::Differs { .. })),
            count(|paired| matches!(paired, Paired::Only(..))),
        )
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_counted_twice(list in decisions()) {
            let (same, differs, only) = run(&list);
            prop_assert_eq!(2 * (same + differs) + only, list.len());
        }

        #[test]
        fn both_sides_are_treated_alike(list in decisions()) {
            let swapped: Vec<_> = list.iter().map(|(side, decision)| (side.other(), decision.clone())).collect();
            prop_assert_eq!(run(&list).0, run(&swapped).0);
        }

        #[test]
        fn rules_agree_with_themselves(list in decisions(), late in 0..1000_i64) {
            let later = |decision: &Decision| Decision { at: decision.at + SignedDuration::from_millis(late), ..decision.clone() };
            let mut both: Vec<_> = list.iter().map(|(_, decision)| (Here, decision.clone())).collect();
            both.extend(list.iter().map(|(_, decision)| (There, later(decision))));
            both.sort_by_key(|(_, decision)| decision.at);
            prop_assert_eq!(run(&both), (list.len(), 0, 0));
        }

        #[test]
        fn how_often_it_is_asked_changes_nothing(list in decisions(), asked in prop::collection::vec(0..20_000_i64, 0..20)) {
            let mut pairs = pairs();
            let mut found = Vec::new();
            let mut asked = asked;
            asked.sort_unstable();
            let mut asked = asked.into_iter().peekable();
            for (side, decision) in &list {
                while let Some(now) = asked.next_if(|now| at(*now) <= decision.at) {
                    found.extend(pairs.settle(at(now)));
                }
                found.extend(pairs.settle(decision.at));
                found.extend(pairs.add(*side, decision.clone()));
            }
            found.extend(pairs.settle(at(100_000_000)));
            let same = found.iter().filter(|paired| matches!(paired, Paired::Same { .. })).count();
            let differs = found.iter().filter(|paired| matches!(paired, Paired::Differs { .. })).count();
            prop_assert_eq!((same, differs, found.len() - same - differs), run(&list));
        }
    }
}
