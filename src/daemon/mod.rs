//! The shell: everything that touches the world. Sockets, files, clock and signals become
//! [`Event`](crate::engine::Event)s in one bounded queue; one loop owns the engine, and does what its effects say.
//!
//! One message: `broker` reads it from its client's socket, and the pure core routes it; `home::event_loop` gives it to the engine, and what rules
//! publish goes to the core too. At the end of the turn what was kept is committed, and all of it leaves. Files go round the loop:
//! `files::watch` hints, `files::reload` reads and checks beside it, and hands over the whole. What comes and what rules publish is
//! recorded beside it too: `recorder`.

mod banner;
mod broker;
mod files;
mod home;
mod instance;
mod link;
mod mqtt;
pub mod net;
mod observers;
mod outside;
mod recorder;
mod shadow;
mod start;
mod store;
mod system;
mod web;
mod why;

pub use link::{Client, Told, Tried, broker_at, settings_at, try_broker};
pub use observers::screen::Format;
pub(crate) use start::ADDRESS_FILE;
pub use start::{DaemonError, Ended, Options, run};
pub(crate) use store::{DATABASE, Database, DatabaseError};
pub use system::clock::Pace;
pub use system::logging::LogError;
pub(crate) use system::zone::system_zone;
pub(crate) use web::ZONE_HEADER;
