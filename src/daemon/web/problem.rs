//! What is wrong with a request, as a problem document (RFC 9457).

use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::daemon::home::input::Stopping;

/// What a problem document is.
const PROBLEM_JSON: &str = "application/problem+json";

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    /// What programs read beside that.
    more: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), more: Map::default() }
    }

    /// Returns it with something that programs read beside the words.
    pub(super) fn with(mut self, key: &str, value: Value) -> Problem {
        self.more.insert(key.to_owned(), value);
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    pub(super) fn too_many(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, detail)
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, detail)
    }

    /// A standby doesn't act: whoever asks may ask the leader.
    pub(super) fn standby(leader: &str) -> Problem {
        let detail = format!("this instance is a standby, and `{leader}` leads: ask there");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with("leader", Value::String(leader.to_owned()))
    }

    pub(super) fn internal(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    pub(super) fn unauthorized() -> Problem {
        let detail = "send the token of `web.token_file` as `Authorization: Bearer TOKEN`".to_owned();
        Problem::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(super) fn method_not_allowed() -> Problem {
        let detail = "that page doesn't take this method".to_owned();
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
    }
}

/// The longest reason that is read out of a response.
const LONGEST_REASON: usize = 4096;

/// Returns `response`, or the problem document of a refusal that isn't one yet: those of the web library are bare text.
pub(super) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !status.is_client_error() || kind == PROBLEM_JSON || kind.starts_with("text/html") {
        return response;
    }
    let reason = to_bytes(response.into_body(), LONGEST_REASON).await.unwrap_or_default();
    Problem::new(status, String::from_utf8_lossy(&reason)).into_response()
}

impl From<Stopping> for Problem {
    fn from(_: Stopping) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(document) = document.as_object_mut() {
            document.extend(self.more);
        }
        let json = HeaderValue::from_static(PROBLEM_JSON);
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], document.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}
