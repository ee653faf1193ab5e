//! What the one loop is told beside what MQTT brings, in the order in which it happened.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use crate::engine::Event;

use super::event_loop::EventLoop;
use super::view::HomeView;
use crate::daemon::files::reload::Loaded;

/// How many inputs may wait. Beyond, whoever has one waits, e.g. a web request.
pub(in crate::daemon) const WAITING: usize = 4096;

/// No question should hold up the loop for longer.
const LONG: Duration = Duration::from_millis(5);

/// Something for the loop.
pub(in crate::daemon) enum Input {
    /// Something that happened to the home, and not by MQTT.
    Event(Event),
    /// Somebody wants to know or change something.
    Request(Request),
    /// The files of the home were read again.
    Loaded(Box<Loaded>),
    /// The files of the rules in the shadow were read again.
    LoadedShadow(Box<Loaded>),
    /// What was recorded of a topic, for rules in the shadow.
    RecalledInShadow(Event),
    /// The daemon is to stop.
    Stop,
}

/// What is asked of the loop; the answer goes its own way.
pub(in crate::daemon) type Request = Box<dyn FnOnce(&mut EventLoop) + Send>;

/// Asks the loop, in turn with everything else.
#[derive(Clone)]
pub(in crate::daemon) struct Link(mpsc::Sender<Input>);

/// The daemon is stopping: nobody answers any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) struct Stopping;

impl Link {
    pub(in crate::daemon) fn new(inputs: mpsc::Sender<Input>) -> Link {
        Link(inputs)
    }

    /// Returns what `question` finds.
    pub(in crate::daemon) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut HomeView<'_>) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        self.act(move |home| question(&mut home.view())).await
    }

    /// Lets the loop do something, and returns what comes of it.
    pub(in crate::daemon) async fn act<T: Send + 'static>(
        &self,
        action: impl FnOnce(&mut EventLoop) -> T + Send + 'static,
    ) -> Result<T, Stopping> {
        let (sender, answer) = oneshot::channel();
        let request: Request = Box::new(move |home| {
            let begun = Instant::now();
            let name = std::any::type_name_of_val(&action);
            let found = action(home);
            let took = begun.elapsed();
            home.note_question(took);
            if took > LONG {
                debug!(took_us = took.as_micros(), name, "A question held up the loop.");
            }
            // The one who asked may have gone.
            let _ = sender.send(found);
        });
        self.send(Input::Request(request)).await?;
        answer.await.map_err(|_| Stopping)
    }

    /// Puts `input` into the queue, unless it is full: for those who have no time to wait.
    pub(in crate::daemon) fn try_send(&self, input: Input) -> Result<(), Stopping> {
        self.0.try_send(input).map_err(|_| Stopping)
    }

    /// Puts `input` into the queue; waits while it is full.
    pub(in crate::daemon) async fn send(&self, input: Input) -> Result<(), Stopping> {
        self.0.send(input).await.map_err(|_| Stopping)
    }
}
