//! Subscriptions: who is told of a message, or of a change that no message tells.
//!
//! A table keyed by the subscriber, so that a new subscription takes back the one before.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::trace::RunId;
use crate::model::{RuleId, Topic, TopicFilter};
use crate::rules::TopicIndex;
use crate::script::Reads;

use super::id::LiveId;
use super::owner::Owner;

/// Something in a rule that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subscriber {
    pub(crate) rule: LiveId,
    pub(crate) part: Part,
}

/// The part of a rule that is told, in the order in which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Since when a `state` condition holds.
    Tracker(u16),
    /// A trigger.
    Trigger(Owner, u16),
    /// The expression of an `at` trigger, which read something.
    At(Owner, u16),
    /// The condition of a `while`, which read something.
    While,
    /// An `until`, which read something.
    Until(RunId, u64),
    /// The `until` of an overridden rule, which read something.
    Override,
}

impl Part {
    /// Returns whether it is asked again, whatever has changed; else it is told of each change.
    pub(crate) fn is_asked(self) -> bool {
        match self {
            Part::Tracker(_) | Part::Trigger(..) => false,
            Part::At(..) | Part::While | Part::Until(..) | Part::Override => true,
        }
    }
}

/// What a subscriber is told of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subscription {
    /// Messages of the topics that match.
    Topics(TopicFilter),
    /// Changes of what an expression read.
    Reads(Box<Reads>),
    /// Events that have no topic: clients, webhooks, the daemon's own.
    Events,
}

/// Something beside topics that an expression can read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// Whether a `while` has begun and not ended.
    Holds(RuleId),
    /// Whether a rule has a run that hasn't ended.
    Running(RuleId),
    /// What a rule remembers.
    Memory(LiveId),
    /// Whether a rule is switched on, until when it waits, how it ran last.
    About(RuleId),
    /// Which devices there are.
    Devices,
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    by_subscriber: BTreeMap<Subscriber, Subscription>,
    index: TopicIndex<Subscriber>,
    readers: BTreeMap<Fact, BTreeSet<Subscriber>>,
    events: BTreeSet<Subscriber>,
}

impl Subscriptions {
    /// Makes this what `subscriber` is told of, whatever it was told of before.
    pub(crate) fn set(&mut self, subscriber: Subscriber, mut subscription: Subscription) {
        if let Subscription::Reads(reads) = &mut subscription {
            reads.past.clear();
        }
        if self.by_subscriber.get(&subscriber) == Some(&subscription) {
            return;
        }
        self.remove(subscriber);
        match &subscription {
            Subscription::Topics(filter) => self.index.insert(filter, subscriber),
            Subscription::Events => {
                self.events.insert(subscriber);
            }
            Subscription::Reads(reads) => {
                for filter in filters(reads) {
                    self.index.insert(&filter, subscriber);
                }
                for fact in facts(subscriber.rule, reads) {
                    self.readers.entry(fact).or_default().insert(subscriber);
                }
            }
        }
        self.by_subscriber.insert(subscriber, subscription);
    }

    /// Tells `subscriber` nothing any more.
    pub(crate) fn remove(&mut self, subscriber: Subscriber) {
        match self.by_subscriber.remove(&subscriber) {
            None => {}
            Some(Subscription::Topics(filter)) => self.index.remove(&filter, &subscriber),
            Some(Subscription::Events) => {
                self.events.remove(&subscriber);
            }
            Some(Subscription::Reads(reads)) => {
                for filter in filters(&reads) {
                    self.index.remove(&filter, &subscriber);
                }
                for fact in facts(subscriber.rule, &reads) {
                    if let Some(readers) = self.readers.get_mut(&fact) {
                        readers.remove(&subscriber);
                        if readers.is_empty() {
                            self.readers.remove(&fact);
                        }
                    }
                }
            }
        }
    }

