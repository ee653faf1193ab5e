//! The stream of what happens: messages, publications and runs, as server-sent events.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::daemon::observers::broadcast::StreamEvent;

use super::Shared;
use super::problem::Problem;

/// `GET /api/events`; ends when the daemon stops.
pub(super) async fn events(
    State(shared): State<Shared>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let events = shared.link.ask(|home| home.broadcast.listen()).await?;
    let listener = Listener { events, stop: shared.stop };
    Ok(Sse::new(unfold(listener, Listener::next)).keep_alive(KeepAlive::default()))
}

struct Listener {
    events: Receiver<StreamEvent>,
    stop: watch::Receiver<bool>,
}

impl Listener {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Listener)> {
        let event = tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => return None,
            event = self.events.recv() => event,
        };
        let event = match event {
            Ok(event) => Event::default().event(event.kind).data(event.document),
            Err(RecvError::Lagged(missed)) => Event::default().event("missed").data(missed.to_string()),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), self))
    }
}
