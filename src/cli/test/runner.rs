//! Runs the tests of a home side by side, and keeps their results in the order of the files.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Failure;
use crate::lang::test_file::{TestCase, TestFile};
use crate::script::with_deep_stack;
use crate::sim::{Coverage, TestOutcome};

use super::suite::Suite;
use super::{Acceptance, material};

/// The tests of a home, and how each ended.
pub(super) struct Finished<'a> {
    /// The home and its tests.
    pub(super) suite: &'a Suite,
    /// The results, in the order of the files.
    pub(super) tests: Vec<Ran<'a>>,
    /// What the tests have exercised of the rules.
    pub(super) coverage: Coverage,
}

/// A test that was run.
pub(super) struct Ran<'a> {
    /// Its file.
    pub(super) file: &'a TestFile,
    /// The test.
    pub(super) case: &'a TestCase,
    /// How it ended.
    pub(super) outcome: TestOutcome,
    /// How long that took.
    pub(super) duration: Duration,
}

impl Suite {
    /// Runs the tests in whose file or name `filter` is found.
    pub(super) fn run(&self, filter: Option<&str>, acceptance: Acceptance) -> Finished<'_> {
        let is_chosen = |file: &TestFile, case: &TestCase| {
            filter.is_none_or(|filter| file.path.contains(filter) || case.name.contains(filter))
        };
        let mut tests: Vec<(&TestFile, &TestCase)> = Vec::new();
        if self.errors.is_empty() {
            let cases = self.files.iter().flat_map(|file| file.tests.iter().map(move |case| (file, case)));
            tests.extend(cases.filter(|(file, case)| is_chosen(file, case)));
        }
        let tests = self.run_side_by_side(&tests, acceptance);
        let coverage = Coverage::new(&self.rules, tests.iter().map(|ran| &ran.outcome.exercised));
        Finished { suite: self, tests, coverage }
    }

    fn run_side_by_side<'a>(&'a self, tests: &[(&'a TestFile, &'a TestCase)], acceptance: Acceptance) -> Vec<Ran<'a>> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Ran<'a>)>> = Mutex::new(Vec::with_capacity(tests.len()));
        let work = || {
            while let Some((index, (file, case))) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                tests.get(index).map(|test| (index, *test))
            } {
                let start = Instant::now();
                let outcome = material::run((file, case), &self.home, &self.folder, acceptance);
                let ran = Ran { file, case, outcome, duration: start.elapsed() };
                done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, ran));
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from).min(tests.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                let started = thread::Builder::new().spawn_scoped(scope, || with_deep_stack(work));
                // A system without a thread left still has this one.
                if started.is_err() {
                    work();
                }
            }
        });
        let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, ran)| ran).collect()
    }
}

impl Finished<'_> {
    /// Returns how many tests passed.
    pub(super) fn passed(&self) -> usize {
        self.tests.iter().filter(|ran| ran.outcome.failure.is_none()).count()
    }

    /// Returns how many tests failed; a file that doesn't load is one.
    pub(super) fn failed(&self) -> usize {
        self.tests.len() - self.passed() + self.suite.broken.len()
    }

    /// Writes the snapshots that the tests have changed, and returns their paths.
    ///
    /// # Errors
    /// When one can't be written.
    pub(super) fn accept(&self) -> Result<Vec<String>, Failure> {
        let mut written = Vec::new();
        for ran in &self.tests {
            let Some(recorded) = ran.case.recorded.as_ref() else { continue };
            if material::accept(recorded, &ran.outcome, &self.suite.folder)? {
                let path = recorded.snapshot.as_ref().map_or("", |path| &*path.path);
                written.push(format!("{}{path}", self.suite.prefix));
            }
        }
        Ok(written)
    }

    /// Returns whether all rules and settings load.
    pub(super) fn is_loaded(&self) -> bool {
        self.suite.errors.is_empty()
    }
}

/// Returns how much of all rules of all homes the tests have exercised, in percent.
pub(super) fn coverage_percent(results: &[Finished<'_>]) -> f64 {
    let rules = results.iter().flat_map(|finished| finished.coverage.rules.iter().cloned()).collect();
    Coverage { rules }.percent()
}
