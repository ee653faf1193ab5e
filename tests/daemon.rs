//! The daemon as a user sees it: the real binary, real sockets, real MQTT clients.
//!
//! Nothing here sleeps: each test waits for what it expects, with a deadline.

mod another_broker;
mod another_broker_tls;
mod backup;
mod bad_input;
mod clients;
mod commands;
mod crowds;
mod demo;
mod devices;
mod disk;
mod events;
mod faults;
mod hostile;
mod house;
mod killed;
mod lessons;
mod mosquitto;
mod notifications;
mod older;
mod own_client;
mod own_topics;
mod page;
mod page_api;
mod page_try;
mod recorder;
mod reload;
mod rule_topics;
mod security;
mod shadow;
mod sharing;
mod sign_in;
mod standard_error;
mod standby;
mod start_stop;
mod stub;
mod survival;
mod web;
mod why;
mod why_reports;
