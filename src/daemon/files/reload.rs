//! Hot reload: notices that files changed, reads everything and checks everything beside the loop, and hands it over at
//! once.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tracing::{debug, error, warn};

use crate::lang::{Home, Sources};
use crate::model::RuleId;
use crate::rules::{RuleEntry, Ruleset};

use super::last_good::{Settled, Stale, Why, is_blank};
use super::watch::{Concern, Watch};
use crate::api::{Finding, findings};
use crate::daemon::home::input::{Input, Link};
use crate::disk::home_files::{FilesError, Scan, Stamp, is_test, scan, scan_instead};

/// A burst of changes is read once it has been quiet for this long.
const QUIET: Duration = Duration::from_millis(80);

/// A burst that doesn't end is read all the same: a change is in force within a second.
const PATIENCE: Duration = Duration::from_millis(500);

/// Files that changed are read until two readings so far apart are the same, but not more often than this.
const STEADY: Duration = Duration::from_millis(40);
const STEADY_READINGS: usize = 5;

/// How often we look though nobody said that anything changed: a watch ends silently when its folder is replaced.
const RESCAN: Duration = Duration::from_secs(30);

/// How often we look at what may change without a change in a folder that is watched: links, and files mounted alone.
const POLL: Duration = Duration::from_secs(2);

/// How often we read all where folders can't be watched.
const RESCAN_WITHOUT_WATCH: Duration = Duration::from_secs(1);

/// So many rules are named of those that came, went or changed.
const MOST_NAMED: usize = 5;

/// The files of a home, read and checked.
pub(in crate::daemon) struct Loaded {
    /// What comes into force of them.
    pub(in crate::daemon) home: Home,
    /// The files of that.
    pub(in crate::daemon) sources: Sources,
    /// The files that don't come into force as they are.
    pub(in crate::daemon) stale: BTreeMap<Arc<str>, Stale>,
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
    /// Whether what the files say is in force, all of it.
    pub(in crate::daemon) in_force: bool,
    /// The files that aren't in force as they are: their last good versions are.
    pub(in crate::daemon) stale: Vec<String>,
    /// The rules that came, went, and changed.
    pub(in crate::daemon) rules: RuleChanges,
    /// What was found in them.
    pub(in crate::daemon) diagnostics: Vec<Finding>,
}

/// Which rules differ after a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(in crate::daemon) struct RuleChanges {
    pub(in crate::daemon) came: Vec<String>,
    pub(in crate::daemon) went: Vec<String>,
    pub(in crate::daemon) changed: Vec<String>,
}

impl RuleChanges {
    /// Compares the rules of before with those of now.
    pub(in crate::daemon) fn between(old: &Ruleset, new: &Ruleset) -> RuleChanges {
        let by_id = |ruleset: &Ruleset| -> BTreeMap<RuleId, Option<u64>> {
            let fingerprint = |entry: &RuleEntry| match entry {
                RuleEntry::Rule(rule) => Some(rule.fingerprint),
                RuleEntry::EachTopic(_) => None,
            };
            ruleset.all().map(|entry| (entry.invariant_id(), fingerprint(entry))).collect()
        };
        let (old, new) = (by_id(old), by_id(new));
        let missing = |from: &BTreeMap<RuleId, _>, of: &BTreeMap<RuleId, _>| {
            of.keys().filter(|id| !from.contains_key(id)).map(ToString::to_string).collect()
        };
        let changed = new.iter().filter(|(id, rule)| old.get(id).is_some_and(|before| before != *rule));
        RuleChanges {
            came: missing(&old, &new),
            went: missing(&new, &old),
            changed: changed.map(|(id, _)| id.to_string()).collect(),
        }
    }

    /// Returns them in words: `1 came (a:x), 2 changed (a:y, b:z)`.
    pub(in crate::daemon) fn text(&self) -> String {
        let parts = [("came", &self.came), ("went", &self.went), ("changed", &self.changed)];
        let parts = parts.into_iter().filter(|(_, rules)| !rules.is_empty()).map(|(word, rules)| {
            let named = rules.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = if rules.len() > MOST_NAMED { ", …" } else { "" };
            format!("{} {word} ({named}{more})", rules.len())
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "no rule changed".to_owned() } else { parts.join(", ") }
    }
}

/// Asks for a reload now; the answer is for the one who asks.
pub(in crate::daemon) type Request = Option<oneshot::Sender<Reloaded>>;

/// Which rules are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) enum Subject {
    /// Those in force.
    InForce,
    /// Those in the shadow, in this folder, relative to the home.
    Shadow(Arc<str>),
}

impl Subject {
    fn scan(&self, home: &Path) -> Result<Scan, FilesError> {
        let mut scan = match self {
            Subject::InForce => scan(home)?,
            Subject::Shadow(folder) => scan_instead(home, folder)?,
        };
        scan.sources.retain(|path, _| !is_test(path));
        Ok(scan)
    }

    fn input(&self, loaded: Box<Loaded>) -> Input {
        match self {
            Subject::InForce => Input::Loaded(loaded),
            Subject::Shadow(_) => Input::LoadedShadow(loaded),
        }
    }
}

impl Loaded {
    /// Reads and checks the home in `folder`, with the rules of `subject`.
    pub(in crate::daemon) fn read(folder: &Path, subject: &Subject) -> Result<(Loaded, Scan), FilesError> {
        let scan = subject.scan(folder)?;
        Ok((Loaded::check(&scan, &Sources::new()), scan))
    }

    /// Returns it with the last good versions of what doesn't load, where there are any.
    pub(in crate::daemon) fn with_last_good(self, scan: &Scan, good: &Sources) -> Loaded {
        let is_good = self.stale.is_empty() && scan.has_rules_folder && !scan.sources.values().any(is_blank);
        if is_good || good.is_empty() { self } else { Loaded::check(scan, good) }
    }

