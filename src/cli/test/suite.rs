//! The tests of one home, read and ready to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::cli::home::zone::zone_of;
use crate::cli::{Failure, print};
use crate::disk;
use crate::disk::home_files;
use crate::lang::test_file::TestFile;
use crate::lang::{Diagnostic, Home, Settings, Severity, Source, Sources, take_unfit_for_errors};
use crate::rules::Ruleset;
use crate::sim::TestHome;

use super::{paths, webhooks};

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
    /// What the home's settings say.
    pub(in crate::cli) settings: Settings,
    /// The test files that read well, in the order of their paths.
    pub(in crate::cli) files: Vec<TestFile>,
    /// The test files that don't, with what is wrong.
    pub(in crate::cli) broken: Vec<(Arc<str>, Vec<Diagnostic>)>,
    /// What the tests that read well may have got wrong.
    pub(in crate::cli) warnings: Vec<Diagnostic>,
    /// What is wrong with rules and settings; not empty: nothing can run.
    pub(in crate::cli) errors: Vec<Diagnostic>,
    /// The text of all files.
    pub(in crate::cli) sources: Sources,
    /// The test files, relative to the home.
    tests: BTreeSet<String>,
    /// The files and folders of rules that tests name beside the home's own.
    named: Vec<Arc<str>>,
}

impl Suite {
    /// Returns a whole home with all its tests; `None` where it doesn't load, which is printed.
    ///
    /// # Errors
    /// When its files can't be read.
    pub(in crate::cli) fn of_home(home: &Path) -> Result<Option<Suite>, Failure> {
        let sources = home_files::read_home(home).map_err(|error| Failure::new(error.to_string()))?;
        let is_test = |path: &&Arc<str>| home_files::is_test(path);
        let tests: BTreeSet<String> = sources.keys().filter(is_test).map(ToString::to_string).collect();
        let suite = Suite::load(home, String::new(), &tests)?;
        if suite.errors.is_empty() {
            return Ok(Some(suite));
        }
        print::diagnostics(&suite.errors, &suite.sources, "");
        Ok(None)
    }

    /// Returns the folder of the rules, relative to the home.
    pub(in crate::cli) fn rules_folder(&self) -> &str {
        self.home.main_folder()
    }

    /// Reads the home in `folder` and its test files `tests`, relative to it.
    ///
    /// # Errors
    /// When the home can't be read.
    pub(in crate::cli) fn load(folder: &Path, prefix: String, tests: &BTreeSet<String>) -> Result<Suite, Failure> {
        let mut sources = home_files::read_home(folder).map_err(|error| Failure::new(error.to_string()))?;
        for test in tests {
            if !sources.contains_key(test.as_str()) {
                sources.insert(test.as_str().into(), read(&folder.join(test)));
            }
        }
        let loaded = Home::load(&sources);
        let zone = zone_of(&loaded.settings)?;
        Ok(Suite::of(folder, prefix, (sources, loaded), tests, zone))
    }

    /// Returns the test files `tests` of a home that was read, with what else they name.
    pub(in crate::cli) fn of(
        folder: &Path,
        prefix: String,
        (sources, loaded): (Sources, Home),
        tests: &BTreeSet<String>,
        zone: TimeZone,
    ) -> Suite {
        let home = TestHome::new(&loaded.settings, zone, loaded.ruleset.clone()).with_devices(&loaded.kept_devices);
        let mut diagnostics = loaded.diagnostics;
        take_unfit_for_errors(&mut diagnostics);
        let mut errors = only_errors(diagnostics);
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
            settings: loaded.settings.clone(),
            files,
            broken,
            warnings: Vec::new(),
            errors: Vec::new(),
            sources,
            tests: tests.clone(),
            named: Vec::new(),
        };
        errors.extend(suite.add_named(&loaded.settings.rules));
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
        self.warnings = self.files.iter().flat_map(|file| webhooks::check(file, &self.home)).collect();
    }

    /// Reads the other rules that tests name, and returns what is wrong with them.
    fn add_named(&mut self, rules: &str) -> Vec<Diagnostic> {
        let paths: BTreeSet<Arc<str>> =
            self.files.iter().flat_map(TestFile::rule_paths).map(|selection| Arc::clone(&selection.path)).collect();
        let mut folders: BTreeMap<String, Sources> = BTreeMap::new();
        for path in paths {
            let is_read =
                |folder: &String| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
            if self.home.folder_of(&path).is_some() || folders.keys().any(is_read) {
                continue;
            }
            let (folder, found) = read_named(&self.folder, &path);
            if !found.is_empty() {
                folders.entry(folder).or_default().extend(found);
            }
            self.named.push(path);
        }
        folders.into_iter().flat_map(|(folder, found)| self.add_folder(&folder, found, rules)).collect()
    }

    /// Adds rules that stand in another folder, and returns what is wrong with them.
    fn add_folder(&mut self, folder: &str, found: Sources, rules: &str) -> Vec<Diagnostic> {
        // As if it were the folder of rules, so that the rules have the ids that they would have there.
        let rules = rules.trim_matches('/');
        let mut moved: Sources = Sources::new();
        for (path, source) in &found {
            let rest = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
            moved.insert(format!("{rules}/{rest}").into(), source.clone());
        }
        let settings = self.sources.get_key_value(home_files::SETTINGS);
        moved.extend(settings.map(|(path, source)| (Arc::clone(path), source.clone())));
        let loaded = Home::load(&moved);
        let mut errors = only_errors(loaded.diagnostics);
        for found in &mut errors {
            if let Some(rest) = found.label.file.strip_prefix(rules) {
                found.label.file = format!("{folder}{rest}").trim_start_matches('/').into();
            }
        }
        self.sources.extend(found);
        self.home.add_folder(folder, loaded.ruleset);
        errors
    }

    /// Reads again all that was read.
    pub(super) fn sources_now(&self) -> Sources {
        let mut now = home_files::read_home(&self.folder).unwrap_or_default();
        for test in &self.tests {
            now.entry(test.as_str().into()).or_insert_with(|| read(&self.folder.join(test)));
        }
        now.extend(self.named.iter().flat_map(|path| read_named(&self.folder, path).1));
        now
    }
}

/// Returns the errors of rules and settings: a broken test file keeps no other from running.
fn only_errors(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let keeps = |found: &Diagnostic| found.severity == Severity::Error && !home_files::is_test(&found.label.file);
    found.into_iter().filter(keeps).collect()
}

fn read(path: &Path) -> Source {
    match fs::read(path) {
        Ok(bytes) => Source::Content(bytes.into()),
        Err(error) => Source::Unreadable(disk::reason(&error)),
    }
}

fn is_rule_file(name: &str) -> bool {
    [".yaml", ".yml", ".rhai"].iter().any(|ending| name.ends_with(ending))
}

/// Reads the rules at `path`, with those beside them: returns the folder too. In the home's own folder all of the home
/// lies: there only the file itself is rules.
fn read_named(home: &Path, path: &str) -> (String, Sources) {
    let full = home.join(path);
    let folder = if full.is_dir() { path } else { path.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut found = Sources::new();
    if !folder.is_empty() {
        read_folder(home, Path::new(folder), &mut found);
    } else if full.is_file() && is_rule_file(path) {
        found.insert(path.into(), read(&full));
    }
    (folder.to_owned(), found)
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
        } else if is_rule_file(&name) {
            sources.insert(path.to_string_lossy().into_owned().into(), read(&entry.path()));
        }
    }
}
