//! The tests of imported rules: each trigger once, and what the rules publish then, as the virtual home shows it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::json;

use super::checked_home::CheckedHome;
use crate::lang::import::home_assistant::{Imported, Trial};
use crate::lang::test_file::TestFile;
use crate::lang::{Source, Yaml};
use crate::script::with_deep_stack;
use crate::sim::{Published, TestHome, TestRun, Tried, expectation, notice_expectation};

/// A test that expects more messages than this tells nobody anything.
const MOST_MESSAGES: usize = 40;

/// Of what homerule itself publishes, only calls of Home Assistant count in expectations.
const CALL: &str = "homerule/home_assistant/call";

/// What a test file says of itself.
const HEADER: &str = "# What each automation does when it's triggered, as it was imported. `reload` chooses the automation and what it runs, so that\n\
                      # no other one joins in. Change what a test expects into what you want, then the rule.\n";

/// A test that was made.
struct Made {
    name: String,
    test: Yaml,
}

/// Adds a test file beside each rule file that has automations. What can't be tried has no test.
pub(super) fn add(imported: &mut Imported, home: &CheckedHome) {
    let trials: Vec<(&String, &Trial)> =
        imported.trials.iter().flat_map(|(path, trials)| trials.iter().map(move |trial| (path, trial))).collect();
    let next = AtomicUsize::new(0);
    let made: Mutex<BTreeMap<usize, Made>> = Mutex::default();
    let work = || {
        while let Some((index, (path, trial))) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            trials.get(index).map(|trial| (index, *trial))
        } {
            let first = imported.trials.get(path).map_or(&[][..], |trials| first_rules(trials));
            if let Some(test) = (Attempts { trial, path, first, home: &home.home }).test() {
                made.lock().unwrap_or_else(PoisonError::into_inner).insert(index, test);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(trials.len().max(1));
    thread::scope(|scope| {
        for _ in 1..threads {
            // A system without a thread left still has this one.
            let _ = thread::Builder::new().spawn_scoped(scope, || with_deep_stack(work));
        }
        with_deep_stack(work);
    });
    let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut files: BTreeMap<String, Vec<(String, Yaml)>> = BTreeMap::new();
    for (index, Made { name, test }) in made {
        let Some((path, _)) = trials.get(index) else { continue };
        let tests = files.entry((*path).clone()).or_default();
        let name = free(&name, tests);
        tests.push((name, test));
    }
    for (path, tests) in files {
        let first = imported.trials.get(&path).map_or(&[][..], |trials| first_rules(trials));
        let text = document(first, tests);
        imported.files.insert(test_path(&path), format!("{HEADER}{text}"));
    }
}

/// Returns a name that no other test of the file has.
fn free(name: &str, tests: &[(String, Yaml)]) -> String {
    let is_taken = |name: &str| tests.iter().any(|(known, _)| known == name);
    let mut number = 2;
    let mut free = name.to_owned();
    while is_taken(&free) {
        free = format!("{name} ({number})");
        number += 1;
    }
    free
}

fn test_path(rules: &str) -> String {
    format!("{}.test.yaml", rules.trim_end_matches(".yaml"))
}

/// The attempts to make one trigger fire.
struct Attempts<'a> {
    trial: &'a Trial,
    path: &'a str,
    /// The rules that are there before the test chooses its own.
    first: &'a [String],
    home: &'a TestHome,
}

impl Attempts<'_> {
    /// Returns the test of the first attempt in which the rule runs, or else of the first.
    fn test(&self) -> Option<Made> {
        let mut first = None;
        for start in &self.trial.starts {
            let Some(tried) = self.tried(start) else { continue };
            if tried.ran.iter().any(|id| id.key() == self.trial.rule) {
                return self.written(start, &tried, true);
            }
            first.get_or_insert((start, tried));
        }
        let (start, tried) = first?;
        self.written(start, &tried, false)
    }

    /// Returns what comes of an attempt.
    fn tried(&self, start: &str) -> Option<Tried> {
        let file = self.read(self.yaml(start, None.into_iter()))?;
        TestRun::tried(&file, file.tests.first()?, self.home).ok()
    }

    /// Returns the test, if it passes.
    fn written(&self, start: &str, tried: &Tried, runs: bool) -> Option<Made> {
        let rule = &self.trial.rule;
        let is_told = |published: &&Published| {
            let topic = published.publication.message.topic.as_str();
            !topic.starts_with("homerule/") || topic == CALL
        };
        let told: Vec<&Published> = tried.published.iter().filter(is_told).collect();
        let step = match (told.len(), tried.failed.iter().find(|id| id.key() == rule)) {
            (_, Some(failed)) => {
                let expected = json!({ "rule": failed.as_str(), "outcome": "failed" });
                Yaml::Inline(vec![("expect_run".to_owned(), Yaml::Value(expected))])
            }
            (count, None) if count > MOST_MESSAGES => {
                Yaml::Inline(vec![("expect_run".to_owned(), Yaml::Value(json!({ "rule": rule })))])
            }
            _ => expectation(told.iter().copied()),
        };
        let is_open = told.len() > MOST_MESSAGES || !tried.failed.is_empty();
        let notices = (!tried.told.is_empty() && !is_open).then(|| notice_expectation(&tried.told));
        let mut test = self.yaml(start, [inputs(&tried.published), notices, Some(step)].into_iter().flatten());
        if let (true, Yaml::Map(keys)) = (is_open, &mut test) {
            keys.insert(1, ("strict".to_owned(), Yaml::Value(false.into())));
        }
        let file = self.read(test.clone())?;
        let passes = TestRun::run(&file, file.tests.first()?, self.home, None).failure.is_none();
        let name = match (runs, tried.failed.is_empty()) {
            (true, _) => self.trial.name.clone(),
            (false, true) => format!("{}, which its conditions keep from running", self.trial.name),
            (false, false) => format!("{}, which fails with what the test says", self.trial.name),
        };
        passes.then_some(Made { name, test })
    }

    fn yaml(&self, start: &str, expected: impl Iterator<Item = Yaml>) -> Yaml {
        let mut keys = vec![("at".to_owned(), Yaml::text(start))];
        if !self.trial.given.is_empty() {
            let given = self.trial.given.iter().map(|(topic, payload)| (topic.clone(), Yaml::Value(payload.clone())));
            keys.push(("given".to_owned(), Yaml::Map(given.collect())));
        }
        let rules = match self.trial.rules.as_slice() {
            [only] => json!(only),
            several => json!(several),
        };
        let mut steps = vec![Yaml::Inline(vec![("reload".to_owned(), Yaml::Value(rules))])];
        steps.extend(self.trial.steps.iter().cloned().map(Yaml::Value));
        steps.extend(expected);
        keys.push(("steps".to_owned(), Yaml::List(steps)));
        Yaml::Map(keys)
    }

    fn read(&self, test: Yaml) -> Option<TestFile> {
        let text = document(self.first, vec![(self.trial.name.clone(), test)]);
        let source = Source::Content(Arc::from(text.as_bytes()));
        TestFile::read(&test_path(self.path), &source).0
    }
}

