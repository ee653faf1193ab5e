//! What the files of a home tell of its topics: its tests, its recordings, its recorder, and the devices that it knows.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::analysis::Known;
use crate::cli::test::Suite;
use crate::disk::recorded::{RecordedSince, folder};
use crate::disk::recording_file;
use crate::lang::Settings;
use crate::model::recording::Recorded;

/// How many messages are read of one recording, and of the recorder.
const MOST_MESSAGES: usize = 200_000;

/// How far back the recorder is read.
const RECORDED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The file of the devices that a home knows.
const DEVICES: &str = "devices.jsonl";

/// Returns what is known of the topics of the home in `home`, whose tests are those of `suite`.
pub(in crate::cli) fn known(home: &Path, suite: &Suite, settings: &Settings) -> Known {
    let mut known = Known::new(suite.home.options().devices.settings.clone());
    read(&home.join(DEVICES), &mut |recorded| {
        known.note_definition(&recorded.message.topic, &recorded.message.payload);
    });
    known.look_at_devices();
    for file in &suite.files {
        known.note_tests(file);
    }
    for path in recordings(&home.join("recordings")) {
        read(&path, &mut |recorded| known.note_recorded(recorded.at, &recorded.message));
    }
    let since = Timestamp::now().checked_sub(RECORDED).unwrap_or(Timestamp::MIN);
    // What can't be read is no reason not to check the rest.
    if let Ok(Some(mut recorded)) = RecordedSince::open(&folder(home, settings), since) {
        for _ in 0..MOST_MESSAGES {
            let Some(recorded) = recorded.next() else { break };
            known.note_recorded(recorded.at, &recorded.message);
        }
    }
    known
}

/// Adds what was recorded in the file at `path`.
///
/// # Errors
/// When it can't be read.
pub(in crate::cli) fn add_recording(known: &mut Known, path: &Path) -> std::io::Result<()> {
    let reader = recording_file::read(path)?;
    reader.take(MOST_MESSAGES).for_each(|recorded| known.note_recorded(recorded.at, &recorded.message));
    Ok(())
}

fn read(path: &Path, note: &mut dyn FnMut(Recorded)) {
    if let Ok(reader) = recording_file::read(path) {
        reader.take(MOST_MESSAGES).for_each(note);
    }
}

/// Returns the recordings in `folder` and below, in the order of their paths.
fn recordings(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(recordings(&path));
        } else if [".jsonl", ".jsonl.gz", ".jsonl.zst"].iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}
