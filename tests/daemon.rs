//! The daemon as a user sees it: the real binary, real sockets, real MQTT clients.
//!
//! Nothing here sleeps: each test waits for what it expects, with a deadline. `cfg(test)` tells clippy that helpers are
//! tests too.

#[cfg(test)]
#[path = "daemon/bad_input.rs"]
mod bad_input;
#[cfg(test)]
#[path = "daemon/clients.rs"]
mod clients;
#[cfg(test)]
#[path = "daemon/commands.rs"]
mod commands;
#[cfg(test)]
#[path = "daemon/disk.rs"]
mod disk;
#[cfg(test)]
#[path = "daemon/house.rs"]
mod house;
#[cfg(test)]
#[path = "daemon/killed.rs"]
mod killed;
#[cfg(test)]
#[path = "daemon/lessons.rs"]
mod lessons;
#[cfg(test)]
#[path = "daemon/recorder.rs"]
mod recorder;
#[cfg(test)]
#[path = "daemon/reload.rs"]
mod reload;
#[cfg(test)]
#[path = "daemon/rule_topics.rs"]
mod rule_topics;
#[cfg(test)]
#[path = "daemon/start_stop.rs"]
mod start_stop;
#[cfg(test)]
#[path = "daemon/survival.rs"]
mod survival;
#[cfg(test)]
#[path = "daemon/web.rs"]
mod web;
#[cfg(test)]
#[path = "daemon/why.rs"]
mod why;
#[cfg(test)]
#[path = "daemon/why_reports.rs"]
mod why_reports;
