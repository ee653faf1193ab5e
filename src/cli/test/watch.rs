//! `--watch`: runs the tests again whenever a file of their homes changes.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::print;
use crate::daemon::files::read_home;
use crate::lang::Sources;

use super::suite::Suite;

/// How often we look.
const PAUSE: Duration = Duration::from_millis(300);

/// The files of some homes, as they were when the tests last ran.
pub(super) struct Watched(Vec<(PathBuf, Sources)>);

impl Watched {
    /// Returns the files of the homes of these tests.
    pub(super) fn new(suites: &[Suite]) -> Watched {
        let homes = suites.iter().map(|suite| suite.folder.clone());
        Watched(homes.map(|home| (home.clone(), read_home(&home).unwrap_or_default())).collect())
    }

    /// Waits until a file is another than it is known here; then all are known as they are now.
    pub(super) fn wait(&mut self) {
        print::line("waiting for a change; Ctrl+C ends");
        loop {
            let now: Vec<_> =
                self.0.iter().map(|(home, _)| (home.clone(), read_home(home).unwrap_or_default())).collect();
            if now != self.0 {
                self.0 = now;
                return print::line("");
            }
            std::thread::sleep(PAUSE);
        }
    }
}
