//! What the engine is asked by those who show a home.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::condition::by_time::{self, RuleByTime};
use crate::engine::consistency;
use crate::engine::engine::Engine;
use crate::engine::invariant::{InvariantView, views};
use crate::engine::people::notify::NoticesView;
use crate::engine::trace::masked::Masker;
use crate::engine::trace::{RunId, Trace};
use crate::engine::trigger::events;
use crate::engine::yielding::Overridden;
use crate::engine::yielding::state::Override;
use crate::model::{Name, RuleId, Topic, is_inner};
use crate::rules::TelegramTarget;

use super::{Doing, Judged, RuleView, TriggerSources, Waits};

impl Engine {
    /// Returns whether the rule `id` is switched on; `None` where there is no such rule.
    #[must_use]
    pub fn is_enabled(&self, id: &RuleId) -> Option<bool> {
        let live = self.core.live.get(self.core.live.find(id)?);
        live.rule.invariant.is_none().then(|| live.is_enabled())
    }

    /// Returns the ids of the rules in force, instances of `each` too, in their order.
    pub fn rule_ids(&self) -> impl Iterator<Item = &RuleId> {
        self.core.live.iter().filter(|(_, live)| live.rule.invariant.is_none()).map(|(_, live)| &live.rule.id)
    }

    /// Returns who overrode the rule `id`, from the first.
    #[must_use]
    pub fn overridden(&self, id: &RuleId) -> Vec<Overridden> {
        let overrides = self.core.live.find(id).map(|id| &self.core.live.get(id).overrides);
        overrides.into_iter().flatten().map(Override::view).collect()
    }

    /// Returns how the invariants stand, in their order.
    #[must_use]
    pub fn invariants(&self) -> Vec<InvariantView> {
        views(&self.core)
    }

    /// Returns the `while` rules that have begun and not ended.
    #[must_use]
    pub fn holding(&self) -> &BTreeSet<RuleId> {
        &self.core.evaluator.world.holding
    }

    /// Returns how many parts of conditions have failed beside a part that decided.
    #[must_use]
    pub fn failures_passed_over(&self) -> u64 {
        self.core.evaluator.failures_passed_over
    }

    /// Returns how many runs haven't ended.
    #[must_use]
    pub fn run_count(&self) -> usize {
        self.core.runs.len()
    }

    /// Returns the traces so far of the runs that haven't ended at `now`, in the order of their ids. What each waits for is
    /// its last step.
    #[must_use]
    pub fn runs_under_way(&self, now: Timestamp) -> Vec<Trace> {
        self.masked(super::runs_under_way(&self.core, now))
    }

    /// Returns the runs that haven't ended at `now` as traces without steps, in the order of their ids.
    #[must_use]
    pub fn runs_in_short(&self, now: Timestamp) -> Vec<Trace> {
        self.masked(super::runs_in_short(&self.core, now))
    }

    /// Returns the trace so far of a run; `None` where it has ended.
    #[must_use]
    pub fn run_under_way(&self, run: RunId, now: Timestamp) -> Option<Trace> {
        self.masked(super::run_under_way(&self.core, run, now).into_iter().collect()).pop()
    }

    /// Returns the traces so far of the runs of the rule `id` that haven't ended at `now`, in the order of their ids.
    #[must_use]
    pub fn runs_of(&self, id: &RuleId, now: Timestamp) -> Vec<Trace> {
        self.core.live.find(id).map(|id| self.masked(super::runs_of(&self.core, id, now))).unwrap_or_default()
    }

    /// Returns how the rule `id` stands at `now`, which may be later than what was last decided; `None` where there is no
    /// such rule.
    #[must_use]
    pub fn view(&mut self, id: &RuleId, now: Timestamp) -> Option<RuleView> {
        let id = self.core.live.find(id)?;
        let mut view = super::view(&mut self.core, id, now);
        if !self.core.secrets.is_empty() {
            Masker(&self.core.secrets).steps(&mut view.judged);
        }
        Some(view)
    }

    /// Returns where the triggers of the rule `id` hear, and how they read what is said there; `None` where there is no such
    /// rule.
    #[must_use]
    pub fn trigger_sources(&self, id: &RuleId) -> Option<TriggerSources> {
        let live = self.core.live.get(self.core.live.find(id)?);
        Some(TriggerSources::of(&self.core, &live.rule))
    }

    /// Returns the topics of the broker on which is said what a topic of the engine's own holds; none for any other.
    #[must_use]
    pub fn said_on(&self, topic: &Topic) -> Vec<Topic> {
        if is_inner(topic.as_str()) { super::sources::said_on(&self.core, topic) } else { Vec::new() }
    }

    /// Returns what time alone says of the conditions of the rule `id`, at the time that was last told; `None` where there is
    /// no such rule.
    #[must_use]
    pub fn by_time(&mut self, id: &RuleId) -> Option<RuleByTime> {
        let id = self.core.live.find(id)?;
        Some(by_time::by_time(&mut self.core, id))
    }

    /// Returns what the rule `id` is doing; `None` where there is no such rule.
    #[must_use]
    pub fn doing(&self, id: &RuleId) -> Option<Doing> {
        Some(super::doing(&self.core, self.core.live.find(id)?))
    }

    /// Returns what waits at `now`, of all rules. Nothing is judged for it.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> Vec<Waits> {
        super::waits(&self.core, now)
    }

    /// Returns how the `if` of the rule `id` would be judged at `now`, as if the last message of its triggers came again;
    /// `None` where there is no such rule.
    #[must_use]
    pub fn judge(&mut self, id: &RuleId, now: Timestamp) -> Option<Judged> {
        let id = self.core.live.find(id)?;
        let mut judged = super::judged(&mut self.core, id, now);
        Masker(&self.core.secrets).steps(&mut judged.steps);
        Some(judged)
    }

    /// Returns whether a rule in force has a webhook of this name.
    #[must_use]
    pub fn has_webhook(&self, name: &str) -> bool {
        events::webhooks(&self.core).any(|known| *known == *name)
    }

    /// Returns the webhooks of the rules in force.
    #[must_use]
    pub fn webhooks(&self) -> BTreeSet<Arc<str>> {
        events::webhooks(&self.core).collect()
    }

    /// Returns how notifications stand.
    #[must_use]
    pub fn notices(&self) -> NoticesView {
        self.core.notices.view()
    }

    /// Returns the webhook of the button that has this key and may be pressed.
    #[must_use]
    pub fn webhook_of_button(&self, key: &str) -> Option<Name> {
        self.core.notices.webhook_of(key)
    }

    /// Returns the targets of Telegram whose buttons may be pressed.
    #[must_use]
    pub fn asked_by_telegram(&self) -> Vec<TelegramTarget> {
        self.core.notices.asked_by_telegram()
    }

    /// Returns what isn't as it must be between the engine's parts, a sentence each; nothing is, unless the engine is wrong.
    #[must_use]
    pub fn inconsistencies(&self) -> Vec<String> {
        consistency::inconsistencies(&self.core)
    }

    /// Returns traces without secrets.
    fn masked(&self, mut traces: Vec<Trace>) -> Vec<Trace> {
        if !self.core.secrets.is_empty() {
            for trace in &mut traces {
                Masker(&self.core.secrets).trace(trace);
            }
        }
        traces
    }
}
