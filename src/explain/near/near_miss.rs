//! Messages that had the topic of one of a rule's triggers, and didn't set it off.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::TriggerSources;
use crate::model::{Message, Payload, Topic, is_inner, spoken};
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

/// What a topic said last before a time, of the messages that are wanted.
type Earlier<'a> = dyn Fn(&Topic, Timestamp, &dyn Fn(&Message) -> bool) -> Option<Message> + 'a;

/// Returns the last of `messages`, which are oldest first, that came near, newest first, at most `most`. `earlier` looks
/// where `messages` don't reach back to.
#[must_use]
pub fn near_misses(
    rule: &Rule,
    sources: &TriggerSources,
    messages: &[(Timestamp, &Message)],
    most: usize,
    earlier: &Earlier<'_>,
) -> Vec<NearMiss> {
    let near = messages.iter().enumerate().rev().filter_map(|(index, (at, message))| {
        let (path, why) = rule.triggers().iter().find_map(|trigger| {
            let now = heard(trigger, sources, message)?;
            // What the value was before is looked for only where a trigger has the topic.
            let was = |earlier: &Message| {
                let was = heard(trigger, sources, earlier).filter(|was| was.topic == now.topic);
                was.map(|was| was.payload.clone())
            };
            let mut earlier_here = messages.get(..index).unwrap_or_default().iter().rev();
            let before = earlier_here
                .find_map(|(_, earlier)| was(earlier))
                .or_else(|| was(&earlier(&message.topic, *at, &|earlier| was(earlier).is_some())?));
            let why = miss(trigger, &now, before.as_ref().map(Payload::value))?;
            let is_named = now.topic != message.topic;
            let why = if is_named { format!("`{}`: {why}", spoken(now.topic.as_str())) } else { why };
            Some((Arc::clone(&trigger.path), why))
        })?;
        Some(NearMiss { at: *at, topic: message.topic.clone(), payload: message.payload.clone(), path, why })
    });
    near.take(most).collect()
}

/// Returns a message as a trigger hears it: what it says of a device or an input that it names, or as it is.
fn heard<'m>(trigger: &Trigger, sources: &TriggerSources, message: &'m Message) -> Option<Cow<'m, Message>> {
    let filter = trigger.filter()?;
    if !is_inner(filter.as_str()) {
        return filter.matches_in_rules(&message.topic).then_some(Cow::Borrowed(message));
    }
    let mut said = sources.said(message).into_iter();
    said.find(|(path, _)| **path == trigger.path).map(|(_, said)| Cow::Owned(said))
}
