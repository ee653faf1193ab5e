//! The parts of actions and rules, for those who look at all of them: checks, coverage, the engine's trackers.

use std::sync::Arc;

use super::{
    Action, ActionKind, BlockId, Condition, ConditionKind, DeviceTrigger, FormedTriggers, InvariantForm, OnTimeout,
    Publish, RepeatKind, Rule, SetAction, Start, Trigger, TriggerKind, Until, Wait, WaitFor,
};
use crate::model::TopicFilter;

impl ActionKind {
    /// Returns the lists of actions that stand within this one, in order.
    #[must_use]
    pub fn blocks(&self) -> Vec<BlockId> {
        match self {
            ActionKind::If { then, otherwise, .. } => [*then].into_iter().chain(*otherwise).collect(),
            ActionKind::Choose { branches, otherwise } => {
                branches.iter().map(|branch| branch.then).chain(*otherwise).collect()
            }
            ActionKind::ChooseCase { cases, otherwise, .. } => {
                cases.iter().map(|case| case.then).chain(*otherwise).collect()
            }
            ActionKind::Repeat { body, .. } => vec![*body],
            ActionKind::Parallel(blocks) => blocks.clone(),
            ActionKind::Wait(wait) => match wait.on_timeout {
                OnTimeout::Do(block) => vec![block],
                OnTimeout::Stop | OnTimeout::Continue => Vec::new(),
            },
            ActionKind::Publish(_)
            | ActionKind::Scene { .. }
            | ActionKind::SceneByName(_)
            | ActionKind::Set(_)
            | ActionKind::Input(_)
            | ActionKind::Notify(_)
            | ActionKind::Script(_)
            | ActionKind::Delay(_)
            | ActionKind::Let(_)
            | ActionKind::Remember(_)
            | ActionKind::Run { .. }
            | ActionKind::Switch { .. }
            | ActionKind::Cancel(_)
            | ActionKind::Extend { .. }
            | ActionKind::Forget(_)
            | ActionKind::Resume(_)
            | ActionKind::Snapshot(_)
            | ActionKind::Restore { .. }
            | ActionKind::Log { .. }
            | ActionKind::Http(_)
            | ActionKind::Exec(_)
            | ActionKind::Stop(_) => Vec::new(),
        }
    }

    /// Returns the conditions that this action asks, those of its inner lists aside.
    #[must_use]
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            ActionKind::If { condition, .. } => vec![condition],
            ActionKind::Choose { branches, .. } => branches.iter().map(|branch| &branch.condition).collect(),
            ActionKind::Repeat { kind, .. } => match kind {
                RepeatKind::While(condition)
                | RepeatKind::Until(condition)
                | RepeatKind::Every { until: Until::Condition(condition), .. } => vec![condition],
                RepeatKind::Every { until: Until::Triggers(_) | Until::Formed(_), .. }
                | RepeatKind::Times(_)
                | RepeatKind::Each(_) => Vec::new(),
            },
            ActionKind::Wait(wait) => match &wait.what {
                WaitFor::Until(condition) => vec![condition],
                WaitFor::Triggers(_) | WaitFor::Formed(_) => Vec::new(),
            },
            ActionKind::Publish(_)
            | ActionKind::Scene { .. }
            | ActionKind::SceneByName(_)
            | ActionKind::Set(_)
            | ActionKind::Input(_)
            | ActionKind::Notify(_)
            | ActionKind::Script(_)
            | ActionKind::Delay(_)
            | ActionKind::ChooseCase { .. }
            | ActionKind::Parallel(_)
            | ActionKind::Let(_)
            | ActionKind::Remember(_)
            | ActionKind::Run { .. }
            | ActionKind::Switch { .. }
            | ActionKind::Cancel(_)
            | ActionKind::Extend { .. }
            | ActionKind::Forget(_)
            | ActionKind::Resume(_)
            | ActionKind::Snapshot(_)
            | ActionKind::Restore { .. }
            | ActionKind::Log { .. }
            | ActionKind::Http(_)
            | ActionKind::Exec(_)
            | ActionKind::Stop(_) => Vec::new(),
        }
    }

    /// Returns the triggers that this action waits for; what is like them, where each run makes its own.
    #[must_use]
    pub fn triggers(&self) -> &[Trigger] {
        match self {
            ActionKind::Wait(Wait { what: WaitFor::Triggers(triggers), .. })
            | ActionKind::Repeat { kind: RepeatKind::Every { until: Until::Triggers(triggers), .. }, .. } => triggers,
            _ => self.formed().map_or(&[], |formed| &formed.shape),
        }
    }

    /// Returns what a run makes the triggers of that this action waits for; `None` where they are the same for all.
    #[must_use]
    pub fn formed(&self) -> Option<&FormedTriggers> {
        match self {
            ActionKind::Wait(wait) => match &wait.what {
                WaitFor::Formed(formed) => Some(formed),
                WaitFor::Triggers(_) | WaitFor::Until(_) => None,
            },
            ActionKind::Repeat { kind, .. } => match kind {
                RepeatKind::Every { until: Until::Formed(formed), .. } => Some(formed),
                RepeatKind::Every { until: Until::Triggers(_) | Until::Condition(_), .. }
                | RepeatKind::While(_)
                | RepeatKind::Until(_)
                | RepeatKind::Times(_)
                | RepeatKind::Each(_) => None,
            },
            ActionKind::Publish(_)
            | ActionKind::Scene { .. }
            | ActionKind::SceneByName(_)
            | ActionKind::Set(_)
            | ActionKind::Input(_)
            | ActionKind::Notify(_)
            | ActionKind::Script(_)
            | ActionKind::Delay(_)
            | ActionKind::If { .. }
            | ActionKind::Choose { .. }
            | ActionKind::ChooseCase { .. }
            | ActionKind::Parallel(_)
            | ActionKind::Let(_)
            | ActionKind::Remember(_)
            | ActionKind::Run { .. }
            | ActionKind::Switch { .. }
            | ActionKind::Cancel(_)
            | ActionKind::Extend { .. }
            | ActionKind::Forget(_)
            | ActionKind::Resume(_)
            | ActionKind::Snapshot(_)
            | ActionKind::Restore { .. }
            | ActionKind::Log { .. }
            | ActionKind::Http(_)
            | ActionKind::Exec(_)
            | ActionKind::Stop(_) => None,
        }
    }

    /// Returns the messages that this action publishes.
    #[must_use]
    pub fn messages(&self) -> &[Publish] {
        match self {
            ActionKind::Publish(messages) | ActionKind::Scene { messages, .. } => messages,
            ActionKind::SceneByName(_)
            | ActionKind::Set(_)
            | ActionKind::Input(_)
            | ActionKind::Notify(_)
            | ActionKind::Script(_)
            | ActionKind::Delay(_)
            | ActionKind::Wait(_)
            | ActionKind::If { .. }
            | ActionKind::Choose { .. }
            | ActionKind::ChooseCase { .. }
            | ActionKind::Repeat { .. }
            | ActionKind::Parallel(_)
            | ActionKind::Let(_)
            | ActionKind::Remember(_)
            | ActionKind::Run { .. }
            | ActionKind::Switch { .. }
            | ActionKind::Cancel(_)
            | ActionKind::Extend { .. }
            | ActionKind::Forget(_)
            | ActionKind::Resume(_)
            | ActionKind::Snapshot(_)
            | ActionKind::Restore { .. }
            | ActionKind::Log { .. }
            | ActionKind::Http(_)
            | ActionKind::Exec(_)
            | ActionKind::Stop(_) => &[],
        }
    }
}

