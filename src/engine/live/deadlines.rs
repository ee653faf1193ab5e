//! Deadlines: what is due when.
//!
//! A table keyed by what is due, so that setting a deadline takes back the one before, and nobody has to remember it. All
//! of it follows from the rules' and runs' own data, which is what is kept across a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::engine::instant::Shift;
use crate::engine::trace::RunId;
use crate::model::Topic;

use super::id::LiveId;
use super::owner::Owner;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    /// Of which rule.
    pub(crate) rule: LiveId,
    /// What.
    pub(crate) what: Due,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A trigger: a schedule; with a topic, a hold or a silence.
    Trigger(Owner, u16, Option<Topic>),
    /// The expression of an `at` trigger, which may give another time now.
    AtRecheck(Owner, u16),
    /// A `while` that begins or ends after its delay.
    WhilePending,
    /// A `while` whose condition may be different now.
    WhileRecheck,
    /// A `while` whose `then` runs again.
    WhileEvery,
    /// A thread that goes on: after a delay, or for its next turn.
    Wake(RunId, u32),
    /// A wait whose time is over.
    Timeout(RunId, u64),
    /// An `until` whose condition may be different now.
    UntilRecheck(RunId, u64),
    /// The end of a rule's rest after a loop.
    Rested,
    /// A timer that a closure set.
    Timer(u64),
    /// A command whose device must have answered.
    Confirm(RunId, u32),
    /// An override that ends.
    Override,
    /// The `until` of an overridden rule, which may hold now.
    OverrideRecheck,
    /// An invariant that is broken unless something happens until then.
    Invariant,
}

/// All deadlines.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    by_key: BTreeMap<Deadline, Timestamp>,
    by_time: BTreeSet<(Timestamp, Deadline)>,
    /// The rules of which some have changed.
    touched: BTreeSet<LiveId>,
}

impl Deadlines {
    /// Makes `what` of `rule` due then, whenever it was due before; `None`: it isn't due at all.
    pub(crate) fn set(&mut self, rule: LiveId, what: Due, due: Option<Timestamp>) {
        let key = Deadline { rule, what };
        let before = match due {
            Some(due) => self.by_key.insert(key.clone(), due),
            None => self.by_key.remove(&key),
        };
        if before == due {
            return;
        }
        self.touched.insert(rule);
        // One key serves to remove the old entry and to add the new one.
        let key = match before {
            Some(before) => {
                let entry = (before, key);
                self.by_time.remove(&entry);
                entry.1
            }
            None => key,
        };
        if let Some(due) = due {
            self.by_time.insert((due, key));
        }
    }

    /// Returns the rules of which deadlines have changed since this was last asked.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<LiveId> {
        std::mem::take(&mut self.touched)
    }

    /// Makes a rule count as one of which they have.
    pub(crate) fn touch(&mut self, rule: LiveId) {
        self.touched.insert(rule);
    }

    /// Returns when the first one is due.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Returns those that are due at `now`, the earliest first, those of one instant in no order of rules.
    pub(crate) fn due_at(&self, now: Timestamp) -> Vec<(Timestamp, Deadline)> {
        self.by_time.iter().take_while(|(due, _)| *due <= now).cloned().collect()
    }

    /// Takes a deadline out, and returns whether it was still due at `due`: what came before it may have moved it.
    pub(crate) fn take(&mut self, due: Timestamp, deadline: &Deadline) -> bool {
        let is_due = self.by_key.get(deadline) == Some(&due);
        if is_due {
            self.set(deadline.rule, deadline.what.clone(), None);
        }
        is_due
    }

    /// Returns when something is due.
    pub(crate) fn get(&self, deadline: &Deadline) -> Option<Timestamp> {
        self.by_key.get(deadline).copied()
    }

    /// Returns all of them, by what they are.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Deadline, Timestamp)> {
        self.by_key.iter().map(|(deadline, due)| (deadline, *due))
    }

    /// Moves what ends something that lasts; what is due at a time of day stays.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        for (deadline, due) in &mut self.by_key {
            if deadline.what.ends_a_time() {
                due.shift(by);
            }
        }
        self.by_time = self.by_key.iter().map(|(deadline, due)| (*due, deadline.clone())).collect();
    }

    /// Removes all of an open wait.
    pub(crate) fn clear_wait(&mut self, rule: LiveId, run: RunId, wait: u64) {
        let (this, next) = (Owner::Wait(run, wait), Owner::Wait(run, wait + 1));
        let of_rule = |what| Deadline { rule, what };
        self.clear(of_rule(Due::Trigger(this, 0, None))..of_rule(Due::Trigger(next, 0, None)));
        self.clear(of_rule(Due::AtRecheck(this, 0))..of_rule(Due::AtRecheck(next, 0)));
        self.set(rule, Due::Timeout(run, wait), None);
        self.set(rule, Due::UntilRecheck(run, wait), None);
    }

    /// Removes all of a rule.
    pub(crate) fn clear_rule(&mut self, rule: LiveId) {
        let first = |rule| Deadline { rule, what: Due::Trigger(Owner::Rule, 0, None) };
        self.clear(first(rule)..first(rule.next()));
    }

    /// Removes all.
    pub(crate) fn clear_all(&mut self) {
        *self = Deadlines::default();
    }

    fn clear(&mut self, range: Range<Deadline>) {
        let found: Vec<Deadline> = self.by_key.range(range).map(|(deadline, _)| deadline.clone()).collect();
        for Deadline { rule, what } in found {
            self.set(rule, what, None);
        }
    }
}

