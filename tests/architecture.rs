//! Holds the house together: layers import inward only, and each file says what it is.

mod circles;
mod lengths;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the innermost, with those that each may import. What isn't there yet has its place already.
const LAYERS: [(&str, &[&str]); 18] = [
    ("model", &[]),
    ("script", &["model"]),
    ("rules", &["model", "script"]),
    ("devices", &["model", "script", "rules"]),
    ("lang", &["model", "script", "rules", "devices"]),
    ("broker", &["model", "rules"]),
    ("link", &["model", "broker"]),
    ("instance", &["model"]),
    ("engine", &["model", "script", "rules", "devices"]),
    ("explain", &["model", "script", "rules", "lang", "engine"]),
    ("analysis", &["model", "script", "rules", "lang", "broker", "devices", "engine"]),
    ("sim", &["model", "script", "rules", "lang", "broker", "devices", "engine", "analysis", "explain"]),
    ("api", &["model", "script", "rules", "lang", "broker", "devices", "engine", "analysis", "sim", "explain"]),
    ("page", &["model", "explain", "api"]),
    ("disk", &["model", "script", "rules", "lang"]),
    ("lsp", &["model", "script", "rules", "lang", "analysis"]),
    (
        "daemon",
        &[
            "model", "script", "rules", "lang", "broker", "link", "instance", "devices", "engine", "analysis", "sim",
            "explain", "api", "page", "disk",
        ],
    ),
    (
        "cli",
        &[
            "model", "script", "rules", "lang", "broker", "link", "instance", "devices", "engine", "analysis", "sim",
            "explain", "api", "disk", "lsp", "daemon",
        ],
    ),
];

/// The layers that touch the world; `api` only names what they exchange.
const SHELL: [&str; 5] = ["api", "disk", "lsp", "daemon", "cli"];

/// More files than these in one folder are a house without rooms.
const MOST_FILES: usize = 15;

/// The longest file that still has one subject.
const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below `folder`, relative to the repository, with their texts.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "no sources in {folder}");
    let relative = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

/// The layers that a text names: `crate::model::…` and those of `use crate::{model, …}`.
fn layers_named(text: &str) -> Vec<String> {
    let without_comments = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = without_comments.collect::<Vec<_>>().join("\n");
    let mut named = Vec::new();
    for rest in text.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap();
            named.extend(group.split(',').map(|part| first_word(part.trim())));
        } else {
            named.push(first_word(rest));
        }
    }
    named
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// The layers that are there.
fn layers() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    LAYERS.into_iter().filter(|(layer, _)| root().join("src").join(layer).is_dir())
}

#[test]
fn layers_import_inward_only() {
    let mut wrong = Vec::new();
    for (layer, allowed) in layers() {
        for (path, text) in sources(&format!("src/{layer}")) {
            for named in layers_named(&text) {
                let is_layer = LAYERS.iter().any(|(known, _)| *known == named);
                if is_layer && named != layer && !allowed.contains(&named.as_str()) {
                    wrong.push(format!("{path} imports {named}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_folder_of_the_source_is_a_layer() {
    let folders = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap());
    let folders = folders.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name());
    let unknown: Vec<_> = folders.filter(|folder| LAYERS.iter().all(|(layer, _)| *layer != folder)).collect();
    assert_eq!(unknown, Vec::<std::ffi::OsString>::new());
}

#[test]
fn pure_layers_keep_clocks_files_and_hash_order_out() {
    for (layer, _) in layers().filter(|(layer, _)| !SHELL.contains(layer)) {
        let text = fs::read_to_string(root().join(format!("src/{layer}/mod.rs"))).unwrap();
        let lints = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
        assert!(text.contains(lints), "src/{layer}/mod.rs must switch the lints on: {lints}");
    }
}

/// The folder of a file.
fn room(path: &str) -> &str {
    path.rsplit_once('/').unwrap().0
}

#[test]
fn no_folder_holds_more_files_than_a_reader_takes_in() {
    let mut rooms: BTreeMap<String, usize> = BTreeMap::new();
    for (path, _) in sources("src") {
        *rooms.entry(room(&path).to_owned()).or_default() += 1;
    }
    rooms.retain(|_, files| *files > MOST_FILES);
    assert_eq!(rooms, BTreeMap::new());
}

#[test]
fn each_file_says_what_it_is() {
    let files = sources("src").into_iter().chain(sources("tests"));
    let wrong: Vec<String> = files.filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_its_subject() {
    let files = sources("src").into_iter().chain(sources("tests"));
    let wrong: Vec<String> = files
        .filter(|(_, text)| text.lines().count() > MOST_LINES)
        .map(|(path, text)| format!("{path} has {} lines", text.lines().count()))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}
