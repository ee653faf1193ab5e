//! The engine alone: properties that hold for any rules and any journal, and what no test file of a user can show.
//!
//! For the properties, rules are drawn from a pool that covers every trigger, condition, action and mode; journals mix
//! messages, clients, webhooks, switches, a clock that is set, and time. A test fails if something of the language is
//! never drawn.

mod answers;
mod clock;
mod home;
mod kept_states;
mod loops;
mod old_stores;
mod pool;
mod properties;
mod runs;
mod saving;
mod telling;
