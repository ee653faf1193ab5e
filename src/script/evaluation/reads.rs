//! What an evaluation read: the recording that tells a `while` when to ask again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{RuleId, Topic, TopicFilter, Value};

/// What an evaluation read of the world.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one thing whether it was read")]
pub struct Reads {
    /// Topics whose state was read, whether there was one or not.
    pub topics: BTreeSet<Topic>,
    /// Filters over whose topics was counted.
    pub filters: BTreeSet<TopicFilter>,
    /// `while` rules of which was asked whether they hold.
    pub holds: BTreeSet<RuleId>,
    /// Rules of which was asked whether they run.
    pub running: BTreeSet<RuleId>,
    /// Rules of which was asked whether they are switched on, until when they wait, or how they ran last.
    pub rules: BTreeSet<RuleId>,
    /// Whether it depends on which devices there are.
    pub devices: bool,
    /// Whether the rule's own memory was read.
    pub memory: bool,
    /// Whether the time was read (`now`, `age`, `between`, …): the answer may differ each minute.
    pub clock: bool,
    /// Whether the sun was read.
    pub sun: bool,
    /// Whether `random()` was asked.
    pub random: bool,
    /// The first topic that was read and never had a value: it makes a failure unknown (docs/language/conditions.md).
    pub without_value: Option<Topic>,
    /// The earliest known time at which the answer may change (the end of a `for` or of a time window).
    pub next_change: Option<Timestamp>,
    /// What was read of the past, by the calls that read it: for the trace, and for nothing else.
    pub past: BTreeMap<Arc<str>, Value>,
}

impl Reads {
    /// Adds what another evaluation read.
    pub fn merge(&mut self, mut other: Reads) {
        self.topics.append(&mut other.topics);
        self.filters.append(&mut other.filters);
        self.holds.append(&mut other.holds);
        self.running.append(&mut other.running);
        self.past.append(&mut other.past);
        self.rules.append(&mut other.rules);
        self.devices |= other.devices;
        self.memory |= other.memory;
        self.clock |= other.clock;
        self.sun |= other.sun;
        self.random |= other.random;
        if self.without_value.is_none() {
            self.without_value = other.without_value;
        }
        if let Some(at) = other.next_change {
            self.changes_at(at);
        }
    }

    /// Notes that the answer may change at `at`.
    pub fn changes_at(&mut self, at: Timestamp) {
        self.next_change = Some(self.next_change.map_or(at, |known| known.min(at)));
    }
}
