//! What the recorder kept: its files on their shelf, read message by message or searched from the newest back.

mod past;
pub(crate) mod shelf;
mod since;

use std::path::{Path, PathBuf};

use crate::lang::Settings;

pub(crate) use past::{Past, Wanted};
pub use shelf::{RecordedFile, recorded_files};
pub use since::RecordedSince;

/// Returns the folder in which the daemon of the home at `home` records.
#[must_use]
pub fn folder(home: &Path, settings: &Settings) -> PathBuf {
    home.join(&settings.data).join("recordings")
}
