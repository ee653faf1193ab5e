//! The rules in force that yield, and what they watch.

use std::sync::Arc;

use crate::model::Topic;
use crate::rules::{Rule, TopicIndex};

use super::id::LiveId;

/// The rules that yield.
#[derive(Debug, Default)]
pub(crate) struct Yielding {
    rules: Vec<LiveId>,
    watched: TopicIndex<LiveId>,
}

impl Yielding {
    /// Returns those among `rules` that yield.
    pub(super) fn of<'a>(rules: impl Iterator<Item = (LiveId, &'a Arc<Rule>)>) -> Yielding {
        let mut yielding = Yielding::default();
        for (id, rule) in rules {
            yielding.add(id, rule);
        }
        yielding
    }

    /// Adds a rule, where it yields.
    pub(super) fn add(&mut self, id: LiveId, rule: &Rule) {
        let Some(yields) = &rule.yields else { return };
        self.rules.push(id);
        for watched in &yields.to {
            self.watched.insert(&watched.filter, id);
        }
    }

    /// Returns them, in the order in which they came.
    pub(crate) fn all(&self) -> &[LiveId] {
        &self.rules
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns those that watch what `topic` says, in the order in which they came.
    pub(crate) fn watching(&self, topic: &Topic) -> Vec<LiveId> {
        let mut found = Vec::new();
        if !self.is_empty() {
            self.watched.find(topic, &mut found);
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}
