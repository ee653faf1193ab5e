//! Recordings: messages with their times, one per line (docs/recordings.md). Reads ours and those of other programs,
//! writes ours.
//!
//! It lives in the innermost layer, since all it needs are topics, payloads and times, and since tests, replays, the
//! daemon's recorder and the command line all need it.

mod csv_line;
mod findings;
mod format;
mod json_line;
mod line;
mod parsed;
mod reader;
mod text_line;
mod time_text;

pub use findings::{Findings, Warning};
pub use line::{MessageLine, Via};
pub use reader::{Recorded, RecordingReader};
