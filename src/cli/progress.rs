//! How far long work is: a bar on a terminal, on standard error, and nothing anywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that has a known end.
const BAR: &str = "[{bar:30}] {percent}% {msg}";
/// Work of which only is known that it goes on.
const SPINNER: &str = "{spinner} {msg}";

/// How often work is shown to go on that tells nothing of itself.
const TICK: Duration = Duration::from_millis(100);

/// For whom a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Reader {
    /// People, who may watch it.
    Person,
    /// Programs.
    Program,
}

impl Reader {
    /// Returns who reads what a command with `--json`, or without it, writes.
    pub(in crate::cli) fn of(is_json: bool) -> Reader {
        if is_json { Reader::Program } else { Reader::Person }
    }
}

/// How far long work is. The bar goes away with it.
pub(in crate::cli) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows work of this length, or without a known one.
    pub(in crate::cli) fn new(reader: Reader, length: Option<u64>) -> Progress {
        let is_watched = reader == Reader::Person && std::io::stderr().is_terminal();
        if !is_watched {
            return Progress { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        let template = if length.is_some() { BAR } else { SPINNER };
        // What we write there is a template; a library that thinks otherwise has a style of its own.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.tick();
        Progress { bar }
    }

    /// Shows work that tells nothing of how far it is.
    pub(in crate::cli) fn of_unknown(reader: Reader, what: String) -> Progress {
        let progress = Progress::new(reader, None);
        progress.bar.set_message(what);
        if !progress.bar.is_hidden() {
            progress.bar.enable_steady_tick(TICK);
        }
        progress
    }

    /// Shows that so much is done; what that is called is only asked for where somebody sees it.
    pub(in crate::cli) fn reach(&self, done: u64, what: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_position(done);
            self.bar.set_message(what());
        }
    }

    /// Shows that one more is done.
    pub(in crate::cli) fn step(&self) {
        self.bar.inc(1);
    }

    /// Writes something else to the terminal, for which the bar makes room.
    pub(in crate::cli) fn make_room<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the bar away.
    pub(in crate::cli) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
