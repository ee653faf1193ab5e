//! The command line as a user meets it: what is typed, what is written, and the exit status.

mod begin;
mod check;
mod devices;
mod find;
mod full_output;
mod home_search;
mod import;
mod import_home_assistant;
mod import_templates;
mod init;
mod no_daemon;
mod pages;
mod passwd;
mod progress;
mod recorder;
mod recording_formats;
mod replay;
mod schedule;
mod schema;
mod test_formats;
mod test_paths;
mod test_reports;
mod test_silence;
mod test_snapshots;
mod test_steps;
mod tv;
