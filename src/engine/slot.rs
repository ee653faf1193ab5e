//! The rules in force, each with what it remembers: a slot. Slots stand in the rules' order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Map, RuleId, Topic};
use crate::rules::{EachTopic, Rule, RuleEntry, Ruleset, TopicIndex};
use crate::script::RuleNames;

use super::RunId;
use super::deadline::Owner;
use super::timers::Timer;
use super::tracker::Tracker;
use super::trigger::TriggerState;
use super::while_state::WhileState;

/// A rule's place in the order of all: its entry in the ruleset, then, for `each: {topic: …}`, its topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SlotId {
    entry: usize,
    topic: Option<Topic>,
}

/// Which runs of a rule count as the same (spec 2.7): the values of `per`, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct RunKey(pub(super) Arc<str>);

impl RunKey {
    /// Returns the key of runs whose trigger has these captures.
    pub(super) fn of_captures(captures: &[Arc<str>]) -> RunKey {
        if captures.is_empty() {
            return RunKey("[]".into());
        }
        // Never fails: these are texts.
        RunKey(serde_json::to_string(captures).unwrap_or_default().into())
    }
}

/// A rule and what it remembers.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) rule: Arc<Rule>,
    /// What a person or another rule said; `None`: the file decides.
    pub(super) switch: Option<bool>,
    pub(super) resting_until: Option<Timestamp>,
    pub(super) memory: Arc<Map>,
    /// One for each trigger of `when`.
    pub(super) triggers: Vec<TriggerState>,
    pub(super) while_state: WhileState,
    /// One for each `state` condition with `for`.
    pub(super) trackers: Vec<Tracker>,
    /// When each key's cooldown is over.
    pub(super) cooldowns: BTreeMap<RunKey, Timestamp>,
    /// The runs that go on, and those that wait for their turn: of one key the oldest first, since numbers count up.
    pub(super) runs: BTreeSet<(RunKey, RunId)>,
    /// When rules' own publications triggered it, in the last ten seconds.
    pub(super) storm: VecDeque<Timestamp>,
    /// How many of its runs in a row were ended since they took too long.
    pub(super) interruptions: u32,
    /// What closures have set, in the order in which they did.
    pub(super) timers: Vec<Timer>,
}

impl Slot {
    /// Returns the slot of a rule without a past.
    pub(super) fn new(rule: Arc<Rule>) -> Slot {
        Slot {
            rule,
            switch: None,
            resting_until: None,
            memory: Arc::default(),
            triggers: Vec::new(),
            while_state: WhileState::default(),
            trackers: Vec::new(),
            cooldowns: BTreeMap::new(),
            runs: BTreeSet::new(),
            storm: VecDeque::new(),
            interruptions: 0,
            timers: Vec::new(),
        }
    }

    /// Returns whether it may run.
    pub(super) fn is_enabled(&self) -> bool {
        self.switch.unwrap_or(self.rule.enabled)
    }

    /// Returns how many runs it has, going on and waiting for their turn.
    pub(super) fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// Returns the runs of `key`, oldest first.
    pub(super) fn runs_of(&self, key: &RunKey) -> impl DoubleEndedIterator<Item = RunId> {
        let range = || (key.clone(), RunId(0))..=(key.clone(), RunId(u64::MAX));
        let runs = (!self.runs.is_empty()).then(|| self.runs.range(range()));
        runs.into_iter().flatten().map(|(_, run)| *run)
    }
}

/// Something in a rule that is told of a topic's messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listener {
    pub(super) slot: SlotId,
    pub(super) what: Heard,
}

/// What is told, in the order in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heard {
    /// Since when a `state` condition holds.
    Tracker(u16),
    /// A trigger.
    Trigger(Owner, u16),
    /// The expression of an `at` trigger, which read the topic.
    At(Owner, u16),
    /// The condition of a `while`, which read the topic.
    While,
    /// An `until`, which read the topic.
    Until(RunId, u64),
}

/// Something beside topics that an expression can read, and whose change it is told of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watched {
    /// Whether a `while` has begun and not ended.
    Holds(RuleId),
    /// Whether a rule has a run that hasn't ended.
    Running(RuleId),
    /// What a rule remembers.
    Memory(SlotId),
}

/// All slots, and how a message finds them.
#[derive(Debug, Default)]
pub(super) struct Slots {
    by_id: BTreeMap<SlotId, Slot>,
    by_rule: BTreeMap<RuleId, SlotId>,
    each: Vec<(usize, EachTopic)>,
    each_index: TopicIndex<usize>,
    watchers: BTreeMap<Watched, BTreeSet<Listener>>,
    pub(super) index: TopicIndex<Listener>,
    /// Triggers that no topic sets off: clients, events, webhooks.
    pub(super) callable: BTreeSet<Listener>,
}

impl Slots {
    /// Returns the slots of a ruleset, empty of any past, and those of its rules for topics still to be made.
    pub(super) fn new(ruleset: &Ruleset) -> Slots {
        let mut slots = Slots::default();
        for (entry, rule) in ruleset.entries.iter().enumerate() {
            match rule {
                RuleEntry::Rule(rule) => {
                    slots.insert(SlotId { entry, topic: None }, Slot::new(Arc::clone(rule)));
                }
                RuleEntry::EachTopic(each) => {
                    slots.each_index.insert(&each.filter, slots.each.len());
                    slots.each.push((entry, each.clone()));
                }
            }
        }
        slots
    }

