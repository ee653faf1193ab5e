//! The topic index: finds what is interested in a topic without looking at what isn't.
//!
//! A trie of filter levels. Its cost depends on the topic's levels and what matches, not on how many filters there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Level, Topic, TopicFilter, first_level};

/// What an index holds: a small, ordered key.
pub trait IndexKey: Clone + Ord {}

impl<K: Clone + Ord> IndexKey for K {}

/// Keys by the filters of rules (homerule's own topics match only filters that name them).
#[derive(Debug, Clone)]
pub struct TopicIndex<K> {
    root: Node<K>,
}

#[derive(Debug, Clone)]
struct Node<K> {
    literal: BTreeMap<Arc<str>, Node<K>>,
    one: Option<Box<Node<K>>>,
    /// Those whose filter ends in `#` below this level.
    rest: Vec<K>,
    /// Those whose filter ends here.
    here: Vec<K>,
}

impl<K> Default for Node<K> {
    fn default() -> Node<K> {
        Node { literal: BTreeMap::new(), one: None, rest: Vec::new(), here: Vec::new() }
    }
}

impl<K> Default for TopicIndex<K> {
    fn default() -> TopicIndex<K> {
        TopicIndex { root: Node::default() }
    }
}

impl<K: IndexKey> TopicIndex<K> {
    /// Adds `key` under `filter`; under several filters it is found once for each that matches.
    pub fn insert(&mut self, filter: &TopicFilter, key: K) {
        let mut node = &mut self.root;
        for level in filter.levels() {
            node = match level {
                Level::Literal(text) => node.literal.entry(Arc::clone(text)).or_default(),
                Level::One(_) => node.one.get_or_insert_default(),
                Level::Rest(_) => {
                    node.rest.push(key);
                    return;
                }
            };
        }
        node.here.push(key);
    }

    /// Removes `key` from under `filter`, and what is left empty.
    pub fn remove(&mut self, filter: &TopicFilter, key: &K) {
        self.root.remove(filter.levels(), key);
    }

    /// Removes the keys that `stays` doesn't want, and what is left empty.
    pub fn retain(&mut self, stays: &impl Fn(&K) -> bool) {
        self.root.retain(stays);
    }

    /// Appends the keys of all filters that match `topic` to `found`, in no useful order.
    pub fn find(&self, topic: &Topic, found: &mut Vec<K>) {
        let text = topic.as_str();
        let literal_only = text.starts_with('$') || topic.is_internal();
        self.root.find(Some(text), literal_only, found);
    }
}

impl<K: IndexKey> Node<K> {
    fn find(&self, rest: Option<&str>, literal_only: bool, found: &mut Vec<K>) {
        if !literal_only && !self.rest.is_empty() {
            found.extend(self.rest.iter().cloned());
        }
        let Some(rest) = rest else {
            if !self.here.is_empty() {
                found.extend(self.here.iter().cloned());
            }
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

    fn remove(&mut self, levels: &[Level], key: &K) {
        let without = |keys: &mut Vec<K>| {
            if let Some(index) = keys.iter().position(|other| other == key) {
                keys.swap_remove(index);
            }
        };
        match levels.split_first() {
            None => without(&mut self.here),
            Some((Level::Rest(_), _)) => without(&mut self.rest),
            Some((Level::One(_), deeper)) => {
                if let Some(node) = &mut self.one {
                    node.remove(deeper, key);
                    if node.is_empty() {
                        self.one = None;
                    }
                }
            }
            Some((Level::Literal(text), deeper)) => {
                if let Some(node) = self.literal.get_mut(text) {
                    node.remove(deeper, key);
                    if node.is_empty() {
                        self.literal.remove(text);
                    }
                }
            }
        }
    }

    fn retain(&mut self, stays: &impl Fn(&K) -> bool) {
        self.here.retain(stays);
        self.rest.retain(stays);
        if let Some(node) = &mut self.one {
            node.retain(stays);
            if node.is_empty() {
                self.one = None;
            }
        }
        self.literal.retain(|_, node| {
            node.retain(stays);
            !node.is_empty()
        });
    }

    fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.one.is_none() && self.rest.is_empty() && self.here.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{any_filter, any_topic};

    fn find(index: &TopicIndex<usize>, topic: &Topic) -> Vec<usize> {
        let mut found = Vec::new();
        index.find(topic, &mut found);
        found.sort_unstable();
        found
    }

    #[test]
    fn the_deepest_filter_is_found_and_removed() {
        let mut index = TopicIndex::default();
        let filter = TopicFilter::parse(&format!("{}#", "+/".repeat(199))).unwrap();
        let topic = Topic::parse(&"/".repeat(199)).unwrap();
        index.insert(&filter, 7);
        assert_eq!(find(&index, &topic), [7]);
        index.remove(&filter, &7);
        assert!(index.root.is_empty());
    }

    #[test]
    fn a_key_is_found_once_for_each_filter_that_it_stands_under() {
        let mut index = TopicIndex::default();
        for filter in ["home/+", "home/#", "other"] {
            index.insert(&TopicFilter::parse(filter).unwrap(), 1);
        }
        let topic = Topic::parse("home/tv").unwrap();
        assert_eq!(find(&index, &topic), [1, 1]);
        index.remove(&TopicFilter::parse("home/#").unwrap(), &1);
        index.remove(&TopicFilter::parse("home/#").unwrap(), &1);
        assert_eq!(find(&index, &topic), [1], "what isn't there can be removed");
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_look_at_each_filter_finds(
            filters in proptest::collection::vec(any_filter(), 0..40),
            removed in proptest::collection::vec(any::<bool>(), 40),
            topics in proptest::collection::vec(any_topic(), 1..20),
        ) {
            let mut index = TopicIndex::default();
            for (key, filter) in filters.iter().enumerate() {
                index.insert(filter, key);
            }
            let mut kept = vec![true; filters.len()];
            for round in 0..2 {
                for topic in &topics {
                    let expected: Vec<usize> =
                        (0..filters.len()).filter(|key| kept[*key] && filters[*key].matches_in_rules(topic)).collect();
                    prop_assert_eq!(find(&index, topic), expected, "{}", topic);
                }
                for (key, filter) in filters.iter().enumerate().filter(|(key, _)| removed[*key] && round == 0) {
                    index.remove(filter, &key);
                    kept[key] = false;
                }
            }
            for (key, filter) in filters.iter().enumerate() {
                index.remove(filter, &key);
            }
            prop_assert!(index.root.is_empty());
        }
    }
}
