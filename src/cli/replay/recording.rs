//! The recording that is replayed: read message by message, with a count on a terminal, and what is wrong told at the end.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::home::since::Since;
use crate::cli::{Exit, Failure, print};
use crate::disk;
use crate::disk::RecordedSince;
use crate::disk::recording_file::{self, Text};
use crate::model::TopicFilter;
use crate::model::recording::{Recorded, RecordingReader};
use crate::sim::{Failures, Replay};

use super::subject::Subject;

/// How often the count is shown.
const PAUSE: Duration = Duration::from_millis(250);

/// How many messages are read before we look at the clock.
const STRIDE: u64 = 1024;

/// The recording that is replayed.
pub(super) struct Recording {
    name: String,
    source: Source,
    exclude: Vec<TopicFilter>,
    read: u64,
    started: Instant,
    /// When the count was last shown; `None`: nobody looks.
    shown: Option<Instant>,
}

/// Where messages come from.
enum Source {
    File(RecordingReader<Text>),
    Recorder(RecordedSince),
}

impl Recording {
    /// Opens the recording at `path`.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(super) fn open(path: &Path, exclude: Vec<TopicFilter>) -> Result<Recording, Failure> {
        let name = path.display().to_string();
        let reader = recording_file::read(path).map_err(|error| unreadable(&name, &error))?;
        Ok(Recording::new(name, Source::File(reader), exclude))
    }

    /// Opens what the recorder of the home at `home` has since `since`.
    ///
    /// # Errors
    /// When `since` is no time, or nothing was recorded.
    pub(super) fn since(home: &Path, since: &str, exclude: Vec<TopicFilter>) -> Result<Recording, Failure> {
        let Since { name, recorded } = Since::open(home, since)?;
        Ok(Recording::new(name, Source::Recorder(recorded), exclude))
    }

    fn new(name: String, source: Source, exclude: Vec<TopicFilter>) -> Recording {
        let now = Instant::now();
        let shown = std::io::stderr().is_terminal().then_some(now);
        Recording { name, source, exclude, read: 0, started: now, shown }
    }

    /// Returns the next message.
    pub(super) fn next(&mut self) -> Option<Recorded> {
        loop {
            let recorded = match &mut self.source {
                Source::File(reader) => reader.next(),
                Source::Recorder(recorded) => recorded.next(),
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

    /// Shows how far we are, once in a while.
    fn show(&mut self, at: Timestamp) {
        let Some(shown) = &mut self.shown else { return };
        if shown.elapsed() < PAUSE {
            return;
        }
        *shown = Instant::now();
        let millis = self.started.elapsed().as_millis().max(1);
        let rate = u128::from(self.read) * 1000 / millis;
        let mut stderr = std::io::stderr().lock();
        // Who looks at it may have gone.
        let _ =
            write!(stderr, "\r{} messages, up to {}, {rate}/s \u{1b}[K", self.read, at.strftime("%Y-%m-%d %H:%M UTC"));
        let _ = stderr.flush();
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
    pub(super) fn close(&self) -> Exit {
        self.clear();
        let (warnings, skipped) = match &self.source {
            Source::File(reader) => (reader.findings().warnings(), reader.findings().skipped_lines()),
            Source::Recorder(recorded) => (recorded.warnings().to_vec(), recorded.skipped().to_vec()),
        };
        for line in &warnings {
            print::warning(&format!("{}: {line}", self.name));
        }
        for line in &skipped {
            print::error(&format!("{}: {line}", self.name));
        }
        if self.read == 0 && skipped.is_empty() {
            print::warning(&format!("{}: there is no message in it", self.name));
        }
        if skipped.is_empty() { Exit::Well } else { Exit::No }
    }

    fn clear(&self) {
        if self.shown.is_some() {
            // Who looks at it may have gone.
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    let reason = disk::reason(error);
    Failure::new(format!("`{name}` can't be read: {reason}"))
}
