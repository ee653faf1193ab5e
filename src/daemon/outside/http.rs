//! Makes an HTTP request for a rule.

use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::engine::{Answer, HttpCall};
use crate::model::Payload;

/// How much of an answer is read.
const LONGEST_BODY: u64 = 1 << 20;

/// Makes the request beside the loop, and returns what came back.
pub(in crate::daemon) async fn send(call: HttpCall) -> Answer {
    match tokio::task::spawn_blocking(move || request(&call)).await {
        Ok(answer) => answer,
        Err(_) => Answer::Failed("the request was cut off".to_owned()),
    }
}

fn request(call: &HttpCall) -> Answer {
    ask(call).unwrap_or_else(|error| Answer::Failed(format!("{}: {error}", call.url)))
}

fn ask(call: &HttpCall) -> Result<Answer, ureq::Error> {
    let mut response = response(call)?;
    let body = response.body_mut().with_config().limit(LONGEST_BODY).read_to_vec()?;
    let status = i64::from(response.status().as_u16());
    Ok(Answer::Ended { status, body: Payload::from_bytes(body), retry_after: None })
}

/// Makes a request, and returns what comes back first: all but the body.
pub(super) fn response(call: &HttpCall) -> Result<Response<Body>, ureq::Error> {
    let config = Agent::config_builder()
        .timeout_global(Some(call.timeout))
        .http_status_as_error(false)
        // Where it leads need not be allowed.
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .build();
    let mut request = Request::builder().method(call.method.as_str()).uri(encoded(&call.url));
    for (name, value) in &call.headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let request = request.body(call.body.clone())?;
    Agent::new_with_config(config).run(request)
}

/// Returns `url` with `%…` for what no URL may hold, as browsers do: blanks, letters beyond ASCII.
fn encoded(url: &str) -> String {
    let mut encoded = String::with_capacity(url.len());
    for letter in url.chars() {
        if letter.is_ascii_graphic() && !matches!(letter, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}') {
            encoded.push(letter);
        } else {
            encoded.extend(letter.to_string().bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    fn call(url: String) -> HttpCall {
        let headers = vec![("x-name".to_owned(), "value".to_owned())];
        HttpCall {
            method: "POST".to_owned(),
            url,
            headers,
            body: b"body".to_vec(),
            timeout: Duration::from_millis(500),
        }
    }

    /// Answers one request with `answer`, and returns the request.
    fn serve(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"body") {
                let length = stream.read(&mut buffer).unwrap();
                request.extend(&buffer[..length]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, server)
    }

    #[test]
    fn an_answer_of_any_status_is_an_answer() {
        let (url, server) = serve("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone");
        assert_eq!(
            request(&call(url)),
            Answer::Ended { status: 404, body: Payload::from_bytes("gone"), retry_after: None }
        );
        let asked = server.join().unwrap();
        assert!(asked.starts_with("POST /path HTTP/1.1\r\n") && asked.contains("x-name: value\r\n"), "{asked}");
    }

    #[test]
    fn what_no_url_may_hold_is_encoded() {
        let (url, server) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        request(&call(format!("{url}/send?text=zwölf Uhr & 5%25#\n")));
        let asked = server.join().unwrap();
        assert!(asked.starts_with("POST /path/send?text=zw%C3%B6lf%20Uhr%20&%205%25 HTTP/1.1\r\n"), "{asked}");
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let (url, _server) = serve("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(request(&call(url)), Answer::Ended { status: 302, body: Payload::default(), retry_after: None });
    }

    #[test]
    fn who_does_not_answer_is_not_waited_for_longer_than_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let Answer::Failed(reason) = request(&call(url.clone())) else { panic!() };
        assert!(reason.starts_with(&url), "{reason}");
    }
}
