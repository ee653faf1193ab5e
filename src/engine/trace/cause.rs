//! What led to a run or a publication.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Origin, RuleId, Topic};

use super::RunId;

/// What led to a run or a publication. Causes form a chain, back to something from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What it was.
    pub kind: CauseKind,
    /// How many publications of rules lie between it and the outside; 0: it came from outside.
    pub depth: u32,
    /// The run that made it, where it is one of our own.
    pub run: Option<RunId>,
    /// What began the time that had to pass before it led to anything; `None`: none had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<Box<Armed>>,
}

/// What began a time that had to pass: a hold, a silence, a timer, the interval of a `while` with `every`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Armed {
    /// When.
    pub at: Timestamp,
    /// The topic whose message did; `None`: it was no message.
    pub topic: Option<Topic>,
    /// What had led to what did: of a timer, to the run that set it; of `every`, to the begin of its `while`.
    pub cause: Option<Cause>,
}

/// The kinds of causes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// A message.
    Message {
        /// Its number: messages are counted over the life of a home.
        sequence: u64,
        /// Its topic.
        topic: Topic,
        /// Where it came from.
        origin: Origin,
    },
    /// A time that was due: a schedule, a hold, a silence.
    Time {
        /// When it was due.
        due: Timestamp,
        /// Whether it fired late, after downtime.
        late: bool,
        /// What begins or ends then in a calendar, where it's one of its events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<Box<DueEvent>>,
    },
    /// A condition became true or false.
    Condition,
    /// The retained message of a topic expired.
    Expired(Topic),
    /// An MQTT client came or went.
    Client(Arc<str>),
    /// One of the daemon's own events, by its word.
    Event(Arc<str>),
    /// A webhook, by its name.
    Webhook(Arc<str>),
    /// Another rule's `run`.
    Rule(RuleId),
    /// A person, by the command line, the web or MQTT.
    Person,
}

/// An event of a calendar that was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueEvent {
    /// The calendar, by its name in homerule.yaml.
    pub calendar: Arc<str>,
    /// `start` or `end`.
    pub edge: Arc<str>,
    /// What the event is called.
    pub summary: Arc<str>,
}

impl Cause {
    /// Returns the topic of the message that it goes back to, and when that came; `None` for that: just then. Other
    /// things than messages have none, nor has what a run did.
    #[must_use]
    pub fn message(&self) -> Option<(&Topic, Option<Timestamp>)> {
        if let Some(armed) = &self.armed {
            let before = || armed.cause.as_ref().and_then(Cause::message);
            let found = armed.topic.as_ref().map(|topic| (topic, None)).or_else(before);
            if let Some((topic, at)) = found {
                return Some((topic, at.or(Some(armed.at))));
            }
        }
        match &self.kind {
            CauseKind::Message { topic, .. } => Some((topic, None)),
            CauseKind::Time { .. }
            | CauseKind::Condition
            | CauseKind::Expired(_)
            | CauseKind::Client(_)
            | CauseKind::Event(_)
            | CauseKind::Webhook(_)
            | CauseKind::Rule(_)
            | CauseKind::Person => None,
        }
    }

    /// Returns what led to what began its time, where that is known; else itself.
    #[must_use]
    pub fn outermost(&self) -> &Cause {
        let before = self.armed.as_ref().and_then(|armed| armed.cause.as_ref());
        before.map_or(self, Cause::outermost)
    }

    /// Returns it as what led to something only after a time that began at `at`.
    #[must_use]
    pub fn since(mut self, at: Timestamp) -> Cause {
        if self.armed.is_none() {
            let topic = self.message().map(|(topic, _)| topic.clone());
            self.armed = Some(Box::new(Armed { at, topic, cause: None }));
        }
        self
    }
}
