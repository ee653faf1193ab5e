//! Which rule in force, and its place in the order of all.

use crate::model::Topic;

/// A rule in force. It is good until the rules are put in force anew, and no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LiveId(u32);

impl LiveId {
    /// Returns the id of the rule at `index`.
    pub(crate) fn of(index: usize) -> LiveId {
        LiveId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Returns the id that follows.
    pub(super) fn next(self) -> LiveId {
        LiveId(self.0.saturating_add(1))
    }

    /// Returns where the rule stands in its table.
    pub(crate) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A rule's place in the order of all: its entry in the ruleset, then, for `each: {topic: …}`, its topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(super) entry: usize,
    pub(super) topic: Option<Topic>,
}
