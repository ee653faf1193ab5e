//! What rules did over time, as programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::TraceAnswer;

use super::History;

/// What rules did over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Timeline, example = json!({
    "from": "2024-06-01T18:00:00Z", "to": "2024-06-01T19:00:00Z", "known_since": "2024-06-01T06:00:00Z", "left_out": 0,
    "runs": [{ "rule": "hall:light", "run": 7, "at": "2024-06-01T18:09:00Z", "ended_at": "2024-06-01T18:11:00Z", "outcome": "finished", "topic": "home/hall/motion", "times": 1 }],
    "skips": [{ "rule": "hall:light", "run": null, "at": "2024-06-01T18:30:00Z", "ended_at": "2024-06-01T18:30:00Z", "outcome": "skipped", "by": "condition", "times": 3 }],
    "holds": [{ "rule": "hall:off", "at": "2024-06-01T18:12:00Z", "ended_at": "2024-06-01T18:17:00Z", "is_going_on": false }],
    "lanes": []
}))]
pub struct TimelineAnswer {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Since when runs and skips are known one by one; before, only what was published is.
    pub known_since: Timestamp,
    /// The runs, oldest first.
    pub runs: Vec<PastRun>,
    /// What didn't run, oldest first.
    pub skips: Vec<PastRun>,
    /// What had to hold before it led to anything, oldest first.
    pub holds: Vec<HoldSpan>,
    /// What the topics that were asked for said.
    pub lanes: Vec<History>,
    /// How many runs and skips are left out, the oldest.
    pub left_out: usize,
}

/// A run, or what kept a rule from running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PastRun {
    /// The rule.
    #[schema(example = "hall:light")]
    pub rule: String,
    /// The run; `null`: there was none.
    pub run: Option<u64>,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// `finished`, `stopped`, `cancelled`, `failed`, `skipped`, `running` or `published`.
    #[schema(example = "finished")]
    pub outcome: String,
    /// What kept it from running, or ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The run that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<u64>,
    /// The topic whose message led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// How often this happened in a row.
    pub times: u64,
}

/// Something that had to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldSpan {
    /// The rule.
    pub rule: String,
    /// Since when it held.
    pub at: Timestamp,
    /// When it was over: it led to something, or was broken.
    pub ended_at: Timestamp,
    /// Whether it hasn't ended.
    pub is_going_on: bool,
}

impl PastRun {
    /// Returns a trace in short.
    #[must_use]
    pub fn new(trace: &TraceAnswer<'_>) -> PastRun {
        let cause = trace.cause.0;
        PastRun {
            rule: trace.rule.to_owned(),
            run: trace.run,
            at: trace.first_at.unwrap_or(trace.at),
            ended_at: trace.ended_at,
            outcome: trace.outcome.to_owned(),
            by: trace.by_word(),
            caused_by: cause.run.map(|run| run.0),
            topic: cause.message().map(|(topic, _)| topic.to_string()),
            times: trace.times.unwrap_or(1),
        }
    }
}
