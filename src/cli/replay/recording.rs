//! The recording that is replayed: read message by message, with a count on a terminal, and what is wrong told at the end.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::cli::settings_file::read_settings;
use crate::cli::{Exit, Failure, print};
use crate::daemon::recording_file::{self, Text};
use crate::model::recording::{Recorded, RecordingReader};
use crate::model::{TopicFilter, parse_duration};
use crate::sim::Replay;

/// How often the count is shown.
const PAUSE: Duration = Duration::from_millis(250);

/// How many messages are read before we look at the clock.
const STRIDE: u64 = 1024;

/// The recording that is replayed.
pub(super) struct Recording {
    name: String,
    reader: RecordingReader<Text>,
    exclude: Vec<TopicFilter>,
    /// Earlier messages are left out.
    since: Option<Timestamp>,
    read: u64,
    started: Instant,
    /// When the count was last shown; `None`: nobody looks.
    shown: Option<Instant>,
}

impl Recording {
    /// Opens the recording at `path`.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(super) fn open(path: &Path, exclude: Vec<TopicFilter>) -> Result<Recording, Failure> {
        let name = path.display().to_string();
        let reader = recording_file::read(path).map_err(|error| unreadable(&name, &error))?;
        Ok(Recording::new(name, reader, exclude, None))
    }

    /// Opens what the recorder of the home at `home` has of the last time.
    ///
    /// # Errors
    /// When `since` is no duration, or nothing was recorded.
    pub(super) fn since(home: &Path, since: &str, exclude: Vec<TopicFilter>) -> Result<Recording, Failure> {
        let back = parse_duration(since).map_err(|error| Failure::new(error.to_string()))?;
        let back = SignedDuration::try_from(back).unwrap_or(SignedDuration::MAX);
        let since = Timestamp::now().checked_sub(back).unwrap_or(Timestamp::MIN);
        let folder = recording_file::folder(home, &read_settings(home)?);
        let name = folder.display().to_string();
        let text = recording_file::since(&folder, since).map_err(|error| unreadable(&name, &error))?;
        let text = text.ok_or_else(|| {
            Failure::new(format!("nothing is recorded in `{name}`: the daemon of this version keeps no recording by itself; make one with `homerule record`"))
        })?;
        Ok(Recording::new(name, RecordingReader::new(text), exclude, Some(since)))
    }

    fn new(
        name: String,
        reader: RecordingReader<Text>,
        exclude: Vec<TopicFilter>,
        since: Option<Timestamp>,
    ) -> Recording {
        let now = Instant::now();
        let shown = std::io::stderr().is_terminal().then_some(now);
        Recording { name, reader, exclude, since, read: 0, started: now, shown }
    }

    /// Returns the next message.
    pub(super) fn next(&mut self) -> Option<Recorded> {
        loop {
            let recorded = self.reader.next()?;
            self.read += 1;
            if self.read.is_multiple_of(STRIDE) {
                self.show(recorded.at);
            }
            let is_early = self.since.is_some_and(|since| recorded.at < since);
            if !is_early && !self.exclude.iter().any(|filter| filter.matches(&recorded.message.topic)) {
                return Some(recorded);
            }
        }
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

    /// Tells what was wrong, and returns the exit status that says so.
    pub(super) fn close(&self) -> Exit {
        self.clear();
        let findings = self.reader.findings();
        for line in findings.warnings() {
            print::warning(&format!("{}: {line}", self.name));
        }
        for line in findings.skipped_lines() {
            print::error(&format!("{}: {line}", self.name));
        }
        if self.read == 0 && findings.skipped() == 0 {
            print::warning(&format!("{}: there is no message in it", self.name));
        }
        if findings.skipped() == 0 { Exit::Well } else { Exit::No }
    }

    fn clear(&self) {
        if self.shown.is_some() {
            // Who looks at it may have gone.
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or(&reason).to_lowercase();
    Failure::new(format!("`{name}` can't be read: {reason}"))
}
