//! The recording that a test plays, and its snapshot: opened before the test runs, judged or written after it.

use std::fs;
use std::io;
use std::path::Path;

use crate::api::publication_line;
use crate::cli::Failure;
use crate::disk::reason;
use crate::disk::recording_file::{self, Text};
use crate::explain::{LineKind, Report};
use crate::lang::test_file::{Recorded, TestCase, TestFile};
use crate::model::recording::RecordingReader;
use crate::sim::{self, Snapshot, TestHome, TestOutcome, TestRun};

/// What is done with snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// They say what is expected.
    Compare,
    /// What is published is written into them.
    Accept,
}

/// Runs a test with the recording that it plays, if it plays one, and returns how it ended and what is odd about the
/// recording. `folder` is the home's.
pub(super) fn run(
    (file, case): (&TestFile, &TestCase),
    home: &TestHome,
    folder: &Path,
    acceptance: Acceptance,
) -> (TestOutcome, Vec<String>) {
    let Some(recorded) = &case.recorded else { return (TestRun::run(file, case, home, None), Vec::new()) };
    let name = &recorded.replay.path;
    let mut reader = match recording_file::read(&folder.join(&**name)) {
        Ok(reader) => reader,
        Err(error) => {
            let message = format!("`{name}` can't be read: {}", reason(&error));
            return (failed(recorded, message, Vec::new()), Vec::new());
        }
    };
    let material = sim::Material { messages: &mut reader, snapshot: snapshot(recorded, folder, acceptance) };
    let outcome = TestRun::run(file, case, home, Some(material));
    let doubtful = outcome.doubtful.iter().map(|topic| {
        format!("rules publish to `{topic}`, and the recording has it too without saying who published it: it is played as a device's")
    });
    let odd: Vec<String> = reader.findings().warnings().into_iter().chain(doubtful).collect();
    let odd = odd.into_iter().map(|what| format!("{name}: {what}")).collect();
    (judged(outcome, recorded, &reader), odd)
}

/// Returns the outcome of a test, failed where lines of its recording couldn't be read: what they held is untested.
fn judged(outcome: TestOutcome, recorded: &Recorded, reader: &RecordingReader<Text>) -> TestOutcome {
    let findings = reader.findings();
    let count = match findings.skipped() {
        0 => return outcome,
        1 => "1 line of it".to_owned(),
        count => format!("{count} lines of it"),
    };
    let message = format!("`{}` can't be played whole: {count} can't be read", recorded.replay.path);
    failed(recorded, message, findings.skipped_lines())
}

fn failed(recorded: &Recorded, message: String, lines: Vec<String>) -> TestOutcome {
    let mut report = Report::default();
    for line in lines {
        report.add(LineKind::Plain, line);
    }
    TestOutcome::failed(sim::Failure { step: None, place: recorded.replay.place.clone(), message, report })
}

/// Reads what was accepted. A payload that was changed by hand may have another length than its line tells.
fn snapshot(recorded: &Recorded, folder: &Path, acceptance: Acceptance) -> Snapshot {
    let Some(path) = &recorded.snapshot else { return Snapshot::None };
    if acceptance == Acceptance::Accept {
        return Snapshot::Accepting;
    }
    let mut reader = match recording_file::read(&folder.join(&*path.path)) {
        Ok(reader) => reader,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Snapshot::Missing,
        Err(error) => return Snapshot::Broken(reason(&error)),
    };
    let lines: Vec<_> = reader.by_ref().collect();
    match reader.findings().skipped_lines().first() {
        Some(first) => Snapshot::Broken(first.replace(" was skipped", "")),
        None => Snapshot::Accepted(lines),
    }
}

/// Writes what rules published into the snapshot of a test, where that changes it, and returns whether it did.
///
/// # Errors
/// When it can't be written.
pub(super) fn accept(recorded: &Recorded, outcome: &TestOutcome, folder: &Path) -> Result<bool, Failure> {
    let (Some(path), Some(replayed)) = (&recorded.snapshot, &outcome.replayed) else { return Ok(false) };
    let mut text = String::new();
    for published in replayed {
        text.push_str(&publication_line(published.at, &published.publication).to_text());
        text.push('\n');
    }
    let full = folder.join(&*path.path);
    if fs::read(&full).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(false);
    }
    // Whoever reads it meanwhile sees the old one or the new one; a link stays one.
    let target = fs::canonicalize(&full).unwrap_or(full);
    let fresh = target.with_extension("jsonl.new");
    fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &target)).map_err(|error| {
        // What is left of it is of no use; that it can't be removed either says nothing new.
        let _ = fs::remove_file(&fresh);
        Failure::new(format!("the snapshot `{}` can't be written: {}", path.path, reason(&error)))
    })?;
    Ok(true)
}
