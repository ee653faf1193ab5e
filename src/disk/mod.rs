//! SHELL: the disk, as the daemon and the command line share it: the files of a home, recordings, and what the recorder kept.
//!
//! Nothing here writes but [`recorded::shelf`], for the one recorder, and [`replace_file`]; nothing here knows a socket or the engine.

pub mod home_files;
mod owner;
mod reason;
pub mod recorded;
pub mod recording_file;
mod replace_file;
mod zstd;

pub use owner::give_to_owner_of_folder;
pub use reason::reason;
pub use recorded::{RecordedFile, RecordedSince};
pub use replace_file::replace_file;
