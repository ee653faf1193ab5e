//! Finds test files, and groups them by the home that they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::cli::home::home_folder;
use crate::cli::home::home_folder::is_home;
use crate::disk;
use crate::disk::home_files::{self, is_test};

use super::suite::Suite;

/// Deeper folders are taken for a mistake.
const DEEPEST_FOLDER: usize = 32;

/// Test files, relative to their homes, by home.
pub(super) type TestPaths = BTreeMap<PathBuf, BTreeSet<String>>;

/// Reads the tests at `paths`, by home; without paths, those of the home here.
///
/// # Errors
/// As [`find_tests`], and when a home can't be read.
pub(super) fn find_suites(paths: &[PathBuf]) -> Result<Vec<Suite>, Failure> {
    let by_home = find_tests(paths)?;
    let is_one = by_home.len() == 1;
    by_home.into_iter().map(|(home, tests)| Suite::load(&home, shown(&home, is_one), &tests)).collect()
}

/// Returns the test files at `paths`; without paths, those of the home here.
///
/// # Errors
/// When a path isn't there, belongs to no home, or holds no test.
pub(super) fn find_tests(paths: &[PathBuf]) -> Result<TestPaths, Failure> {
    let mut by_home = TestPaths::new();
    if paths.is_empty() {
        let home = home_folder::here()?;
        by_home.entry(home.clone()).or_default().extend(tests_of_home(&home)?);
    }
    for path in paths {
        let mut found = Vec::new();
        let absolute = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        if absolute.is_dir() && !is_home(&absolute) {
            walk(&absolute, 0, &mut found)?;
        } else if absolute.is_dir() {
            let tests = tests_of_home(&absolute)?;
            found.extend(tests.into_iter().map(|test| absolute.join(test)));
        } else if is_test(&path.to_string_lossy()) {
            found.push(absolute.clone());
        } else {
            let path = path.display();
            return Err(Failure::new(format!("`{path}` isn't a test file: its name must end in `.test.yaml`")));
        }
        if found.is_empty() {
            return Err(Failure::new(format!("`{}` has no tests: no file in it ends in `.test.yaml`", path.display())));
        }
        for file in found {
            let home = home_folder::home_of(&file)?;
            let relative = file.strip_prefix(&home).unwrap_or(&file);
            by_home.entry(home.clone()).or_default().insert(relative.to_string_lossy().into_owned());
        }
    }
    Ok(by_home)
}

/// Returns what stands before the paths of a home in what is printed: nothing where there is one home only.
fn shown(home: &Path, is_one: bool) -> String {
    if is_one {
        return String::new();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let relative = home.strip_prefix(&here).unwrap_or(home);
    if relative.as_os_str().is_empty() { String::new() } else { format!("{}/", relative.display()) }
}

/// Returns the test files in the rules of a home, relative to it.
fn tests_of_home(home: &Path) -> Result<Vec<String>, Failure> {
    let sources = home_files::read_home(home).map_err(|error| Failure::new(error.to_string()))?;
    Ok(sources.keys().filter(|path| is_test(path)).map(ToString::to_string).collect())
}

/// Finds test files below a folder, and in the rules of the homes below it.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|error| unreadable(folder, &error))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            if depth < DEEPEST_FOLDER {
                walk(&path, depth + 1, found)?;
            }
        } else if is_test(&name) {
            found.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let reason = disk::reason(error);
    Failure::new(format!("`{}` can't be read: {reason}", path.display()))
}
