//! `--watch`: runs the tests again whenever a file of their homes changes, or a recording or snapshot that a test names.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::cli::print;
use crate::daemon::files::read_home;
use crate::lang::Sources;

use super::suite::Suite;

/// How often we look.
const PAUSE: Duration = Duration::from_millis(300);

/// The files of some homes, as they were when the tests last ran.
pub(super) struct Watched {
    homes: Vec<(PathBuf, Sources)>,
    /// Recordings and snapshots may be large: of them we know when they changed, and their bytes.
    recorded: BTreeMap<PathBuf, Option<(SystemTime, u64)>>,
}

impl Watched {
    /// Returns the files of the homes of these tests.
    pub(super) fn new(suites: &[Suite]) -> Watched {
        let homes = suites.iter().map(|suite| suite.folder.clone());
        let homes = homes.map(|home| (home.clone(), read_home(&home).unwrap_or_default())).collect();
        Watched { homes, recorded: BTreeMap::new() }
    }

    /// Watches, as they are now, the recordings and snapshots that the tests of `suites` name.
    pub(super) fn watch_recorded(&mut self, suites: &[Suite]) {
        self.recorded = suites.iter().flat_map(recorded_of).map(|path| (path.clone(), stamp(&path))).collect();
    }

    /// Waits until a file is another than it is known here; then all are known as they are now.
    pub(super) fn wait(&mut self) {
        print::line("waiting for a change; Ctrl+C ends");
        loop {
            let now: Vec<_> =
                self.homes.iter().map(|(home, _)| (home.clone(), read_home(home).unwrap_or_default())).collect();
            if now != self.homes || self.recorded.iter().any(|(path, known)| stamp(path) != *known) {
                self.homes = now;
                return print::line("");
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Returns the recordings and snapshots that the tests of a home name.
fn recorded_of(suite: &Suite) -> Vec<PathBuf> {
    let recorded = suite.files.iter().flat_map(|file| &file.tests).filter_map(|case| case.recorded.as_ref());
    let names = recorded.flat_map(|recorded| std::iter::once(&recorded.replay).chain(&recorded.snapshot));
    names.map(|name| suite.folder.join(&*name.path)).collect()
}

/// Returns when a file last changed, and its bytes; `None` where there is none.
fn stamp(path: &std::path::Path) -> Option<(SystemTime, u64)> {
    let known = fs::metadata(path).ok()?;
    Some((known.modified().ok()?, known.len()))
}
