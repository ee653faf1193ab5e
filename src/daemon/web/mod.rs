//! The HTTP interface (docs/operating.md). Each answer comes from the loop, in turn with everything else.

mod actions;
mod connections;
mod events;
mod guard;
mod health;
mod openapi;
mod problem;
mod rules;
mod server;
mod state;
mod traces;
mod why;

pub(crate) use server::ZONE_HEADER;
pub(super) use server::{Web, WebError};

use tokio::sync::{mpsc, watch};

use crate::daemon::files::reload::Request;
use crate::daemon::home::input::Link;

/// What the pages share.
#[derive(Clone)]
struct Shared {
    link: Link,
    requests: mpsc::Sender<Request>,
    stop: watch::Receiver<bool>,
}
