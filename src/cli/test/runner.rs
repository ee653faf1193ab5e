//! Runs the tests of a home side by side, and keeps their results in the order of the files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::api::{Finding, findings};
use crate::cli::Failure;
use crate::cli::progress::{Progress, Reader};
use crate::lang::Diagnostic;
use crate::lang::test_file::{TestCase, TestFile};
use crate::script::with_deep_stack;
use crate::sim::{Coverage, TestOutcome};

use super::material::{self, Acceptance};
use super::suite::Suite;
use super::watch::Touched;

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
    /// What is odd about the recording that it played: of which file and line, and what.
    pub(super) odd: Vec<String>,
    /// How long that took.
    pub(super) duration: Duration,
}

/// Which tests run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    /// Those in whose file or name this text is found.
    pub(super) filter: Option<&'a str>,
    /// Those that a change touches.
    pub(super) touched: Option<&'a Touched>,
    /// Who reads what comes of it.
    pub(super) reader: Reader,
}

/// How tests ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Whether all rules and settings loaded.
    pub(super) is_loaded: bool,
    /// Those that ran, and whether they failed.
    pub(super) tests: Vec<(TestKey, bool)>,
}

/// Which test is meant: its home's folder, its file and its name.
pub(super) type TestKey = (PathBuf, Arc<str>, Arc<str>);

impl Suite {
    /// Runs the tests that `choice` chooses.
    pub(super) fn run(&self, choice: Choice<'_>, acceptance: Acceptance) -> Finished<'_> {
        let is_chosen = |file: &TestFile, case: &TestCase| {
            choice.filter.is_none_or(|filter| file.path.contains(filter) || case.name.contains(filter))
                && choice.touched.is_none_or(|touched| touched.includes(self, file, case))
        };
        let mut tests: Vec<(&TestFile, &TestCase)> = Vec::new();
        if self.errors.is_empty() {
            let cases = self.files.iter().flat_map(|file| file.tests.iter().map(move |case| (file, case)));
            tests.extend(cases.filter(|(file, case)| is_chosen(file, case)));
        }
        let tests = {
            // Only what plays recordings takes long.
            let has_recordings = tests.iter().any(|(_, case)| case.recorded.is_some());
            let progress = has_recordings.then(|| Progress::new(choice.reader, Some(tests.len() as u64)));
            self.run_side_by_side(&tests, acceptance, progress.as_ref())
        };
        let coverage = Coverage::new(&self.rules, tests.iter().map(|ran| &ran.outcome.exercised));
        Finished { suite: self, tests, coverage }
    }

    fn run_side_by_side<'a>(
        &'a self,
        tests: &[(&'a TestFile, &'a TestCase)],
        acceptance: Acceptance,
        progress: Option<&Progress>,
    ) -> Vec<Ran<'a>> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Ran<'a>)>> = Mutex::new(Vec::with_capacity(tests.len()));
        let work = || {
            while let Some((index, (file, case))) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                tests.get(index).map(|test| (index, *test))
            } {
                let start = Instant::now();
                let (outcome, odd) = material::run((file, case), &self.home, &self.folder, acceptance);
                let ran = Ran { file, case, outcome, odd, duration: start.elapsed() };
                done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, ran));
                progress.inspect(|progress| progress.step());
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
        self.tests.len() - self.passed() + self.unloaded().len()
    }

    /// Returns the first thing that is wrong with each file that doesn't load: of rules and settings, then of tests.
    pub(super) fn unloaded(&self) -> Vec<Finding> {
        let Suite { errors, broken, sources, .. } = self.suite;
        let mut first: Vec<Diagnostic> = Vec::new();
        for found in errors.iter().chain(broken.iter().filter_map(|(_, found)| found.first())) {
            if first.iter().all(|known| known.label.file != found.label.file) {
                first.push(found.clone());
            }
        }
        findings(&first, sources)
    }

    /// Returns what is odd about the recordings that were played, each once.
    pub(super) fn odd(&self) -> BTreeSet<String> {
        let odd = self.tests.iter().flat_map(|ran| &ran.odd);
        odd.map(|what| format!("{}{what}", self.suite.prefix)).collect()
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

/// Returns how the tests ended.
pub(super) fn ended(results: &[Finished<'_>]) -> Ended {
    let tests = results.iter().flat_map(|finished| finished.tests.iter().map(move |ran| (finished.suite, ran)));
    let test = |(suite, ran): (&Suite, &Ran<'_>)| {
        let key = (suite.folder.clone(), Arc::clone(&ran.file.path), Arc::clone(&ran.case.name));
        (key, ran.outcome.failure.is_some())
    };
    Ended { is_loaded: results.iter().all(Finished::is_loaded), tests: tests.map(test).collect() }
}

/// Returns how much of all rules of all homes the tests have exercised, in percent.
pub(super) fn coverage_percent(results: &[Finished<'_>]) -> f64 {
    let rules = results.iter().flat_map(|finished| finished.coverage.rules.iter().cloned()).collect();
    let invariants = results.iter().flat_map(|finished| finished.coverage.invariants.iter().cloned()).collect();
    Coverage { rules, invariants }.percent()
}
