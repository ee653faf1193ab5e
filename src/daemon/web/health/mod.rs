//! How the daemon is: for programs, for probes, for Prometheus.

pub(super) mod metrics;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::api::Status;
use crate::daemon::home::view::HomeView;

use super::Shared;
use super::problem::Problem;
use metrics::Shown;

/// `GET /api/status`
pub(super) async fn status(State(shared): State<Shared>) -> Result<Json<Status>, Problem> {
    Ok(Json(shared.link.ask(|home| home.status()).await?))
}

/// `GET /healthz`: 200 while the loop answers and each file is in force.
pub(super) async fn healthz(State(shared): State<Shared>) -> Result<(StatusCode, &'static str), Problem> {
    let status = shared.link.ask(|home| home.status()).await?;
    Ok(if status.healthy {
        (StatusCode::OK, "ok\n")
    } else if status.store.failing.is_some() {
        (StatusCode::SERVICE_UNAVAILABLE, "the disk doesn't take what should be kept: see `homerule status`\n")
    } else if status.link.as_ref().is_some_and(|link| !link.connected) {
        (StatusCode::SERVICE_UNAVAILABLE, "the broker is away: see `homerule status`\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "a file of the home doesn't load: see `homerule status`\n")
    })
}

/// `GET /metrics`, in Prometheus' text format.
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<String, Problem> {
    let question = |home: &mut HomeView<'_>| Shown {
        status: home.status(),
        counters: home.counters,
        topics: home.engine.states().len(),
        failures_passed_over: home.engine.failures_passed_over(),
        broker: home.mqtt.broker().map(|broker| broker.counted()),
    };
    Ok(shared.link.ask(question).await?.text())
}
