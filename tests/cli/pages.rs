//! The pages about codes in docs/errors: each code has one, and its examples are what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use homerule::lang::Code;

use crate::home::Home;

/// What an example has unless it says otherwise.
const SETTINGS: &str = "location: { latitude: 51.5, longitude: -0.12, timezone: Europe/London }\n";
const RULES: &str = "rules:\n  lamp: { when: home/hall/motion, then: { home/hall/lamp/set: ON } }\n";

/// What no text of a file can show.
const WITHOUT_EXAMPLE: [Code; 5] =
    [Code::UNREADABLE_FILE, Code::NOT_UTF8, Code::NOT_OFFERED, Code::EMPTIED_FILE, Code::NOT_LOADABLE];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors")
}

/// Returns the files of an example of a page: `` `rules/lamp.yaml`: `` and the text in the fence below it.
fn example(page: &str, heading: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut name = None;
    let mut is_text = false;
    for line in section.lines() {
        if line.starts_with("```") {
            is_text = !is_text;
        } else if let (true, Some(name)) = (is_text, &name) {
            let text: &mut String = files.entry(String::clone(name)).or_default();
            text.push_str(line);
            text.push('\n');
        } else if let Some(file) = line.strip_prefix('`').and_then(|line| line.strip_suffix("`:")) {
            name = Some(file.to_owned());
        }
    }
    files
}

/// Returns the codes of the report about these files of Home Assistant.
fn imported(files: &BTreeMap<String, String>) -> Vec<String> {
    let home = Home::new(&[]);
    home.write("config/configuration.yaml", "automation: !include automations.yaml\n");
    for (name, text) in files {
        home.write(&format!("config/{name}"), text);
    }
    let said = home.say(&["import", "home-assistant", "config", "--into", ".", "--dry-run", "--json"]);
    let answer: serde_json::Value =
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    let entries = answer["entries"].as_array().unwrap().iter();
    let reasons = entries.flat_map(|entry| entry["reasons"].as_array().unwrap());
    let code = |reason: &str| reason.rsplit_once('(').map(|(_, code)| code.trim_end_matches(')').to_owned());
    reasons.filter_map(|reason| code(reason.as_str().unwrap())).collect()
}

/// Returns the codes that `check` finds in a home of these files, or the import if they are Home Assistant's.
fn codes(files: &BTreeMap<String, String>) -> Vec<String> {
    if files.keys().any(|name| matches!(name.as_str(), "automations.yaml" | "configuration.yaml")) {
        return imported(files);
    }
    let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    if !files.iter().any(|(name, _)| *name == "homerule.yaml") {
        files.push(("homerule.yaml", SETTINGS));
    }
    let home = Home::new(&files);
    let said = home.say(&["check", "--json"]);
    let answer: serde_json::Value =
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    let found = answer["diagnostics"].as_array().unwrap().iter();
    found.map(|found| found["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_code_has_a_page_whose_examples_are_what_they_say() {
    let mut wrong = Vec::new();
    for (code, sentence) in Code::ALL {
        let page = fs::read_to_string(folder().join(format!("{code}.md"))).unwrap_or_default();
        let title = format!("# {code}: {}\n", sentence.trim_end_matches('.'));
        if !page.starts_with(&title) {
            wrong.push(format!("{code}: the page doesn't start with `{}`", title.trim()));
            continue;
        }
        let (bad, mut good) = (example(&page, "Wrong"), example(&page, "Right"));
        if bad.is_empty() != WITHOUT_EXAMPLE.contains(code) {
            wrong.push(format!("{code}: has no example of what is wrong, or one too many"));
        }
        if !bad.is_empty() && !codes(&bad).contains(&code.to_string()) {
            wrong.push(format!("{code}: what is wrong gives {:?}", codes(&bad)));
        }
        if good.len() == 1 && good.contains_key("homerule.yaml") {
            good.insert("rules/lamp.yaml".to_owned(), RULES.to_owned());
        }
        if !good.is_empty() && !codes(&good).is_empty() {
            wrong.push(format!("{code}: what is right gives {:?}", codes(&good)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_list_of_pages_has_each_and_no_page_is_left_over() {
    let list = fs::read_to_string(folder().join("README.md")).unwrap();
    let mut wanted: Vec<String> = Code::ALL.iter().map(|(code, _)| format!("{code}.md")).collect();
    for (code, sentence) in Code::ALL {
        assert!(list.contains(&format!("| [{code}]({code}.md) | {} |\n", sentence.trim_end_matches('.'))), "{code}");
    }
    wanted.push("README.md".to_owned());
    wanted.sort();
    let mut pages: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    assert_eq!(pages, wanted);
}
