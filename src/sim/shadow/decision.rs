//! Something that one side decided, to be compared with what the other does.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::{HttpCall, RunId};
use crate::model::{Message, Payload, RuleId};

/// What holds of a payload that differs is told; a longer one isn't kept.
const LONGEST_PAYLOAD: usize = 4 << 10;

/// What a decision takes beside its payload, about.
const OVERHEAD: usize = 300;

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The rules in force, or whoever else publishes.
    Here,
    /// The rules in the shadow.
    There,
}

impl Side {
    /// Returns the other one.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Here => Side::There,
            Side::There => Side::Here,
        }
    }
}

/// Something that was decided: a message, a request or a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Where to: a topic, `GET https://…`, or `exec` and a program.
    pub topic: Arc<str>,
    /// What.
    pub payload: Payload,
    /// Whether it was to be retained.
    pub retain: bool,
    /// Who decided it.
    pub by: By,
}

/// Who decided something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A rule, in a run.
    Rule(RuleId, Option<RunId>),
    /// An MQTT client.
    Client(Arc<str>),
    /// Somebody.
    Somebody,
}

/// What was decided, as far as it is kept once it differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// What; `None` where it is too long to be kept.
    pub payload: Option<Payload>,
    /// Whether it was to be retained.
    pub retain: bool,
    /// Who decided it.
    pub by: By,
}

impl Decision {
    /// Returns the decision to publish `message`.
    #[must_use]
    pub fn of_message(at: Timestamp, message: &Message, by: By) -> Decision {
        let topic = message.topic.as_str().into();
        Decision { at, topic, payload: message.payload.clone(), retain: message.retain, by }
    }

    /// Returns the decision to make an HTTP request.
    #[must_use]
    pub fn of_request(at: Timestamp, call: &HttpCall, by: By) -> Decision {
        let topic = format!("{} {}", call.method, call.url).into();
        Decision { at, topic, payload: Payload::from_bytes(call.body.clone()), retain: false, by }
    }

    /// Returns the decision to tell people something through `target`. Its address may be a secret.
    #[must_use]
    pub fn of_notice(at: Timestamp, target: &str, call: &HttpCall, by: By) -> Decision {
        let payload = Payload::from_bytes(call.body.clone());
        Decision { at, topic: format!("notify {target}").into(), payload, retain: false, by }
    }

    /// Returns the decision to run a program.
    #[must_use]
    pub fn of_program(at: Timestamp, command: &[String], by: By) -> Decision {
        let (program, arguments) = command.split_first().map_or(("", command), |(first, rest)| (first.as_str(), rest));
        let payload = Payload::from_bytes(arguments.join(" ").into_bytes());
        Decision { at, topic: format!("exec {program}").into(), payload, retain: false, by }
    }

    /// Returns whether both say the same: to the same topic, retained or not, payloads that are equal as JSON. How surely it
    /// arrives (`qos`) is no part of it.
    #[must_use]
    pub fn is_same(&self, other: &Decision) -> bool {
        self.topic == other.topic && self.retain == other.retain && self.payload.agrees_with(&other.payload)
    }

    /// Returns about how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        OVERHEAD + self.topic.len() + self.payload.bytes().len()
    }

    /// Returns the rule that decided it.
    #[must_use]
    pub fn rule(&self) -> Option<&RuleId> {
        match &self.by {
            By::Rule(rule, _) => Some(rule),
            By::Client(_) | By::Somebody => None,
        }
    }

    /// Returns what is kept of it.
    pub(super) fn said(self) -> Said {
        let is_short = self.payload.bytes().len() <= LONGEST_PAYLOAD;
        Said { payload: is_short.then_some(self.payload), retain: self.retain, by: self.by }
    }
}
