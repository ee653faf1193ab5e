//! What is wrong, what waits and what happened of late, as programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{FailingRule, Finding, UndeliveredNotification};
use crate::engine::{InvariantView, WaitKind, Waits, WaitsFor};
use crate::explain::{LocalTime, awaited_any, overridden_by};
use crate::model::{Told, spoken};

/// How a home is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "at": "2024-06-01T18:10:00Z",
    "wrong": [{ "kind": "file", "message": "unknown key `whne`", "file": "rules/a.yaml", "line": 3, "column": 5, "help": "did you mean `when`?" }],
    "waiting": [{ "kind": "delay", "rule": "hall:off", "run": 7, "path": "then[0]", "what": "goes on", "since": "2024-06-01T18:09:00Z", "until": "2024-06-01T18:12:00Z" }],
    "waiting_left_out": 0,
    "recent": [{ "kind": "message", "at": "2024-06-01T18:09:00Z", "topic": "home/hall/motion", "payload": "ON", "client": "zigbee2mqtt" }]
}))]
pub struct Now {
    /// When this was so.
    pub at: Timestamp,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
    /// What waits, the first that ends first.
    pub waiting: Vec<Waiting>,
    /// How much more waits.
    pub waiting_left_out: usize,
    /// What happened of late, the newest first.
    pub recent: Vec<Recent>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wrong {
    /// What kind of thing it is.
    pub kind: WrongKind,
    /// What is wrong, in words.
    #[schema(example = "`home/hall/lux` isn't a number")]
    pub message: String,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "living/tv:dim-lights")]
    pub rule: Option<String>,
    /// Since when, as far as that's known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The file, relative to the home.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "rules/living/tv.yaml")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The kinds of things that are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrongKind {
    /// A rule's last run failed.
    RuleFailed,
    /// Rules set each other off, and one rests.
    Loop,
    /// A file of the home has an error.
    File,
    /// A file isn't in force as it is on the disk: its last good version is.
    Stale,
    /// What should survive a restart isn't kept.
    Store,
    /// Messages aren't recorded.
    Recorder,
    /// A device is offline, or says what it shouldn't.
    Device,
    /// What must never happen did.
    Invariant,
    /// A notification wasn't delivered.
    Notification,
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// `hold`, `linger`, `cooldown`, `rest`, `timer`, `delay`, `wait`, `queued`, `run` or `answer`.
    #[schema(example = "hold")]
    pub kind: String,
    /// The rule.
    #[schema(example = "hall:light-off")]
    pub rule: String,
    /// The run that waits; `null`: none has begun.
    pub run: Option<u64>,
    /// Where in the rule.
    #[schema(example = "when[0]")]
    pub path: String,
    /// For what, in words.
    #[schema(example = "`home/hall/motion` stays as it is")]
    pub what: String,
    /// The topic whose value holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when at most; `null`: nobody knows.
    pub until: Option<Timestamp>,
}

/// Something that happened of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recent {
    /// What kind of thing it is.
    pub kind: RecentKind,
    /// When.
    pub at: Timestamp,
    /// The topic of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its payload, shortened if it's very long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// How many bytes it had, where it's no text or was too large to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// Whether it was to be retained.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retained: bool,
    /// The client that published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The rule that published it, or ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// More about that, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The kinds of things that happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecentKind {
    /// A client published.
    Message,
    /// A rule published.
    Publish,
    /// A run ended.
    Run,
}

impl Recent {
    /// Returns what a line can say of the payload.
    #[must_use]
    pub fn told(&self) -> Told<'_> {
        match (&self.payload, self.bytes) {
            (Some(text), bytes) => Told::of_text(text, bytes),
            (None, bytes) => Told::Bytes(bytes.unwrap_or_default()),
        }
    }
}

impl Wrong {
    /// Returns that something of this kind is wrong.
    #[must_use]
    pub fn new(kind: WrongKind, message: String) -> Wrong {
        Wrong { kind, message, rule: None, at: None, file: None, line: None, column: None, help: None }
    }

    /// Returns that the last run of a rule failed.
    #[must_use]
    pub fn of_failing(failing: &FailingRule) -> Wrong {
        let unknown = "its last run failed, before the daemon started".to_owned();
        let message = failing.reason.clone().unwrap_or(unknown);
        Wrong { rule: Some(failing.rule.clone()), at: failing.at, ..Wrong::new(WrongKind::RuleFailed, message) }
    }

