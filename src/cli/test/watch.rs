//! `--watch`: runs the tests again that a change touches, whenever a file changes that they depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::cli::{Failure, print};
use crate::disk::home_files::{SETTINGS, is_test};
use crate::lang::Sources;
use crate::lang::test_file::{TestCase, TestFile};

use super::found::{TestPaths, find_suites, find_tests};
use super::runner::{Ended, TestKey};
use super::suite::Suite;

/// How often we look.
const PAUSE: Duration = Duration::from_millis(300);

/// The tests that are watched, and all that they depend on, as it was when they were read last.
pub(super) struct Watched<'a> {
    paths: &'a [PathBuf],
    /// The test files, by home.
    tests: Option<TestPaths>,
    suites: Vec<Suite>,
    /// The files of each home.
    sources: BTreeMap<PathBuf, Sources>,
    /// Recordings and snapshots may be large: of them we know when they changed, and their bytes.
    recorded: BTreeMap<PathBuf, Option<(SystemTime, u64)>>,
    touched: Touched,
}

/// Which tests run again.
#[derive(Debug)]
pub(super) struct Touched {
    /// Whether all do.
    is_all: bool,
    /// The files that changed.
    changed: BTreeSet<PathBuf>,
    /// The tests that failed when they last ran.
    failed: BTreeSet<TestKey>,
}

impl<'a> Watched<'a> {
    /// Watches the tests at `paths`.
    ///
    /// # Errors
    /// When they can't be read.
    pub(super) fn new(paths: &'a [PathBuf]) -> Result<Watched<'a>, Failure> {
        let touched = Touched { is_all: true, changed: BTreeSet::new(), failed: BTreeSet::new() };
        let (sources, recorded) = (BTreeMap::new(), BTreeMap::new());
        let mut watched = Watched { paths, tests: None, suites: Vec::new(), sources, recorded, touched };
        watched.read()?;
        Ok(watched)
    }

    /// Returns the tests.
    pub(super) fn suites(&self) -> &[Suite] {
        &self.suites
    }

    /// Returns which of them run.
    pub(super) fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Takes note of the tests that failed and of those that no longer do. What changed until then is done with.
    pub(super) fn note(&mut self, ended: Ended) {
        self.touched.is_all = !ended.is_loaded;
        self.touched.changed.clear();
        for (test, has_failed) in ended.tests {
            if has_failed {
                self.touched.failed.insert(test);
            } else {
                self.touched.failed.remove(&test);
            }
        }
    }

    /// Waits until a file changes, and reads all anew.
    pub(super) fn wait(&mut self) {
        print::line("waiting for a change; Ctrl+C ends");
        loop {
            std::thread::sleep(PAUSE);
            if !self.look() {
                continue;
            }
            print::line("");
            match self.read() {
                Ok(()) => return,
                Err(failure) => print::error(&failure.to_string()),
            }
        }
    }

    /// Reads the tests. What changed since we looked is noted too.
    fn read(&mut self) -> Result<(), Failure> {
        self.tests = Some(find_tests(self.paths)?);
        self.suites = find_suites(self.paths)?;
        for suite in &self.suites {
            let known = self.sources.insert(suite.folder.clone(), suite.sources.clone());
            self.touched.changed.extend(changes(suite, &known.unwrap_or_default(), &suite.sources));
        }
        self.recorded = self.suites.iter().flat_map(recorded_of).map(|path| (path.clone(), stamp(&path))).collect();
        Ok(())
    }

    /// Notes what changed; returns whether anything did.
    fn look(&mut self) -> bool {
        let mut changed = Vec::new();
        for suite in &self.suites {
            let now = suite.sources_now();
            let known = self.sources.entry(suite.folder.clone()).or_default();
            changed.extend(changes(suite, known, &now));
            *known = now;
        }
        for (path, known) in &mut self.recorded {
            let now = stamp(path);
            if now != *known {
                changed.push(path.clone());
                *known = now;
            }
        }
        let tests = find_tests(self.paths).ok();
        let has_moved = tests != self.tests;
        self.tests = tests;
        let is_any = has_moved || !changed.is_empty();
        self.touched.changed.extend(changed);
        is_any
    }
}

/// Returns the files of a home that differ.
fn changes(suite: &Suite, known: &Sources, now: &Sources) -> Vec<PathBuf> {
    let names: BTreeSet<&Arc<str>> = known.keys().chain(now.keys()).collect();
    let changed = names.into_iter().filter(|name| known.get(*name) != now.get(*name));
    changed.map(|name| suite.folder.join(&**name)).collect()
}

impl Touched {
    /// Returns whether all tests run.
    pub(super) fn is_all(&self) -> bool {
        self.is_all
    }

    /// Returns whether this test runs.
    pub(super) fn includes(&self, suite: &Suite, file: &TestFile, case: &TestCase) -> bool {
        let key = || (suite.folder.clone(), Arc::clone(&file.path), Arc::clone(&case.name));
        let mut changed = self.changed.iter().filter_map(|path| path.strip_prefix(&suite.folder).ok());
        self.is_all || changed.any(|path| touches(path, suite, file, case)) || self.failed.contains(&key())
    }
}

/// Returns whether a test depends on the file at `path`, relative to the home.
fn touches(path: &Path, suite: &Suite, file: &TestFile, case: &TestCase) -> bool {
    let recorded =
        case.recorded.iter().flat_map(|recorded| std::iter::once(&recorded.replay).chain(&recorded.snapshot));
    if path == Path::new(&*file.path)
        || path == Path::new(SETTINGS)
        || recorded.into_iter().any(|name| path == Path::new(&*name.path))
    {
        return true;
    }
    let name = path.to_string_lossy();
    if is_test(&name) {
        return false;
    }
    // Which scripts import a module isn't told.
    let is_module = name.ends_with(".rhai") && name.contains("/lib/");
    let is_chosen = match &file.rules {
        None => path.starts_with(suite.rules_folder()),
        Some(_) => false,
    };
    is_module || is_chosen || file.rule_paths().any(|selection| path.starts_with(&*selection.path))
}

/// Returns the recordings and snapshots that the tests of a home name.
fn recorded_of(suite: &Suite) -> Vec<PathBuf> {
    let recorded = suite.files.iter().flat_map(|file| &file.tests).filter_map(|case| case.recorded.as_ref());
    let names = recorded.flat_map(|recorded| std::iter::once(&recorded.replay).chain(&recorded.snapshot));
    names.map(|name| suite.folder.join(&*name.path)).collect()
}

/// Returns when a file last changed, and its bytes; `None` where there is none.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let known = fs::metadata(path).ok()?;
    Some((known.modified().ok()?, known.len()))
}
