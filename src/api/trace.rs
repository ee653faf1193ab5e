//! A trace as programs read it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::engine::{BlockedBy, Outcome, Step, StepResult, StoppedBy, Trace, Verdict};
use crate::explain::{LocalTime, step_result, stop_reason, verdict_why};

use super::CauseAnswer;

/// A trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trace)]
pub struct TraceAnswer<'a> {
    /// The rule.
    #[schema(example = "hall:light")]
    pub rule: &'a str,
    /// The run; `null`: there was none.
    pub run: Option<u64>,
    /// When it began, or would have.
    pub at: Timestamp,
    /// When it ended; of a run that hasn't, now.
    pub ended_at: Timestamp,
    /// `finished`, `stopped`, `cancelled`, `failed`, `skipped` or `running`.
    #[schema(example = "finished")]
    pub outcome: &'static str,
    /// What kept it from running, or what ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "condition")]
    pub by: Option<EndedBy>,
    /// Why it was stopped or failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What led to it.
    #[schema(value_type = Object, example = json!({ "kind": "message", "topic": "home/hall/motion", "origin": "live" }))]
    pub cause: CauseAnswer<'a>,
    /// How often this happened in a row; left out: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// When it first did; `at` is the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
    /// What it did, step by step.
    pub steps: Vec<StepAnswer<'a>>,
}

/// What kept a rule from running, or ended its run.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum EndedBy {
    /// It didn't run.
    BlockedBy(BlockedBy),
    /// It was ended.
    Stopped(StoppedBy),
}

/// A step of a trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepAnswer<'a> {
    /// Where in the rule.
    #[schema(example = "then[0]")]
    pub path: &'a str,
    /// When.
    pub at: Timestamp,
    /// What it is: `trigger`, `condition`, `publish`, `delay`, …
    #[schema(example = "publish")]
    pub what: &'a str,
    /// What came of it, in words.
    #[schema(example = "home/hall/light/set ON")]
    pub result: Cow<'a, str>,
    /// The values that it read.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// For a condition: `true`, `false`, `unknown` or `failed`, as `result` begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    /// For a condition: why, as `result` goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// For a condition that's an expression: what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
}

impl<'a> TraceAnswer<'a> {
    /// Returns `trace` as programs read it; `time` says how its words write times.
    #[must_use]
    pub fn new(trace: &'a Trace, time: &LocalTime) -> TraceAnswer<'a> {
        let (by, reason) = match &trace.outcome {
            Outcome::Finished | Outcome::Running => (None, None),
            Outcome::Stopped(reason) => (None, Some(stop_reason(reason).to_owned())),
            Outcome::Failed(fault) => (None, Some(fault.to_string())),
            Outcome::Cancelled(by) => (Some(EndedBy::Stopped(*by)), None),
            Outcome::Skipped(by) => (Some(EndedBy::BlockedBy(*by)), None),
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

    /// Returns the word for what kept it from running, or ended it.
    #[must_use]
    pub fn by_word(&self) -> Option<String> {
        let word = serde_json::to_value(self.by.as_ref()?).ok()?;
        word.as_str().map(ToOwned::to_owned)
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