impl ActionKind {
    /// Returns the commands to devices that this action gives.
    #[must_use]
    pub fn sets(&self) -> &[SetAction] {
        match self {
            ActionKind::Set(set) => std::slice::from_ref(set),
            ActionKind::Scene { sets, .. } => sets,
            _ => &[],
        }
    }
}

impl Condition {
    /// Returns this condition and all that stand within it, in order.
    #[must_use]
    pub fn with_inner(&self) -> Vec<&Condition> {
        let inner: &[Condition] = match &self.kind {
            ConditionKind::All(conditions) | ConditionKind::Any(conditions) => conditions,
            ConditionKind::Not(condition) => std::slice::from_ref(condition),
            ConditionKind::Expression(_)
            | ConditionKind::State(_)
            | ConditionKind::Device(_)
            | ConditionKind::Time(_)
            | ConditionKind::Sun { .. } => &[],
        };
        std::iter::once(self).chain(inner.iter().flat_map(Condition::with_inner)).collect()
    }
}

impl Trigger {
    /// Returns the filter of the topics that it hears; `None` where it hears none.
    #[must_use]
    pub fn filter(&self) -> Option<&TopicFilter> {
        match &self.kind {
            TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => Some(filter),
            TriggerKind::State(state) | TriggerKind::Device(DeviceTrigger { state, .. }) => Some(&state.filter),
            TriggerKind::Schedule { .. }
            | TriggerKind::AtExpression { .. }
            | TriggerKind::Sequence(_)
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_)
            | TriggerKind::Webhook(_) => None,
        }
    }
}

impl Trigger {
    /// Returns the name of the webhook that it hears; `None` where it hears none.
    #[must_use]
    pub fn webhook(&self) -> Option<&Arc<str>> {
        match &self.kind {
            TriggerKind::Webhook(name) => Some(name),
            TriggerKind::Topic { .. }
            | TriggerKind::Silent { .. }
            | TriggerKind::State(_)
            | TriggerKind::Device(_)
            | TriggerKind::Schedule { .. }
            | TriggerKind::AtExpression { .. }
            | TriggerKind::Sequence(_)
            | TriggerKind::Client { .. }
            | TriggerKind::Event(_) => None,
        }
    }
}

impl Rule {
    /// Returns the names of the webhooks that the rule may hear, those that its actions wait for among them.
    pub fn webhooks(&self) -> impl Iterator<Item = &Arc<str>> {
        self.all_triggers().filter_map(Trigger::webhook)
    }

    /// Returns whether it's an invariant that may refuse what is published.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.invariant.as_ref().is_some_and(|invariant| matches!(invariant.form, InvariantForm::OnlyIf(_)))
    }

    /// Returns all actions of the rule, list by list.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.blocks.iter().flat_map(|block| &block.actions)
    }

    /// Returns the conditions that the rule asks, in order: its `while`, its `if`, what it demands, those of its actions. What
    /// stands within one isn't listed.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let started = match &self.start {
            Start::While(start) => Some(&start.condition),
            Start::When(_) => None,
        };
        let until = self.yields.as_ref().and_then(|yields| yields.until.as_ref());
        let demanded = self.invariant.as_ref().and_then(|invariant| invariant.form.condition());
        started
            .into_iter()
            .chain(&self.condition)
            .chain(demanded)
            .chain(until)
            .chain(self.actions().flat_map(|action| action.kind.conditions()))
    }

    /// Returns the triggers of `when`; none for a `while`.
    #[must_use]
    pub fn triggers(&self) -> &[Trigger] {
        match &self.start {
            Start::When(triggers) => triggers,
            Start::While(_) => &[],
        }
    }
}
