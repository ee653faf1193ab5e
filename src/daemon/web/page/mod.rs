//! The page (docs/page.md): gathers what a view shows, and lets `crate::page` make HTML of it, beside the loop.

mod assets;
mod devices;
mod graph;
mod reply;
mod rules;
mod shadow;
pub(super) mod sign_in;
mod timeline;
mod topics;
mod trial;

pub(super) use reply::{asks_for_page, fragment, fragment_with, missing, protect};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

use crate::page::{self, View};

use super::Shared;
use reply::{Refused, Shown, Visit};

/// Returns the views and what belongs to them.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(now))
        .route("/rules", get(rules::list))
        .route("/rules/{*id}", get(rules::one))
        .route("/runs/{id}", get(rules::run))
        .route("/test/rules/{*id}", get(rules::test))
        .route("/devices", get(devices::list))
        .route("/devices/{*id}", get(devices::one))
        .route("/inputs", get(devices::inputs))
        .route("/topics", get(topics::list))
        .route("/topics/{*topic}", get(topics::one))
        .route("/graph", get(graph::graph))
        .route("/timeline", get(timeline::timeline))
        .route("/shadow", get(shadow::shadow))
        .route("/try", get(trial::trial))
        .route("/assets/{name}", get(assets::asset))
        .route("/login", get(sign_in::again).post(sign_in::sign_in))
        .route("/logout", post(sign_in::sign_out))
}

/// `GET /`
async fn now(State(shared): State<Shared>, visit: Visit) -> Result<Response, Refused> {
    let now = super::view::now::gather(&shared).await?;
    let title = match now.wrong.len() {
        0 => "Now".to_owned(),
        wrong => format!("({wrong}) Now"),
    };
    let look = reply::look(&shared).await?;
    let shown = Shown::new(View::Now, title, "message publish run switch diagnostics");
    visit.page(look, shown, move |look| page::now(look, &now)).await
}
