//! What the engine asks the shell to do: its only output.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::history::Recall;
use crate::model::{Message, Name, RuleId};
use crate::rules::LogLevel;

use super::invariant::InvariantNews;
use super::kept::snapshot::SaveKey;
use super::people::notify::Notice;
use super::trace::{Cause, Trace};

/// Something that the shell must do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Publish a message. The engine has noted it already: the broker's copy must be kept away from it.
    Publish(Publication),
    /// Publish a message that no rule has asked for. The engine has noted it already, too.
    Tell(Message),
    /// Keep this for a restart; `None`: forget it. Folding all of them gives the snapshot.
    Save {
        /// What it is.
        key: SaveKey,
        /// Its value as JSON.
        value: Option<String>,
    },
    /// A run ended, or a rule didn't run.
    Trace(Arc<Trace>),
    /// A line for the log.
    Log {
        /// The rule that speaks; `None`: the engine itself.
        rule: Option<RuleId>,
        /// How loudly.
        level: LogLevel,
        /// What.
        text: String,
    },
    /// What became of an invariant.
    Invariant(Arc<InvariantNews>),
    /// Something that a person should see: a loop, a failed rule. For `homerule/alert`.
    Alert(Alert),
    /// Find what was recorded of a topic; [`super::Event::Recalled`] tells it. Where nothing is recorded, nobody answers.
    Recall(Recall),
    /// Make an HTTP request; [`super::Event::Answered`] tells the end.
    Http {
        /// Its id.
        request: RequestId,
        /// The rule that asks for it.
        rule: RuleId,
        /// What to send.
        call: HttpCall,
    },
    /// A rule tells a target something. It's asked for by [`Effect::Deliver`], or it's a publication.
    Notify {
        /// What.
        notice: Notice,
        /// Whether the target is a topic: the publication stands before it.
        is_published: bool,
    },
    /// Deliver a notification; [`super::Event::Answered`] tells the end.
    Deliver {
        /// The id of this attempt.
        request: RequestId,
        /// The rule that tells it.
        rule: RuleId,
        /// The target's name.
        target: Name,
        /// What to send.
        call: HttpCall,
    },
    /// Run a program; [`super::Event::Answered`] tells the end.
    Exec {
        /// Its id.
        request: RequestId,
        /// The rule that asks for it.
        rule: RuleId,
        /// The program, then its arguments.
        command: Vec<String>,
        /// How long it may run.
        timeout: Duration,
    },
}

/// A message that a rule published, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// The message.
    pub message: Message,
    /// The rule.
    pub rule: RuleId,
    /// What led to it.
    pub cause: Cause,
}

/// Where alerts are published; rules that name it get them too.
pub const ALERT_TOPIC: &str = "homerule/alert";

/// Something that a person should see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What kind.
    pub kind: AlertKind,
    /// The rule it is about; `None`: the home as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The invariant that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invariant: Option<RuleId>,
    /// What happened, in words.
    pub message: String,
}

/// The kinds of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Rules set each other off.
    LoopDetected,
    /// A rule runs very often.
    Storm,
    /// A run failed.
    RuleFailed,
    /// Somebody gave an input a value that it doesn't take.
    InputRefused,
    /// A notification couldn't be delivered.
    NotDelivered,
    /// What must never happen did.
    InvariantBroken,
    /// An invariant couldn't be judged.
    InvariantFailed,
    /// The disk doesn't take what should survive a restart.
    StoreFailing,
    /// The disk takes it again.
    StoreRecovered,
    /// A client doesn't take what is for it, and its queue is full.
    QueueFull,
}

impl AlertKind {
    /// Their words.
    pub const WORDS: [&'static str; 8] = [
        "loop_detected",
        "storm",
        "rule_failed",
        "input_refused",
        "not_delivered",
        "store_failing",
        "store_recovered",
        "queue_full",
    ];
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// `GET`, `POST`, …
    pub method: String,
    /// Where to.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// The id of an HTTP request or a program that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub u64);
