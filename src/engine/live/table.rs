//! The rules in force, each with what it remembers: a slot. LiveRules stand in the rules' order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Map, RuleId, Topic};
use crate::rules::{EachTopic, Rule, RuleEntry, Ruleset, TopicIndex};
use crate::script::RuleNames;

use crate::engine::RunId;
use crate::engine::condition::tracker::Tracker;
use crate::engine::live::deadlines::Owner;
use crate::engine::run::timer::Timer;
use crate::engine::trigger::state::TriggerState;
use crate::engine::while_rule::state::WhileState;

/// A rule's place in the order of all: its entry in the ruleset, then, for `each: {topic: …}`, its topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LiveId {
    entry: usize,
    topic: Option<Topic>,
}

/// Which runs of a rule count as the same (spec 2.7): the values of `per`, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct RunKey(pub(crate) Arc<str>);

impl RunKey {
    /// Returns the key of runs whose trigger has these captures.
    pub(crate) fn of_captures(captures: &[Arc<str>]) -> RunKey {
        if captures.is_empty() {
            return RunKey("[]".into());
        }
        // Never fails: these are texts.
        RunKey(serde_json::to_string(captures).unwrap_or_default().into())
    }
}

/// A rule and what it remembers.
#[derive(Debug)]
pub(crate) struct LiveRule {
    pub(crate) rule: Arc<Rule>,
    /// What a person or another rule said; `None`: the file decides.
    pub(crate) switch: Option<bool>,
    pub(crate) resting_until: Option<Timestamp>,
    pub(crate) memory: Arc<Map>,
    /// One for each trigger of `when`.
    pub(crate) triggers: Vec<TriggerState>,
    pub(crate) while_state: WhileState,
    /// One for each `state` condition with `for`.
    pub(crate) trackers: Vec<Tracker>,
    /// When each key's cooldown is over.
    pub(crate) cooldowns: BTreeMap<RunKey, Timestamp>,
    /// The runs that go on, and those that wait for their turn: of one key the oldest first, since numbers count up.
    pub(crate) runs: BTreeSet<(RunKey, RunId)>,
    /// When rules' own publications triggered it, in the last ten seconds.
    pub(crate) storm: VecDeque<Timestamp>,
    /// How many of its runs in a row were ended since they took too long.
    pub(crate) interruptions: u32,
    /// What closures have set, in the order in which they did.
    pub(crate) timers: Vec<Timer>,
}

