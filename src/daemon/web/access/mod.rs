//! Who may ask: whoever has the token, or signed in with it; without one, this machine, but not a web page that a browser on
//! it shows. What changes something is logged, with who did it.

pub(super) mod connections;

use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tracing::info;

use super::page::{asks_for_page, sign_in};
use super::problem::Problem;
use super::tries::Tries;
use super::work::file::hex;
use connections::Peer;

/// What the cookie is called that says that somebody signed in.
pub(super) const COOKIE: &str = "homerule_session";

/// Says whether a browser's request comes from a page of the same site.
const FETCH_SITE: &str = "sec-fetch-site";

/// Decides who may ask.
#[derive(Clone)]
pub(super) struct Guard {
    secret: Option<Arc<Secret>>,
    tries: Arc<Tries>,
}

/// What lets somebody in.
struct Secret {
    token: String,
    /// What the cookie says: it follows from the token, so that it outlives the daemon and a new token ends it.
    session: String,
}

/// How somebody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// There's no token: whoever is on this machine.
    Here,
    /// By the token.
    Token,
    /// By the cookie.
    Cookie,
    /// It's open to everybody.
    Open,
}

impl Guard {
    pub(super) fn new(token: Option<String>) -> Guard {
        let secret = token.map(|token| {
            let digest = Sha256::digest(format!("homerule session 1\n{token}"));
            Arc::new(Secret { token, session: hex(&digest) })
        });
        Guard { secret, tries: Arc::default() }
    }

    fn admit(&self, method: &Method, path: &str, headers: &HeaderMap, peer: Peer) -> Result<Entry, Problem> {
        let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let Some(secret) = &self.secret else {
            return admit_here(is_safe, headers);
        };
        // A probe has no token, and learns nothing else; who signs in has none yet.
        if path == "/healthz" || path == "/login" || path.starts_with("/assets/") {
            return Ok(Entry::Open);
        }
        if let Some(given) = bearer(headers) {
            return self.check(secret, given, peer).map(|()| Entry::Token);
        }
        if !cookie(headers).is_some_and(|given| is_same(given, &secret.session)) {
            return Err(Problem::unauthorized());
        }
        // A browser sends the cookie with what another site makes it send.
        if is_safe || is_of_same_site(headers) {
            Ok(Entry::Cookie)
        } else {
            Err(Problem::forbidden(
                "this must come from a page of this site; scripts send the token as `Authorization: Bearer TOKEN`",
            ))
        }
    }

    /// Compares a token that somebody gives.
    ///
    /// # Errors
    /// When it's another, or this address gave too many others.
    fn check(&self, secret: &Secret, given: &str, peer: Peer) -> Result<(), Problem> {
        if self.tries.are_too_many(peer.address()) {
            return Err(Problem::too_many("too many wrong tokens came from this address; wait a minute"));
        }
        if is_same(given, &secret.token) {
            return Ok(());
        }
        self.tries.note(peer.address());
        Err(Problem::unauthorized())
    }

    /// Returns the cookie for whoever gives the token; `None` if there is none to give.
    ///
    /// # Errors
    /// As for [`Guard::check`].
    pub(super) fn sign_in(&self, given: &str, peer: Peer) -> Result<Option<String>, Problem> {
        let Some(secret) = &self.secret else { return Ok(None) };
        self.check(secret, given, peer)?;
        Ok(Some(format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000", secret.session)))
    }
}

/// Lets this machine in, but not what a page of another site makes a browser on it ask.
fn admit_here(is_safe: bool, headers: &HeaderMap) -> Result<Entry, Problem> {
    // A page of another site, whose name was made to point here, would ask under that name.
    if !text(headers, header::HOST).is_some_and(is_this_machine) {
        return Err(Problem::forbidden("the `Host` of a request must be `localhost` or a loopback address"));
    }
    // A page of another site may post without asking, but must say where it comes from.
    let is_foreign = text(headers, header::ORIGIN).is_some_and(|origin| !is_origin(origin, headers));
    let site = headers.get(FETCH_SITE).and_then(|site| site.to_str().ok());
    let is_cross_site = !is_safe && site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if is_foreign || is_cross_site {
        return Err(Problem::forbidden("a page of another site may not ask"));
    }
    Ok(Entry::Here)
}

/// Lets a request pass, or answers it with what is wrong.
pub(super) async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map_or(Peer::UNKNOWN, |peer| peer.0);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let admitted = if is_button(&method, request.uri()) {
        Ok(Entry::Open)
    } else {
        guard.admit(&method, &path, request.headers(), peer)
    };
    let entry = match admitted {
        Ok(entry) => entry,
        Err(problem) if problem.is_unauthorized() && method == Method::GET && asks_for_page(request.headers()) => {
            return sign_in::form(None, request.uri());
        }
        Err(problem) => return problem.into_response(),
    };
    let by = by(entry, request.headers());
    request.extensions_mut().insert(entry);
    request.extensions_mut().insert(guard);
    request.extensions_mut().insert(peer);
    let response = next.run(request).await;
    if changes(&method, &path) && response.status().is_success() {
        info!(from = %peer, by, "{method} {path}");
    }
    response
}

/// Returns whether a request presses a button of a notification, whose key lets it in: whether it's right, its answer says.
fn is_button(method: &Method, uri: &Uri) -> bool {
    let has_key = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key=")));
    *method == Method::POST && uri.path().starts_with("/hook/") && has_key
}

/// Returns who asks, in words for the log.
fn by(entry: Entry, headers: &HeaderMap) -> &'static str {
    match entry {
        Entry::Cookie => "the page",
        Entry::Here if headers.contains_key(FETCH_SITE) => "the page",
        Entry::Here => "the command line or a script",
        Entry::Token => "a script with the token",
        Entry::Open => "nobody in particular",
    }
}