    /// Checks what was read; what doesn't load stays as it is in `good`.
    pub(in crate::daemon) fn check(scan: &Scan, good: &Sources) -> Loaded {
        // Without a folder and without rules before, there is nothing to go back to.
        let Settled { home, sources, diagnostics, stale } = Settled::of(&scan.sources, good, scan.has_rules_folder);
        for copy in &scan.copies {
            warn!("`{copy}` isn't read: it looks like a copy that a synchronizer or an editor made.");
        }
        let mut findings = findings(&diagnostics, &scan.sources);
        let emptied = stale.iter().filter(|(_, stale)| stale.why == Why::Emptied);
        findings.extend(emptied.map(|(path, _)| Finding::of_emptied(path)));
        Loaded { home, sources, stale, findings, has_rules_folder: scan.has_rules_folder, answer: None }
    }
}

/// Watches the files of a home, and hands them over when they changed.
pub(in crate::daemon) struct Reloader {
    home: PathBuf,
    subject: Subject,
    link: Link,
    requests: mpsc::Receiver<Request>,
    hint: Arc<Notify>,
    watch: Option<Watch>,
    /// What the files were when they were last handed over.
    known: u64,
    last: Scan,
    /// The files in force.
    good: Sources,
}

impl Reloader {
    /// Returns a reloader for the home in the folder `home`, whose files were `scan` when they were last read; `good` are
    /// those in force.
    pub(in crate::daemon) fn new(
        (home, subject): (PathBuf, Subject),
        link: Link,
        requests: mpsc::Receiver<Request>,
        scan: Scan,
        good: Sources,
    ) -> Reloader {
        let known = fingerprint(&scan.sources);
        Reloader { home, subject, link, requests, hint: Arc::new(Notify::new()), watch: None, known, last: scan, good }
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
            let rescan = Instant::now() + if self.watch.is_some() { RESCAN } else { RESCAN_WITHOUT_WATCH };
            loop {
                tokio::select! {
                    () = self.hint.notified() => self.wait_for_quiet().await,
                    () = tokio::time::sleep_until(rescan) => {}
                    () = tokio::time::sleep(POLL), if !self.last.polled.is_empty() => {
                        if !self.poll().await {
                            continue;
                        }
                        self.wait_for_quiet().await;
                    }
                    asked = self.requests.recv() => match asked {
                        Some(asked) => request = Some(asked),
                        None => return,
                    },
                }
                break;
            }
        }
    }

    /// Looks at what is polled, and returns whether any of it changed.
    async fn poll(&mut self) -> bool {
        let known = self.last.polled.clone();
        // A file may be on a disk that takes its time.
        let look = move || known.into_keys().map(|path| (Stamp::of(&path), path)).collect::<Vec<_>>();
        let Ok(found) = tokio::task::spawn_blocking(look).await else { return true };
        let found = found.into_iter().map(|(stamp, path)| (path, stamp)).collect();
        let is_changed = self.last.polled != found;
        self.last.polled = found;
        is_changed
    }

    async fn wait_for_quiet(&self) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && timeout(QUIET, self.hint.notified()).await.is_ok() {}
    }

    /// Reads the files, and hands them over if they changed or `request` asks for it. Returns false when nobody takes
    /// them any more.
    async fn reload(&mut self, request: Option<Request>) -> bool {
        let (home, subject) = (self.home.clone(), self.subject.clone());
        let known = request.is_none().then_some(self.known);
        let good = self.good.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || read_if_changed(&home, &subject, known, &good)).await else {
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
        self.good.clone_from(&loaded.sources);
        loaded.answer = request.flatten();
        self.link.send(self.subject.input(loaded)).await.is_ok()
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

fn read_if_changed(home: &Path, subject: &Subject, known: Option<u64>, good: &Sources) -> Result<Read, FilesError> {
    let (mut scan, mut fingerprint) = read_rules(home, subject)?;
    if known == Some(fingerprint) {
        return Ok((scan, None));
    }
    // A file that is being written is empty or cut for a moment, and would be read as one with fewer rules.
    for _ in 0..STEADY_READINGS {
        std::thread::sleep(STEADY);
        let (again, same) = read_rules(home, subject)?;
        let is_steady = same == fingerprint;
        (scan, fingerprint) = (again, same);
        if is_steady {
            break;
        }
    }
    if known == Some(fingerprint) {
        return Ok((scan, None));
    }
    let loaded = Loaded::check(&scan, good);
    Ok((scan, Some((Box::new(loaded), fingerprint))))
}

fn read_rules(home: &Path, subject: &Subject) -> Result<(Scan, u64), FilesError> {
    let scan = subject.scan(home)?;
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

/// Says which files aren't in force.
pub(in crate::daemon) fn tell_stale(stale: &BTreeMap<Arc<str>, Stale>) {
    let is_gone = |(_, stale): &(&Arc<str>, &Stale)| stale.why == Why::FolderGone;
    if stale.iter().any(|stale| is_gone(&stale)) {
        error!("The folder of the rules is gone; the rules that were in force stay.");
    }
    for (path, Stale { why, has_last_good }) in stale.iter().filter(|stale| !is_gone(stale)) {
        let why = match why {
            Why::Emptied => "it had rules and is empty now",
            Why::Broken | Why::FolderGone => "it doesn't load, or others don't with it",
        };
        let instead = if *has_last_good { "its last good version stays in force" } else { "none of it is" };
        error!("`{path}` is NOT in force: {why}; {instead}.");
    }
}