    /// Returns that an invariant is broken.
    #[must_use]
    pub fn of_invariant(invariant: &InvariantView) -> Option<Wrong> {
        let at = Some(invariant.broken_since?);
        let name = invariant.name.as_ref().map_or(String::new(), |name| format!(": {name}"));
        let message = format!("`{}` is broken{name}", invariant.invariant);
        Some(Wrong { at, ..Wrong::new(WrongKind::Invariant, message) })
    }

    /// Returns that a file has an error.
    #[must_use]
    pub fn of_finding(finding: &Finding) -> Wrong {
        Wrong {
            file: Some(finding.file.clone()),
            line: Some(finding.line),
            column: Some(finding.column),
            help: finding.help.clone(),
            ..Wrong::new(WrongKind::File, finding.message.clone())
        }
    }

    /// Returns that a file isn't in force.
    #[must_use]
    pub fn of_stale(file: &str, has_last_good: bool) -> Wrong {
        let message = if has_last_good {
            "it isn't in force as it is on the disk; its last good version is"
        } else {
            "none of it is in force"
        };
        Wrong { file: Some(file.to_owned()), ..Wrong::new(WrongKind::Stale, message.to_owned()) }
    }

    /// Returns that a notification wasn't delivered.
    #[must_use]
    pub fn of_undelivered(one: &UndeliveredNotification) -> Wrong {
        let message = format!("`{}` wasn't told \"{}\": {}", one.target, one.message, one.reason);
        Wrong { rule: Some(one.rule.clone()), at: Some(one.at), ..Wrong::new(WrongKind::Notification, message) }
    }

    /// Returns that a rule rests after a loop.
    #[must_use]
    pub fn of_rest(rest: &Waits, time: &LocalTime) -> Wrong {
        let until = rest.until.map_or(String::new(), |until| format!(" until {}", time.text(until)));
        let message = format!("rules set each other off; it rests{until}");
        Wrong { rule: Some(rest.rule.to_string()), at: Some(rest.since), ..Wrong::new(WrongKind::Loop, message) }
    }
}

impl Waiting {
    /// Returns `waits` as programs read it.
    #[must_use]
    pub fn new(waits: &Waits) -> Waiting {
        let topic = waits.topic.as_ref().map(ToString::to_string);
        let held = || {
            topic.as_ref().map_or("its `while` stays true".to_owned(), |topic| format!("`{}` stays so", spoken(topic)))
        };
        let name = || waits.name.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
        let what = match (waits.kind, &waits.what) {
            (_, Some(WaitsFor::Confirm { missing, .. })) => {
                let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                format!("waits for its devices: {}", missing.join("; "))
            }
            (_, Some(WaitsFor::Events { events, .. })) => format!("waits for {}", awaited_any(events)),
            (WaitKind::Override, _) => {
                let by = waits.by.as_ref().map_or(String::new(), |by| format!(": {}", overridden_by(by)));
                format!("yields{by}")
            }
            (WaitKind::Hold, _) => format!("runs if {}", held()),
            (WaitKind::Linger, _) => "ends unless its `while` becomes true again".to_owned(),
            (WaitKind::Cooldown, _) => "ignores triggers".to_owned(),
            (WaitKind::Rest, _) => "rests after a loop".to_owned(),
            (WaitKind::Timer, _) => format!("has set the timer{}", name()),
            (WaitKind::Delay, _) => "goes on".to_owned(),
            (WaitKind::Wait, _) => "waits".to_owned(),
            (WaitKind::Queued, _) => "waits for the run before it".to_owned(),
            (WaitKind::Run, _) => "waits for a rule that it runs".to_owned(),
            (WaitKind::Confirm, _) => "waits for a device to do what it was told".to_owned(),
            (WaitKind::Answer, _) => "waits for an answer from outside".to_owned(),
        };
        Waiting {
            kind: waits.kind.word().to_owned(),
            rule: waits.rule.to_string(),
            run: waits.run.map(|run| run.0),
            path: waits.path.to_string(),
            what,
            topic,
            since: waits.since,
            until: waits.until,
        }
    }
}
