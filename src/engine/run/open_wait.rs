//! An open wait: what a `wait`, or the `until` of a `repeat` with `every`, waits for.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::trigger::state::TriggerState;
use crate::model::Value;
use crate::rules::{Condition, Rule, Trigger, TriggerKind};

use super::thread::ActionPlace;

/// What a `wait`, or the `until` of a `repeat`, waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenWait {
    pub(crate) id: u64,
    /// How many frames the thread keeps when it fires.
    pub(crate) depth: usize,
    pub(crate) at: ActionPlace,
    /// One for each trigger.
    pub(crate) triggers: Vec<TriggerState>,
    /// The triggers, where the run has made its own.
    #[serde(default)]
    pub(crate) formed: Option<Formed>,
    /// When a `wait` gives up.
    pub(crate) timeout: Option<Timestamp>,
}

/// Triggers that a run made of texts which read its variables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Formed {
    /// The values of the texts.
    pub(crate) values: Vec<Value>,
    /// What they give; made anew after a restart.
    #[serde(skip)]
    pub(crate) triggers: Arc<[Trigger]>,
}

impl OpenWait {
    /// Returns the triggers that it waits for; none where it waits for a condition.
    pub(crate) fn triggers<'a>(&'a self, rule: &'a Rule) -> &'a [Trigger] {
        match &self.formed {
            Some(formed) => &formed.triggers,
            None => self.at.action(rule).map_or(&[], |action| action.kind.triggers()),
        }
    }

    /// Returns the trigger `index` of those that it waits for.
    pub(crate) fn trigger<'a>(&self, rule: &'a Rule, index: usize) -> Option<Cow<'a, Trigger>> {
        match &self.formed {
            Some(formed) => formed.triggers.get(index).cloned().map(Cow::Owned),
            None => self.at.action(rule)?.kind.triggers().get(index).map(Cow::Borrowed),
        }
    }

    /// Makes its own triggers again, after a restart.
    pub(crate) fn form_again(&mut self, rule: &Rule) {
        let Some(formed) = &mut self.formed else { return };
        let made = self.at.action(rule).and_then(|action| action.kind.formed());
        // What could be made once can be made again.
        formed.triggers = made.and_then(|made| (made.form)(&formed.values).ok()).unwrap_or_default().into();
    }

    /// Returns whether it waits for what an expression says: a condition, or the time that one gives.
    pub(crate) fn has_expression(&self, rule: &Rule) -> bool {
        let is_at = |trigger: &Trigger| matches!(trigger.kind, TriggerKind::AtExpression { .. });
        self.condition(rule).is_some() || self.triggers(rule).iter().any(is_at)
    }

    /// Returns the condition that it waits for.
    pub(crate) fn condition<'a>(&self, rule: &'a Rule) -> Option<&'a Condition> {
        self.at.action(rule)?.kind.conditions().into_iter().next()
    }
}
