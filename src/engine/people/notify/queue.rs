//! The queue of one target: which notice is next, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::effect::RequestId;
use crate::engine::instant::{Shift, later};
use crate::model::RuleId;

/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause, unless the target asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How one target fares.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Queue {
    /// How often it has failed since it last took something.
    failures: u32,
    /// Until when it's left alone.
    retry_at: Option<Timestamp>,
    /// What is on its way, and the notice that it is: a restart forgets it.
    #[serde(skip)]
    in_flight: Option<(RequestId, u64)>,
    /// When each rule last had its turn, counted in turns.
    turns: BTreeMap<RuleId, u64>,
    turn: u64,
}

impl Queue {
    /// Returns what is on its way.
    pub(super) fn in_flight(&self) -> Option<(RequestId, u64)> {
        self.in_flight
    }

    /// Returns whether it may be asked at `now`.
    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        self.in_flight.is_none() && self.retry_at.is_none_or(|at| at <= now)
    }

    /// Returns when it's asked again; `None`: something is on its way, or nothing keeps it.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.retry_at.filter(|_| self.in_flight.is_none())
    }

    /// Returns how long ago a rule had its turn: the least is next.
    pub(super) fn turn_of(&self, rule: &RuleId) -> u64 {
        self.turns.get(rule).copied().unwrap_or_default()
    }

    /// Something of `rule` leaves.
    pub(super) fn leaves(&mut self, request: RequestId, id: u64, rule: RuleId) {
        self.turn += 1;
        self.turns.insert(rule, self.turn);
        self.in_flight = Some((request, id));
        self.retry_at = None;
    }

    /// It took what was on its way, or will never take that one.
    pub(super) fn answered(&mut self) {
        (self.in_flight, self.failures, self.retry_at) = (None, 0, None);
    }

    /// It failed; it may have asked for a pause.
    pub(super) fn failed(&mut self, now: Timestamp, asked: Option<Duration>) {
        self.in_flight = None;
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let pause = doubled.min(LONGEST_PAUSE).max(asked.unwrap_or_default());
        self.retry_at = Some(later(now, pause));
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.retry_at.shift(by);
    }
}
