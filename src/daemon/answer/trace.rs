//! A trace as programs read it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::daemon::traces::Kept;
use crate::engine::{Cause, CauseKind, Gate, Outcome, RunId, Step, StoppedBy, Trace};
use crate::model::{RuleId, Topic};

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
pub(in crate::daemon) fn cause(cause: &Cause) -> Value {
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

/// Returns the cause that a recording line or a trace tells; `None` where this is none, or is of another version.
#[must_use]
pub fn cause_of(answer: &Value) -> Option<Cause> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let kind = match text("kind")? {
        "message" => CauseKind::Message {
            sequence: answer.get("sequence")?.as_u64()?,
            topic: Topic::parse(text("topic")?).ok()?,
            origin: serde_json::from_value(answer.get("origin")?.clone()).ok()?,
        },
        "time" => CauseKind::Time { due: text("due")?.parse().ok()?, late: answer.get("late")?.as_bool()? },
        "condition" => CauseKind::Condition,
        "client" => CauseKind::Client(text("client")?.into()),
        "event" => CauseKind::Event(text("event")?.into()),
        "webhook" => CauseKind::Webhook(text("name")?.into()),
        "rule" => CauseKind::Rule(RuleId::from_text(text("rule")?)),
        "person" => CauseKind::Person,
        _ => return None,
    };
    let depth = answer.get("depth").and_then(Value::as_u64).and_then(|depth| u32::try_from(depth).ok())?;
    let run = answer.get("run").and_then(Value::as_u64).map(RunId);
    Some(Cause { kind, depth, run })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

    #[test]
    fn a_cause_is_read_as_it_was_written() {
        let topic = Topic::parse("home/tv").unwrap();
        let due = Timestamp::from_second(1_717_264_800).unwrap();
        for kind in [
            CauseKind::Message { sequence: 7, topic, origin: Origin::Live },
            CauseKind::Time { due, late: true },
            CauseKind::Condition,
            CauseKind::Client("tv".into()),
            CauseKind::Event("started".into()),
            CauseKind::Webhook("bell".into()),
            CauseKind::Rule(RuleId::from_text("tv:on")),
            CauseKind::Person,
        ] {
            for run in [None, Some(RunId(3))] {
                let written = Cause { kind: kind.clone(), depth: 2, run };
                assert_eq!(cause_of(&cause(&written)), Some(written));
            }
        }
        assert_eq!(cause_of(&serde_json::json!({ "kind": "of tomorrow", "depth": 0 })), None);
    }
}
