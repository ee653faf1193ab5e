//! Rules in Rhai: each twin of an example passes the very tests of its YAML.

use std::fs;
use std::path::{Path, PathBuf};

use homerule::lang::{Home, Source};

use crate::home::homerule;

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The names of the examples that have a twin.
fn twins() -> Vec<String> {
    let entries = fs::read_dir(examples().join("rhai")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn run(home: &Path, arguments: &[&str]) -> String {
    let said = homerule(home, arguments);
    let text = format!("{}{}", said.out, said.err);
    assert_eq!(said.status, 0, "`homerule {}` in {}:\n{text}", arguments.join(" "), home.display());
    text
}

#[test]
fn the_twins_that_read_better_as_code_are_there() {
    assert_eq!(twins(), ["awning", "button", "heating"]);
}

#[test]
fn a_twin_has_the_tests_of_its_yaml_word_for_word() {
    for name in twins() {
        let test = |folder: PathBuf| fs::read_to_string(folder.join(format!("rules/{name}.test.yaml"))).unwrap();
        let of_yaml = test(examples().join(&name));
        let of_script = test(examples().join("rhai").join(&name));
        assert_eq!(of_yaml.replace(&format!("{name}.yaml"), &format!("{name}.rhai")), of_script, "{name}");
    }
}

#[test]
fn each_twin_loads_without_a_finding_and_passes_its_tests() {
    for name in twins() {
        let home = examples().join("rhai").join(&name);
        let checked = run(&home, &["check"]);
        assert!(checked.trim_end().ends_with("0 errors, 0 warnings"), "{name}: {checked}");
        let tested = run(&home, &["test", "--coverage", "--min-coverage", "90"]);
        assert!(tested.contains(", 0 failed"), "{name}: {tested}");
    }
}

/// The blocks of Rhai that a page shows.
fn blocks_of(page: &str) -> Vec<&str> {
    page.split("\n```rhai\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn each_script_that_the_documentation_shows_loads() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/language/scripts.md");
    let page = fs::read_to_string(path).unwrap();
    let blocks = blocks_of(&page);
    assert!(blocks.len() >= 6, "{}", blocks.len());
    let library = "fn motion_light(room, time) { rule(room, #{ when: room, then: || publish(\"a/b\", time) }); }";
    for block in blocks {
        let source = |text: &str| Source::Content(text.as_bytes().into());
        let sources =
            [("rules/page.rhai".into(), source(block)), ("rules/lib/lights.rhai".into(), source(library))].into();
        let home = Home::load(&sources);
        assert!(home.diagnostics.is_empty(), "{block}\n{:?}", home.diagnostics);
    }
}

#[test]
fn the_reference_of_functions_is_what_the_code_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/language/functions.md");
    let reference = homerule::script::function_reference();
    if std::env::var_os("HOMERULE_WRITE_DOCS").is_some() {
        fs::write(&path, &reference).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), reference, "run this test with HOMERULE_WRITE_DOCS=1 to write it");
}