/// Returns whether a request changes something: a switch, a message, a file.
fn changes(method: &Method, path: &str) -> bool {
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    !is_safe && !matches!(path, "/api/check" | "/api/try" | "/login" | "/logout") && !path.starts_with("/hook/")
}

impl<S: Sync> FromRequestParts<S> for Entry {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Entry, Problem> {
        Ok(parts.extensions.get::<Entry>().copied().unwrap_or(Entry::Open))
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

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Returns whether a request shows that a page of this site made it.
pub(super) fn is_of_same_site(headers: &HeaderMap) -> bool {
    match text(headers, header::ORIGIN) {
        Some(origin) => is_origin(origin, headers),
        None => headers.get(FETCH_SITE).is_some_and(|site| site == "same-origin"),
    }
}

/// Returns whether an origin is the host that is asked.
fn is_origin(origin: &str, headers: &HeaderMap) -> bool {
    origin.split_once("://").map(|(_, host)| host) == text(headers, header::HOST)
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

    const TOKEN: &str = "0123456789abcdef";

    fn headers(headers: &[(&str, &str)]) -> HeaderMap {
        let name = |name: &str| name.parse::<header::HeaderName>().unwrap();
        headers.iter().map(|(key, value)| (name(key), value.parse().unwrap())).collect()
    }

    fn asked(guard: &Guard, method: Method, given: &[(&str, &str)]) -> Result<Entry, Problem> {
        guard.admit(&method, "/api/status", &headers(given), Peer::UNKNOWN)
    }

    fn refused(token: Option<&str>, given: &[(&str, &str)]) -> bool {
        asked(&Guard::new(token.map(ToOwned::to_owned)), Method::GET, given).is_err()
    }

    #[test]
    fn this_machine_may_ask_and_another_name_for_it_may_not() {
        for host in ["localhost:8330", "127.0.0.1:8330", "[::1]:8330", "localhost"] {
            assert!(!refused(None, &[("host", host)]), "{host}");
        }
        assert!(refused(None, &[("host", "evil.example:8330")]));
        assert!(refused(None, &[]));
    }

    #[test]
    fn a_page_of_another_site_may_not_ask() {
        let host = ("host", "127.0.0.1:8330");
        assert!(refused(None, &[host, ("origin", "https://evil.example")]));
        assert!(!refused(None, &[host, ("origin", "http://127.0.0.1:8330")]));
        let guard = Guard::new(None);
        assert!(asked(&guard, Method::POST, &[host, ("sec-fetch-site", "cross-site")]).is_err());
        assert!(asked(&guard, Method::POST, &[host, ("sec-fetch-site", "same-origin")]).is_ok());
    }

    #[test]
    fn with_a_token_only_who_has_it_may_ask() {
        let token = Some(TOKEN);
        assert!(!refused(token, &[("authorization", "Bearer 0123456789abcdef")]));
        assert!(refused(token, &[("authorization", "Bearer 0123456789abcdeF")]));
        assert!(refused(token, &[("host", "localhost")]));
    }

    #[test]
    fn who_signed_in_may_ask_and_another_site_may_not_do_so_for_them() {
        let guard = Guard::new(Some(TOKEN.to_owned()));
        let set = guard.sign_in(TOKEN, Peer::UNKNOWN).unwrap().unwrap();
        assert!(set.contains("; HttpOnly; SameSite=Strict; "), "{set}");
        let cookie = ("cookie", set.split(';').next().unwrap());
        let host = ("host", "home:8330");
        assert_eq!(asked(&guard, Method::GET, &[cookie, host]).ok(), Some(Entry::Cookie));
        assert!(asked(&guard, Method::POST, &[cookie, host]).is_err());
        assert!(asked(&guard, Method::POST, &[cookie, host, ("origin", "http://evil.example")]).is_err());
        assert!(asked(&guard, Method::POST, &[cookie, host, ("origin", "http://home:8330")]).is_ok());
        assert!(asked(&guard, Method::POST, &[cookie, host, ("sec-fetch-site", "same-origin")]).is_ok());
        let other = Guard::new(Some("another0123456789".to_owned()));
        assert!(asked(&other, Method::GET, &[cookie, host]).is_err(), "a new token ends it");
    }

    #[test]
    fn after_ten_wrong_tokens_nobody_at_that_address_may_try() {
        let guard = Guard::new(Some(TOKEN.to_owned()));
        for _ in 0..10 {
            let problem = asked(&guard, Method::GET, &[("authorization", "Bearer wrong")]).unwrap_err();
            assert!(problem.is_unauthorized());
        }
        for given in ["Bearer wrong", "Bearer 0123456789abcdef"] {
            let problem = asked(&guard, Method::GET, &[("authorization", given)]).unwrap_err();
            assert!(!problem.is_unauthorized(), "{given}");
        }
        assert!(asked(&guard, Method::GET, &[]).unwrap_err().is_unauthorized());
    }
}
