//! What happens, for whoever listens to the event stream. Who reads too slowly misses some.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::engine::Trace;
use crate::explain::LocalTime;
use crate::model::{Message, RuleId};

use crate::api::{MessageLine, TraceAnswer, Via};

/// How many events a slow listener may lag behind.
const LAG: usize = 1024;

/// One event of the stream.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct StreamEvent {
    /// `message`, `publish` or `run`.
    pub(in crate::daemon) kind: &'static str,
    /// Its JSON.
    pub(in crate::daemon) document: Arc<str>,
}

/// Sends events to whoever listens.
pub(in crate::daemon) struct Broadcast(Sender<StreamEvent>);

impl Default for Broadcast {
    fn default() -> Broadcast {
        Broadcast(channel(LAG).0)
    }
}

impl Broadcast {
    /// Listens from now on.
    pub(in crate::daemon) fn listen(&self) -> Receiver<StreamEvent> {
        self.0.subscribe()
    }

    /// A client published `message`.
    pub(in crate::daemon) fn message(&self, now: Timestamp, message: &Message, client: Option<&str>) {
        self.send("message", || MessageLine::new(now, message, Via::Client(client)));
    }

    /// A rule published `message`.
    pub(in crate::daemon) fn publication(&self, now: Timestamp, message: &Message, rule: &RuleId) {
        self.send("publish", || MessageLine::new(now, message, Via::Rule(rule)));
    }

    /// A run ended, or a rule didn't run.
    pub(in crate::daemon) fn trace(&self, trace: &Trace, zone: &TimeZone) {
        self.send("run", || TraceAnswer::new(trace, &LocalTime::new(zone.clone())));
    }

    /// Makes the document only if somebody listens.
    fn send<T: Serialize>(&self, kind: &'static str, document: impl FnOnce() -> T) {
        if self.0.receiver_count() == 0 {
            return;
        }
        if let Ok(json) = serde_json::to_string(&document()) {
            // The last listener may have gone just now.
            let _ = self.0.send(StreamEvent { kind, document: json.into() });
        }
    }
}
