//! Messages of the past, with who published them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{Cause, TriggerSources};
use crate::model::{Message, RuleId, Topic};

/// A message that was heard.
#[derive(Debug, Clone)]
pub struct HeardMessage {
    /// When.
    pub at: Timestamp,
    /// The message.
    pub message: Message,
    /// Who published it.
    pub speaker: Speaker,
}

/// Who published a message.
#[derive(Debug, Clone)]
pub enum Speaker {
    /// A client with this id; `None`: nobody knows, as with a will.
    Client(Option<Arc<str>>),
    /// A rule, and what made it do so; `None`: that isn't known.
    Rule(RuleId, Option<Cause>),
}

/// Messages of the past: those in memory, or those that were recorded.
pub trait History {
    /// Returns the last message of `topic` at or before `at` that `is_wanted`.
    fn last(&self, topic: &Topic, at: Timestamp, is_wanted: &dyn Fn(&HeardMessage) -> bool) -> Option<HeardMessage>;

    /// Returns the messages of these topics after `from` up to `until`, oldest first.
    fn within(&self, from: Timestamp, until: Timestamp, topics: &BTreeSet<Topic>) -> Vec<HeardMessage>;

    /// Gives the messages after `from` up to `until` that a trigger of a rule hears or that the rule published, in parts:
    /// the newest part first, its messages oldest first.
    fn walk(
        &self,
        from: Timestamp,
        until: Timestamp,
        sources: &TriggerSources,
        take: &mut dyn FnMut(&[HeardMessage]) -> ControlFlow<()>,
    );
}

impl HeardMessage {
    /// Returns whether it's known what led to it: a client, or a rule whose cause is known.
    #[must_use]
    pub fn has_origin(&self) -> bool {
        match &self.speaker {
            Speaker::Client(_) | Speaker::Rule(_, Some(_)) => true,
            Speaker::Rule(_, None) => false,
        }
    }
}
