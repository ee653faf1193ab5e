//! One run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::TraceAnswer;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::engine::{RunId, Trace};
use crate::explain::LocalTime;

/// `GET /api/runs/{id}`: its trace; 404 once it's gone.
pub(in crate::daemon::web) async fn run(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (trace, time) = gather(&shared, &id).await?;
    Ok(Json(serde_json::to_value(TraceAnswer::new(&trace, &time)).unwrap_or_default()))
}

/// Returns a run, under way or remembered.
pub(in crate::daemon::web) async fn gather(shared: &Shared, id: &str) -> Result<(Arc<Trace>, LocalTime), Problem> {
    let Ok(number) = id.parse() else {
        return Err(Problem::bad_request(format!("`{id}` isn't the number of a run")));
    };
    let found = shared
        .link
        .ask(move |home| {
            let running = home.engine.run_under_way(RunId(number), home.now).map(Arc::new);
            let found = running.or_else(|| home.traces.of_run(RunId(number)).cloned());
            found.map(|trace| (trace, home.local_time()))
        })
        .await?;
    found.ok_or_else(|| {
        Problem::not_found(format!("run {number} isn't remembered: there was none, or it's too long ago"))
    })
}
