//! Why a rule didn't run, as programs read it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::explain::{LocalTime, NearMiss, Obstacle, Repeated};

use super::TraceAnswer;

/// Why a rule didn't run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Obstacle)]
pub struct ObstacleAnswer {
    /// The rule.
    pub rule: String,
    /// When it last might have run; `None`: never.
    pub at: Option<Timestamp>,
    /// `trigger`, `failed`, or what blocked it as `trace` names that; `None`: nothing did, it ran.
    pub by: Option<&'static str>,
    /// In words.
    pub message: String,
    /// Messages with a topic of one of its triggers that set none off, newest first.
    pub near: Vec<NearAnswer>,
    /// The trace, if there is one.
    pub trace: Option<Value>,
}

/// A message that came near.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NearMiss)]
pub struct NearAnswer {
    /// When.
    pub at: Timestamp,
    /// The topic.
    pub topic: String,
    /// What it said.
    pub value: Value,
    /// The trigger's path.
    pub path: String,
    /// What kept it from setting the trigger off.
    pub why: String,
}

impl ObstacleAnswer {
    /// Returns `obstacle` as programs read it; `time` says how its words write times.
    #[must_use]
    pub fn new(obstacle: &Obstacle, time: &LocalTime) -> ObstacleAnswer {
        ObstacleAnswer {
            rule: obstacle.rule.to_string(),
            at: obstacle.at,
            by: obstacle.by.map(crate::explain::By::word),
            message: obstacle.message.clone(),
            near: obstacle.near.iter().map(NearAnswer::new).collect(),
            trace: obstacle.trace.as_ref().map(|repeated| trace(repeated, time)),
        }
    }
}

impl NearAnswer {
    fn new(near: &NearMiss) -> NearAnswer {
        NearAnswer {
            at: near.at,
            topic: near.topic.to_string(),
            value: near.payload.value().to_json(),
            path: near.path.to_string(),
            why: near.why.clone(),
        }
    }
}

fn trace(repeated: &Repeated, time: &LocalTime) -> Value {
    let answer = TraceAnswer::new(&repeated.trace, time).repeated(repeated.times, repeated.first_at);
    serde_json::to_value(answer).unwrap_or_default()
}
