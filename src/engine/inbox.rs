//! The inbox: what comes after what is being handled.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{Message, Name, RuleId, Topic, Value};
use crate::rules::HomeEvent;
use crate::script::Failure;

use super::event::Event;
use super::live::subscriptions::Fact;
use super::trace::{Cause, RunId};

/// Something that is to be handled.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message from outside, or one that a rule published.
    Message {
        /// The message.
        message: Message,
        /// How many publications of rules led to it, itself included.
        depth: u32,
        /// The run that published it.
        run: Option<RunId>,
        /// The client that did, where it's known.
        client: Option<Arc<str>>,
    },
    /// Something that expressions read, beside topics, has changed; and what changed it.
    FactChanged { fact: Fact, cause: Cause },
    /// One of the daemon's own events, and the rule that it is about.
    HomeEvent { event: HomeEvent, rule: Option<RuleId>, depth: u32 },
    /// What rules may hear that name the event, and what it is about.
    Told { event: HomeEvent, about: Box<About>, depth: u32 },
    /// What a run waited for won't come: an answer when the daemon stopped, or a run that it ended itself.
    WaitFailed { run: RunId, thread: u32, why: Failure },
    /// The expressions of an open wait are asked once more after a restart or a reload.
    RecheckWait { run: RunId, wait: u64 },
    /// An event of the shell, other than a message.
    Event(Event),
}

impl Incoming {
    /// Returns whether it has a number of its own. What only follows from another, or from a restart, has none.
    pub(crate) fn is_counted(&self) -> bool {
        match self {
            Incoming::Message { .. } | Incoming::HomeEvent { .. } | Incoming::Told { .. } | Incoming::Event(_) => true,
            Incoming::FactChanged { .. } | Incoming::WaitFailed { .. } | Incoming::RecheckWait { .. } => false,
        }
    }
}

/// What one of the daemon's own events is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct About {
    /// A rule.
    pub(crate) rule: Option<RuleId>,
    /// An invariant.
    pub(crate) invariant: Option<RuleId>,
    /// What the wildcards matched of what led to it.
    pub(crate) captures: Vec<Arc<str>>,
    /// Those that have a name.
    pub(crate) named: Vec<(Name, Arc<str>)>,
}

/// What is to be handled, in its order.
#[derive(Debug, Default)]
pub(crate) struct Inbox(VecDeque<Incoming>);

impl Inbox {
    /// Puts something behind all that waits.
    pub(crate) fn push(&mut self, incoming: Incoming) {
        self.0.push_back(incoming);
    }

    /// Puts an event of the shell behind all that waits.
    pub(crate) fn push_event(&mut self, event: Event) {
        self.push(match event {
            Event::Message(message) => Incoming::Message { message, depth: 0, run: None, client: None },
            Event::MessageFrom { message, client } => {
                Incoming::Message { message, depth: 0, run: None, client: Some(client) }
            }
            event => Incoming::Event(event),
        });
    }

    /// Takes what is next.
    pub(crate) fn pop(&mut self) -> Option<Incoming> {
        self.0.pop_front()
    }

    /// Returns what waits, but for what `is_taken`.
    pub(crate) fn without(self, mut is_taken: impl FnMut(&Incoming) -> bool) -> Inbox {
        Inbox(self.0.into_iter().filter(|incoming| !is_taken(incoming)).collect())
    }

    /// Takes all that waits, to be put back later.
    pub(crate) fn take(&mut self) -> Inbox {
        std::mem::take(self)
    }

    /// Puts what was taken behind all that waits.
    pub(crate) fn append(&mut self, mut other: Inbox) {
        self.0.append(&mut other.0);
    }

    /// Returns the value of the last message of `topic` that waits.
    pub(crate) fn last_value(&self, topic: &Topic) -> Option<&Value> {
        self.0.iter().rev().find_map(|incoming| match incoming {
            Incoming::Message { message, .. } if message.topic == *topic => Some(message.payload.value()),
            _ => None,
        })
    }
}
