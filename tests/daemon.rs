//! The daemon as a user sees it: the real binary, real sockets, real MQTT clients.
//!
//! Nothing here sleeps: each test waits for what it expects, with a deadline.

#[path = "daemon/bad_input.rs"]
mod bad_input;
#[path = "daemon/clients.rs"]
mod clients;
#[path = "daemon/house.rs"]
mod house;
#[path = "daemon/lessons.rs"]
mod lessons;
#[path = "daemon/reload.rs"]
mod reload;
#[path = "daemon/start_stop.rs"]
mod start_stop;
#[path = "daemon/web.rs"]
mod web;
