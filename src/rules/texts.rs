//! The texts of a rule that may hold expressions, and these expressions: for those who look at all that a rule reads.

use std::iter;

use crate::script::{Closure, Expression, Template};

use super::{
    ActionKind, Condition, ConditionKind, Confirm, DurationTemplate, Exec, ExtendTo, Http, IfChanged, Notify, Per,
    Publish, Question, RepeatKind, Rule, RuleReference, SetAction, Trigger, TriggerKind, Until,
};

impl Rule {
    /// Returns all expressions of the rule: those of its triggers, its conditions, its variables, its actions and what it counts runs
    /// by. What its closures do isn't among them.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found: Vec<&Expression> = self.all_triggers().filter_map(Trigger::expression).collect();
        found.extend(self.conditions().flat_map(Condition::with_inner).flat_map(Condition::expressions));
        found.extend(self.variables.iter().flat_map(|(_, value)| value.expressions()));
        if let Per::Expressions(expressions) = &self.per {
            found.extend(expressions);
        }
        let scenes = self.scenes.values().flat_map(ActionKind::expressions);
        found.extend(self.actions().flat_map(|action| action.kind.expressions()).chain(scenes));
        found
    }

    /// Returns the triggers of `when`, and those that its actions wait for.
    pub fn all_triggers(&self) -> impl Iterator<Item = &Trigger> {
        self.triggers().iter().chain(self.actions().flat_map(|action| action.kind.triggers()))
    }

    /// Returns the closures of the rule, those within others aside.
    pub fn closures(&self) -> impl Iterator<Item = &Closure> {
        let done = self.actions().filter_map(|action| match &action.kind {
            ActionKind::Script(closure) => Some(closure),
            _ => None,
        });
        done.chain(self.all_triggers().filter_map(Trigger::closure))
    }
}

impl Trigger {
    /// Returns the expression in it: what it asks, or what gives its time.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        match &self.kind {
            TriggerKind::Topic { condition: Some(Question::Expression(expression)), .. }
            | TriggerKind::AtExpression { expression, .. } => Some(expression),
            _ => None,
        }
    }

    /// Returns the closure that it asks.
    #[must_use]
    pub fn closure(&self) -> Option<&Closure> {
        match &self.kind {
            TriggerKind::Topic { condition: Some(Question::Closure(closure)), .. } => Some(closure),
            _ => None,
        }
    }
}

impl Condition {
    /// Returns its expressions, those of the conditions within it aside.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        match &self.kind {
            ConditionKind::Expression(expression) => vec![expression],
            ConditionKind::State(state) => state.topic.expressions(),
            ConditionKind::Device(asked) => asked.device.expressions(),
            ConditionKind::All(_)
            | ConditionKind::Any(_)
            | ConditionKind::Not(_)
            | ConditionKind::Time(_)
            | ConditionKind::Sun { .. } => Vec::new(),
        }
    }
}

