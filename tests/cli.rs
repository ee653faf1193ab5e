//! The command line as a user meets it: what is typed, what is written, and the exit status.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails panics")]

#[path = "cli/check.rs"]
mod check;
#[path = "cli/home.rs"]
mod home;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/no_daemon.rs"]
mod no_daemon;
#[path = "cli/recorder.rs"]
mod recorder;
#[path = "cli/recording_formats.rs"]
mod recording_formats;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/schema.rs"]
mod schema;
#[path = "cli/test_formats.rs"]
mod test_formats;
#[path = "cli/test_paths.rs"]
mod test_paths;
#[path = "cli/test_reports.rs"]
mod test_reports;
#[cfg(test)]
#[path = "cli/test_silence.rs"]
mod test_silence;
#[path = "cli/test_snapshots.rs"]
mod test_snapshots;
#[path = "cli/test_steps.rs"]
mod test_steps;
