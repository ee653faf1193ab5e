//! Since when a `state` condition with `for` holds, topic by topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{States, Topic, TopicFilter, TopicState, Value};
use crate::rules::{Condition, ConditionKind, DeviceCondition, Rule, StateCondition};
use crate::script::{Template, TextPart};

/// Since when the value of a condition's topic is what the condition asks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tracker {
    /// The condition's path in the rule.
    pub(crate) path: Arc<str>,
    /// The topics whose value is so now, and since when.
    pub(crate) since: BTreeMap<Topic, Timestamp>,
    /// Where the condition ignores some values: the last one of each topic that it doesn't.
    #[serde(default)]
    pub(crate) known: BTreeMap<Topic, Value>,
}

/// What a message changed of what a condition knows of its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Noted {
    pub(crate) since: bool,
    pub(crate) known: bool,
}

impl Tracker {
    /// Returns which condition it is of.
    pub(crate) fn without_topics(&self) -> Tracker {
        Tracker { path: Arc::clone(&self.path), ..Tracker::default() }
    }

    /// Takes into account what the topics' values are: each has been so since its payload last changed.
    pub(crate) fn look(&mut self, condition: &StateCondition, states: &States) {
        let Some(filter) = topic_filter(&condition.topic) else { return };
        for (topic, state) in states.matching(&filter) {
            self.note(condition, topic, state.payload.value(), state.changed_at);
        }
    }

    /// Takes into account what a topic's value is at `now`. Returns what that changed.
    /// A value that the condition ignores or can't judge changes nothing, as in triggers.
    pub(crate) fn note(&mut self, condition: &StateCondition, topic: &Topic, payload: &Value, now: Timestamp) -> Noted {
        if condition.ignored.contains(payload, &condition.field) {
            return Noted::default();
        }
        let value = payload.at(&condition.field).unwrap_or(&Value::Null);
        let is_known = condition.ignored.is_empty() || self.known.get(topic) == Some(value);
        if !is_known {
            self.known.insert(topic.clone(), value.clone());
        }
        Noted { since: condition.hold.is_some() && self.note_since(condition, topic, value, now), known: !is_known }
    }

    fn note_since(&mut self, condition: &StateCondition, topic: &Topic, value: &Value, now: Timestamp) -> bool {
        if !condition.can_judge(value) {
            return false;
        }
        let holds = !value.is_null() && condition.accepts(value);
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
    pub(crate) fn since(&self, topic: &Topic, state: &TopicState) -> Timestamp {
        self.since.get(topic).copied().unwrap_or(state.changed_at)
    }
}

/// Returns a rule's `state` conditions with `for`, or that ignore some values, in the order of the rule, with their paths.
pub(crate) fn tracked_conditions(rule: &Rule) -> Vec<(&Arc<str>, &StateCondition)> {
    let all = rule.conditions().flat_map(Condition::with_inner);
    let tracked = all.filter_map(|condition| match &condition.kind {
        ConditionKind::State(state) | ConditionKind::Device(DeviceCondition { state, .. })
            if state.hold.is_some() || !state.ignored.is_empty() =>
        {
            Some((&condition.path, state))
        }
        _ => None,
    });
    tracked.collect()
}

/// Returns the filter of the topics that a condition's topic may be: each level with an expression in it is `+`.
pub(crate) fn topic_filter(topic: &Template) -> Option<TopicFilter> {
    let pattern = match topic {
        Template::Constant(Value::Text(text)) => text.to_string(),
        Template::Text(parts) => {
            // U+FFFF isn't a character: it marks where an expression is.
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
