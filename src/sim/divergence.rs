//! How two sets of rules differ: what only one of them published, fed with the same recording.

use std::collections::BTreeMap;

use crate::model::RuleId;

use super::home::Published;

/// What only one of two homes published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Divergence {
    /// What only the first did, in its order.
    pub only_here: Vec<Published>,
    /// What only the second did, in its order.
    pub only_there: Vec<Published>,
}

impl Divergence {
    /// Adds what differs between what both published up to the same time.
    pub fn add(&mut self, here: Vec<Published>, mut there: Vec<Published>) {
        for published in here {
            match there.iter().position(|other| is_same(&published, other)) {
                Some(index) => {
                    there.remove(index);
                }
                None => self.only_here.push(published),
            }
        }
        self.only_there.append(&mut there);
    }

    /// Returns whether both decided the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.only_here.is_empty() && self.only_there.is_empty()
    }

    /// Returns what differs by rule: what only the first home published, then what only the second did.
    #[must_use]
    pub fn by_rule(&self) -> BTreeMap<&RuleId, (Vec<&Published>, Vec<&Published>)> {
        let mut by_rule: BTreeMap<&RuleId, (Vec<&Published>, Vec<&Published>)> = BTreeMap::new();
        for published in &self.only_here {
            by_rule.entry(&published.publication.rule).or_default().0.push(published);
        }
        for published in &self.only_there {
            by_rule.entry(&published.publication.rule).or_default().1.push(published);
        }
        by_rule
    }
}

/// Returns whether both are the same decision, by whichever rule: a rule may have been renamed.
fn is_same(here: &Published, there: &Published) -> bool {
    let (a, b) = (&here.publication.message, &there.publication.message);
    here.at == there.at
        && a.topic == b.topic
        && a.qos == b.qos
        && a.retain == b.retain
        && a.payload.agrees_with(&b.payload)
}