impl Due {
    /// Returns whether it ends something that lasts a time, and is not due at a time of day.
    pub(crate) fn ends_a_time(&self) -> bool {
        match self {
            Due::Trigger(_, _, topic) => topic.is_some(),
            Due::WhilePending
            | Due::WhileEvery
            | Due::Wake(..)
            | Due::Timeout(..)
            | Due::Rested
            | Due::Timer(_)
            | Due::Confirm(..)
            | Due::Override
            | Due::Invariant => true,
            Due::AtRecheck(..) | Due::WhileRecheck | Due::UntilRecheck(..) | Due::OverrideRecheck => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn setting_a_deadline_takes_back_the_one_before() {
        let (mut deadlines, rule) = (Deadlines::default(), LiveId::of(3));
        deadlines.set(rule, Due::Rested, Some(at(5)));
        deadlines.set(rule, Due::Rested, Some(at(9)));
        assert_eq!(deadlines.due_at(at(9)), [(at(9), Deadline { rule, what: Due::Rested })]);
        deadlines.set(rule, Due::Rested, None);
        assert_eq!(deadlines.first(), None);
    }

    #[test]
    fn a_deadline_that_was_moved_is_not_taken_for_when_it_was_due() {
        let (mut deadlines, rule) = (Deadlines::default(), LiveId::of(3));
        deadlines.set(rule, Due::Rested, Some(at(5)));
        let [(due, deadline)] = &deadlines.due_at(at(5))[..] else { panic!("one is due") };
        deadlines.set(rule, Due::Rested, Some(at(6)));
        assert!(!deadlines.take(*due, deadline));
        assert!(deadlines.take(at(6), deadline));
    }

    #[test]
    fn a_wait_that_closes_takes_its_deadlines_along_and_no_others() {
        let (mut deadlines, rule, run) = (Deadlines::default(), LiveId::of(3), RunId(7));
        let topic = || Some(Topic::parse("zzz/\u{10fffd}").unwrap());
        let mine = Owner::Wait(run, 1);
        for what in [
            Due::Trigger(mine, 0, None),
            Due::Trigger(mine, u16::MAX, topic()),
            Due::AtRecheck(mine, 4),
            Due::Timeout(run, 1),
            Due::UntilRecheck(run, 1),
        ] {
            deadlines.set(rule, what, Some(at(5)));
        }
        let others = [
            Due::Trigger(Owner::Rule, 0, topic()),
            Due::Trigger(Owner::Wait(run, 0), 9, topic()),
            Due::Trigger(Owner::Wait(run, 2), 1, None),
            Due::Wake(run, 0),
            Due::Timeout(run, 2),
        ];
        for what in others.clone() {
            deadlines.set(rule, what, Some(at(6)));
        }
        deadlines.clear_wait(rule, run, 1);
        let left: Vec<Due> = deadlines.iter().map(|(deadline, _)| deadline.what.clone()).collect();
        assert_eq!(left, others);
        deadlines.clear_rule(rule);
        assert_eq!(deadlines.iter().count(), 0);
    }
}
