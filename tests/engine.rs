//! The engine alone: properties that hold for any rules and any journal, and what no test file of a user can show.
//!
//! For the properties, rules are drawn from a pool that covers every trigger, condition, action and mode; journals mix
//! messages, clients, webhooks, switches, a clock that is set, and time. A test fails if something of the language is
//! never drawn. `cfg(test)` tells clippy that helpers are tests too.

#[cfg(test)]
#[path = "engine/answers.rs"]
mod answers;
#[cfg(test)]
#[path = "engine/clock.rs"]
mod clock;
#[cfg(test)]
#[path = "engine/home.rs"]
mod home;
#[cfg(test)]
#[path = "engine/loops.rs"]
mod loops;
#[cfg(test)]
#[path = "engine/pool.rs"]
mod pool;
#[cfg(test)]
#[path = "engine/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "engine/saving.rs"]
mod saving;
#[cfg(test)]
#[path = "engine/telling.rs"]
mod telling;
