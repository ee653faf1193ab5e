//! Properties of the engine that hold for any rules and any journal (docs: architecture of the core).
//!
//! Rules are drawn from a pool that covers every trigger, condition, action and mode; journals mix messages,
//! clients, webhooks, switches and time. A test fails if something of the language is never drawn.

#[path = "determinism/home.rs"]
mod home;
#[path = "determinism/pool.rs"]
mod pool;
#[path = "determinism/properties.rs"]
mod properties;
