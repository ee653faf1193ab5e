//! A rule in force: the rule, and what it remembers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::condition::tracker::Tracker;
use crate::engine::instant::Shift;
use crate::engine::invariant::state::InvariantState;
use crate::engine::run::key::RunKey;
use crate::engine::trigger::state::TriggerState;
use crate::engine::while_rule::state::WhileState;
use crate::engine::yielding::state::Override;
use crate::model::Map;
use crate::rules::Rule;

use super::id::Rank;
use super::timer::Timer;

/// A rule and what it remembers. Changed only through [`super::table::LiveRules`], which notes what must be kept.
#[derive(Debug)]
pub(crate) struct LiveRule {
    pub(crate) rule: Arc<Rule>,
    pub(super) rank: Rank,
    /// What a person or another rule said; `None`: the file decides.
    pub(crate) switch: Option<bool>,
    pub(crate) resting_until: Option<Timestamp>,
    pub(crate) memory: Arc<Map>,
    /// One for each trigger of `when`.
    pub(super) triggers: Vec<TriggerState>,
    pub(crate) while_state: WhileState,
    /// One for each `state` condition with `for`.
    pub(super) trackers: Vec<Tracker>,
    /// When each key's cooldown is over.
    pub(crate) cooldowns: BTreeMap<RunKey, Timestamp>,
    /// When rules' own publications triggered it, in the last ten seconds.
    pub(crate) storm: VecDeque<Timestamp>,
    /// When runs of each key began, as far as `limit` counts them.
    pub(crate) limited: BTreeMap<RunKey, VecDeque<Timestamp>>,
    /// How often it runs.
    pub(super) pace: Pace,
    /// Who overrode it.
    pub(crate) overrides: Vec<Override>,
    /// Where it's an invariant: what is to be judged.
    pub(crate) invariant: InvariantState,
    /// What closures have set, in the order in which they did.
    pub(crate) timers: Vec<Timer>,
}

/// How often a rule runs: isn't kept, since ten seconds matter to nobody after a restart.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When its runs began, of late.
    pub(crate) runs: VecDeque<Timestamp>,
    /// When it was last told that these are many.
    pub(crate) told_at: Option<Timestamp>,
}

impl LiveRule {
    /// Returns a rule without a past.
    pub(super) fn new(rule: Arc<Rule>, rank: Rank) -> LiveRule {
        LiveRule {
            rule,
            rank,
            switch: None,
            resting_until: None,
            memory: Arc::default(),
            triggers: Vec::new(),
            while_state: WhileState::default(),
            trackers: Vec::new(),
            cooldowns: BTreeMap::new(),
            storm: VecDeque::new(),
            limited: BTreeMap::new(),
            pace: Pace::default(),
            overrides: Vec::new(),
            invariant: InvariantState::default(),
            timers: Vec::new(),
        }
    }

    /// Returns whether it may run.
    pub(crate) fn is_enabled(&self) -> bool {
        self.switch.unwrap_or(self.rule.enabled)
    }

    /// Returns what its triggers remember.
    pub(crate) fn triggers(&self) -> &[TriggerState] {
        &self.triggers
    }

    /// Returns what the trigger `index` remembers.
    pub(crate) fn trigger(&self, index: u16) -> Option<&TriggerState> {
        self.triggers.get(usize::from(index))
    }

    /// Returns since when its `state` conditions with `for` hold.
    pub(crate) fn trackers(&self) -> &[Tracker] {
        &self.trackers
    }
}

impl Shift for LiveRule {
    fn shift(&mut self, by: SignedDuration) {
        self.resting_until.shift(by);
        self.triggers.iter_mut().for_each(|trigger| trigger.shift(by));
        self.while_state.shift(by);
        self.trackers.iter_mut().flat_map(|tracker| tracker.since.values_mut()).for_each(|since| since.shift(by));
        self.cooldowns.values_mut().for_each(|over| over.shift(by));
        self.storm.iter_mut().for_each(|at| at.shift(by));
        self.limited.values_mut().flatten().for_each(|at| at.shift(by));
        self.pace.runs.iter_mut().for_each(|at| at.shift(by));
        self.pace.told_at.shift(by);
        self.overrides.iter_mut().for_each(|over| over.shift(by));
        self.invariant.shift(by);
        self.timers.iter_mut().for_each(|timer| timer.shift(by));
    }
}
