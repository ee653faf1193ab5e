//! Who gets a topic's messages: a tree of the levels of all filters.
//!
//! What a look costs depends on the topic's levels and on what matches, not on how many filters there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Qos, first_level};

use super::shared::GroupId;
use crate::broker::packet::{SubscribeOptions, SubscriptionId};
use crate::broker::session::SessionSlot;

/// A subscription that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) struct Hit {
    pub(in crate::broker) session: SessionSlot,
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) no_local: bool,
    pub(in crate::broker) retain_as_published: bool,
    pub(in crate::broker) id: Option<SubscriptionId>,
    /// The shared subscription that it belongs to.
    pub(in crate::broker) group: Option<GroupId>,
}

impl Hit {
    pub(in crate::broker) fn new(session: SessionSlot, options: SubscribeOptions, id: Option<SubscriptionId>) -> Hit {
        let SubscribeOptions { qos, no_local, retain_as_published, .. } = options;
        Hit { session, qos, no_local, retain_as_published, id, group: None }
    }
}

/// The subscriptions of all clients.
#[derive(Debug, Default)]
pub(in crate::broker) struct Subscriptions {
    root: Node,
    count: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// Boxed, since most nodes have one below them, and a map makes room for eleven.
    literal: BTreeMap<Arc<str>, Box<Node>>,
    one: Option<Box<Node>>,
    /// Those whose filter ends in `#` below this level.
    rest: Vec<Target>,
    /// Those whose filter ends here.
    here: Vec<Target>,
}

/// Who gets what a filter matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum Target {
    Session(Hit),
    /// One of several.
    Group(GroupId),
}

impl Target {
    fn is_same(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Session(one), Target::Session(other)) => one.session == other.session,
            (Target::Group(one), Target::Group(other)) => one == other,
            (Target::Session(_), Target::Group(_)) | (Target::Group(_), Target::Session(_)) => false,
        }
    }
}

impl Subscriptions {
    /// Returns how many there are.
    pub(in crate::broker) fn len(&self) -> usize {
        self.count
    }

    /// Adds `target` under a filter of topics, in place of its earlier one there.
    pub(in crate::broker) fn insert(&mut self, topics: &str, target: Target) {
        let mut node = &mut self.root;
        for level in topics.split('/') {
            node = match level {
                "#" => {
                    self.count += usize::from(put(&mut node.rest, target));
                    return;
                }
                "+" => node.one.get_or_insert_default(),
                text => node.literal.entry(text.into()).or_default(),
            };
        }
        self.count += usize::from(put(&mut node.here, target));
    }

    /// Removes `target` from under a filter of topics, and what is left empty.
    pub(in crate::broker) fn remove(&mut self, topics: &str, target: &Target) {
        self.count -= usize::from(self.root.remove(Some(topics), target));
    }

    /// Returns whether a filter begins with this very level.
    pub(in crate::broker) fn has_first_level(&self, level: &str) -> bool {
        self.root.literal.contains_key(level)
    }

    /// Puts those who get what is published to `topic` into `found`, in no useful order, but in the same one each time.
    pub(in crate::broker) fn find(&self, topic: &str, found: &mut Vec<Target>) {
        self.root.find(Some(topic), topic.starts_with('$'), found);
    }
}

/// Returns whether it is a new one.
fn put(targets: &mut Vec<Target>, target: Target) -> bool {
    match targets.iter_mut().find(|other| other.is_same(&target)) {
        Some(before) => {
            *before = target;
            false
        }
        None => {
            targets.push(target);
            true
        }
    }
}

impl Node {
    fn find(&self, rest: Option<&str>, literal_only: bool, found: &mut Vec<Target>) {
        if !literal_only {
            found.extend_from_slice(&self.rest);
        }
        let Some(rest) = rest else {
            found.extend_from_slice(&self.here);
            return;
        };
        let (part, after) = first_level(rest);
        if let Some(node) = self.literal.get(part) {
            node.find(after, false, found);
        }
        if let Some(node) = &self.one
            && !literal_only
        {
            node.find(after, false, found);
        }
    }

    /// Returns whether it was there.
    fn remove(&mut self, rest: Option<&str>, target: &Target) -> bool {
        let Some(rest) = rest else { return take(&mut self.here, target) };
        let (part, after) = first_level(rest);
        match part {
            "#" => take(&mut self.rest, target),
            "+" => {
                let Some(node) = &mut self.one else { return false };
                let was_there = node.remove(after, target);
                if node.is_empty() {
                    self.one = None;
                }
                was_there
            }
            text => {
                let Some(node) = self.literal.get_mut(text) else { return false };
                let was_there = node.remove(after, target);
                if node.is_empty() {
                    self.literal.remove(text);
                }
                was_there
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.one.is_none() && self.rest.is_empty() && self.here.is_empty()
    }
}

fn take(targets: &mut Vec<Target>, target: &Target) -> bool {
    let place = targets.iter().position(|other| other.is_same(target));
    place.map(|place| targets.swap_remove(place)).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::broker::filter::Filter;
    use crate::model::{any_filter, any_topic};

    fn target(session: u32) -> Target {
        Target::Session(Hit::new(SessionSlot(session), SubscribeOptions::plain(Qos::AtMostOnce), None))
    }

    fn find(subscriptions: &Subscriptions, topic: &str) -> Vec<u32> {
        let mut found = Vec::new();
        subscriptions.find(topic, &mut found);
        let session = |target: &Target| match target {
            Target::Session(hit) => hit.session.0,
            Target::Group(_) => u32::MAX,
        };
        let mut sessions: Vec<u32> = found.iter().map(session).collect();
        sessions.sort_unstable();
        sessions
    }

    proptest! {
        #[test]
        fn the_tree_finds_what_a_look_at_each_filter_finds(
            filters in proptest::collection::vec(any_filter(), 0..40),
            topics in proptest::collection::vec(any_topic(), 1..20),
        ) {
            let plain: Vec<Filter> = filters.iter().map(|filter| Filter::parse(&filter.plain()).unwrap()).collect();
            let mut subscriptions = Subscriptions::default();
            for (session, filter) in (0..).zip(&plain) {
                subscriptions.insert(filter.topics(), target(session));
                subscriptions.insert(filter.topics(), target(session));
            }
            prop_assert_eq!(subscriptions.len(), plain.len());
            for topic in &topics {
                let matching = (0..).zip(&plain).filter(|(_, filter)| filter.matches(topic.as_str()));
                let expected: Vec<u32> = matching.map(|(session, _)| session).collect();
                prop_assert_eq!(find(&subscriptions, topic.as_str()), expected, "{}", topic);
            }
            for (session, filter) in (0..).zip(&plain) {
                subscriptions.remove(filter.topics(), &target(session));
                subscriptions.remove(filter.topics(), &target(session));
            }
            prop_assert!(subscriptions.root.is_empty() && subscriptions.len() == 0);
        }
    }
}
