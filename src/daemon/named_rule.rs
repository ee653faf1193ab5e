//! Finds the rule that a person names.

use crate::lang;
use crate::model::RuleId;
use crate::rules::RuleEntry;

use super::event_loop::EventLoop;

/// Why a text names no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoRule {
    /// No rule has it.
    Unknown {
        /// The id or key that was probably meant.
        near: Option<String>,
    },
    /// At least these two have it.
    Ambiguous(RuleId, RuleId),
    /// It is one rule for each topic, none of which alone is meant.
    Several {
        /// What makes the rules.
        rule: RuleId,
        /// One of them; `None`: none of the topics has been seen.
        example: Option<RuleId>,
    },
}

impl EventLoop {
    /// Returns the one rule that `text` names, as [`EventLoop::find_rule`] does, but never what makes rules.
    pub(super) fn find_one_rule(&self, text: &str) -> Result<RuleId, NoRule> {
        let rule = self.find_rule(text)?;
        if self.engine.is_enabled(&rule).is_some() {
            return Ok(rule);
        }
        let instances = format!("{rule}[");
        let example = self.engine.rule_ids().find(|id| id.as_str().starts_with(&instances)).cloned();
        Err(NoRule::Several { rule, example })
    }

    /// Returns the rule that `text` names: its full id, or its key where only one rule has it.
    pub(super) fn find_rule(&self, text: &str) -> Result<RuleId, NoRule> {
        let ids = || self.engine.rule_ids().chain(self.rules().iter().map(RuleEntry::id));
        if let Some(id) = ids().find(|id| id.as_str() == text) {
            return Ok(id.clone());
        }
        let mut named: Vec<&RuleId> = ids().filter(|id| id.key() == text).collect();
        named.dedup();
        match named.as_slice() {
            [id] => Ok((*id).clone()),
            [first, second, ..] => Err(NoRule::Ambiguous((*first).clone(), (*second).clone())),
            [] => {
                let near = lang::nearest(text, ids().flat_map(|id| [id.as_str(), id.key()]));
                Err(NoRule::Unknown { near: near.map(ToOwned::to_owned) })
            }
        }
    }
}
