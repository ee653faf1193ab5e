//! homerule decides what a home does: messages come in, rules fire, messages go out.
//!
//! The layers, from the inside out; each only imports those before it:
//!
//! - [`model`]: what a home is made of: topics, values, messages, time, recordings.
//! - [`script`]: expressions and Rhai, confined.
//! - [`rules`]: rules as data.
//! - [`lang`]: text to rules, with every mistake and its place.
//! - [`broker`]: MQTT, without sockets.
//! - [`link`]: the link to another broker, without sockets.
//! - [`instance`]: several instances of one home: who leads, and who acts for which rule.
//! - [`devices`]: what devices say about themselves, and how to speak to them.
//! - [`engine`]: the core; decides what an event leads to.
//! - [`analysis`]: the home as a graph of what its rules read and write, and warnings.
//! - [`explain`]: traces and facts in words.
//! - [`sim`]: tests and replays, under a clock that jumps.
//! - [`api`]: what programs read and write.
//! - [`page`]: the HTML that a browser gets.
//! - [`disk`]: the files of a home, and recordings.
//! - [`daemon`]: the one loop, and everything that touches the world.
//! - [`cli`]: the commands.
//!
//! All but `disk`, `daemon` and `cli` are pure: they take text, time and events, and return values. One message from end to
//! end, one rule file from end to end, and which files to touch for a change are in `docs/architecture.md`.
pub mod analysis;
pub mod api;
pub mod broker;
pub mod cli;
pub mod daemon;
pub mod devices;
pub mod disk;
pub mod engine;
pub mod explain;
pub mod instance;
pub mod lang;
pub mod link;
pub mod model;
pub mod page;
pub mod rules;
pub mod script;
pub mod sim;
