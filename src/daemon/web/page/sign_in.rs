//! Signing in with the token, which a cookie then stands for.

use axum::Form;
use axum::extract::Extension;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::daemon::web::access::connections::Peer;
use crate::daemon::web::access::{COOKIE, Guard, is_of_same_site};
use crate::daemon::web::problem::Problem;
use crate::page::sign_in_page;

use super::reply::html;

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Given {
    token: String,
    #[serde(default)]
    back: String,
}

/// Returns the page that asks for the token; it leads back to `wanted`.
pub(in crate::daemon::web) fn form(wrong: Option<&str>, wanted: &Uri) -> Response {
    let back = wanted.path_and_query().map_or("/", |path| path.as_str());
    answer(StatusCode::UNAUTHORIZED, wrong, back)
}

fn answer(status: StatusCode, wrong: Option<&str>, back: &str) -> Response {
    html(status, sign_in_page(wrong, back).into_bytes(), false)
}

/// `GET /login`: whoever comes by this address signs in, and goes to the first view.
pub(super) async fn again() -> Response {
    answer(StatusCode::OK, None, "/")
}

/// `POST /login`
pub(super) async fn sign_in(
    Extension(guard): Extension<Guard>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    given: Result<Form<Given>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(Given { token, back }) = given.map_err(|error| Problem::bad_request(error.body_text()))?;
    if headers.contains_key(header::ORIGIN) && !is_of_same_site(&headers) {
        return Err(Problem::forbidden("a page of another site may not sign anybody in"));
    }
    let back = if is_here(&back) { back } else { "/".to_owned() };
    match guard.sign_in(token.trim(), peer) {
        Ok(None) => Ok(Redirect::to(&back).into_response()),
        Ok(Some(cookie)) => Ok(with_cookie(Redirect::to(&back).into_response(), &cookie)),
        Err(problem) if problem.is_unauthorized() => {
            Ok(answer(StatusCode::UNAUTHORIZED, Some("That isn't the token."), &back))
        }
        Err(problem) => {
            let words = "Too many wrong tokens came from this address. Wait a minute.";
            let mut response = answer(problem.status(), Some(words), &back);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            Ok(response)
        }
    }
}

/// `POST /logout`
pub(super) async fn sign_out() -> Response {
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    with_cookie(Redirect::to("/").into_response(), &gone)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Returns whether an address is one of this site.
fn is_here(address: &str) -> bool {
    address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains('\\')
        && !address.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_back_to_this_site_only() {
        assert!(is_here("/rules?text=a"));
        for foreign in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb"] {
            assert!(!is_here(foreign), "{foreign}");
        }
    }
}
