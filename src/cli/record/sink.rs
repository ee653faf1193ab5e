//! Where a recording is written: a file or standard output, with a count and a rate on a terminal. What comes just now is
//! written at once, a line each.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::{Exit, Failure};
use crate::disk;
use crate::model::recording::MessageLine;

/// How often the count is shown.
const PAUSE: Duration = Duration::from_millis(250);

/// Where a recording is written.
pub(super) struct Sink {
    out: BufWriter<Box<dyn Write>>,
    pace: Pace,
    name: String,
    /// How many more lines are wanted.
    left: u64,
    written: u64,
    count: Option<Count>,
}

/// The count on a terminal.
struct Count {
    started: Instant,
    shown: Instant,
}

/// When lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Each at once: somebody may read along, or pull the plug.
    Live,
    /// Many together.
    Copy,
}

/// Whether more lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    Wanted,
    Done,
}

impl More {
    pub(super) fn is_done(self) -> bool {
        self == More::Done
    }
}

impl Sink {
    /// Opens the file `path` anew, or standard output.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn open(path: Option<&Path>, count: Option<u64>, pace: Pace) -> Result<Sink, Failure> {
        let out: Box<dyn Write> = match path {
            Some(path) => {
                Box::new(File::create(path).map_err(|error| unwritable(&path.display().to_string(), &error))?)
            }
            None => Box::new(io::stdout()),
        };
        // Where the lines themselves go to the terminal, a count would be in their way.
        let is_counted = io::stderr().is_terminal() && (path.is_some() || !io::stdout().is_terminal());
        let now = Instant::now();
        Ok(Sink {
            out: BufWriter::new(out),
            pace,
            name: path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string()),
            left: count.unwrap_or(u64::MAX),
            written: 0,
            count: is_counted.then_some(Count { started: now, shown: now }),
        })
    }

    /// Says on a terminal that the broker has accepted us.
    pub(super) fn ready(&mut self) {
        self.show();
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When it can't be written, unless who reads it went away.
    pub(super) fn write(&mut self, line: &MessageLine<'_>) -> Result<More, Failure> {
        let text = format!("{}\n", line.to_text());
        let written = self.out.write_all(text.as_bytes());
        match written.and_then(|()| if self.pace == Pace::Live { self.out.flush() } else { Ok(()) }) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(More::Done),
            Err(error) => return Err(unwritable(&self.name, &error)),
        }
        self.written += 1;
        self.left = self.left.saturating_sub(1);
        if self.count.as_ref().is_some_and(|count| count.shown.elapsed() >= PAUSE) {
            self.show();
        }
        Ok(if self.left == 0 { More::Done } else { More::Wanted })
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// When what is left can't be written.
    pub(super) fn close(mut self) -> Result<Exit, Failure> {
        self.show();
        if self.count.is_some() {
            // Who looks at it may have gone.
            let _ = writeln!(io::stderr());
        }
        match self.out.flush() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(&self.name, &error)),
            _ => Ok(Exit::Well),
        }
    }

    fn show(&mut self) {
        let Some(count) = &mut self.count else { return };
        count.shown = Instant::now();
        let millis = count.started.elapsed().as_millis().max(1);
        let rate = u128::from(self.written) * 1000 / millis;
        let mut stderr = io::stderr().lock();
        // Who looks at it may have gone.
        let _ = write!(stderr, "\r{} messages, {rate}/s; Ctrl+C ends \u{1b}[K", self.written);
        let _ = stderr.flush();
    }
}

fn unwritable(name: &str, error: &io::Error) -> Failure {
    let reason = disk::reason(error);
    Failure::new(format!("`{name}` can't be written: {reason}"))
}
