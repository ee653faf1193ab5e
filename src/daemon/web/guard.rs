//! Who may ask: whoever has the token; without one, this machine, but not a web page that a browser on it shows.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Decides who may ask.
#[derive(Clone)]
pub(super) struct Guard {
    token: Option<Arc<str>>,
}

impl Guard {
    pub(super) fn new(token: Option<String>) -> Guard {
        Guard { token: token.map(Arc::from) }
    }

    fn refusal(&self, path: &str, headers: &HeaderMap) -> Option<Problem> {
        if let Some(token) = &self.token {
            // A probe has no token, and learns nothing else.
            let is_open = path == "/healthz" || bearer(headers).is_some_and(|given| is_same(given, token));
            return (!is_open).then(Problem::unauthorized);
        }
        // A page of another site, whose name was made to point here, would ask under that name.
        if !text(headers, header::HOST).is_some_and(is_this_machine) {
            return Some(Problem::forbidden("the `Host` of a request must be `localhost` or a loopback address"));
        }
        // A page of another site may post without asking, but must say where it comes from.
        let origin = text(headers, header::ORIGIN);
        let is_foreign =
            origin.is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != text(headers, header::HOST));
        is_foreign.then(|| Problem::forbidden("a page of another site may not ask"))
    }
}

/// Lets a request pass, or answers it with what is wrong.
pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refusal(request.uri().path(), request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = text(headers, header::AUTHORIZATION)?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares without telling by its time where the first difference is.
fn is_same(given: &str, token: &str) -> bool {
    let differs = given.bytes().zip(token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
    given.len() == token.len() && differs == 0
}

fn is_this_machine(host: &str) -> bool {
    let Some(host) = host.parse::<Uri>().ok().and_then(|uri| uri.host().map(ToOwned::to_owned)) else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(token: Option<&str>, headers: &[(header::HeaderName, &str)]) -> bool {
        let guard = Guard::new(token.map(ToOwned::to_owned));
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        guard.refusal("/api/status", &headers).is_some()
    }

    #[test]
    fn this_machine_may_ask_and_another_name_for_it_may_not() {
        for host in ["localhost:8330", "127.0.0.1:8330", "[::1]:8330", "localhost"] {
            assert!(!refused(None, &[(header::HOST, host)]), "{host}");
        }
        assert!(refused(None, &[(header::HOST, "evil.example:8330")]));
        assert!(refused(None, &[]));
    }

    #[test]
    fn a_page_of_another_site_may_not_ask() {
        let host = (header::HOST, "127.0.0.1:8330");
        assert!(refused(None, &[host.clone(), (header::ORIGIN, "https://evil.example")]));
        assert!(!refused(None, &[host, (header::ORIGIN, "http://127.0.0.1:8330")]));
    }

    #[test]
    fn with_a_token_only_who_has_it_may_ask() {
        let token = Some("0123456789abcdef");
        assert!(!refused(token, &[(header::AUTHORIZATION, "Bearer 0123456789abcdef")]));
        assert!(refused(token, &[(header::AUTHORIZATION, "Bearer 0123456789abcdeF")]));
        assert!(refused(token, &[(header::HOST, "localhost")]));
    }
}
