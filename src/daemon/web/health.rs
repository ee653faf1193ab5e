//! How the daemon is: for programs, for probes, for Prometheus.

use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::api::Status;

use super::Shared;
use super::problem::Problem;

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
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "a file of the home doesn't load: see `homerule status`\n")
    })
}

/// `GET /metrics`, in Prometheus' text format.
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<String, Problem> {
    let question = |home: &mut crate::daemon::home::view::HomeView<'_>| {
        let (topics, passed_over) = (home.engine.states().len(), home.engine.failures_passed_over());
        (home.status(), home.counters, topics, passed_over)
    };
    let (status, counters, topics, passed_over) = shared.link.ask(question).await?;
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: String| {
        // Writing to a string doesn't fail.
        let _ = write!(text, "# HELP homerule_{name} {help}\n# TYPE homerule_{name} {kind}\nhomerule_{name} {value}\n");
    };
    let count = |value: u64| value.to_string();
    add("messages_received_total", "counter", "Messages that clients published.", count(counters.received));
    add("messages_published_total", "counter", "Messages that rules published.", count(counters.published));
    add("runs_total", "counter", "Runs that ended.", count(counters.runs));
    add("runs_failed_total", "counter", "Runs that failed.", count(counters.failed_runs));
    let help = "Parts of conditions that failed beside a part that decided.";
    add("condition_failures_passed_over_total", "counter", help, count(passed_over));
    add("rules", "gauge", "Rules in force.", status.rules.loaded.to_string());
    add("rules_enabled", "gauge", "Rules that are switched on.", status.rules.enabled.to_string());
    add("topics", "gauge", "Topics with a known state.", topics.to_string());
    add(
        "healthy",
        "gauge",
        "Whether each file of the home is in force, and the store keeps what it should.",
        u8::from(status.healthy).to_string(),
    );
    add("uptime_seconds", "gauge", "Seconds since the start.", status.uptime.to_string());
    Ok(text)
}
