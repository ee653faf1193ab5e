//! A trace as programs read it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::daemon::traces::Kept;
use crate::engine::{Armed, Cause, CauseKind, Gate, Outcome, RunId, Step, StoppedBy, Trace};
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
    result: Cow<'a, str>,
    values: Map<String, Value>,
    /// Of a condition that is an expression: what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
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
            result: step.result.text(),
            values: step.values.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect(),
            source: step.source.as_deref(),
        }
    }
}

/// Returns the cause as one flat object: `{"kind": "message", "topic": …}`. What began the time that had to pass before it led
/// to anything is its `armed`: `{"at"}` with a `topic` or a `cause`.
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
        if let Some(armed) = &cause.armed {
            let mut told = Map::from_iter([("at".to_owned(), armed.at.to_string().into())]);
            told.extend(armed.topic.as_ref().map(|topic| ("topic".to_owned(), topic.as_str().into())));
            told.extend(armed.cause.as_ref().map(|before| ("cause".to_owned(), self::cause(before))));
            answer.insert("armed".to_owned(), told.into());
        }
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
    let armed = answer.get("armed").and_then(armed_of).map(Box::new);
    Some(Cause { kind, depth, run, armed })
}

fn armed_of(answer: &Value) -> Option<Armed> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let topic = text("topic").and_then(|topic| Topic::parse(topic).ok());
    Some(Armed { at: text("at")?.parse().ok()?, topic, cause: answer.get("cause").and_then(cause_of) })
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
                let before = Cause { kind: CauseKind::Person, depth: 1, run, armed: None };
                let topic = Topic::parse("home/door").unwrap();
                let armed = [(Some(topic), None), (None, Some(before))];
                let armed = armed.map(|(topic, cause)| Some(Box::new(Armed { at: due, topic, cause })));
                for armed in armed.into_iter().chain([None]) {
                    let written = Cause { kind: kind.clone(), depth: 2, run, armed };
                    assert_eq!(cause_of(&cause(&written)), Some(written));
                }
            }
        }
        assert_eq!(cause_of(&serde_json::json!({ "kind": "of tomorrow", "depth": 0 })), None);
    }
}
