//! A trace as programs read it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::engine::{Gate, Outcome, Step, StoppedBy, Trace};

use super::CauseAnswer;

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
    cause: CauseAnswer<'a>,
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
            cause: CauseAnswer(&trace.cause),
            times: None,
            first_at: None,
            steps: trace.steps.iter().map(StepAnswer::new).collect(),
        }
    }

    /// Returns it as having happened this often in a row, first at `first_at`.
    #[must_use]
    pub fn repeated(self, times: u64, first_at: Timestamp) -> TraceAnswer<'a> {
        let several = times > 1;
        TraceAnswer { times: several.then_some(times), first_at: several.then_some(first_at), ..self }
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