    /// Tells an open wait nothing any more.
    pub(crate) fn remove_wait(&mut self, rule: LiveId, run: RunId, wait: u64) {
        let owner = Owner::Wait(run, wait);
        self.remove_range(rule, Part::Trigger(owner, 0), Part::Trigger(owner, u16::MAX));
        self.remove_range(rule, Part::At(owner, 0), Part::At(owner, u16::MAX));
        self.remove(Subscriber { rule, part: Part::Until(run, wait) });
    }

    /// Tells a rule nothing any more.
    pub(crate) fn remove_rule(&mut self, rule: LiveId) {
        self.remove_range(rule, Part::Tracker(0), Part::Override);
    }

    /// Tells nobody anything any more.
    pub(crate) fn clear_all(&mut self) {
        *self = Subscriptions::default();
    }

    /// Adds who is to be told of a message of `topic` to `found`, in no useful order, one perhaps more than once.
    pub(crate) fn find(&self, topic: &Topic, found: &mut Vec<Subscriber>) {
        self.index.find(topic, found);
    }

    /// Returns who is to be told that `fact` has changed, in no useful order.
    pub(crate) fn readers(&self, fact: &Fact) -> Vec<Subscriber> {
        self.readers.get(fact).into_iter().flatten().copied().collect()
    }

    /// Returns whether anybody is to be told that `fact` has changed.
    pub(crate) fn has_readers(&self, fact: &Fact) -> bool {
        self.readers.contains_key(fact)
    }

    /// Returns the triggers that events without a topic set off, in no useful order.
    pub(crate) fn of_events(&self) -> impl Iterator<Item = Subscriber> {
        self.events.iter().copied()
    }

    /// Returns all subscribers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Subscriber> {
        self.by_subscriber.keys().copied()
    }

    fn remove_range(&mut self, rule: LiveId, first: Part, last: Part) {
        let range = Subscriber { rule, part: first }..=Subscriber { rule, part: last };
        let found: Vec<Subscriber> = self.by_subscriber.range(range).map(|(subscriber, _)| *subscriber).collect();
        for subscriber in found {
            self.remove(subscriber);
        }
    }
}

/// Returns what a rule read beside topics.
fn facts(rule: LiveId, reads: &Reads) -> Vec<Fact> {
    let holds = reads.holds.iter().cloned().map(Fact::Holds);
    let running = reads.running.iter().cloned().map(Fact::Running);
    let about = reads.rules.iter().cloned().map(Fact::About);
    let devices = reads.devices.then_some(Fact::Devices);
    let memory = reads.memory.then_some(Fact::Memory(rule));
    holds.chain(running).chain(about).chain(devices).chain(memory).collect()
}

/// Returns the filters of all topics that were read.
fn filters(reads: &Reads) -> Vec<TopicFilter> {
    let topics = reads.topics.iter().filter_map(|topic| TopicFilter::parse(topic.as_str()).ok());
    reads.filters.iter().cloned().chain(topics).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_subscription_takes_back_the_one_before() {
        let mut subscriptions = Subscriptions::default();
        let subscriber = Subscriber { rule: LiveId::of(0), part: Part::While };
        let reads = |topic: &str| {
            let topics = [Topic::parse(topic).unwrap()].into();
            Subscription::Reads(Box::new(Reads { topics, memory: topic == "a", ..Reads::default() }))
        };
        let find = |subscriptions: &Subscriptions, topic: &str| {
            let mut found = Vec::new();
            subscriptions.find(&Topic::parse(topic).unwrap(), &mut found);
            found
        };
        subscriptions.set(subscriber, reads("a"));
        assert_eq!(find(&subscriptions, "a"), [subscriber]);
        assert!(subscriptions.has_readers(&Fact::Memory(LiveId::of(0))));
        subscriptions.set(subscriber, reads("b"));
        assert_eq!(find(&subscriptions, "a"), []);
        assert_eq!(find(&subscriptions, "b"), [subscriber]);
        assert!(!subscriptions.has_readers(&Fact::Memory(LiveId::of(0))));
        subscriptions.remove_rule(LiveId::of(0));
        assert_eq!(find(&subscriptions, "b"), []);
        assert_eq!(subscriptions.iter().count(), 0);
    }
}
