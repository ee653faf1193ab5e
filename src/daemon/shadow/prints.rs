//! What rules are, in short: to tell which of them changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::RuleId;
use crate::rules::{RuleEntry, Ruleset};

/// The fingerprints of rules. One that is made for topics has none, and is as it was while it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Prints(BTreeMap<RuleId, Option<u64>>);

impl Prints {
    pub(super) fn of(rules: &Ruleset) -> Prints {
        let print = |entry: &RuleEntry| match entry {
            RuleEntry::Rule(rule) => Some(rule.fingerprint),
            RuleEntry::EachTopic(_) => None,
        };
        Prints(rules.entries.iter().map(|entry| (entry.id().clone(), print(entry))).collect())
    }

    /// Returns the rules that are others in `after`, came or went.
    pub(super) fn changed(&self, after: &Prints) -> Vec<RuleId> {
        let all = self.0.keys().chain(after.0.keys().filter(|id| !self.0.contains_key(*id)));
        all.filter(|id| self.0.get(*id) != after.0.get(*id)).cloned().collect()
    }
}
