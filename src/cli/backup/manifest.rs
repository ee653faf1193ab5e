//! The first entry of a backup: what it is, and who can read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Its name in the archive.
pub(super) const MANIFEST: &str = "backup.json";

/// The folder in the archive that holds the home's files.
pub(super) const HOME: &str = "home";

/// The folder in the archive that holds the daemon's data.
pub(super) const DATA: &str = "data";

/// The format that we write. It goes up when an older homerule could not restore what we write.
pub(super) const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The format of the archive.
    pub(super) format: u32,
    /// The version of the homerule that wrote it.
    pub(super) homerule: String,
    /// When it was made.
    pub(super) made_at: Timestamp,
}

impl Manifest {
    pub(super) fn new(now: Timestamp) -> Manifest {
        Manifest { format: FORMAT, homerule: env!("CARGO_PKG_VERSION").to_owned(), made_at: now }
    }
}
