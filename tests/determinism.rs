//! Properties of the engine that hold for any rules and any journal (docs: architecture of the core).
//!
//! Rules are drawn from a pool that covers every trigger, condition, action and mode; journals mix messages,
//! clients, webhooks, switches and time. A test fails if something of the language is never drawn. `cfg(test)` tells
//! clippy that helpers are tests too.

#[cfg(test)]
#[path = "determinism/home.rs"]
mod home;
#[cfg(test)]
#[path = "determinism/pool.rs"]
mod pool;
#[cfg(test)]
#[path = "determinism/properties.rs"]
mod properties;
