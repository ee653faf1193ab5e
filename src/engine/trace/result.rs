//! What came of a step, as what it's made of.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Name, Payload, RuleId, Topic, Value};

use super::{Cause, DeviceStep, Fault, Refusal, Verdict, WaitsFor};

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// It was done; there's nothing more to say.
    Done,
    /// This led to it.
    Caused(Cause),
    /// A timer was due.
    TimerDue {
        /// Its name.
        name: Option<Name>,
        /// What led to it.
        cause: Box<Cause>,
    },
    /// A condition was judged.
    Judged {
        /// The answer.
        verdict: Verdict,
        /// Its expression, if it is one.
        source: Option<Arc<str>>,
    },
    /// The rule was blocked.
    Refused(Refusal),
    /// A message was published.
    Published(Topic, Payload),
    /// What a command to devices came to.
    Device(DeviceStep),
    /// `if_changed` left a message out: this topic says so already.
    Unchanged(Topic, Value),
    /// A loop was stopped here: the message wasn't sent.
    Withheld(Topic, Payload),
    /// Its rule has `dry_run`: this is what it would have done.
    Would(Box<StepResult>),
    /// It lasts this long.
    Lasts(Duration),
    /// The run waits for this.
    WaitsFor(WaitsFor),
    /// The time for what it waited for is up.
    TimedOut,
    /// The case that was chosen.
    Case(Value),
    /// There's no case for a value.
    NoCase {
        /// The value.
        value: Value,
        /// The cases there are.
        cases: Vec<Value>,
    },
    /// A variable got a value.
    Set(Name, Value),
    /// The text that the rule gave: a line for the log, the reason to stop.
    Text(String),
    /// A request was sent.
    Requested {
        /// `GET`, `POST`, …
        method: String,
        /// Where to.
        url: String,
    },
    /// A target was told something.
    Notified {
        /// The target.
        target: Name,
        /// The title; empty where there's none.
        title: String,
        /// What.
        message: String,
    },
    /// A program was started; with its arguments.
    Started(Vec<String>),
    /// The rule that was run, switched or cancelled.
    Rule(RuleId),
    /// A timer was set.
    TimerSet {
        /// Its name.
        name: Option<Name>,
        /// When it's due, from now.
        delay: Duration,
    },
    /// A timer was cancelled.
    TimerCancelled {
        /// Its name.
        name: Name,
        /// Whether there was one.
        was_set: bool,
    },
    /// What came of it is too large to be kept in the trace: so many bytes.
    TooLarge(usize),
    /// It failed.
    Failed(Box<Fault>),
    /// In words: of a trace that an older version kept.
    Words(String),
}

impl StepResult {
    /// Returns about how many bytes it takes beside itself.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            StepResult::Published(topic, payload) | StepResult::Withheld(topic, payload) => {
                topic.as_str().len() + payload.bytes().len()
            }
            StepResult::Text(text) | StepResult::Words(text) => text.len(),
            StepResult::Requested { method, url } => method.len() + url.len(),
            StepResult::Notified { target, title, message } => target.len() + title.len() + message.len(),
            StepResult::Started(command) => command.iter().map(String::len).sum(),
            StepResult::Would(result) => size_of::<StepResult>() + result.size(),
            StepResult::Failed(fault) => size_of::<Fault>() + fault.size(),
            StepResult::Caused(_) | StepResult::TimerDue { .. } | StepResult::Judged { .. } => size_of::<Cause>(),
            StepResult::Set(_, value) | StepResult::Case(value) | StepResult::Unchanged(_, value) => value.size(),
            StepResult::NoCase { value, cases } => value.size() + cases.iter().map(Value::size).sum::<usize>(),
            StepResult::Device(DeviceStep::Commanded { values, .. } | DeviceStep::Unchanged { values, .. }) => {
                values.size()
            }
            StepResult::Done
            | StepResult::Device(_)
            | StepResult::TooLarge(_)
            | StepResult::Refused(_)
            | StepResult::Lasts(_)
            | StepResult::WaitsFor(_)
            | StepResult::TimedOut
            | StepResult::Rule(_)
            | StepResult::TimerSet { .. }
            | StepResult::TimerCancelled { .. } => 0,
        }
    }
}
