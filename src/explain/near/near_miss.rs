//! Messages that had the topic of one of a rule's triggers, and didn't set it off.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Message, Payload, Topic};
use crate::rules::{Rule, Trigger};

use super::miss;

/// A message that came near.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    /// When it came.
    pub at: Timestamp,
    /// Its topic.
    pub topic: Topic,
    /// What it said.
    pub payload: Payload,
    /// The path of the trigger.
    pub path: Arc<str>,
    /// Why it didn't set the trigger off.
    pub why: String,
}

/// Returns the last of `messages`, which are oldest first, that came near, newest first, at most `most`. `earlier` gives
/// what a topic said last before a time, if `messages` don't reach back that far.
#[must_use]
pub fn near_misses(
    rule: &Rule,
    messages: &[(Timestamp, &Message)],
    most: usize,
    earlier: &dyn Fn(&Topic, Timestamp) -> Option<Payload>,
) -> Vec<NearMiss> {
    let before = |index: usize, message: &Message, at: Timestamp| {
        let mut earlier_here = messages.get(..index).unwrap_or_default().iter().rev();
        let same = earlier_here.find(|(_, earlier)| earlier.topic == message.topic);
        same.map(|(_, earlier)| earlier.payload.clone()).or_else(|| earlier(&message.topic, at))
    };
    let near = messages.iter().enumerate().rev().filter_map(|(index, (at, message))| {
        // What the value was before is looked for only where a trigger has the topic.
        let mut triggers = rule.triggers().iter().filter(|trigger| hears(trigger, &message.topic)).peekable();
        triggers.peek()?;
        let before = before(index, message, *at);
        let before = before.as_ref().map(Payload::value);
        let (path, why) =
            triggers.find_map(|trigger| Some((Arc::clone(&trigger.path), miss(trigger, message, before)?)))?;
        Some(NearMiss { at: *at, topic: message.topic.clone(), payload: message.payload.clone(), path, why })
    });
    near.take(most).collect()
}

fn hears(trigger: &Trigger, topic: &Topic) -> bool {
    trigger.filter().is_some_and(|filter| filter.matches_in_rules(topic))
}
