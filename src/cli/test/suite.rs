//! The tests of one home, read and ready to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::cli::Failure;
use crate::daemon::files;
use crate::lang::test_file::TestFile;
use crate::lang::{Diagnostic, Home, Severity, Source, Sources};
use crate::rules::Ruleset;
use crate::sim::TestHome;

use super::paths;

/// The tests of one home.
pub(in crate::cli) struct Suite {
    /// The home's folder.
    pub(in crate::cli) folder: PathBuf,
    /// What stands before each path that is printed.
    pub(in crate::cli) prefix: String,
    /// The rules and settings.
    pub(in crate::cli) home: TestHome,
    /// All rules of the home.
    pub(in crate::cli) rules: Ruleset,
    /// The test files that read well, in the order of their paths.
    pub(in crate::cli) files: Vec<TestFile>,
    /// The test files that don't, with what is wrong.
    pub(in crate::cli) broken: Vec<(Arc<str>, Vec<Diagnostic>)>,
    /// What is wrong with rules and settings; not empty: nothing can run.
    pub(in crate::cli) errors: Vec<Diagnostic>,
    /// The text of all files.
    pub(in crate::cli) sources: Sources,
}

impl Suite {
    /// Returns the folder of the rules, relative to the home.
    pub(in crate::cli) fn rules_folder(&self) -> &str {
        self.home.main_folder()
    }

    /// Reads the home in `folder` and its test files `tests`, relative to it.
    ///
    /// # Errors
    /// When the home can't be read.
    pub(in crate::cli) fn load(folder: &Path, prefix: String, tests: &BTreeSet<String>) -> Result<Suite, Failure> {
        let mut sources = files::read_home(folder).map_err(|error| Failure::new(error.to_string()))?;
        for test in tests {
            if !sources.contains_key(test.as_str()) {
                sources.insert(test.as_str().into(), read(&folder.join(test)));
            }
        }
        let loaded = Home::load(&sources);
        Ok(Suite::of(folder, prefix, (sources, loaded), tests))
    }

    /// Returns the test files `tests` of a home that was read, with what else they name.
    pub(in crate::cli) fn of(
        folder: &Path,
        prefix: String,
        (sources, loaded): (Sources, Home),
        tests: &BTreeSet<String>,
    ) -> Suite {
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        let home = TestHome::new(&loaded.settings, zone, loaded.ruleset.clone());
        let mut errors = only_errors(loaded.diagnostics);
        let mut files = Vec::new();
        let mut broken = Vec::new();
        for path in tests {
            let Some(source) = sources.get(path.as_str()) else { continue };
            match TestFile::read(path, source) {
                (Some(file), _) => files.push(file),
                (None, found) => broken.push((Arc::from(path.as_str()), found)),
            }
        }
        let mut suite = Suite {
            folder: folder.to_owned(),
            prefix,
            home,
            rules: loaded.ruleset,
            files,
            broken,
            errors: Vec::new(),
            sources,
        };
        errors.extend(suite.add_folders(folder, &loaded.settings.rules));
        suite.errors = errors;
        suite.check_paths();
        suite
    }

    /// Takes files that name what isn't there, or what can't be, for broken ones.
    fn check_paths(&mut self) {
        if !self.errors.is_empty() {
            // Rules that don't load are not there.
            return;
        }
        let mut found: BTreeMap<Arc<str>, Vec<Diagnostic>> = BTreeMap::new();
        let each = self.files.iter().flat_map(|file| paths::check(file, &self.home, &self.folder));
        for wrong in each.chain(paths::check_snapshots(&self.files)) {
            found.entry(Arc::clone(&wrong.label.file)).or_default().push(wrong);
        }
        self.files.retain(|file| !found.contains_key(&file.path));
        self.broken.extend(found);
        self.broken.sort_by(|(one, _), (other, _)| one.cmp(other));
    }

    /// Reads the folders of other rules that tests name, and returns what is wrong with them.
    fn add_folders(&mut self, home: &Path, rules: &str) -> Vec<Diagnostic> {
        let paths: BTreeSet<Arc<str>> =
            self.files.iter().flat_map(TestFile::rule_paths).map(|selection| Arc::clone(&selection.path)).collect();
        let mut errors = Vec::new();
        for path in paths {
            if self.home.folder_of(&path).is_some() {
                continue;
            }
            let full = home.join(&*path);
            let folder = if full.is_dir() { &*path } else { path.rsplit_once('/').map_or("", |(folder, _)| folder) };
            let mut found = Sources::new();
            read_folder(home, Path::new(folder), &mut found);
            // As if it were the folder of rules, so that the rules have the ids that they would have there.
            let rules = rules.trim_matches('/');
            let moved: BTreeMap<Arc<str>, Source> = found
                .iter()
                .map(|(path, source)| {
                    let rest = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
                    (Arc::from(format!("{rules}/{rest}")), source.clone())
                })
                .chain(
                    self.sources
                        .get_key_value(files::SETTINGS)
                        .map(|(path, source)| (Arc::clone(path), source.clone())),
                )
                .collect();
            let loaded = Home::load(&moved);
            errors.extend(only_errors(loaded.diagnostics).into_iter().map(|mut found| {
                if let Some(rest) = found.label.file.strip_prefix(rules) {
                    found.label.file = format!("{folder}{rest}").into();
                }
                found
            }));
            self.sources.extend(found);
            self.home.add_folder(folder, loaded.ruleset);
        }
        errors
    }
}

/// Returns the errors of rules and settings: a broken test file keeps no other from running.
fn only_errors(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let keeps = |found: &Diagnostic| found.severity == Severity::Error && !files::is_test(&found.label.file);
    found.into_iter().filter(keeps).collect()
}

fn read(path: &Path) -> Source {
    match fs::read(path) {
        Ok(bytes) => Source::Content(bytes.into()),
        Err(error) => {
            let reason = error.to_string();
            Source::Unreadable(reason.split(" (os error").next().unwrap_or(&reason).to_lowercase())
        }
    }
}

/// Reads the rule files of a folder of the home and below.
fn read_folder(home: &Path, folder: &Path, sources: &mut Sources) {
    let Ok(entries) = fs::read_dir(home.join(folder)) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let path: PathBuf = folder.join(&name);
        if entry.path().is_dir() {
            read_folder(home, &path, sources);
        } else if [".yaml", ".yml", ".rhai"].iter().any(|ending| name.ends_with(ending)) {
            sources.insert(path.to_string_lossy().into_owned().into(), read(&entry.path()));
        }
    }
}