impl LiveRule {
    /// Returns the slot of a rule without a past.
    pub(crate) fn new(rule: Arc<Rule>) -> LiveRule {
        LiveRule {
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
    pub(crate) fn is_enabled(&self) -> bool {
        self.switch.unwrap_or(self.rule.enabled)
    }

    /// Returns how many runs it has, going on and waiting for their turn.
    pub(crate) fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// Returns the runs of `key`, oldest first.
    pub(crate) fn runs_of(&self, key: &RunKey) -> impl DoubleEndedIterator<Item = RunId> {
        let range = || (key.clone(), RunId(0))..=(key.clone(), RunId(u64::MAX));
        let runs = (!self.runs.is_empty()).then(|| self.runs.range(range()));
        runs.into_iter().flatten().map(|(_, run)| *run)
    }
}

/// Something in a rule that is told of a topic's messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subscriber {
    pub(crate) slot: LiveId,
    pub(crate) what: Interest,
}

/// What is told, in the order in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Interest {
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
pub(crate) enum Fact {
    /// Whether a `while` has begun and not ended.
    Holds(RuleId),
    /// Whether a rule has a run that hasn't ended.
    Running(RuleId),
    /// What a rule remembers.
    Memory(LiveId),
}

/// All slots, and how a message finds them.
#[derive(Debug, Default)]
pub(crate) struct LiveRules {
    by_id: BTreeMap<LiveId, LiveRule>,
    by_rule: BTreeMap<RuleId, LiveId>,
    each: Vec<(usize, EachTopic)>,
    each_index: TopicIndex<usize>,
    readers_of: BTreeMap<Fact, BTreeSet<Subscriber>>,
    pub(crate) index: TopicIndex<Subscriber>,
    /// Triggers that no topic sets off: clients, events, webhooks.
    pub(crate) callable: BTreeSet<Subscriber>,
}

impl LiveRules {
    /// Returns the slots of a ruleset, empty of any past, and those of its rules for topics still to be made.
    pub(crate) fn new(ruleset: &Ruleset) -> LiveRules {
        let mut slots = LiveRules::default();
        for (entry, rule) in ruleset.entries.iter().enumerate() {
            match rule {
                RuleEntry::Rule(rule) => {
                    slots.insert(LiveId { entry, topic: None }, LiveRule::new(Arc::clone(rule)));
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
    pub(crate) fn renew(&mut self, ruleset: &Ruleset) -> Option<Vec<(LiveId, Arc<Rule>)>> {
        let is_known =
            |(slot, entry): (&LiveRule, &RuleEntry)| matches!(entry, RuleEntry::Rule(rule) if rule.id == slot.rule.id);
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
    pub(crate) fn replace(&mut self, id: &LiveId, rule: Arc<Rule>) -> Option<LiveRule> {
        self.by_id.get_mut(id).map(|slot| std::mem::replace(slot, LiveRule::new(rule)))
    }

    /// Lets nothing in these slots hear anything any more.
    pub(crate) fn silence(&mut self, gone: &BTreeSet<LiveId>) {
        let stays = |subscriber: &Subscriber| !gone.contains(&subscriber.slot);
        self.index.retain(&stays);
        self.callable.retain(stays);
        self.readers_of.retain(|_, subscribers| {
            subscribers.retain(stays);
            !subscribers.is_empty()
        });
    }

    /// Makes the slots that `each: {topic: …}` asks for now that `topic` is there. Returns their ids, and
    /// what is wrong where one can't be made.
    pub(crate) fn make_for_topic(&mut self, topic: &Topic) -> (Vec<LiveId>, Vec<(RuleId, String)>) {
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
            let id = LiveId { entry: *entry, topic: Some(topic.clone()) };
            if self.by_id.contains_key(&id) {
                continue;
            }
            match (each.make)(topic) {
                Ok(rule) => {
                    self.insert(id.clone(), LiveRule::new(Arc::new(rule)));
                    made.push(id);
                }
                Err(error) => errors.push((each.id.clone(), error)),
            }
        }
        (made, errors)
    }

    fn insert(&mut self, id: LiveId, slot: LiveRule) {
        self.by_rule.insert(slot.rule.id.clone(), id.clone());
        self.by_id.insert(id, slot);
    }

    pub(crate) fn get(&self, id: &LiveId) -> Option<&LiveRule> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &LiveId) -> Option<&mut LiveRule> {
        self.by_id.get_mut(id)
    }

    /// Returns the slot of the rule `id`.
    pub(crate) fn find(&self, id: &RuleId) -> Option<&LiveId> {
        self.by_rule.get(id)
    }

    /// Makes `subscriber` hear of changes of `fact`.
    pub(crate) fn watch(&mut self, fact: Fact, subscriber: &Subscriber) {
        self.readers_of.entry(fact).or_default().insert(subscriber.clone());
    }

    /// Takes back what [`LiveRules::watch`] did.
    pub(crate) fn unwatch(&mut self, fact: &Fact, subscriber: &Subscriber) {
        if let Some(subscribers) = self.readers_of.get_mut(fact) {
            subscribers.remove(subscriber);
            if subscribers.is_empty() {
                self.readers_of.remove(fact);
            }
        }
    }

    /// Returns who is to hear that `fact` changed, in the rules' order.
    pub(crate) fn readers_of(&self, fact: &Fact) -> Vec<Subscriber> {
        self.readers_of.get(fact).into_iter().flatten().cloned().collect()
    }

    /// Returns whether anybody is to hear that `fact` changed.
    pub(crate) fn is_watched(&self, fact: &Fact) -> bool {
        self.readers_of.contains_key(fact)
    }

    /// Returns an index of the rules' ids, instances of `each` too.
    pub(crate) fn names(&self) -> Arc<RuleNames> {
        let of_topics = self.each.iter().map(|(_, each)| &each.id);
        Arc::new(RuleNames::new(self.by_rule.keys()).with_rules_of_topics(of_topics))
    }

    pub(crate) fn ids(&self) -> Vec<LiveId> {
        self.by_id.keys().cloned().collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&LiveId, &LiveRule)> {
        self.by_id.iter()
    }

    pub(crate) fn into_slots(self) -> impl Iterator<Item = LiveRule> {
        self.by_id.into_values()
    }
}
