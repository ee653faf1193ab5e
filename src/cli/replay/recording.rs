//! The recording that is replayed: read message by message, with a bar on a terminal, and what is wrong told at the end.

use std::path::Path;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::cli::home::since::Since;
use crate::cli::progress::{Progress, Reader};
use crate::cli::{Exit, Failure, print};
use crate::disk;
use crate::disk::RecordedSince;
use crate::disk::recording_file::{self, Position, Text};
use crate::model::TopicFilter;
use crate::model::recording::{Recorded, RecordingReader};
use crate::sim::{Failures, Replay};

use super::subject::Subject;

/// How many messages are read before it is shown how far we are.
const STRIDE: u64 = 1024;

/// The recording that is replayed.
pub(in crate::cli) struct Recording {
    name: String,
    source: Source,
    exclude: Vec<TopicFilter>,
    read: u64,
    progress: Progress,
}

/// Where messages come from.
enum Source {
    File(RecordingReader<Text>, Position),
    /// With when it begins.
    Recorder(RecordedSince, Timestamp),
}

impl Recording {
    /// Opens the recording at `path`.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(in crate::cli) fn open(path: &Path, exclude: Vec<TopicFilter>, watcher: Reader) -> Result<Recording, Failure> {
        let name = path.display().to_string();
        let opened = recording_file::read_with_position(path).map_err(|error| unreadable(&name, &error));
        let (reader, position) = opened?;
        let progress = Progress::new(watcher, recording_file::size(path));
        Ok(Recording::new(name, Source::File(reader, position), exclude, progress))
    }

    /// Opens what the recorder of the home at `home` has since `since`.
    ///
    /// # Errors
    /// When `since` isn't a time, or nothing was recorded.
    pub(in crate::cli) fn since(
        home: &Path,
        since: &str,
        exclude: Vec<TopicFilter>,
        watcher: Reader,
    ) -> Result<Recording, Failure> {
        let Since { name, recorded } = Since::open(home, since)?;
        let begin = recorded.begin();
        let length = seconds(begin, Timestamp::now());
        Ok(Recording::new(name, Source::Recorder(recorded, begin), exclude, Progress::new(watcher, Some(length))))
    }

    fn new(name: String, source: Source, exclude: Vec<TopicFilter>, progress: Progress) -> Recording {
        Recording { name, source, exclude, read: 0, progress }
    }

    /// Returns the next message.
    pub(in crate::cli) fn next(&mut self) -> Option<Recorded> {
        loop {
            let recorded = match &mut self.source {
                Source::File(reader, _) => reader.next(),
                Source::Recorder(recorded, _) => recorded.next(),
            }?;
            self.read += 1;
            if self.read.is_multiple_of(STRIDE) {
                self.show(recorded.at);
            }
            if !self.exclude.iter().any(|filter| filter.matches(&recorded.message.topic)) {
                return Some(recorded);
            }
        }
    }

    /// Returns where it comes from.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Shows how far we are.
    fn show(&self, at: Timestamp) {
        let done = match &self.source {
            Source::File(_, position) => position.load(Ordering::Relaxed),
            Source::Recorder(_, begin) => seconds(*begin, at),
        };
        self.progress.reach(done, || format!("{} messages, up to {}", self.read, at.strftime("%Y-%m-%d %H:%M UTC")));
    }

    /// Writes to standard output, for which the bar makes room.
    pub(super) fn make_room<T>(&self, write: impl FnOnce() -> T) -> T {
        self.progress.make_room(write)
    }

    /// Warns of topics that rules published to, and that the recording has without saying whether they were rules' then.
    pub(super) fn warn_of_doubtful(&self, replay: &Replay) {
        let doubtful = replay.doubtful();
        let Some(first) = doubtful.first() else { return };
        let more = match doubtful.len() {
            1 => String::new(),
            2 => " and one more topic".to_owned(),
            count => format!(" and {} more topics", count - 1),
        };
        self.clear();
        print::warning(&format!(
            "{}: rules publish to `{first}`{more}, and the recording has it too without saying who published it; \
             `--exclude {first}` leaves it out",
            self.name
        ));
    }

    /// Warns of rules whose runs failed: what they would have published otherwise is missing.
    pub(super) fn warn_of_failures(&self, subject: &Subject, replay: &Replay) {
        self.clear();
        let zone = &subject.options.calendar.zone;
        for (rule, Failures { at, reason, count }) in replay.failures() {
            let at = at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f");
            let more = match count {
                0 | 1 => String::new(),
                2 => "; and one more time".to_owned(),
                count => format!("; and {} more times", count - 1),
            };
            let home = &subject.name;
            print::warning(&format!("`{home}`: the rule `{rule}` failed at {at}: {reason}{more}"));
        }
    }

    /// Tells what was wrong, and returns the exit status that says so.
    pub(in crate::cli) fn close(&self) -> Exit {
        self.clear();
        let (warnings, skipped) = match &self.source {
            Source::File(reader, _) => (reader.findings().warnings(), reader.findings().skipped_lines()),
            Source::Recorder(recorded, _) => (recorded.warnings().to_vec(), recorded.skipped().to_vec()),
        };
        for line in &warnings {
            print::warning(&format!("{}: {line}", self.name));
        }
        for line in &skipped {
            print::error(&format!("{}: {line}", self.name));
        }
        if self.read == 0 && skipped.is_empty() {
            print::warning(&format!("{}: there are no messages in it", self.name));
        }
        if skipped.is_empty() { Exit::Well } else { Exit::No }
    }

    /// Takes the bar away.
    pub(in crate::cli) fn clear(&self) {
        self.progress.clear();
    }
}

/// Returns how many seconds lie between two instants.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or_default()
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    let reason = disk::reason(error);
    Failure::new(format!("`{name}` can't be read: {reason}"))
}
