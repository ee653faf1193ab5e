//! The shell: everything that touches the world. Sockets, files, clock and signals become
//! [`Event`](crate::engine::Event)s in one bounded queue; one loop owns the engine, and does what its effects say.
//!
//! One message: `broker/hook` takes it from its client and puts it into the queue (`home::input`); `home::event_loop` gives it to the
//! engine, routes it, and then what rules published (`home::sending`). Files go round the loop: `files::watch` hints, `files::reload` reads and checks
//! beside it, and hands over the whole. What comes and what rules publish is recorded beside it too: `recorder`.

mod banner;
mod broker;
mod files;
mod home;
#[expect(dead_code, unused_imports, reason = "the loop learns it next")]
mod mqtt;
pub mod net;
mod observers;
mod outside;
mod recorder;
mod start;
mod store;
mod system;
mod web;
mod why;

pub use broker::RULE_PROPERTY;
pub use observers::screen::Format;
pub(crate) use start::ADDRESS_FILE;
pub use start::{DaemonError, Ended, Options, run};
pub(crate) use store::{DATABASE, Database, DatabaseError};
pub use system::clock::Pace;
pub use system::logging::LogError;
pub(crate) use web::ZONE_HEADER;