impl ActionKind {
    /// Returns the expressions of this action, those of its inner lists, conditions and triggers aside.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        let own = match self {
            ActionKind::ChooseCase { on, .. } => Some(on),
            _ => None,
        };
        own.into_iter().chain(self.templates().into_iter().flat_map(Template::expressions)).collect()
    }

    /// Returns the texts of this action that may hold expressions, those of its inner lists, conditions and triggers aside.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            ActionKind::Publish(messages) => messages.iter().flat_map(Publish::templates).collect(),
            ActionKind::Scene { messages, sets, .. } => {
                messages.iter().flat_map(Publish::templates).chain(sets.iter().flat_map(SetAction::templates)).collect()
            }
            ActionKind::SceneByName(text) | ActionKind::Log { text, .. } | ActionKind::Stop(text) => vec![text],
            ActionKind::Set(set) => set.templates(),
            ActionKind::Input(entries) | ActionKind::Let(entries) | ActionKind::Remember(entries) => {
                entries.iter().map(|(_, value)| value).collect()
            }
            ActionKind::Notify(notify) => notify.templates(),
            ActionKind::Delay(time) => time.template().into_iter().collect(),
            ActionKind::Wait(wait) => {
                wait.timeout.iter().filter_map(DurationTemplate::template).chain(self.formed_texts()).collect()
            }
            ActionKind::Repeat { kind, .. } => kind.templates().into_iter().chain(self.formed_texts()).collect(),
            ActionKind::Run { rule, with, .. } => {
                rule.template().into_iter().chain(with.iter().map(|(_, value)| value)).collect()
            }
            ActionKind::Switch { rule, .. }
            | ActionKind::Cancel(rule)
            | ActionKind::Forget(rule)
            | ActionKind::Resume(rule) => rule.template().into_iter().collect(),
            ActionKind::Extend { rule, to } => rule.template().into_iter().chain(to.template()).collect(),
            ActionKind::Snapshot(snapshot) => iter::once(&snapshot.target).chain(&snapshot.name).collect(),
            ActionKind::Restore { name, to } => iter::once(name).chain(to).collect(),
            ActionKind::Http(http) => http.templates(),
            ActionKind::Exec(exec) => exec.templates(),
            ActionKind::Script(_)
            | ActionKind::If { .. }
            | ActionKind::Choose { .. }
            | ActionKind::ChooseCase { .. }
            | ActionKind::Parallel(_) => Vec::new(),
        }
    }

    fn formed_texts(&self) -> impl Iterator<Item = &Template> {
        self.formed().into_iter().flat_map(|formed| &formed.texts)
    }
}

impl Publish {
    /// Returns its texts that may hold expressions.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        let compared = match &self.if_changed {
            IfChanged::Topic(topic) => Some(topic),
            IfChanged::Always | IfChanged::OwnTopic => None,
        };
        let confirmed = self.confirm.iter().flat_map(|confirm| [Some(&confirm.state), confirm.confirm.template()]);
        [&self.topic, &self.payload].into_iter().chain(compared).chain(confirmed.flatten()).collect()
    }
}

impl SetAction {
    fn templates(&self) -> Vec<&Template> {
        let within = self.confirm.as_ref().and_then(Confirm::template);
        [&self.target, &self.to].into_iter().chain(within).collect()
    }
}

impl Confirm {
    fn template(&self) -> Option<&Template> {
        self.within.template()
    }
}

impl DurationTemplate {
    fn template(&self) -> Option<&Template> {
        match self {
            DurationTemplate::Fixed(_) => None,
            DurationTemplate::Template(template) => Some(template),
        }
    }
}

impl Notify {
    fn templates(&self) -> Vec<&Template> {
        let optional = [&self.title, &self.priority, &self.tags].into_iter().flatten();
        let buttons = self.buttons.iter().flat_map(|button| [&button.text, &button.webhook]);
        [&self.targets, &self.message].into_iter().chain(optional).chain(buttons).collect()
    }
}

impl RepeatKind {
    fn templates(&self) -> Vec<&Template> {
        match self {
            RepeatKind::Times(template) | RepeatKind::Each(template) => vec![template],
            RepeatKind::Every { interval, until: Until::Condition(_) | Until::Triggers(_) | Until::Formed(_) } => {
                interval.template().into_iter().collect()
            }
            RepeatKind::While(_) | RepeatKind::Until(_) => Vec::new(),
        }
    }
}

impl RuleReference {
    fn template(&self) -> Option<&Template> {
        match self {
            RuleReference::Fixed(_) => None,
            RuleReference::Template(template) => Some(template),
        }
    }
}

impl ExtendTo {
    fn template(&self) -> Option<&Template> {
        match self {
            ExtendTo::By(time) => time.template(),
            ExtendTo::Until(template) => Some(template),
        }
    }
}

impl Http {
    /// Returns its texts that may hold expressions.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        let headers = self.headers.iter().flat_map(|(name, value)| [name, value]);
        [&self.method, &self.url].into_iter().chain(headers).chain(&self.body).chain(self.timeout.template()).collect()
    }
}

impl Exec {
    fn templates(&self) -> Vec<&Template> {
        self.command.iter().chain(self.timeout.template()).collect()
    }
}
