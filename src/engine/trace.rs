//! Traces: the record of a run, or of a rule that did not run, with the gate that stopped it.
//!
//! The command line, the web page, failed tests, `why` and coverage all read this one thing.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::{Origin, RuleId, Topic, Value};

/// The id of a run: they count up over the life of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);

/// The record of a run, or of a rule that did not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The rule.
    pub rule: RuleId,
    /// The run; `None` where there was none.
    pub run: Option<RunId>,
    /// When it started, or would have.
    pub at: Timestamp,
    /// When it ended; of one that hasn't: when that was asked.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What led to it.
    pub cause: Cause,
    /// What it did, step by step: the trigger, conditions, actions.
    pub steps: Vec<Step>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It did all that it had to do.
    Finished,
    /// It was ended by `stop` or a timeout; with the reason.
    Stopped(String),
    /// It was ended by something else.
    Cancelled(StoppedBy),
    /// An error ended it; with what was wrong.
    Failed(String),
    /// It never started.
    Skipped(Gate),
    /// It hasn't ended: only what the engine tells when it is asked.
    Running,
}

impl Outcome {
    /// Returns the outcome's word: `finished`, `stopped`, `cancelled`, `failed`, `skipped` or `running`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Finished => "finished",
            Outcome::Stopped(_) => "stopped",
            Outcome::Cancelled(_) => "cancelled",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
            Outcome::Running => "running",
        }
    }
}

/// What ended a run before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// `cancel`.
    Cancel,
    /// A new run in mode `restart`.
    Restart,
    /// Its `while` is no longer true.
    WhileEnded,
    /// Its rule changed or is gone.
    Reload,
    /// Its rules set each other off.
    Loop,
    /// The run that called it ended.
    Caller,
}

/// What kept a rule from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Its condition is false.
    Condition,
    /// Its condition can't be told: a topic never had a value.
    Unknown,
    /// Its mode dropped the trigger.
    Mode,
    /// Its cooldown isn't over.
    Cooldown,
    /// It is switched off.
    Disabled,
    /// It rests after a loop.
    Resting,
    /// A hold was broken before its time.
    Hold,
}

impl Gate {
    /// Returns the gate's word (spec 11, `by`).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Gate::Condition => "condition",
            Gate::Unknown => "unknown",
            Gate::Mode => "mode",
            Gate::Cooldown => "cooldown",
            Gate::Disabled => "disabled",
            Gate::Resting => "resting",
            Gate::Hold => "hold",
        }
    }
}

/// One thing that a run did or asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The place in the rule: `when[0]`, `if`, `then[1].else[0]`.
    pub path: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// What it is: `trigger`, `condition`, `publish`, `delay`, …
    pub what: Cow<'static, str>,
    /// What came of it, in words: `true`, `home/hall/light/set ON`, `failed: …`.
    pub result: String,
    /// The values that it read, by what was read.
    pub values: Vec<(String, Value)>,
}

/// What led to a run or a publication. Causes form a chain, back to something from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What it was.
    pub kind: CauseKind,
    /// How many publications of rules lie between it and the outside; 0: it came from outside.
    pub depth: u32,
    /// The run that made it, where it is one of our own.
    pub run: Option<RunId>,
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
    },
    /// A condition became true or false.
    Condition,
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

impl Cause {
    /// Returns the cause as a person would say it, with the times of `zone`: `home/tv (live)`,
    /// `due at 2024-06-01T07:30:00+01:00`, `the rule tv:night`.
    pub(super) fn told(&self, zone: &TimeZone) -> String {
        match &self.kind {
            CauseKind::Message { topic, origin, .. } => format!("{topic} ({})", origin.as_str()),
            CauseKind::Time { due, late } => {
                let due = due.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z");
                format!("due at {due}{}", if *late { ", late" } else { "" })
            }
            CauseKind::Condition => "its condition changed".to_owned(),
            CauseKind::Client(client) => format!("the client {client}"),
            CauseKind::Event(event) => format!("the event {event}"),
            CauseKind::Webhook(name) => format!("the webhook {name}"),
            CauseKind::Rule(rule) => format!("the rule {rule}"),
            CauseKind::Person => "a person".to_owned(),
        }
    }
}
