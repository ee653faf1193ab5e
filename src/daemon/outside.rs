//! What rules do outside the broker: HTTP requests and programs, if the settings allow them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::engine::{Answer, Event, HttpCall, RequestId};
use crate::lang::Allow;

use super::input::{Input, Link};
use super::{exec, http};

/// How many requests and programs go on at once; more wait.
const AT_ONCE: usize = 16;

/// Starts HTTP requests and programs; what comes of them goes back to the loop.
pub(super) struct Outside {
    link: Link,
    allow: Allow,
    places: Arc<Semaphore>,
    /// Those that go on. They end with the daemon.
    running: JoinSet<()>,
}

impl Outside {
    pub(super) fn new(link: Link, allow: Allow) -> Outside {
        Outside { link, allow, places: Arc::new(Semaphore::new(AT_ONCE)), running: JoinSet::new() }
    }

    /// From now on, `allow` is allowed.
    pub(super) fn allow(&mut self, allow: Allow) {
        self.allow = allow;
    }

    /// Makes an HTTP request.
    pub(super) fn request(&mut self, request: RequestId, call: HttpCall) {
        let is_allowed = self.allow.http.iter().any(|pattern| matches(pattern, &call.url));
        let refusal = (!is_allowed).then(|| format!("`allow.http` in homerule.yaml has no pattern for {}", call.url));
        self.start(request, refusal, http::send(call));
    }

    /// Runs a program.
    pub(super) fn execute(&mut self, request: RequestId, command: Vec<String>, timeout: Duration) {
        let program = command.first().map_or("", String::as_str);
        let is_allowed = self.allow.exec.iter().any(|allowed| allowed.as_ref() == program);
        let refusal = (!is_allowed).then(|| format!("`allow.exec` in homerule.yaml doesn't name `{program}`"));
        self.start(request, refusal, exec::run(command, timeout));
    }

    fn start(
        &mut self,
        request: RequestId,
        refusal: Option<String>,
        work: impl Future<Output = Answer> + Send + 'static,
    ) {
        while self.running.try_join_next().is_some() {}
        let (link, places) = (self.link.clone(), Arc::clone(&self.places));
        self.running.spawn(async move {
            let answer = match refusal {
                Some(refusal) => Answer::Failed(refusal),
                None => {
                    let _place = places.acquire().await;
                    work.await
                }
            };
            // Nobody waits for it when the daemon stops.
            let _ = link.send(Input::Event(Event::Answered { request, answer })).await;
        });
    }
}

/// Returns whether `text` matches `pattern`, where `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "http://a/b", true),
            ("http://a/*", "http://a/b", true),
            ("http://a/*", "http://ab/", false),
            ("http://*.lan/*", "http://x.lan/y", true),
            ("http://*.lan/*", "http://x.com/.lan", false),
            ("http://a/", "http://a/", true),
            ("http://a/", "http://a/b", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
