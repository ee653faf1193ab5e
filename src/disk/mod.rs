//! SHELL: the disk, as the daemon and the command line share it: the files of a home, recordings, and what the recorder kept.
//!
//! Nothing here writes but [`recorded::shelf`], for the one recorder; nothing here knows a socket or the engine.

pub mod home_files;
pub mod recorded;
pub mod recording_file;
mod zstd;

pub use recorded::{RecordedFile, RecordedSince};
