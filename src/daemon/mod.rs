//! The shell: everything that touches the world. Sockets, files, clock and signals become
//! [`Event`](crate::engine::Event)s in one bounded queue; one loop owns the engine, and does what its effects say.
//!
//! One message: `broker/hook` takes it from its client and puts it into the queue (`input`); `event_loop` gives it to the
//! engine, routes it, and then what rules published (`sending`). Files go round the loop: `watch` hints, `reload` reads and checks
//! beside it, and hands over the whole. What comes and what rules publish is recorded beside it too: `recorder`.

pub mod answer;
mod banner;
mod broadcast;
mod broker;
mod clock;
mod event_loop;
mod exec;
pub mod files;
mod heard;
mod http;
mod input;
mod keeping;
mod logging;
mod named_rule;
mod outside;
pub mod recorder;
pub mod recording_file;
mod reload;
mod rule_topics;
mod screen;
mod sd_notify;
mod sending;
mod settings_change;
mod start;
mod store;
mod switched;
mod traces;
mod watch;
mod watchdog;
mod web;
mod why;
mod zstd;

pub use broker::RULE_PROPERTY;
pub use logging::LogError;
pub use screen::Format;
pub(crate) use web::ZONE_HEADER;

pub use start::{DaemonError, Ended, Options, run};
pub use why::{Incident, Said, SaidKind};
