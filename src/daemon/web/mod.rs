//! The HTTP interface (docs/operating.md). Each answer comes from the loop, in turn with everything else.

mod access;
mod actions;
mod clients;
mod devices;
mod events;
mod health;
mod openapi;
mod page;
mod problem;
mod rules;
mod server;
mod state;
mod traces;
mod tries;
mod view;
mod why;
mod work;

pub(crate) use server::ZONE_HEADER;
pub(super) use server::{Web, WebError};

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::daemon::files::reload::Request;
use crate::daemon::home::input::Link;

/// What the pages share.
#[derive(Clone)]
struct Shared {
    link: Link,
    requests: mpsc::Sender<Request>,
    stop: watch::Receiver<bool>,
    /// The home's folder.
    home: Arc<Path>,
    /// The folder of the rules, relative to it.
    rules: Arc<str>,
    /// Whether rules may be changed.
    may_edit: bool,
}
