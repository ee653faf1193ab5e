//! Binds the HTTP interface and serves it until the daemon stops.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::daemon::files::reload::Request;
use crate::daemon::home::input::Link;
use crate::daemon::net::{bind, bind_reason};
use crate::lang::{ListenAddress, Settings};

use super::access::Guard;
use super::access::connections::{Connections, Peer};
use super::problem::Problem;
use super::{Shared, actions, clients, devices, events, health, openapi, page, rules, state, traces, view, why, work};

/// Names the home's time zone in each answer.
pub(crate) const ZONE_HEADER: &str = "homerule-time-zone";

/// The largest body of a request.
const LARGEST: usize = 4 << 20;

/// Why the HTTP interface doesn't start, or died.
#[derive(Debug, Error)]
pub(in crate::daemon) enum WebError {
    /// The address can't be had.
    #[error("the HTTP interface can't listen on {address}: {reason} (`web.listen` in homerule.yaml)")]
    Bind { address: ListenAddress, reason: String },
    /// The token can't be read.
    #[error("can't read `{file}`, the `web.token_file` in homerule.yaml: {reason}")]
    Token { file: String, reason: String },
    /// The token is easy to guess.
    #[error(
        "the token in `{file}`, the `web.token_file` in homerule.yaml, is too short: it needs at least 16 characters"
    )]
    ShortToken { file: String },
    /// It can't go on.
    #[error("the HTTP interface failed: {0}")]
    Failed(std::io::Error),
}

/// The HTTP interface, bound to its address.
pub(in crate::daemon) struct Web {
    listener: TcpListener,
    address: SocketAddr,
    pages: Router,
    stop: watch::Receiver<bool>,
}

impl Web {
    /// Binds the address of `settings`.
    pub(in crate::daemon) async fn bind(
        settings: &Settings,
        home: &Path,
        link: Link,
        requests: mpsc::Sender<Request>,
        stop: watch::Receiver<bool>,
    ) -> Result<Web, WebError> {
        let wanted = &settings.web.listen;
        let token = settings.web.token_file.as_deref().map(|file| read_token(home, file)).transpose()?;
        let bound = bind(wanted).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) =
            bound.map_err(|error| WebError::Bind { address: wanted.clone(), reason: bind_reason(&error) })?;
        let shared = Shared {
            link,
            requests,
            stop: stop.clone(),
            home: home.into(),
            rules: settings.rules.trim_start_matches("./").trim_end_matches('/').into(),
            may_edit: settings.web.edit,
        };
        let pages = pages(shared, Guard::new(token), zone(settings));
        Ok(Web { listener, address, pages, stop })
    }

    /// Returns the address that it listens on.
    pub(in crate::daemon) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the daemon stops; open requests are waited for.
    pub(in crate::daemon) async fn run(self) -> Result<(), WebError> {
        let Web { listener, pages, mut stop, .. } = self;
        let stopped = async move {
            // The sender goes only with the daemon.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let pages = pages.into_make_service_with_connect_info::<Peer>();
        axum::serve(Connections::new(listener), pages).with_graceful_shutdown(stopped).await.map_err(WebError::Failed)
    }
}

fn pages(shared: Shared, guard: Guard, zone: Option<HeaderValue>) -> Router {
    let tell_zone = move |response: Response| std::future::ready(tell_zone(zone.clone(), response));
    Router::new()
        .route("/api/status", get(health::status))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .route("/api/state", get(state::state))
        .route("/api/clients", get(clients::clients))
        .route("/api/rules", get(rules::list))
        .route("/api/rules/{*path}", get(rules::one).post(rules::act))
        .route("/api/devices", get(devices::list))
        .route("/api/devices/{*path}", get(devices::one).post(devices::set))
        .route("/api/devices-kept", get(devices::kept))
        .route("/api/inputs", get(devices::inputs))
        .route("/api/inputs/{name}", post(devices::set_input))
        .route("/api/traces", get(traces::traces))
        .route("/api/why", get(why::why))
        .route("/api/why-not", get(why::why_not))
        .route("/api/incident", get(why::incident))
        .route("/api/publish", post(actions::publish))
        .route("/api/reload", post(actions::reload))
        .route("/api/events", get(events::events))
        .route("/api/openapi.json", get(openapi::openapi))
        .route("/hook/{name}", post(actions::hook))
        .route("/api/now", get(view::now::now))
        .route("/api/runs/{id}", get(view::run::run))
        .route("/api/graph", get(view::graph::graph))
        .route("/api/history", get(view::history::history))
        .route("/api/timeline", get(view::timeline::timeline))
        .route("/api/shadow", get(view::shadow::shadow))
        .route("/api/check", post(work::check::check))
        .route("/api/try", post(work::attempt::attempt))
        .route("/api/files/{*path}", get(work::file::get).put(work::file::put))
        .merge(page::routes())
        .fallback(async |headers: HeaderMap, uri: Uri| page::missing(&headers, uri.path()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(axum::middleware::map_response(super::problem::as_problem))
        .layer(axum::middleware::map_response(tell_zone))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(axum::middleware::from_fn_with_state(guard, super::access::check))
        .layer(axum::middleware::map_response(page::protect))
        .with_state(shared)
}

/// Returns the name of the home's zone; `None` where the system doesn't know its own.
fn zone(settings: &Settings) -> Option<HeaderValue> {
    let system = || TimeZone::try_system().ok()?.iana_name().map(ToOwned::to_owned);
    HeaderValue::from_str(&settings.zone.clone().or_else(system)?).ok()
}

/// Says with each answer in which zone the home's times are to be written.
fn tell_zone(zone: Option<HeaderValue>, mut response: Response) -> Response {
    if let Some(zone) = zone {
        response.headers_mut().insert(ZONE_HEADER, zone);
    }
    response
}

fn read_token(home: &Path, file: &str) -> Result<String, WebError> {
    let problem = |reason: String| WebError::Token { file: file.to_owned(), reason };
    let text = std::fs::read_to_string(home.join(file)).map_err(|error| problem(error.to_string()))?;
    let token = text.trim();
    if token.len() < 16 {
        return Err(WebError::ShortToken { file: file.to_owned() });
    }
    Ok(token.to_owned())
}
