//! The last traces.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::Value;

use crate::api::TraceAnswer;

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

/// `GET /api/traces?rule=&limit=`: runs that haven't ended, then the rest, newest first.
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
            let mut running = home.engine.runs_under_way(home.now);
            let rule = rule.as_ref().map(crate::model::RuleId::as_str);
            running.retain(|trace| rule.is_none_or(|rule| trace.rule.belongs_to(rule)));
            Ok((running, home.traces.last(rule, limit), home.local_time()))
        })
        .await?;
    let (running, kept, time) = traces.map_err(|problem: Problem| problem)?;
    let document = |answer: TraceAnswer<'_>| serde_json::to_value(answer).unwrap_or_default();
    let running = running.iter().rev().map(|trace| TraceAnswer::new(trace, &time));
    Ok(Json(running.chain(kept.iter().map(|kept| kept.answer(&time))).take(limit).map(document).collect()))
}
