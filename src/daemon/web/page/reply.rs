//! Answers for browsers: pages and parts of them, packed, and guarded by what the browser is told to refuse.

use std::io::Write;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::Markup;

use crate::daemon::home::input::Stopping;
use crate::daemon::web::Shared;
use crate::daemon::web::access::Entry;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::view::beside;
use crate::page::{Frame, Look, View, page, problem_page};

/// What a browser may load, and who may show the page: nothing but this site.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// What is shorter isn't packed.
const WORTH_PACKING: usize = 1024;

/// Somebody who looks at a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    takes_gzip: bool,
    is_signed_in: bool,
}

/// What a page shows.
pub(super) struct Shown {
    view: View,
    title: String,
    /// The kinds of events that change it.
    live: &'static str,
    /// The topic that it's about.
    topic: Option<String>,
}

impl Shown {
    /// Returns a page of `view` that the events `live` change.
    pub(super) fn new(view: View, title: impl Into<String>, live: &'static str) -> Shown {
        Shown { view, title: title.into(), live, topic: None }
    }

    /// Returns it as being about one topic.
    pub(super) fn of_topic(self, topic: String) -> Shown {
        Shown { topic: Some(topic), ..self }
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visit, Self::Rejection> {
        let entry = parts.extensions.get::<Entry>().copied();
        Ok(Visit { takes_gzip: takes_gzip(&parts.headers), is_signed_in: entry == Some(Entry::Cookie) })
    }
}

impl Visit {
    /// Returns a page.
    pub(super) async fn page(
        self,
        look: Look,
        shown: Shown,
        body: impl FnOnce(&Look) -> Markup + Send + 'static,
    ) -> Result<Response, Refused> {
        let made = beside(move || {
            let body = body(&look);
            let Shown { view, title, live, topic } = shown;
            let topic = topic.as_deref();
            let frame = Frame { look: &look, view, title, live, topic, is_signed_in: self.is_signed_in };
            pack(page(&frame, &body).into_bytes(), self.takes_gzip)
        });
        let (bytes, is_packed) = made.await?;
        Ok(html(StatusCode::OK, bytes, is_packed))
    }

    pub(super) fn takes_gzip(self) -> bool {
        self.takes_gzip
    }
}

/// Returns when and where a page is made.
pub(super) async fn look(shared: &Shared) -> Result<Look, Stopping> {
    let look = |home: &mut crate::daemon::home::view::HomeView<'_>| Look {
        now: home.now,
        zone: home.engine.calendar().zone.clone(),
        has_shadow: home.shadow.is_some(),
    };
    shared.link.ask(look).await
}

/// What is wrong with a request, as a page.
#[derive(Debug)]
pub(super) struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused(problem)
    }
}

impl From<Stopping> for Refused {
    fn from(stopping: Stopping) -> Refused {
        Refused(stopping.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = self.0.status();
        let title = match status {
            StatusCode::NOT_FOUND => "There's nothing here",
            StatusCode::SERVICE_UNAVAILABLE => "The daemon is stopping",
            _ => "That can't be shown",
        };
        html(status, problem_page(title, self.0.detail()).into_bytes(), false)
    }
}

/// Returns the answer to an address that leads nowhere.
pub(in crate::daemon::web) fn missing(headers: &HeaderMap, path: &str) -> Response {
    if asks_for_page(headers) && !path.starts_with("/api/") {
        return Refused(Problem::not_found("This address leads nowhere.")).into_response();
    }
    Problem::not_found("there is no such page; `/api/status` is one").into_response()
}

/// Returns whether a browser asks for a page, or for a part of one.
pub(in crate::daemon::web) fn asks_for_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Returns a part of a page.
pub(in crate::daemon::web) fn fragment(text: String) -> Response {
    fragment_with(StatusCode::OK, text)
}

/// Returns a part of a page that says that something was refused.
pub(in crate::daemon::web) fn fragment_with(status: StatusCode, text: String) -> Response {
    html(status, text.into_bytes(), false)
}

pub(super) fn html(status: StatusCode, bytes: Vec<u8>, is_packed: bool) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let mut response = (status, [(header::CONTENT_TYPE, kind)], bytes).into_response();
    if is_packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    response
}

pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|accepts| accepts.to_str().ok());
    accepts.is_some_and(|accepts| accepts.split(',').any(|one| one.trim().split(';').next() == Some("gzip")))
}

/// Returns `bytes` packed where that's wanted and worth it, and whether they are.
pub(super) fn pack(bytes: Vec<u8>, is_wanted: bool) -> (Vec<u8>, bool) {
    if !is_wanted || bytes.len() < WORTH_PACKING {
        return (bytes, false);
    }
    let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(5));
    // Writing to memory doesn't fail.
    match packer.write_all(&bytes).and_then(|()| packer.finish()) {
        Ok(packed) => (packed, true),
        Err(_) => (bytes, false),
    }
}

/// Tells the browser what to refuse. What the daemon says isn't kept by it, but for the page's own files.
pub(in crate::daemon::web) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
