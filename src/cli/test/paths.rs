//! The paths that test files name: whether something is there, whether a snapshot may be written, and which are left over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::disk::home_files::is_test;
use crate::lang::test_file::{TestFile, WrittenPath};
use crate::lang::{Code, Diagnostic, nearest};
use crate::sim::TestHome;

use super::suite::Suite;

/// What the name of a snapshot ends in by custom: what is named so and belongs to no test is left over.
const ENDING: &str = ".expected.jsonl";

/// Returns what is wrong with the rules and recordings that a test file names. `folder` is the home's.
pub(super) fn check(file: &TestFile, home: &TestHome, folder: &Path) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for selection in file.rule_paths() {
        if let Err((_, why)) = home.select(std::slice::from_ref(selection)) {
            let near = near_path(&selection.path, folder).filter(|_| selection.key.is_none());
            found.push(file.error_at(&selection.span, Code::NOTHING_THERE, why, near));
        }
    }
    for recorded in file.recorded() {
        let WrittenPath { path, span, .. } = &recorded.replay;
        if !folder.join(&**path).is_file() {
            let message = format!("there is no recording `{path}`");
            let help = near_path(path, folder).or_else(|| Some("`homerule record -o FILE` makes one".to_owned()));
            found.push(file.error_at(span, Code::NOTHING_THERE, message, help));
        }
    }
    found
}

/// Returns an error for each snapshot that is another test's too, or a recording.
pub(super) fn check_snapshots(files: &[TestFile]) -> Vec<Diagnostic> {
    let recordings: BTreeSet<&Arc<str>> =
        files.iter().flat_map(TestFile::recorded).map(|recorded| &recorded.replay.path).collect();
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut found = Vec::new();
    for (file, snapshot) in snapshots(files) {
        let WrittenPath { path, place, span } = snapshot;
        let wrong = if recordings.contains(path) {
            Some(format!("`{path}` is a recording, and `--accept` would write over it"))
        } else {
            let first = known.get(&**path);
            first.map(|first| format!("`{path}` is the snapshot of another test already, at {first}"))
        };
        if let Some(message) = wrong {
            let help = "each test has a snapshot of its own: choose another name".to_owned();
            found.push(file.error_at(span, Code::BAD_SNAPSHOT, message, Some(help)));
        }
        known.entry(path).or_insert_with(|| place.to_string());
    }
    found
}

/// Returns the snapshots beside the tests that no test names any more; none where not all tests of the home are known.
pub(super) fn left_over(suite: &Suite) -> Vec<String> {
    let read: BTreeSet<&str> = suite.files.iter().map(|file| &*file.path).collect();
    let all = suite.sources.keys().filter(|path| is_test(path));
    if !all.clone().all(|path| read.contains(&**path)) {
        return Vec::new();
    }
    let named: BTreeSet<&str> = snapshots(&suite.files).map(|(_, snapshot)| &*snapshot.path).collect();
    let folders: BTreeSet<&str> = named.iter().copied().chain(read).map(folder_of).collect();
    let mut found = Vec::new();
    for folder in folders {
        let names = names_in(&suite.folder.join(folder)).into_iter().filter(|name| name.ends_with(ENDING));
        let paths = names.map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") });
        found.extend(paths.filter(|path| !named.contains(path.as_str())));
    }
    found
}

fn snapshots(files: &[TestFile]) -> impl Iterator<Item = (&TestFile, &WrittenPath)> {
    files.iter().flat_map(|file| file.recorded().filter_map(move |recorded| Some((file, recorded.snapshot.as_ref()?))))
}

/// Returns the name that was probably meant, among those in the same folder.
fn near_path(path: &str, home: &Path) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let names = names_in(&home.join(folder));
    let near = nearest(name, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{near}`?"))
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the names of what is in a folder, in their order; none where it can't be read.
fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
