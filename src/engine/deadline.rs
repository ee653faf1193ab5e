//! Deadlines: what is due when, in one order: time, then rule, then what it is.
//!
//! They are derived from the rules' and runs' own data, which is what is kept across a restart.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::Topic;

use super::RunId;
use super::clock::Shift;
use super::slot::SlotId;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deadline {
    /// When.
    pub(super) due: Timestamp,
    /// Of which rule.
    pub(super) slot: SlotId,
    /// What.
    pub(super) what: Due,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
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
    /// A rule that has rested enough.
    Rested,
    /// A timer that a closure set.
    Timer(u64),
}

/// Whose triggers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// The rule's `when`.
    Rule,
    /// An ear of a run: a `wait`, or the `until` of a `repeat`.
    Ear(RunId, u64),
}

/// All deadlines.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<Deadline>);

impl Deadlines {
    pub(super) fn add(&mut self, due: Timestamp, slot: &SlotId, what: Due) {
        self.0.insert(Deadline { due, slot: slot.clone(), what });
    }

    pub(super) fn remove(&mut self, due: Timestamp, slot: &SlotId, what: Due) {
        self.0.remove(&Deadline { due, slot: slot.clone(), what });
    }

    pub(super) fn first(&self) -> Option<Timestamp> {
        self.0.first().map(|deadline| deadline.due)
    }

    /// Takes the first deadline that is due at `now`.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Deadline> {
        if self.first()? > now {
            return None;
        }
        self.0.pop_first()
    }

    /// Moves what ends something that lasts; what is due at a time of day stays.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        for mut deadline in std::mem::take(&mut self.0) {
            if deadline.what.ends_a_time() {
                deadline.due.shift(by);
            }
            self.0.insert(deadline);
        }
    }

    /// Removes those of these slots.
    pub(super) fn forget(&mut self, gone: &BTreeSet<SlotId>) {
        self.0.retain(|deadline| !gone.contains(&deadline.slot));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
