//! A trace as programs read it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::engine::{BlockedBy, Outcome, Step, StepResult, StoppedBy, Trace, Verdict};
use crate::explain::{LocalTime, step_result, stop_reason, verdict_why};

use super::CauseAnswer;

/// A trace.
#[derive(Debug, Serialize)]
pub struct TraceAnswer<'a> {
    rule: &'a str,
    run: Option<u64>,
    at: Timestamp,
    ended_at: Timestamp,
    outcome: &'static str,
    /// What kept it from running, or what ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<By>,
    /// Why it was stopped or failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
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
    Blocked(BlockedBy),
    Stopped(StoppedBy),
}

#[derive(Debug, Serialize)]
struct StepAnswer<'a> {
    path: &'a str,
    at: Timestamp,
    what: &'a str,
    result: Cow<'a, str>,
    values: Map<String, Value>,
    /// For a condition: `true`, `false`, `unknown` or `failed`, as `result` begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// For a condition: why, as `result` goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// For a condition that's an expression: what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
}

impl<'a> TraceAnswer<'a> {
    /// Returns `trace` as programs read it; `time` says how its words write times.
    #[must_use]
    pub fn new(trace: &'a Trace, time: &LocalTime) -> TraceAnswer<'a> {
        let (by, reason) = match &trace.outcome {
            Outcome::Finished | Outcome::Running => (None, None),
            Outcome::Stopped(reason) => (None, Some(stop_reason(reason).to_owned())),
            Outcome::Failed(fault) => (None, Some(fault.to_string())),
            Outcome::Cancelled(by) => (Some(By::Stopped(*by)), None),
            Outcome::Skipped(by) => (Some(By::Blocked(*by)), None),
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
            steps: trace.steps.iter().map(|step| StepAnswer::new(step, time)).collect(),
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
    fn new(step: &'a Step, time: &LocalTime) -> StepAnswer<'a> {
        let (verdict, source) = match &step.result {
            StepResult::Judged { verdict, source } => (Some(verdict), source.as_deref()),
            _ => (None, None),
        };
        StepAnswer {
            path: &step.path,
            at: step.at,
            what: step.kind.word(),
            result: step_result(step, time),
            values: step.values.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect(),
            verdict: verdict.map(Verdict::word),
            why: verdict.and_then(|verdict| verdict_why(verdict, step.at, time)),
            source,
        }
    }
}
