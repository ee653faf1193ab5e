//! Hot reload: each way in which files change is noticed, and a broken file changes nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use super::house::House;
use crate::home::Home;

fn rule(key: &str) -> String {
    format!("rules: {{ {key}: {{ when: in, then: {{ to/out: {key} }} }} }}\n")
}

fn rules(house: &House) -> Vec<String> {
    let rules = house.get("/api/rules");
    rules.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
}

/// Starts a home with the rule `a:first`, and waits for the first look at its files.
fn house() -> House {
    let house = Home::with(&[("rules/a.yaml", &rule("first"))]).start();
    assert_eq!(rules(&house), ["a:first"]);
    house
}

#[test]
fn a_changed_file_is_in_force_within_a_second() {
    let mut house = house();
    let changed = Instant::now();
    house.home.write("rules/a.yaml", &rule("second"));
    assert_eq!(house.reloaded()["in_force"], true);
    assert!(changed.elapsed() < Duration::from_secs(1), "{:?}", changed.elapsed());
    assert_eq!(rules(&house), ["a:second"]);
}

#[test]
fn added_and_removed_files_are_noticed() {
    let mut house = house();
    house.home.write("rules/b.yaml", &rule("more"));
    house.reloaded();
    assert_eq!(rules(&house), ["a:first", "b:more"]);
    house.home.write("rules/deep/er/c.yaml", &rule("deep"));
    house.reloaded();
    assert_eq!(rules(&house), ["a:first", "b:more", "deep/er/c:deep"]);
    house.home.write("rules/deep/er/c.yaml", &rule("deeper"));
    house.reloaded();
    assert_eq!(rules(&house), ["a:first", "b:more", "deep/er/c:deeper"]);
    fs::remove_file(house.home.file("rules/a.yaml")).unwrap();
    house.reloaded();
    assert_eq!(rules(&house), ["b:more", "deep/er/c:deeper"]);
}

#[test]
fn a_file_that_an_editor_renames_over_the_old_is_noticed_again_and_again() {
    let mut house = house();
    for key in ["second", "third"] {
        house.home.write("rules/a.yaml.swp", &rule(key));
        fs::rename(house.home.file("rules/a.yaml.swp"), house.home.file("rules/a.yaml")).unwrap();
        house.reloaded();
        assert_eq!(rules(&house), [format!("a:{key}")]);
    }
}

#[test]
fn a_folder_that_a_symlink_swaps_is_noticed_again_and_again() {
    let home = Home::with(&[]);
    for (version, key) in [("v1", "first"), ("v2", "second"), ("v3", "third")] {
        home.write(&format!("{version}/a.yaml"), &rule(key));
    }
    symlink("v1", home.file("rules")).unwrap();
    let mut house = home.start();
    assert_eq!(rules(&house), ["a:first"]);
    for (version, key) in [("v2", "second"), ("v3", "third")] {
        symlink(version, house.home.file("rules.new")).unwrap();
        fs::rename(house.home.file("rules.new"), house.home.file("rules")).unwrap();
        house.reloaded();
        assert_eq!(rules(&house), [format!("a:{key}")]);
    }
    // The folder that is in force now is watched.
    house.home.write("v3/a.yaml", &rule("fourth"));
    house.reloaded();
    assert_eq!(rules(&house), ["a:fourth"]);
}

#[test]
fn a_folder_that_is_replaced_is_watched() {
    let mut house = house();
    house.home.write("new/a.yaml", &rule("second"));
    fs::rename(house.home.file("rules"), house.home.file("old")).unwrap();
    fs::rename(house.home.file("new"), house.home.file("rules")).unwrap();
    // The folder may be seen missing for a moment; that takes nothing out of force.
    while rules(&house) != ["a:second"] {
        house.reloaded();
    }
    house.home.write("rules/a.yaml", &rule("third"));
    while rules(&house) != ["a:third"] {
        house.reloaded();
    }
}

#[test]
fn a_file_that_is_linked_from_elsewhere_is_watched() {
    let home = Home::with(&[("shared/a.yaml", &rule("first")), ("rules/b.yaml", &rule("b"))]);
    symlink(home.file("shared/a.yaml"), home.file("rules/a.yaml")).unwrap();
    let mut house = home.start();
    house.home.write("shared/a.yaml", &rule("second"));
    house.reloaded();
    assert_eq!(rules(&house), ["a:second", "b:b"]);
}

#[test]
fn a_broken_file_changes_nothing_and_is_shown_until_it_is_mended() {
    let mut house = house();
    house.home.write("rules/b.yaml", &rule("good"));
    house.reloaded();
    house.home.write("rules/a.yaml", "rules: { second: { whne: in, then: { to/out: x } } }\n");
    let reloaded = house.reloaded();
    assert_eq!(reloaded["in_force"], false);
    assert_eq!(rules(&house), ["a:first", "b:good"]);
    let status = house.get("/api/status");
    assert_eq!(status["healthy"], false);
    assert_eq!(status["rules"]["loaded"], 2);
    assert_eq!(status["diagnostics"][0]["file"], "rules/a.yaml");
    assert_eq!(house.ask("GET", "/healthz", None).0, 503);

    house.home.write("rules/a.yaml", &rule("second"));
    assert_eq!(house.reloaded()["in_force"], true);
    assert_eq!(rules(&house), ["a:second", "b:good"]);
    assert_eq!(house.get("/api/status")["healthy"], true);
}

#[test]
fn a_burst_of_writes_is_read_once() {
    let mut house = house();
    for number in 0..50 {
        house.home.write(&format!("rules/many/r{number:02}.yaml"), &rule("x"));
    }
    house.reloaded();
    // A folder that is new is watched only after it was first seen: what came meanwhile is a second reading.
    while rules(&house).len() != 51 {
        house.reloaded();
    }
}

#[test]
fn reading_the_files_is_no_change_of_them() {
    let mut house = house();
    house.home.write("rules/a.yaml", &rule("second"));
    house.reloaded();
    // Asking for a reload answers even though nothing changed, and is the next that happens.
    let (status, body) = house.ask("POST", "/api/reload", None);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("\"in_force\":true"), "{body}");
    house.reloaded();
    house.signal("HUP");
    house.reloaded();
}

#[test]
fn the_rules_folder_going_away_leaves_the_rules_in_force() {
    let mut house = house();
    fs::rename(house.home.file("rules"), house.home.file("elsewhere")).unwrap();
    assert_eq!(house.reloaded()["in_force"], false);
    assert_eq!(rules(&house), ["a:first"]);
    fs::rename(house.home.file("elsewhere"), house.home.file("rules")).unwrap();
    house.reloaded();
    assert_eq!(rules(&house), ["a:first"]);
}
