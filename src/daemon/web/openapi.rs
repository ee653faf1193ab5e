//! The description of the HTTP interface for programs (`OpenAPI` 3.1): what can be asked is written by hand, and what is
//! answered is made from the types. Tests hold it to the routes and to the answers.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::Value;

use crate::api::schemas;

/// What can be asked, without the schemas of answers.
const ASKED: &str = include_str!("openapi.json");

/// The whole description.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(ASKED).unwrap_or_default();
    if let Some(known) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        known.extend(schemas());
    }
    document.to_string()
});

/// `GET /api/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
