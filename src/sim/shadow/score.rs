//! How often both sides agreed, rule by rule, and what differed of late: bounded, and kept across a restart.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::RuleId;

use super::decision::{Said, Side};

/// How many differences of one rule are kept, the newest.
const MOST_OF_RULE: usize = 50;

/// How many of all rules.
const MOST: usize = 1000;

/// The score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Since when it is counted.
    pub since: Timestamp,
    /// The rules that decided something.
    pub rules: BTreeMap<RuleId, Tally>,
    /// What differed, the oldest first.
    pub differences: VecDeque<ShadowDifference>,
}

/// How often a rule agreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Since when it is counted: since then the rule is as it is, on both sides.
    pub since: Timestamp,
    /// How often something was decided, by either side.
    pub decided: u64,
    /// How often both decided the same.
    pub agreed: u64,
    /// How often it failed in the shadow.
    pub failed: u64,
    /// Why it last did.
    pub failure: Option<String>,
}

/// What differed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShadowDifference {
    /// When.
    pub at: Timestamp,
    /// The rule: that in the shadow, where one decided something there.
    pub rule: RuleId,
    /// Where to.
    pub topic: Arc<str>,
    /// What was decided here; `None`: nothing.
    pub here: Option<Said>,
    /// And there.
    pub there: Option<Said>,
    /// Why here, in lines.
    pub why_here: Vec<String>,
    /// And there.
    pub why_there: Vec<String>,
}

impl ShadowDifference {
    /// Returns why one side did what it did.
    pub(super) fn why_mut(&mut self, side: Side) -> &mut Vec<String> {
        match side {
            Side::Here => &mut self.why_here,
            Side::There => &mut self.why_there,
        }
    }

    /// Returns what one side decided.
    pub(super) fn said(&self, side: Side) -> Option<&Said> {
        match side {
            Side::Here => self.here.as_ref(),
            Side::There => self.there.as_ref(),
        }
    }
}

impl Score {
    /// Returns one that begins at `since`.
    #[must_use]
    pub fn new(since: Timestamp) -> Score {
        Score { since, rules: BTreeMap::new(), differences: VecDeque::new() }
    }

    /// Returns how often something was decided, and how often both sides decided the same.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        self.rules.values().fold((0, 0), |(decided, agreed), tally| (decided + tally.decided, agreed + tally.agreed))
    }

    pub(super) fn agree(&mut self, rule: &RuleId, now: Timestamp) {
        let tally = self.tally(rule, now);
        tally.decided += 1;
        tally.agreed += 1;
    }

    pub(super) fn fail(&mut self, rule: &RuleId, why: String, now: Timestamp) {
        let tally = self.tally(rule, now);
        tally.failed += 1;
        tally.failure = Some(why);
    }

    pub(super) fn differ(&mut self, difference: ShadowDifference) {
        self.tally(&difference.rule, difference.at).decided += 1;
        let of_rule = |other: &&ShadowDifference| other.rule == difference.rule;
        if self.differences.iter().filter(of_rule).count() >= MOST_OF_RULE {
            let oldest = self.differences.iter().position(|other| other.rule == difference.rule);
            oldest.and_then(|oldest| self.differences.remove(oldest));
        } else if self.differences.len() >= MOST {
            self.differences.pop_front();
        }
        self.differences.push_back(difference);
    }

    /// Begins anew with `rules`: they aren't any more what was counted.
    pub fn forget<'a>(&mut self, rules: impl IntoIterator<Item = &'a RuleId>) {
        for rule in rules {
            let is_it = |other: &RuleId| other == rule || other.belongs_to(rule.as_str());
            self.rules.retain(|other, _| !is_it(other));
            self.differences.retain(|difference| !is_it(&difference.rule));
        }
    }

    fn tally(&mut self, rule: &RuleId, now: Timestamp) -> &mut Tally {
        let fresh = || Tally { since: now, decided: 0, agreed: 0, failed: 0, failure: None };
        self.rules.entry(rule.clone()).or_insert_with(fresh)
    }
}
