//! Traces: the record of a run, or of a rule that did not run, with the gate that stopped it.
//!
//! The command line, the web page, failed tests, `why` and coverage all read this one thing.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::{Origin, RuleId, Topic, format_duration};

use super::{Step, StepResult, elapsed};

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
    pub(super) fn since(mut self, at: Timestamp) -> Cause {
        if self.armed.is_none() {
            let topic = self.message().map(|(topic, _)| topic.clone());
            self.armed = Some(Box::new(Armed { at, topic, cause: None }));
        }
        self
    }

    /// Returns the cause as a person would say it at `now`, in times of `zone`: `home/tv (live)`,
    /// `home/door (live), 3m before`, `due at 2024-06-01 07:30:00`, `the rule tv:night`.
    pub(super) fn told(&self, zone: &TimeZone, now: Timestamp) -> StepResult {
        let armed = self.armed.as_ref();
        let text = match &self.kind {
            CauseKind::Message { topic, origin, .. } => match armed {
                None => return StepResult::Heard(topic.clone(), *origin),
                Some(armed) => {
                    let before = format_duration(elapsed(armed.at, now));
                    format!("{topic} ({}), {before} before", origin.as_str())
                }
            },
            CauseKind::Time { due, late } => {
                let after = armed.map_or(String::new(), |armed| {
                    let began = if self.run.is_some() { "it was set" } else { "it began" };
                    let what = armed.topic.as_ref().map_or(began, Topic::as_str);
                    format!(", {} after {what}", format_duration(elapsed(armed.at, *due)))
                });
                let due = due.to_zoned(zone.clone());
                let format = if due.millisecond() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.3f" };
                let due = due.strftime(format);
                format!("due at {due}{}{after}", if *late { ", late" } else { "" })
            }
            CauseKind::Condition => return "its condition changed".into(),
            CauseKind::Client(client) => format!("the client {client}"),
            CauseKind::Event(event) => format!("the event {event}"),
            CauseKind::Webhook(name) => format!("the webhook {name}"),
            CauseKind::Rule(rule) => format!("the rule {rule}"),
            CauseKind::Person => return "a person".into(),
        };
        text.into()
    }
}
