//! Delivers a notification: a request of whose answer little is read.

use std::io::Read;
use std::time::Duration;

use jiff::fmt::rfc2822;
use ureq::http::HeaderMap;

use crate::daemon::system::clock;
use crate::engine::{Answer, HttpCall};
use crate::model::Payload;

use super::http;

/// How much of an answer is read: what a target says of a failure is short.
const LONGEST_ANSWER: u64 = 64 << 10;

/// Makes the request beside the loop, and returns what came back. Nothing that it says names the address, which may hold a token.
pub(in crate::daemon) async fn send(call: HttpCall) -> Answer {
    match tokio::task::spawn_blocking(move || ask(&call)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Answer::Failed(in_words(&error)),
        Err(_) => Answer::Failed("the request was cut off".to_owned()),
    }
}

fn ask(call: &HttpCall) -> Result<Answer, ureq::Error> {
    let mut response = http::response(call)?;
    let status = i64::from(response.status().as_u16());
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    // Its status says what matters, even where the rest of the answer never comes.
    let _ = response.body_mut().as_reader().take(LONGEST_ANSWER).read_to_end(&mut body);
    Ok(Answer::Ended { status, body: Payload::from_bytes(body), retry_after })
}

pub(super) fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "its URL isn't one that can be asked".to_owned(),
        ureq::Error::Timeout(_) => "it doesn't answer in time".to_owned(),
        other => other.to_string(),
    }
}

/// Returns how long an answer asks us to wait: in seconds, or until a time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(clock::now())).ok()
}
