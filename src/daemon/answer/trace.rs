//! A trace as programs read it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::daemon::traces::Kept;
use crate::engine::{Cause, CauseKind, Gate, Outcome, Step, StoppedBy, Trace};

/// A trace.
#[derive(Debug, Serialize)]
pub struct TraceAnswer<'a> {
    rule: &'a str,
    run: Option<u64>,
    at: Timestamp,
    ended_at: Timestamp,
    outcome: &'static str,
    /// The gate that kept it from running, or what ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<By>,
    /// Why it was stopped or failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    cause: Value,
    /// How often this happened in a row; left out: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// When it first did; `at` is the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_at: Option<Timestamp>,
    steps: Vec<StepAnswer<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum By {
    Gate(Gate),
    Stopped(StoppedBy),
}

#[derive(Debug, Serialize)]
struct StepAnswer<'a> {
    path: &'a str,
    at: Timestamp,
    what: &'a str,
    result: &'a str,
    values: Map<String, Value>,
}

impl<'a> TraceAnswer<'a> {
    /// Returns `trace` as programs read it.
    #[must_use]
    pub fn new(trace: &'a Trace) -> TraceAnswer<'a> {
        let (by, reason) = match &trace.outcome {
            Outcome::Finished | Outcome::Running => (None, None),
            Outcome::Stopped(reason) | Outcome::Failed(reason) => (None, Some(reason.as_str())),
            Outcome::Cancelled(by) => (Some(By::Stopped(*by)), None),
            Outcome::Skipped(gate) => (Some(By::Gate(*gate)), None),
        };
        TraceAnswer {
            rule: trace.rule.as_str(),
            run: trace.run.map(|run| run.0),
            at: trace.at,
            ended_at: trace.ended_at,
            outcome: trace.outcome.word(),
            by,
            reason,
            cause: cause(&trace.cause),
            times: None,
            first_at: None,
            steps: trace.steps.iter().map(StepAnswer::new).collect(),
        }
    }

    /// Returns a kept trace as programs read it.
    pub(in crate::daemon) fn kept(kept: &'a Kept) -> TraceAnswer<'a> {
        let several = kept.times > 1;
        TraceAnswer {
            times: several.then_some(kept.times),
            first_at: several.then_some(kept.first_at),
            ..TraceAnswer::new(&kept.trace)
        }
    }
}

impl<'a> StepAnswer<'a> {
    fn new(step: &'a Step) -> StepAnswer<'a> {
        StepAnswer {
            path: &step.path,
            at: step.at,
            what: &step.what,
            result: &step.result,
            values: step.values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
        }
    }
}

/// Returns the cause as one flat object: `{"kind": "message", "topic": …}`.
pub(super) fn cause(cause: &Cause) -> Value {
    let mut answer = match &cause.kind {
        CauseKind::Message { sequence, topic, origin } => {
            serde_json::json!({ "kind": "message", "sequence": sequence, "topic": topic.as_str(), "origin": origin.as_str() })
        }
        CauseKind::Time { due, late } => serde_json::json!({ "kind": "time", "due": due, "late": late }),
        CauseKind::Condition => serde_json::json!({ "kind": "condition" }),
        CauseKind::Client(client) => serde_json::json!({ "kind": "client", "client": client.as_ref() }),
        CauseKind::Event(event) => serde_json::json!({ "kind": "event", "event": event.as_ref() }),
        CauseKind::Webhook(name) => serde_json::json!({ "kind": "webhook", "name": name.as_ref() }),
        CauseKind::Rule(rule) => serde_json::json!({ "kind": "rule", "rule": rule.as_str() }),
        CauseKind::Person => serde_json::json!({ "kind": "person" }),
    };
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("depth".to_owned(), cause.depth.into());
        answer.insert("run".to_owned(), cause.run.map(|run| run.0).into());
    }
    answer
}
