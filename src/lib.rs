//! homerule decides what a home does: messages come in, rules fire, messages go out.
pub mod api;
pub mod broker;
pub mod cli;
pub mod daemon;
pub mod devices;
pub mod disk;
pub mod engine;
pub mod explain;
pub mod lang;
pub mod model;
pub mod rules;
pub mod script;
pub mod sim;
