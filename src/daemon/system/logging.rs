//! The daemon's log, on standard error.
//!
//! A thread of its own writes it: standard error that can't be written, or that nobody reads, stops and delays nothing. What
//! it has no room for is left out, and that is said as soon as it takes something again.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use thiserror::Error;
use tracing::{error, warn};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::api::Finding;
use crate::daemon::observers::screen::Format;
use crate::daemon::system::clock;

/// How many entries may wait for the writer.
const WAITING: usize = 1024;

/// How long the last entries are waited for at the end.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an operator wants to see.
const DEFAULT: &str = "warn,homerule=info";

/// The filter can't be read.
#[derive(Debug, Error)]
#[error(
    "`--log {filter}` can't be read: {reason}. Write a level, `debug`, or one for a part, `homerule::daemon=debug`"
)]
pub struct LogError {
    filter: String,
    reason: String,
}

/// Starts the log with what `--log` says.
pub(in crate::daemon) fn start(filter: Option<&str>, format: Format) -> Result<(), LogError> {
    let wanted = filter.unwrap_or(DEFAULT);
    let filter: Targets = wanted
        .parse()
        .map_err(|error: ParseError| LogError { filter: wanted.to_owned(), reason: error.to_string() })?;
    let log = fmt::layer().with_writer(|| Entry);
    let log = match format {
        Format::Json => log.json().boxed(),
        Format::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_target(false).with_ansi(is_terminal).with_timer(LocalClock).compact().boxed()
        }
    };
    // A program that uses us as a library may have a log of its own.
    let _ = tracing_subscriber::registry().with(log.with_filter(filter)).try_init();
    Ok(())
}

/// The home's time zone, once it is known.
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Lets the log's times be those of the home, as the screen's are. It is set once: another zone wants a restart.
pub(in crate::daemon) fn set_zone(zone: TimeZone) {
    // A second home in one process has the first one's.
    let _ = ZONE.set(zone);
}

/// Writes times for people: local, with the offset. Programs get UTC.
struct LocalClock;

impl FormatTime for LocalClock {
    fn format_time(&self, output: &mut fmt::format::Writer<'_>) -> std::fmt::Result {
        let zone = ZONE.get().cloned().or_else(|| TimeZone::try_system().ok()).unwrap_or(TimeZone::UTC);
        write!(output, "{}", clock::now().to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z"))
    }
}

/// Says what was found in the home's files: to people with the source line, to programs as entries of the log.
pub(in crate::daemon) fn report(findings: &[Finding], format: Format) {
    for finding in findings {
        match format {
            Format::Text => say(finding.text.clone()),
            Format::Json if finding.is_error() => {
                error!(place = finding.place(), code = finding.code, "{}", finding.message);
            }
            Format::Json => warn!(place = finding.place(), code = finding.code, "{}", finding.message),
        }
    }
}

/// The thread that writes, and what waits for it.
struct Writer {
    entries: SyncSender<String>,
    /// Told once all that came before a request for it is written.
    done: Mutex<Receiver<()>>,
    left_out: AtomicU64,
}

/// What is sent instead of an entry to ask whether all before it is written: no entry is empty.
const ASK: &str = "";

fn writer() -> Option<&'static Writer> {
    static WRITER: OnceLock<Option<Writer>> = OnceLock::new();
    let start = || {
        let (entries, waiting) = sync_channel::<String>(WAITING);
        let (tell, done) = sync_channel(1);
        let write = move || {
            while let Ok(entry) = waiting.recv() {
                if entry == ASK {
                    // Nobody may wait for it any more.
                    let _ = tell.try_send(());
                } else {
                    // Colour is taken out where it doesn't go to a terminal. What can't be written is nobody's loss but the log's.
                    let _ = anstream::stderr().write_all(entry.as_bytes());
                }
            }
        };
        std::thread::Builder::new().name("log".to_owned()).spawn(write).ok()?;
        Some(Writer { entries, done: Mutex::new(done), left_out: AtomicU64::new(0) })
    };
    WRITER.get_or_init(start).as_ref()
}

/// Hands an entry to the writer, or leaves it out where that has no room.
pub(in crate::daemon) fn say(mut entry: String) {
    let Some(writer) = writer() else { return };
    if !entry.ends_with('\n') {
        entry.push('\n');
    }
    let left_out = writer.left_out.swap(0, Ordering::Relaxed);
    if left_out > 0 {
        let entries = if left_out == 1 { "1 entry was".to_owned() } else { format!("{left_out} entries were") };
        entry.insert_str(0, &format!("… {entries} left out: standard error took nothing\n"));
    }
    if writer.entries.try_send(entry).is_err() {
        writer.left_out.fetch_add(left_out + 1, Ordering::Relaxed);
    }
}

/// Waits until all is written, but not for standard error that stands still.
pub(in crate::daemon) fn finish() {
    let Some(writer) = writer() else { return };
    let end = Instant::now() + PATIENCE;
    while writer.entries.try_send(ASK.to_owned()).is_err() {
        if Instant::now() >= end {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let done = writer.done.lock().unwrap_or_else(PoisonError::into_inner);
    match done.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
    }
}

/// Where the log's library writes: it hands over one entry at a time.
struct Entry;

impl Write for Entry {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        say(String::from_utf8_lossy(entry).into_owned());
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_the_time_of_the_home() {
        set_zone(TimeZone::get("Asia/Kolkata").unwrap());
        let mut text = String::new();
        LocalClock.format_time(&mut fmt::format::Writer::new(&mut text)).unwrap();
        assert!(text.ends_with("+05:30"), "{text}");
    }
}
