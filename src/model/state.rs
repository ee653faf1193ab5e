//! The state of a home: each topic's last message, and since when it is so.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Message, Origin, Payload, Topic, TopicFilter};

/// What is known of one topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicState {
    /// The last message's payload.
    pub payload: Payload,
    /// When the last message came.
    pub at: Timestamp,
    /// When the payload last changed.
    pub changed_at: Timestamp,
    /// Whether a broker keeps the payload as the topic's retained message.
    pub retained: bool,
    /// Where the last message came from.
    pub origin: Origin,
    /// Whether the topic ever had a value: a payload that isn't empty.
    pub has_had_value: bool,
}

/// The state of all topics, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct States(BTreeMap<Topic, TopicState>);

impl States {
    /// Returns what is known of `topic`; `None` where no message of it was ever seen.
    #[must_use]
    pub fn get(&self, topic: &str) -> Option<&TopicState> {
        self.0.get(topic)
    }

    /// Notes `message`, which came at `now`, and returns what was known before.
    pub fn note(&mut self, now: Timestamp, message: &Message) -> Option<TopicState> {
        let has_value = !message.payload.value().is_null();
        let retained = (message.retain || message.origin == Origin::Retained) && !message.payload.is_empty();
        let Some(state) = self.0.get_mut(message.topic.as_str()) else {
            let state = TopicState {
                payload: message.payload.clone(),
                at: now,
                changed_at: now,
                retained,
                origin: message.origin,
                has_had_value: has_value,
            };
            self.0.insert(message.topic.clone(), state);
            return None;
        };
        let changed_at = if state.payload == message.payload { state.changed_at } else { now };
        let new = TopicState {
            payload: message.payload.clone(),
            at: now,
            changed_at,
            retained: retained || (state.retained && !message.retain),
            origin: message.origin,
            has_had_value: state.has_had_value || has_value,
        };
        Some(std::mem::replace(state, new))
    }

    /// Puts back what was known of `topic` before a restart.
    pub fn restore(&mut self, topic: Topic, state: TopicState) {
        self.0.insert(topic, state);
    }

    /// Returns the topics that a rule's filter matches, with their state, in the order of their names.
    pub fn matching<'a>(&'a self, filter: &'a TopicFilter) -> impl Iterator<Item = (&'a Topic, &'a TopicState)> {
        self.0.iter().filter(|(topic, _)| filter.matches_in_rules(topic))
    }

    /// Returns all topics with their state, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Topic, &TopicState)> {
        self.0.iter()
    }

    /// Returns how many topics were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether no topic was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
