//! The last traces.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::Value;

use crate::daemon::answer::TraceAnswer;

use super::Shared;
use super::problem::Problem;
use super::rules::find;

/// How many are given unless told.
const GIVEN: usize = 50;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    rule: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/traces?rule=&limit=`, newest first.
pub(super) async fn traces(
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Value>>, Problem> {
    let limit = asked.limit.unwrap_or(GIVEN);
    let rule = asked.rule.filter(|rule| !rule.is_empty());
    let traces = shared
        .link
        .ask(move |home| {
            let rule = rule.map(|rule| find(home, &rule)).transpose()?;
            Ok(home.traces.last(rule.as_ref().map(crate::model::RuleId::as_str), limit))
        })
        .await?;
    let traces = traces.map_err(|problem: Problem| problem)?;
    let document = |trace| serde_json::to_value(TraceAnswer::new(trace)).unwrap_or_default();
    Ok(Json(traces.iter().map(|trace| document(trace)).collect()))
}
