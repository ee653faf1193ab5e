//! What imported rules do: what Home Assistant's documentation says that the automations do.
//!
//! Each file of `tests/fixtures/home_assistant/behaviour` has a configuration, and tests that its rules must pass: `=== PATH` begins a file of
//! the configuration, `=== expected` the tests.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::home::Home;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/home_assistant/behaviour");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// Imports the configuration of a case, and runs its tests and those that the import wrote.
fn wrong(path: &Path) -> Option<String> {
    let home = Home::new(&[]);
    let text = fs::read_to_string(path).unwrap();
    let mut expected = String::new();
    let mut has_configuration = false;
    for part in text.split("=== ").skip(1) {
        let (name, content) = part.split_once('\n').unwrap();
        has_configuration |= name == "configuration.yaml";
        match name {
            "expected" => content.clone_into(&mut expected),
            name => home.write(&format!("config/{name}"), content),
        }
    }
    if !has_configuration {
        home.write("config/configuration.yaml", "automation: !include automations.yaml\n");
    }
    fs::create_dir_all(home.file("home")).unwrap();
    let entities = "config/homeassistant-entities.yaml";
    let imported = home.say(&["import", "home-assistant", "config", "--into", "home", "--entities", entities]);
    if imported.status > 1 || !imported.out.contains(" 0 refused") {
        return Some(format!("{}{}", imported.out, imported.err));
    }
    let own = home.say(&["test", "home"]);
    home.write("home/rules/expected.test.yaml", &expected);
    let tested = home.say(&["test", "home/rules/expected.test.yaml"]);
    let checked = home.say(&["check", "home"]);
    let said = [own, tested, checked].into_iter().find(|said| said.status != 0)?;
    Some(format!("{}{}", said.out, said.err))
}

#[test]
fn imported_rules_do_what_the_automations_did() {
    let mut failed = String::new();
    for path in cases() {
        if let Some(why) = wrong(&path) {
            writeln!(failed, "{}\n{why}", path.file_name().unwrap().to_string_lossy()).unwrap();
        }
    }
    assert_eq!(failed, "");
}
