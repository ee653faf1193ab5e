//! Holds the house together: layers import inward only, and each file says what it is.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the innermost, with those that each may import.
const LAYERS: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("script", &["model"]),
    ("rules", &["model", "script"]),
    ("lang", &["model", "script", "rules"]),
    ("broker", &["model", "rules"]),
    ("engine", &["model", "script", "rules"]),
    ("sim", &["model", "script", "rules", "lang", "broker", "engine"]),
    ("daemon", &["model", "script", "rules", "lang", "broker", "engine", "sim"]),
    ("cli", &["model", "script", "rules", "lang", "broker", "engine", "sim", "daemon"]),
];

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
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
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

#[test]
fn layers_import_inward_only() {
    let mut wrong = Vec::new();
    for (layer, allowed) in LAYERS {
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
    let mut folders: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut known: Vec<String> = LAYERS.iter().map(|(layer, _)| (*layer).to_owned()).collect();
    known.sort();
    assert_eq!(folders, known);
}

#[test]
fn pure_layers_keep_clocks_files_and_hash_order_out() {
    for (layer, _) in LAYERS.iter().filter(|(layer, _)| !["daemon", "cli"].contains(layer)) {
        let text = fs::read_to_string(root().join(format!("src/{layer}/mod.rs"))).unwrap();
        let lints = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";
        assert!(text.contains(lints), "src/{layer}/mod.rs must switch the lints on: {lints}");
    }
}

#[test]
fn nothing_but_the_broker_names_its_library() {
    let names_it = |text: &str| text.contains("mqtt5::") || text.contains("use mqtt5");
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|(path, text)| !path.starts_with("src/daemon/broker") && names_it(text))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
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
