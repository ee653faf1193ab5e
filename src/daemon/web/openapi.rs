//! The description of the HTTP interface for programs (`OpenAPI` 3.1). It is written by hand, and tests hold it to the routes
//! and to the answers.

use axum::http::header;
use axum::response::IntoResponse;

/// The description.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /api/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
