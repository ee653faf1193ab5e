//! Every mistake that the format allows: each file in `tests/diagnostics/` is one, with what is said of it beside it.
//!
//! The snapshots are made anew with `INSTA_UPDATE=always cargo test --test main files::diagnostics`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use homerule::lang::test_file::TestFile;
use homerule::lang::{Code, Colour, Diagnostic, Home, Report, Source, Sources};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// The input files, in the order of their names.
fn inputs() -> Vec<PathBuf> {
    let mut inputs: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "rhai"))
        .collect();
    inputs.sort();
    inputs
}

/// A home of one file: settings where its name begins with `settings`, else rules or tests, beside settings with a
/// location.
fn home_of(name: &str, content: &[u8]) -> Sources {
    let mut sources = Sources::new();
    let content = Source::Content(content.into());
    if name.starts_with("settings") {
        sources.insert("homerule.yaml".into(), content);
        sources.insert("rules/empty.yaml".into(), Source::Content(b"".as_slice().into()));
        return sources;
    }
    if name.starts_with("test") {
        sources.insert("rules/empty.yaml".into(), Source::Content(b"".as_slice().into()));
    }
    if !name.contains("no-location") {
        let mut settings = "location: { latitude: 51.5, longitude: -0.12, timezone: Europe/London }\n".to_owned();
        if name.starts_with("notify") {
            settings.push_str(TARGETS);
        }
        sources.insert("homerule.yaml".into(), Source::Content(settings.as_bytes().into()));
    }
    sources.insert(Arc::from(format!("rules/{name}")), content);
    sources
}

/// Where notifications go in homes whose rules notify.
const TARGETS: &str = "allow: { http: [\"https://ntfy.sh/*\", \"https://ntfy.sh\"] }\n\
    notify:\n  phone: { ntfy: \"https://ntfy.sh/my-home\" }\n  display: { publish: a/b, payload: \"${message}\" }\n  \
    pager: { http: { url: \"https://pager.example/\", body: \"${message}\" } }\n";

/// All that is found in a home, in its test file too where it has one.
fn found_in(sources: &Sources) -> Vec<Diagnostic> {
    let mut found = Home::load(sources).diagnostics;
    for (path, source) in sources.iter().filter(|(path, _)| path.ends_with(".test.yaml")) {
        found.extend(TestFile::read(path, source).1);
    }
    found
}

fn rendered(sources: &Sources) -> String {
    let mut report = Report::new(sources);
    let mut text = String::new();
    for found in &found_in(sources) {
        writeln!(text, "{}", report.text_of(found, Colour::No)).unwrap();
    }
    if text.is_empty() { "nothing is wrong\n".to_owned() } else { text }
}

#[test]
fn each_mistake_is_shown_with_its_place_and_what_to_do() {
    let inputs = inputs();
    assert!(inputs.len() > 100, "{}", inputs.len());
    let mut failed = Vec::new();
    for path in inputs {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = rendered(&home_of(&name, &fs::read(&path).unwrap()));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let stem = name.trim_end_matches(".yaml").trim_end_matches(".rhai").to_owned();
        let checked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(stem.as_str(), text));
        }));
        if checked.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "these differ from their snapshots: {failed:?}");
}

/// Mistakes that one file alone can't show.
const SHOWN_ELSEWHERE: [Code; 8] = [
    Code::UNREADABLE_FILE,
    Code::AMBIGUOUS_RULE,
    Code::DUPLICATE_RULE,
    Code::NO_RULES,
    Code::NOTHING_THERE,
    Code::EMPTIED_FILE,
    Code::UNFIT_COMMAND,
    Code::LONG_WINDOW,
];

#[test]
fn each_code_is_shown() {
    let mut shown = BTreeSet::from(SHOWN_ELSEWHERE);
    for path in inputs() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let found = found_in(&home_of(&name, &fs::read(&path).unwrap()));
        shown.extend(found.iter().map(|found| found.code));
    }
    // What importing shows stands in tests/cli/pages.rs, and what the home as a whole shows in tests/safety.
    let of_one_file = |code: &Code| !["HR15", "HR17", "HR19"].iter().any(|begin| code.to_string().starts_with(begin));
    let missing: Vec<_> = Code::ALL.iter().filter(|(code, _)| of_one_file(code) && !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no file in tests/diagnostics shows {missing:?}");
}
