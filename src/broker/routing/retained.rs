//! What is retained: the last message of each topic that its publisher wanted to be kept (MQTT 5.0, 3.3.1.3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::first_level;

use super::posted::Posted;

/// All that is retained, by topic.
#[derive(Debug, Default)]
pub(in crate::broker) struct Retained {
    root: Node,
    count: usize,
    bytes: usize,
    /// What is of no more use at some time.
    expiring: BTreeSet<(Timestamp, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Node {
    /// Boxed, since many nodes have one below them, and a map makes room for eleven.
    below: BTreeMap<Arc<str>, Box<Node>>,
    here: Option<RetainedMessage>,
}

/// A message that is retained.
#[derive(Debug, Clone)]
pub(in crate::broker) struct RetainedMessage {
    pub(in crate::broker) posted: Arc<Posted>,
    /// When it was published.
    pub(in crate::broker) at: Timestamp,
    /// Who published it; `None`: a rule.
    pub(in crate::broker) client: Option<Arc<str>>,
}

impl Retained {
    /// Returns how many messages there are.
    pub(in crate::broker) fn len(&self) -> usize {
        self.count
    }

    /// Returns how many bytes they take.
    pub(in crate::broker) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns when the first of them is of no more use.
    pub(in crate::broker) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiring.first().map(|(at, _)| *at)
    }

    /// Returns how many messages and bytes there would be with this one.
    pub(in crate::broker) fn with(&self, posted: &Posted) -> (usize, usize) {
        let before = self.get(posted.topic.as_str());
        let less = before.map_or(0, |before| before.posted.size());
        (self.count + usize::from(before.is_none()), self.bytes + posted.size() - less)
    }

    /// Keeps `message` in place of the earlier one of its topic.
    pub(in crate::broker) fn insert(&mut self, message: RetainedMessage) {
        let topic = message.posted.topic.text();
        let mut node = &mut self.root;
        for level in topic.split('/') {
            if !node.below.contains_key(level) {
                node.below.insert(level.into(), Box::default());
            }
            let Some(next) = node.below.get_mut(level) else { return };
            node = next;
        }
        self.count += 1;
        self.bytes += message.posted.size();
        let expires_at = message.posted.expires_at;
        if let Some(before) = node.here.replace(message) {
            self.forget(&before);
        }
        if let Some(at) = expires_at {
            self.expiring.insert((at, topic));
        }
    }

    /// Removes the message of `topic`. Returns whether there was one.
    pub(in crate::broker) fn remove(&mut self, topic: &str) -> bool {
        let Some(before) = self.root.remove(Some(topic)) else { return false };
        self.forget(&before);
        true
    }

    fn forget(&mut self, before: &RetainedMessage) {
        self.count -= 1;
        self.bytes -= before.posted.size();
        if let Some(at) = before.posted.expires_at {
            self.expiring.remove(&(at, before.posted.topic.text()));
        }
    }

    /// Returns the topic of a message that is of no more use.
    pub(in crate::broker) fn expired(&self, now: Timestamp) -> Option<Arc<str>> {
        let (at, topic) = self.expiring.first()?;
        (*at <= now).then(|| Arc::clone(topic))
    }

    /// Returns the message of `topic`.
    pub(in crate::broker) fn get(&self, topic: &str) -> Option<&RetainedMessage> {
        let mut node = &self.root;
        for level in topic.split('/') {
            node = node.below.get(level)?;
        }
        node.here.as_ref()
    }

    /// Puts the messages of all topics that a filter matches into `found`, in the order of their topics.
    pub(in crate::broker) fn find<'a>(&'a self, topics: &str, found: &mut Vec<&'a RetainedMessage>) {
        self.root.find(Some(topics), true, found);
    }

    /// Puts all messages into `found`.
    pub(in crate::broker) fn all<'a>(&'a self, found: &mut Vec<&'a RetainedMessage>) {
        self.root.all(found);
    }
}

impl Node {
    fn remove(&mut self, rest: Option<&str>) -> Option<RetainedMessage> {
        let Some(rest) = rest else { return self.here.take() };
        let (part, after) = first_level(rest);
        let node = self.below.get_mut(part)?;
        let removed = node.remove(after);
        if node.here.is_none() && node.below.is_empty() {
            self.below.remove(part);
        }
        removed
    }

    fn find<'a>(&'a self, rest: Option<&str>, is_first: bool, found: &mut Vec<&'a RetainedMessage>) {
        let Some(rest) = rest else {
            found.extend(&self.here);
            return;
        };
        let (part, after) = first_level(rest);
        let is_open = |level: &str| !is_first || !level.starts_with('$');
        match part {
            "#" => {
                found.extend(&self.here);
                for (_, node) in self.below.iter().filter(|(level, _)| is_open(level)) {
                    node.all(found);
                }
            }
            "+" => {
                for (_, node) in self.below.iter().filter(|(level, _)| is_open(level)) {
                    node.find(after, false, found);
                }
            }
            text => {
                if let Some(node) = self.below.get(text) {
                    node.find(after, false, found);
                }
            }
        }
    }

    fn all<'a>(&'a self, found: &mut Vec<&'a RetainedMessage>) {
        found.extend(&self.here);
        for node in self.below.values() {
            node.all(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::broker::filter::Filter;
    use crate::model::{Qos, Topic, any_filter, any_topic};

    fn message(topic: Topic, expires_at: Option<Timestamp>) -> RetainedMessage {
        let payload = "x".into();
        let (qos, retain, properties) = (Qos::AtMostOnce, true, None);
        let posted = Posted { topic, payload, qos, retain, expires_at, properties, rule: None };
        RetainedMessage { posted: posted.into(), at: Timestamp::UNIX_EPOCH, client: None }
    }

    proptest! {
        #[test]
        fn a_filter_finds_the_topics_that_it_matches(
            topics in proptest::collection::vec(any_topic(), 0..40),
            filters in proptest::collection::vec(any_filter(), 1..20),
        ) {
            let mut retained = Retained::default();
            for topic in topics.iter().chain(&topics) {
                retained.insert(message(topic.clone(), Some(Timestamp::UNIX_EPOCH)));
            }
            let unique: BTreeSet<&str> = topics.iter().map(Topic::as_str).collect();
            prop_assert_eq!(retained.len(), unique.len());
            for filter in &filters {
                let filter = Filter::parse(&filter.plain()).unwrap();
                let mut found = Vec::new();
                retained.find(filter.topics(), &mut found);
                let found: BTreeSet<&str> = found.iter().map(|message| message.posted.topic.as_str()).collect();
                let expected: BTreeSet<&str> = unique.iter().copied().filter(|topic| filter.matches(topic)).collect();
                prop_assert_eq!(found, expected, "{}", filter);
            }
            while let Some(topic) = retained.expired(Timestamp::UNIX_EPOCH) {
                prop_assert!(retained.remove(&topic));
            }
            prop_assert!(retained.root.below.is_empty());
            prop_assert_eq!((retained.len(), retained.bytes()), (0, 0));
        }
    }
}
