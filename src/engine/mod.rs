//! The core: decides what an event leads to. It has no clock, no files and no sockets; time is told to it.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod effect;
mod event;
mod options;
mod snapshot;
mod trace;

use jiff::Timestamp;

pub use effect::{Alert, AlertKind, Effect, HttpCall, Publication, RequestId};
pub use event::{Answer, Event};
pub use options::Options;
pub use snapshot::{SaveKey, Snapshot};
pub use trace::{Cause, CauseKind, Gate, Outcome, RunId, Step, StoppedBy, Trace};

use crate::model::States;
use crate::rules::Ruleset;

/// Decides what a home does.
pub struct Engine {
    states: States,
}

impl Engine {
    /// Returns the engine of a home without a past.
    #[must_use]
    pub fn new(now: Timestamp, rules: Ruleset, options: Options) -> (Engine, Vec<Effect>) {
        Engine::restore(now, rules, Snapshot::default(), options)
    }

    /// Continues from what was saved.
    #[must_use]
    pub fn restore(now: Timestamp, rules: Ruleset, saved: Snapshot, options: Options) -> (Engine, Vec<Effect>) {
        let _ = (now, rules, saved, options);
        (Engine { states: States::default() }, Vec::new())
    }

    /// Decides what `event`, happening at `now`, leads to. Deadlines at or before `now` fire first, in
    /// order, so a late tick changes nothing.
    #[must_use]
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        let _ = (now, event);
        Vec::new()
    }

    /// Returns what may be kept late (spec 2.6: within a second) and has changed since the last call: the
    /// state of topics, the last values that triggers know. All of it is `Effect::Save`.
    #[must_use]
    pub fn flush(&mut self) -> Vec<Effect> {
        Vec::new()
    }

    /// Returns the earliest time at which the engine has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// Swaps the rules; runs, holds and memory of unchanged rules continue.
    #[must_use]
    pub fn replace_rules(&mut self, now: Timestamp, rules: Ruleset) -> Vec<Effect> {
        let _ = (now, rules);
        Vec::new()
    }

    /// Returns the state of all topics.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.states
    }
}
