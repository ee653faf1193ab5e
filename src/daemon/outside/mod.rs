//! What rules do outside the broker: HTTP requests and programs, if the settings allow them.

mod deliver;
mod exec;
mod http;
mod places;
mod recall;
mod telegram;

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::engine::{Answer, Event, HttpCall, RequestId};
use crate::lang::Allow;
use crate::model::history::Recall;

use crate::daemon::home::input::{Input, Link};
use crate::daemon::recorder::Search;
use crate::model::RuleId;
use crate::rules::TelegramTarget;

use places::{Places, Queue};
use telegram::Bots;

/// Starts HTTP requests and programs; what comes of them goes back to the loop.
pub(super) struct Outside {
    link: Link,
    allow: Allow,
    places: Places,
    /// The places of notifications, which take none of those of other requests.
    places_of_notices: Places,
    /// Who is asked which buttons were pressed.
    bots: Bots,
    /// Those that go on. They end with the daemon.
    running: JoinSet<()>,
}

impl Outside {
    pub(super) fn new(link: Link, allow: Allow) -> Outside {
        Outside {
            bots: Bots::new(link.clone()),
            link,
            allow,
            places: Places::default(),
            places_of_notices: Places::default(),
            running: JoinSet::new(),
        }
    }

    /// From now on, `allow` is allowed.
    pub(super) fn allow(&mut self, allow: Allow) {
        self.allow = allow;
    }

    /// Makes an HTTP request.
    pub(super) fn request(&mut self, request: RequestId, rule: &RuleId, call: HttpCall) {
        let refusal = (!self.allow.allows_url(&call.url))
            .then(|| format!("`allow.http` in homerule.yaml has no pattern for {}", call.url));
        let queue = self.places.queue_of(rule);
        self.start(request, queue, refusal, http::send(call));
    }

    /// Delivers a notification, which the settings allow: what they don't, is never asked for.
    pub(super) fn deliver(&mut self, request: RequestId, rule: &RuleId, call: HttpCall) {
        let queue = self.places_of_notices.queue_of(rule);
        self.start(request, queue, None, deliver::send(call));
    }

    /// Asks which buttons of these targets were pressed, as long as they may be.
    pub(super) fn ask(&mut self, mut targets: Vec<TelegramTarget>) {
        targets.retain(|target| self.allow.allows_url(&target.url("getUpdates")));
        self.bots.ask(targets);
    }

    /// Runs a program.
    pub(super) fn execute(&mut self, request: RequestId, rule: &RuleId, command: Vec<String>, timeout: Duration) {
        let program = command.first().map_or("", String::as_str);
        let is_allowed = self.allow.exec.iter().any(|allowed| allowed.as_ref() == program);
        let refusal = (!is_allowed).then(|| format!("`allow.exec` in homerule.yaml doesn't name `{program}`"));
        let queue = self.places.queue_of(rule);
        self.start(request, queue, refusal, exec::run(command, timeout));
    }

    /// Finds what was recorded of a topic; `input` tells those who asked.
    pub(super) fn recall(&mut self, recall: Recall, search: Search, input: fn(Event) -> Input) {
        while self.running.try_join_next().is_some() {}
        let link = self.link.clone();
        self.running.spawn(async move {
            if let Some(event) = recall::find(recall, search).await {
                // Nobody waits for it when the daemon stops.
                let _ = link.send(input(event)).await;
            }
        });
    }

    fn start(
        &mut self,
        request: RequestId,
        queue: Queue,
        refusal: Option<String>,
        work: impl Future<Output = Answer> + Send + 'static,
    ) {
        while self.running.try_join_next().is_some() {}
        let link = self.link.clone();
        self.running.spawn(async move {
            let answer = if let Some(refusal) = refusal {
                Answer::Failed(refusal)
            } else {
                let _place = queue.place().await;
                work.await
            };
            // Nobody waits for it when the daemon stops.
            let _ = link.send(Input::Event(Event::Answered { request, answer })).await;
        });
    }
}
