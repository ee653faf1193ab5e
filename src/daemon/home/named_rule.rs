//! Finds the rule that a person names.

use std::collections::BTreeSet;

use crate::lang;
use crate::model::RuleId;
use crate::rules::RuleEntry;

use super::view::HomeView;

/// So many are named where several may be meant.
const MOST_NAMED: usize = 10;

/// Why a text names no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) enum NoRule {
    /// No rule has it.
    Unknown {
        /// The id or key that was probably meant.
        near: Option<String>,
    },
    /// At least these two have it.
    Ambiguous(RuleId, RuleId),
    /// `each` makes several rules of it, none of which alone is meant.
    Several {
        /// What makes the rules.
        rule: RuleId,
        /// The rules; empty where they are made for topics of which none has been seen.
        instances: Vec<RuleId>,
    },
}

impl HomeView<'_> {
    /// Returns the one rule that `text` names, as [`EventLoop::find_rule`] does, but never what makes rules.
    pub(in crate::daemon) fn find_one_rule(&self, text: &str) -> Result<RuleId, NoRule> {
        let rule = self.find_rule(text)?;
        if self.engine.is_enabled(&rule).is_some() {
            return Ok(rule);
        }
        let instances = self.engine.rule_ids().filter(|id| id.belongs_to(rule.as_str())).cloned().collect();
        Err(NoRule::Several { rule, instances })
    }

    /// Returns the rule that `text` names, or what makes rules: by its full id, or its key where only one has it.
    pub(in crate::daemon) fn find_rule(&self, text: &str) -> Result<RuleId, NoRule> {
        let ids = || self.engine.rule_ids().chain(self.rules().iter().map(RuleEntry::id));
        if let Some(id) = ids().find(|id| id.as_str() == text) {
            return Ok(id.clone());
        }
        let mut named: BTreeSet<RuleId> = ids().filter(|id| id.key() == text).cloned().collect();
        if named.is_empty() {
            // What `each` with values makes has no entry of its own.
            let makers = ids().map(RuleId::maker);
            named.extend(makers.filter(|maker| maker.as_str() == text || maker.key() == text));
        }
        let mut named = named.into_iter();
        match (named.next(), named.next()) {
            (Some(id), None) => Ok(id),
            (Some(first), Some(second)) => Err(NoRule::Ambiguous(first, second)),
            (None, _) => {
                let makers: BTreeSet<RuleId> = ids().map(RuleId::maker).collect();
                let known = ids().chain(&makers).flat_map(|id| [id.as_str(), id.key()]);
                Err(NoRule::Unknown { near: lang::nearest(text, known).map(ToOwned::to_owned) })
            }
        }
    }

    /// Returns what to tell who named `text`, which isn't a rule.
    pub(in crate::daemon) fn no_rule(&self, text: &str, error: &NoRule) -> String {
        match error {
            NoRule::Unknown { near: Some(near) } => format!("there is no rule `{text}`; did you mean `{near}`?"),
            NoRule::Unknown { near: None } => {
                let broken: Vec<String> = self.broken_files().into_iter().map(|file| format!("`{file}`")).collect();
                if broken.is_empty() {
                    return format!("there is no rule `{text}`; `homerule status --rules` lists them");
                }
                let verb = if broken.len() == 1 { "doesn't" } else { "don't" };
                format!(
                    "no rule `{text}` is in force, and {} {verb} load: `homerule status` says why",
                    broken.join(", ")
                )
            }
            NoRule::Ambiguous(first, second) => format!("`{text}` may be `{first}` or `{second}`: name the file too"),
            NoRule::Several { rule, instances } if instances.is_empty() => {
                format!("`{rule}` is one rule for each topic, and none of its topics has been seen yet")
            }
            NoRule::Several { rule, instances } => {
                let named: Vec<String> = instances.iter().take(MOST_NAMED).map(|id| format!("`{id}`")).collect();
                let more = instances.len().saturating_sub(MOST_NAMED);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                let or = if more.is_empty() { " or " } else { ", " };
                let named = match named.split_last() {
                    Some((last, [])) => last.clone(),
                    Some((last, before)) => format!("{}{or}{last}", before.join(", ")),
                    None => String::new(),
                };
                format!("`{rule}` could be several rules: name {named}{more}")
            }
        }
    }
}
