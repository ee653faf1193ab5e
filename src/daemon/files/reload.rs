//! Hot reload: notices that files changed, reads everything and checks everything beside the loop, and hands it over at
//! once.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

use crate::lang::{Home, Sources};

use super::watch::{Concern, Watch};
use crate::api::{Finding, findings};
use crate::daemon::home::input::{Input, Link};
use crate::disk::home_files::{FilesError, Scan, is_test, scan};

/// A burst of changes is read once it has been quiet for this long.
const QUIET: Duration = Duration::from_millis(80);

/// A burst that doesn't end is read all the same: a change is in force within a second.
const PATIENCE: Duration = Duration::from_millis(500);

/// Files that changed are read until two readings so far apart are the same, but not more often than this.
const STEADY: Duration = Duration::from_millis(40);
const STEADY_READINGS: usize = 5;

/// How often we look though nobody said that anything changed: a watch ends silently when its folder is replaced.
const RESCAN: Duration = Duration::from_secs(30);

/// The same where folders can't be watched.
const RESCAN_WITHOUT_WATCH: Duration = Duration::from_secs(1);

/// The files of a home, read and checked.
pub(in crate::daemon) struct Loaded {
    /// What they say.
    pub(in crate::daemon) home: Home,
    /// What was found in them.
    pub(in crate::daemon) findings: Vec<Finding>,
    /// Whether the folder of the rules is there.
    pub(in crate::daemon) has_rules_folder: bool,
    /// Tells the one who asked for it whether it is in force.
    pub(in crate::daemon) answer: Option<oneshot::Sender<Reloaded>>,
}

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(in crate::daemon) struct Reloaded {
    /// Whether what the files say is in force.
    pub(in crate::daemon) in_force: bool,
    /// What was found in them.
    pub(in crate::daemon) diagnostics: Vec<Finding>,
}

/// Asks for a reload now; the answer is for the one who asks.
pub(in crate::daemon) type Request = Option<oneshot::Sender<Reloaded>>;

impl Loaded {
    /// Reads and checks the home in `folder`.
    pub(in crate::daemon) fn read(folder: &Path) -> Result<(Loaded, Scan), FilesError> {
        let mut scan = scan(folder)?;
        scan.sources.retain(|path, _| !is_test(path));
        Ok((Loaded::check(&scan), scan))
    }

    fn check(scan: &Scan) -> Loaded {
        let home = Home::load(&scan.sources);
        let findings = findings(&home.diagnostics, &scan.sources);
        Loaded { home, findings, has_rules_folder: scan.has_rules_folder, answer: None }
    }
}

/// Watches the files of a home, and hands them over when they changed.
pub(in crate::daemon) struct Reloader {
    home: PathBuf,
    link: Link,
    requests: mpsc::Receiver<Request>,
    hint: Arc<Notify>,
    watch: Option<Watch>,
    /// What the files were when they were last handed over.
    known: u64,
    last: Scan,
}

impl Reloader {
    /// Returns a reloader for the home in the folder `home`, whose files were `scan` when they were last read.
    pub(in crate::daemon) fn new(home: PathBuf, link: Link, requests: mpsc::Receiver<Request>, scan: Scan) -> Reloader {
        let known = fingerprint(&scan.sources);
        Reloader { home, link, requests, hint: Arc::new(Notify::new()), watch: None, known, last: scan }
    }

    /// Reloads when something changed or somebody asks, until the daemon stops.
    pub(in crate::daemon) async fn run(mut self) {
        self.arm();
        // What changed between the first reading and the watch.
        let mut request = None;
        loop {
            if !self.reload(request.take()).await {
                return;
            }
            let rescan = if self.watch.is_some() { RESCAN } else { RESCAN_WITHOUT_WATCH };
            tokio::select! {
                () = self.hint.notified() => self.wait_for_quiet().await,
                () = tokio::time::sleep(rescan) => {}
                asked = self.requests.recv() => match asked {
                    Some(asked) => request = Some(asked),
                    None => return,
                },
            }
        }
    }

    async fn wait_for_quiet(&self) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && timeout(QUIET, self.hint.notified()).await.is_ok() {}
    }

    /// Reads the files, and hands them over if they changed or `request` asks for it. Returns false when nobody takes
    /// them any more.
    async fn reload(&mut self, request: Option<Request>) -> bool {
        let home = self.home.clone();
        let known = request.is_none().then_some(self.known);
        let Ok(read) = tokio::task::spawn_blocking(move || read_if_changed(&home, known)).await else {
            warn!("Reading the home's files was cut off; they are read again.");
            return true;
        };
        let (scan, loaded) = match read {
            Ok(read) => read,
            Err(error) => {
                warn!("{error}. The rules in force stay.");
                return true;
            }
        };
        let is_deaf = scan.folders != self.last.folders;
        self.last = scan;
        if is_deaf {
            self.arm();
            // What changed between the reading and the new watch.
            self.hint.notify_one();
        }
        let Some((mut loaded, fingerprint)) = loaded else { return true };
        self.known = fingerprint;
        loaded.answer = request.flatten();
        self.link.send(Input::Loaded(loaded)).await.is_ok()
    }

    fn arm(&mut self) {
        let concern = Concern::new(&self.home, self.last.entries.clone());
        self.watch = match Watch::arm(&concern, &self.last.folders, &self.hint) {
            Ok(watch) => Some(watch),
            Err(error) => {
                debug!(%error, "Folders can't be watched; they are read each second.");
                None
            }
        };
    }
}

type Read = (Scan, Option<(Box<Loaded>, u64)>);

fn read_if_changed(home: &Path, known: Option<u64>) -> Result<Read, FilesError> {
    let (mut scan, mut fingerprint) = read_rules(home)?;
    if known == Some(fingerprint) {
        return Ok((scan, None));
    }
    // A file that is being written is empty or cut for a moment, and would be read as one with fewer rules.
    for _ in 0..STEADY_READINGS {
        std::thread::sleep(STEADY);
        let (again, same) = read_rules(home)?;
        let is_steady = same == fingerprint;
        (scan, fingerprint) = (again, same);
        if is_steady {
            break;
        }
    }
    if known == Some(fingerprint) {
        return Ok((scan, None));
    }
    let loaded = Loaded::check(&scan);
    Ok((scan, Some((Box::new(loaded), fingerprint))))
}

fn read_rules(home: &Path) -> Result<(Scan, u64), FilesError> {
    let mut scan = scan(home)?;
    scan.sources.retain(|path, _| !is_test(path));
    let fingerprint = fingerprint(&scan.sources);
    Ok((scan, fingerprint))
}

fn fingerprint(sources: &Sources) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (path, source) in sources {
        path.hash(&mut hasher);
        match source {
            crate::lang::Source::Content(bytes) => bytes.hash(&mut hasher),
            crate::lang::Source::Unreadable(reason) => reason.hash(&mut hasher),
        }
    }
    hasher.finish()
}
