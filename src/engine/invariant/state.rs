//! What an invariant remembers.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::run::key::RunKey;
use crate::engine::trace::Cause;
use crate::engine::trigger::firing::Firing;
use crate::model::Map;

/// What an invariant remembers. It's kept across restarts, but for what it has said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InvariantState {
    /// Since when what must not be true is, and what made it so.
    pub(crate) since: Option<(Timestamp, Cause)>,
    /// For which captures it's broken, and since when.
    pub(crate) broken: BTreeMap<RunKey, Timestamp>,
    /// What is waited for.
    pub(crate) open: Vec<Obligation>,
    /// When its triggers fired of late, for each of their captures.
    pub(crate) counts: BTreeMap<RunKey, VecDeque<Timestamp>>,
    /// What was published that must not be, and the variables then.
    pub(crate) refused: BTreeMap<RunKey, (Firing, Map)>,
    /// When it's broken unless something happens before.
    pub(crate) due: Option<Timestamp>,
    /// Why it couldn't be judged last time: that's told once.
    #[serde(skip)]
    pub(crate) trouble: Option<String>,
    /// Whether there was anything to judge since the start.
    #[serde(skip)]
    pub(crate) was_armed: bool,
}

/// Something that must follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Obligation {
    pub(crate) key: RunKey,
    pub(crate) at: Timestamp,
    /// Until when; that instant is in time.
    pub(crate) due: Timestamp,
    /// What it must follow.
    pub(crate) firing: Firing,
    pub(crate) variables: Map,
    /// Since when it has been so, where it must last.
    pub(crate) since: Option<Timestamp>,
    /// Whether it came too late: then it's waited for only to say that it holds again.
    pub(crate) is_late: bool,
}

impl InvariantState {
    /// Returns whether there is nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        let InvariantState { since, broken, open, counts, refused, due, .. } = self;
        since.is_none()
            && broken.is_empty()
            && open.is_empty()
            && counts.is_empty()
            && refused.is_empty()
            && due.is_none()
    }
}

impl Shift for InvariantState {
    fn shift(&mut self, by: SignedDuration) {
        if let Some((since, _)) = &mut self.since {
            since.shift(by);
        }
        self.broken.values_mut().for_each(|since| since.shift(by));
        for open in &mut self.open {
            open.at.shift(by);
            open.due.shift(by);
            open.since.shift(by);
        }
        self.counts.values_mut().flatten().for_each(|at| at.shift(by));
        self.due.shift(by);
    }
}