/// Returns what the inputs are that rules have set, as a step that expects it.
fn inputs(published: &[Published]) -> Option<Yaml> {
    let message = |published: &Published| {
        let message = &published.publication.message;
        let topic = message.topic.as_str().strip_prefix("homerule/input/").filter(|name| !name.contains('/'));
        topic.map(|_| (message.topic.as_str().to_owned(), message.payload.value().to_json()))
    };
    let last: serde_json::Map<String, serde_json::Value> = published.iter().filter_map(message).collect();
    (!last.is_empty()).then(|| Yaml::Inline(vec![("expect_state".to_owned(), Yaml::Value(last.into()))]))
}

/// Returns the text of a test file.
fn document(first: &[String], tests: Vec<(String, Yaml)>) -> String {
    let rules = match first {
        [only] => Yaml::text(only),
        several => Yaml::Value(json!(several)),
    };
    Yaml::Map(vec![("rules".to_owned(), rules), ("tests".to_owned(), Yaml::Map(tests))]).document()
}

/// Returns the rules that a test file begins with: those of a trial that no start triggers, if there is one.
fn first_rules(trials: &[Trial]) -> &[String] {
    let first = trials.iter().find(|trial| !trial.is_start).or(trials.first());
    first.map_or(&[], |trial| &trial.rules)
}
