//! Makes an HTTP request for a rule.

use ureq::Agent;
use ureq::http::Request;

use crate::engine::{Answer, HttpCall};
use crate::model::Payload;

/// How much of an answer is read.
const LONGEST_BODY: u64 = 1 << 20;

/// Makes the request beside the loop, and returns what came back.
pub(super) async fn send(call: HttpCall) -> Answer {
    match tokio::task::spawn_blocking(move || request(&call)).await {
        Ok(answer) => answer,
        Err(_) => Answer::Failed("the request was cut off".to_owned()),
    }
}

fn request(call: &HttpCall) -> Answer {
    if call.url.starts_with("https:") {
        return Answer::Failed(format!("{}: this version makes no https requests", call.url));
    }
    ask(call).unwrap_or_else(|error| Answer::Failed(format!("{}: {error}", call.url)))
}

fn ask(call: &HttpCall) -> Result<Answer, ureq::Error> {
    let config = Agent::config_builder()
        .timeout_global(Some(call.timeout))
        .http_status_as_error(false)
        // Where it leads need not be allowed.
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .build();
    let mut request = Request::builder().method(call.method.as_str()).uri(call.url.as_str());
    for (name, value) in &call.headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let request = request.body(call.body.clone())?;
    let mut response = Agent::new_with_config(config).run(request)?;
    let body = response.body_mut().with_config().limit(LONGEST_BODY).read_to_vec()?;
    Ok(Answer::Ended { status: i64::from(response.status().as_u16()), body: Payload::from_bytes(body) })
}
