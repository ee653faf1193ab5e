//! Deadlines: what is due when, in one order: time, then rule, then what it is.
//!
//! They are derived from the rules' and runs' own data, which is what is kept across a restart.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::Topic;

use crate::engine::RunId;
use crate::engine::clock_change::Shift;
use crate::engine::live::table::LiveId;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    /// When.
    pub(crate) due: Timestamp,
    /// Of which rule.
    pub(crate) slot: LiveId,
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
    /// A rule that has rested enough.
    Rested,
    /// A timer that a closure set.
    Timer(u64),
}

/// Whose triggers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// The rule's `when`.
    Rule,
    /// An wait of a run: a `wait`, or the `until` of a `repeat`.
    OpenWait(RunId, u64),
}

/// All deadlines.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<Deadline>);

impl Deadlines {
    pub(crate) fn add(&mut self, due: Timestamp, slot: &LiveId, what: Due) {
        self.0.insert(Deadline { due, slot: slot.clone(), what });
    }

    pub(crate) fn remove(&mut self, due: Timestamp, slot: &LiveId, what: Due) {
        self.0.remove(&Deadline { due, slot: slot.clone(), what });
    }

    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.0.first().map(|deadline| deadline.due)
    }

    /// Takes the first deadline that is due at `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Deadline> {
        if self.first()? > now {
            return None;
        }
        self.0.pop_first()
    }

    /// Moves what ends something that lasts; what is due at a time of day stays.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        for mut deadline in std::mem::take(&mut self.0) {
            if deadline.what.ends_a_time() {
                deadline.due.shift(by);
            }
            self.0.insert(deadline);
        }
    }

    /// Removes those of these slots.
    pub(crate) fn forget(&mut self, gone: &BTreeSet<LiveId>) {
        self.0.retain(|deadline| !gone.contains(&deadline.slot));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
