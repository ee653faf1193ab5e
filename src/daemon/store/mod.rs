//! What survives a restart, in one `SQLite` database (docs/decisions/0003).
//!
//! [`Store`] is the loop's end: it hands changes to the one `writer`, a thread of its own, and can wait until they are
//! written. `open` finds out what was kept, and mends what is damaged (`recovery`). Nothing here ends the home: where the
//! disk doesn't take a change, it is kept in memory, said, and tried again.

mod checksum;
mod database;
mod folder;
mod health;
mod kept;
#[cfg(test)]
mod kill_tests;
mod open;
mod outbox;
mod pending;
mod recovery;
mod retained;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use health::Health;
pub(super) use open::{Opened, StoreError, open};
pub(super) use retained::Retained;
pub(super) use store::{RetainedKeeper, Store};
