//! The stream of what happens: messages, publications, runs, switches and what was found in the files, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::daemon::observers::broadcast::StreamEvent;

use super::Shared;
use super::problem::Problem;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// What a browser's own reconnection sends as a header.
    last_event_id: Option<String>,
}

/// `GET /api/events`, from after `Last-Event-ID` on where that's sent; ends when the daemon stops.
pub(super) async fn events(
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(ToOwned::to_owned);
    let last = header.or(asked.last_event_id);
    let listening = shared.link.ask(move |home| home.broadcast.listen(last.as_deref())).await?;
    let listener = Listener {
        greeting: Some(if listening.has_missed { missed("null") } else { Event::default().comment("homerule") }),
        before: listening.before,
        events: listening.events,
        start: listening.start,
        stop: shared.stop,
    };
    Ok(Sse::new(unfold(listener, Listener::next)).keep_alive(KeepAlive::default()))
}

struct Listener {
    /// What is said at once, so that who listens knows that it does.
    greeting: Option<Event>,
    before: VecDeque<StreamEvent>,
    events: Receiver<StreamEvent>,
    start: Arc<str>,
    stop: watch::Receiver<bool>,
}

impl Listener {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Listener)> {
        if let Some(greeting) = self.greeting.take() {
            return Some((Ok(greeting), self));
        }
        if let Some(event) = self.before.pop_front() {
            return Some((Ok(self.told(&event)), self));
        }
        let event = tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => return None,
            event = self.events.recv() => event,
        };
        let event = match event {
            Ok(event) => self.told(&event),
            Err(RecvError::Lagged(count)) => missed(&count.to_string()),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), self))
    }

    fn told(&self, event: &StreamEvent) -> Event {
        Event::default().id(event.id(&self.start)).event(event.kind).data(&*event.document)
    }
}

/// Returns that events were missed: how many, or `null` where nobody knows.
fn missed(count: &str) -> Event {
    Event::default().event("missed").data(count)
}
