//! What a rule knows of those who overrode it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::run::key::RunKey;
use crate::engine::trigger::firing::Firing;
use crate::model::{Map, Name, RuleId, Topic, Value};

/// Who changed what a rule commands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverriddenBy {
    /// The client that said so, where it's known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Arc<str>>,
    /// The rule, where it's one that stands for a person's hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The topic.
    pub topic: Topic,
    /// What it says.
    pub value: Value,
}

/// An override of a rule, as those see it who ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Overridden {
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: until something holds, or a person says so.
    pub until: Option<Timestamp>,
    /// By whom.
    pub by: OverriddenBy,
}

/// An override of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Override {
    /// Which runs it's about; `None`: those whose captures agree.
    pub(crate) key: Option<RunKey>,
    pub(crate) captures: Vec<Arc<str>>,
    pub(crate) named: Vec<(Name, Arc<str>)>,
    pub(crate) since: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) by: OverriddenBy,
    /// Whether the `while` of the rule had begun, and with what variables.
    pub(crate) had_begun: Option<Map>,
}

impl Override {
    /// Returns whether it is about a run of this firing and key.
    pub(crate) fn is_about(&self, key: &RunKey, firing: &Firing) -> bool {
        if let Some(known) = &self.key {
            return known == key;
        }
        agree(&self.named, &firing.named)
    }

    /// Returns whether it is the one for these captures and runs.
    pub(crate) fn is_same(&self, key: Option<&RunKey>, named: &[(Name, Arc<str>)]) -> bool {
        self.key.as_ref() == key && self.named == named
    }

    /// Returns it as others see it.
    pub(crate) fn view(&self) -> Overridden {
        Overridden { since: self.since, until: self.until, by: self.by.clone() }
    }
}

impl Shift for Override {
    fn shift(&mut self, by: SignedDuration) {
        self.since.shift(by);
        self.until.shift(by);
    }
}

/// Returns whether captures of one name are the same.
pub(crate) fn agree(left: &[(Name, Arc<str>)], right: &[(Name, Arc<str>)]) -> bool {
    left.iter()
        .all(|(name, value)| right.iter().find(|(known, _)| known == name).is_none_or(|(_, known)| known == value))
}
