//! Since when a `state` condition with `for` holds, topic by topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Topic, TopicFilter, TopicState, Value};
use crate::rules::{
    Action, ActionKind, Condition, ConditionKind, RepeatKind, Rule, Start, StateCondition, Until, WaitFor,
};
use crate::script::{Template, TextPart};

/// Since when the value of a condition's topic is what the condition asks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tracker {
    /// The condition's path in the rule.
    pub(super) path: Arc<str>,
    /// The topics whose value is so now, and since when.
    pub(super) since: BTreeMap<Topic, Timestamp>,
}

impl Tracker {
    /// Takes into account what a topic's value is at `now`. Returns whether that changed anything.
    pub(super) fn note(&mut self, condition: &StateCondition, topic: &Topic, value: &Value, now: Timestamp) -> bool {
        let holds = value.at(&condition.field).is_some_and(|value| !value.is_null() && condition.accepts(value));
        if !holds {
            return self.since.remove(topic).is_some();
        }
        if self.since.contains_key(topic) {
            return false;
        }
        self.since.insert(topic.clone(), now);
        true
    }

    /// Returns since when the topic's value is what is asked, where nothing better is known: since its
    /// payload last changed.
    pub(super) fn since(&self, topic: &Topic, state: &TopicState) -> Timestamp {
        self.since.get(topic).copied().unwrap_or(state.changed_at)
    }
}

/// Returns a rule's `state` conditions with `for`, in the order of the rule, with their paths.
pub(super) fn tracked_conditions(rule: &Rule) -> Vec<(&Arc<str>, &StateCondition)> {
    let mut found = Vec::new();
    if let Start::While(start) = &rule.start {
        collect(&start.condition, &mut found);
    }
    if let Some(condition) = &rule.condition {
        collect(condition, &mut found);
    }
    for action in rule.blocks.iter().flat_map(|block| &block.actions) {
        collect_from_action(action, &mut found);
    }
    found
}

/// Returns the filter of the topics that a condition's topic may be: each level with an expression in it is `+`.
pub(super) fn topic_filter(topic: &Template) -> Option<TopicFilter> {
    let pattern = match topic {
        Template::Constant(Value::Text(text)) => text.to_string(),
        Template::Text(parts) => {
            // U+FFFF is no character: it marks where an expression stands.
            let marked: String = parts
                .iter()
                .map(|part| match part {
                    TextPart::Literal(text) => text.as_str(),
                    TextPart::Expression(_) => "\u{ffff}",
                })
                .collect();
            let level = |level: &str| if level.contains('\u{ffff}') { "+".to_owned() } else { level.to_owned() };
            marked.split('/').map(level).collect::<Vec<_>>().join("/")
        }
        Template::Constant(_) | Template::Expression(_) | Template::List(_) | Template::Map(_) => return None,
    };
    TopicFilter::parse(&pattern).ok()
}

fn collect<'a>(condition: &'a Condition, found: &mut Vec<(&'a Arc<str>, &'a StateCondition)>) {
    match &condition.kind {
        ConditionKind::State(state) if state.hold.is_some() => found.push((&condition.path, state)),
        ConditionKind::All(inner) | ConditionKind::Any(inner) => {
            for condition in inner {
                collect(condition, found);
            }
        }
        ConditionKind::Not(inner) => collect(inner, found),
        ConditionKind::State(_) | ConditionKind::Expression(_) | ConditionKind::Time(_) | ConditionKind::Sun { .. } => {
        }
    }
}

fn collect_from_action<'a>(action: &'a Action, found: &mut Vec<(&'a Arc<str>, &'a StateCondition)>) {
    match &action.kind {
        ActionKind::If { condition, .. } => collect(condition, found),
        ActionKind::Choose { branches, .. } => branches.iter().for_each(|branch| collect(&branch.condition, found)),
        ActionKind::Repeat { kind, .. } => match kind {
            RepeatKind::While(condition)
            | RepeatKind::Until(condition)
            | RepeatKind::Every { until: Until::Condition(condition), .. } => collect(condition, found),
            RepeatKind::Every { until: Until::Triggers(_), .. } | RepeatKind::Times(_) | RepeatKind::Each(_) => {}
        },
        ActionKind::Wait(wait) => {
            if let WaitFor::Until(condition) = &wait.what {
                collect(condition, found);
            }
        }
        ActionKind::Publish(_)
        | ActionKind::Scene { .. }
        | ActionKind::Delay(_)
        | ActionKind::ChooseCase { .. }
        | ActionKind::Parallel(_)
        | ActionKind::Let(_)
        | ActionKind::Remember(_)
        | ActionKind::Run { .. }
        | ActionKind::Switch { .. }
        | ActionKind::Cancel(_)
        | ActionKind::Log { .. }
        | ActionKind::Http(_)
        | ActionKind::Exec(_)
        | ActionKind::Stop(_) => {}
    }
}
