//! The homes of this repository: each loads without a finding, and its tests pass and exercise its rules.

use std::fs;
use std::path::PathBuf;

use homerule::lang::{BrokerSettings, Home, Settings, Source};

use crate::home::homerule;

/// How much of its rules a home's tests must exercise, in percent.
const LEAST_COVERAGE: &str = "90";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The home of the repository, and each folder of `examples/` that holds one.
fn homes() -> Vec<PathBuf> {
    let mut homes = vec![root()];
    if let Ok(entries) = std::fs::read_dir(root().join("examples")) {
        homes.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("rules").is_dir()));
    }
    homes.sort();
    homes
}

#[test]
fn each_home_loads_without_a_finding() {
    for home in homes() {
        let said = homerule(&home, &["check"]);
        let is_clean = said.out.trim_end().ends_with("0 errors, 0 warnings");
        assert!(is_clean, "{}:\n{}{}", home.display(), said.out, said.err);
    }
}

#[test]
fn the_tests_of_each_home_pass_and_exercise_its_rules() {
    for home in homes() {
        let said = homerule(&home, &["test", "--coverage", "--min-coverage", LEAST_COVERAGE]);
        assert_eq!(said.status, 0, "{}:\n{}{}", home.display(), said.out, said.err);
    }
}

/// A line of rules: no comment, not empty, and not the word `rules:`.
fn is_rule_line(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("rules:")
}

#[test]
fn the_table_of_the_examples_names_each_home_and_counts_its_lines() {
    let table = fs::read_to_string(root().join("examples/README.md")).unwrap();
    for home in homes().into_iter().filter(|home| *home != root()) {
        let name = home.file_name().unwrap().to_str().unwrap();
        let file = format!("rules/{name}.yaml");
        let rules = fs::read_to_string(home.join(&file)).unwrap();
        let lines = rules.lines().filter(|line| is_rule_line(line)).count().to_string();
        let row = table.lines().find(|line| line.starts_with(&format!("| [{name}]({name}/{file}) |")));
        let counted = row.and_then(|row| row.split('|').nth(3)).map(str::trim);
        assert_eq!(counted, Some(lines.as_str()), "{name}: the rules have {lines} lines");
    }
}

/// The blocks of YAML that a page shows and that begin with one of these keys.
fn blocks_in(page: &str, keys: &[&str]) -> Vec<String> {
    let blocks = page.split("\n```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let is_meant = |block: &&str| keys.iter().any(|key| block.starts_with(key));
    blocks.filter(is_meant).map(|block| format!("{block}\n")).collect()
}

fn home_of(settings: &str, rules: &str, libraries: &[(&str, &str)]) -> Home {
    let files = [("homerule.yaml", settings), ("rules/shown.yaml", rules)].into_iter().chain(libraries.iter().copied());
    Home::load(&files.map(|(path, text)| (path.into(), Source::Content(text.as_bytes().into()))).collect())
}

/// The libraries that a page shows, by the comment of their first line: `// rules/lib/light.rhai`.
fn libraries_in(page: &str) -> Vec<(&str, &str)> {
    let blocks = page.split("```rhai\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter_map(|block| Some((block.lines().next()?.strip_prefix("// ")?, block))).collect()
}

const A_RULE: &str = "rules: { a: { when: b, then: { c/d: e } } }\n";

/// The pages for users: the README, and all in `docs/` but the decisions.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "docs/language"] {
        pages.extend(fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    pages.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    pages
}

#[test]
fn each_rule_file_that_a_page_shows_loads() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let shown = blocks_in(&text, &["rules:", "let:", "scenes:"]);
        let mut libraries = libraries_in(&text);
        libraries.retain(|(path, _)| path.starts_with("rules/lib/"));
        assert!(!page.ends_with("coming-from-home-assistant.md") || shown.len() == 5, "a rule beside each automation");
        // Those with calendars are loaded with their files in tests/cookbook.rs and tests/calendars.rs.
        let has_calendar = |block: &str| ["calendar:", "calendar(", "holiday("].iter().any(|word| block.contains(word));
        for block in shown.iter().filter(|block| !block.contains("\ntests:") && !has_calendar(block)) {
            let settings = "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n\
                            web: { public_url: \"https://home.example\" }\n\
                            notify: { phone: { ntfy: \"https://ntfy.sh/my-home\" } }\n";
            let home = home_of(settings, block, &libraries);
            assert!(home.diagnostics.is_empty(), "{}:\n{block}{:#?}", page.display(), home.diagnostics);
            assert!(!home.ruleset.entries.is_empty(), "{}:\n{block}", page.display());
        }
    }
}

#[test]
fn the_settings_that_the_page_shows_load_and_are_the_defaults() {
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let shown = blocks_in(&page, &["location:"]);
    assert_eq!(shown.len(), 1);
    let home = home_of(&shown.concat(), A_RULE, &[]);
    assert!(home.diagnostics.is_empty(), "{:#?}", home.diagnostics);
    let defaults = home_of("", A_RULE, &[]).settings;
    let BrokerSettings::Embedded(mut broker) = home.settings.broker.clone() else { panic!("no broker of its own") };
    broker.anonymous = None;
    let mut recorder = home.settings.recorder.clone().unwrap();
    // That it is written says which topics of another broker are needed.
    assert!(std::mem::take(&mut recorder.is_include_written));
    let told = Settings {
        location: None,
        zone: None,
        devices: Vec::new(),
        broker: BrokerSettings::Embedded(broker),
        recorder: Some(recorder),
        ..home.settings
    };
    assert_eq!(format!("{told:#?}"), format!("{defaults:#?}"));
}

#[test]
fn exploring_each_home_finds_no_mistake_of_the_engine() {
    for home in homes() {
        let said = homerule(&home, &["explore", "--steps", "1500", "--seed", "3", "--json"]);
        let engine = ["homerule itself fails", "a restart makes a difference"];
        assert!(said.status < 2, "{}:\n{}{}", home.display(), said.out, said.err);
        assert!(!engine.iter().any(|word| said.out.contains(word)), "{}:\n{}", home.display(), said.out);
    }
}