    /// Gives each slot the rule that it has in `ruleset`, which says the same at other places, and returns those whose rule
    /// means something else now. `None`, and nothing is changed, where rules came, went or moved, or are made for topics.
    pub(super) fn renew(&mut self, ruleset: &Ruleset) -> Option<Vec<(SlotId, Arc<Rule>)>> {
        let is_known =
            |(slot, entry): (&Slot, &RuleEntry)| matches!(entry, RuleEntry::Rule(rule) if rule.id == slot.rule.id);
        let is_same_length = self.each.is_empty() && self.by_id.len() == ruleset.entries.len();
        if !is_same_length || !self.by_id.values().zip(&*ruleset.entries).all(is_known) {
            return None;
        }
        let mut changed = Vec::new();
        for ((id, slot), entry) in self.by_id.iter_mut().zip(&*ruleset.entries) {
            match entry {
                RuleEntry::Rule(rule) if rule.fingerprint == slot.rule.fingerprint => slot.rule = Arc::clone(rule),
                RuleEntry::Rule(rule) => changed.push((id.clone(), Arc::clone(rule))),
                RuleEntry::EachTopic(_) => {}
            }
        }
        Some(changed)
    }

    /// Begins the slot `id` anew, with `rule`. Returns the one that was.
    pub(super) fn replace(&mut self, id: &SlotId, rule: Arc<Rule>) -> Option<Slot> {
        self.by_id.get_mut(id).map(|slot| std::mem::replace(slot, Slot::new(rule)))
    }

    /// Lets nothing in these slots hear anything any more.
    pub(super) fn silence(&mut self, gone: &BTreeSet<SlotId>) {
        let stays = |listener: &Listener| !gone.contains(&listener.slot);
        self.index.retain(&stays);
        self.callable.retain(stays);
        self.watchers.retain(|_, listeners| {
            listeners.retain(stays);
            !listeners.is_empty()
        });
    }

    /// Makes the slots that `each: {topic: …}` asks for now that `topic` is there. Returns their ids, and
    /// what is wrong where one can't be made.
    pub(super) fn make_for_topic(&mut self, topic: &Topic) -> (Vec<SlotId>, Vec<(RuleId, String)>) {
        let mut made = Vec::new();
        let mut errors = Vec::new();
        if self.each.is_empty() {
            return (made, errors);
        }
        let mut found = Vec::new();
        self.each_index.find(topic, &mut found);
        found.sort_unstable();
        for index in found {
            let Some((entry, each)) = self.each.get(index) else { continue };
            let id = SlotId { entry: *entry, topic: Some(topic.clone()) };
            if self.by_id.contains_key(&id) {
                continue;
            }
            match (each.make)(topic) {
                Ok(rule) => {
                    self.insert(id.clone(), Slot::new(Arc::new(rule)));
                    made.push(id);
                }
                Err(error) => errors.push((each.id.clone(), error)),
            }
        }
        (made, errors)
    }

    fn insert(&mut self, id: SlotId, slot: Slot) {
        self.by_rule.insert(slot.rule.id.clone(), id.clone());
        self.by_id.insert(id, slot);
    }

    pub(super) fn get(&self, id: &SlotId) -> Option<&Slot> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &SlotId) -> Option<&mut Slot> {
        self.by_id.get_mut(id)
    }

    /// Returns the slot of the rule `id`.
    pub(super) fn find(&self, id: &RuleId) -> Option<&SlotId> {
        self.by_rule.get(id)
    }

    /// Makes `listener` hear of changes of `watched`.
    pub(super) fn watch(&mut self, watched: Watched, listener: &Listener) {
        self.watchers.entry(watched).or_default().insert(listener.clone());
    }

    /// Takes back what [`Slots::watch`] did.
    pub(super) fn unwatch(&mut self, watched: &Watched, listener: &Listener) {
        if let Some(listeners) = self.watchers.get_mut(watched) {
            listeners.remove(listener);
            if listeners.is_empty() {
                self.watchers.remove(watched);
            }
        }
    }

    /// Returns who is to hear that `watched` changed, in the rules' order.
    pub(super) fn watchers(&self, watched: &Watched) -> Vec<Listener> {
        self.watchers.get(watched).into_iter().flatten().cloned().collect()
    }

    /// Returns whether anybody is to hear that `watched` changed.
    pub(super) fn is_watched(&self, watched: &Watched) -> bool {
        self.watchers.contains_key(watched)
    }

    /// Returns an index of the rules' ids, instances of `each` too.
    pub(super) fn names(&self) -> Arc<RuleNames> {
        let of_topics = self.each.iter().map(|(_, each)| &each.id);
        Arc::new(RuleNames::new(self.by_rule.keys()).with_rules_of_topics(of_topics))
    }

    pub(super) fn ids(&self) -> Vec<SlotId> {
        self.by_id.keys().cloned().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&SlotId, &Slot)> {
        self.by_id.iter()
    }

    pub(super) fn into_slots(self) -> impl Iterator<Item = Slot> {
        self.by_id.into_values()
    }
}
