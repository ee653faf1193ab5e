//! What survives a restart: rows of JSON by their keys.

pub(super) mod rows;
pub(super) mod snapshot;

pub use snapshot::{SaveKey, Snapshot};
