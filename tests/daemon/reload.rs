//! Hot reload: each way in which files change is noticed, and a broken file changes nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::json;

use super::house::{House, until};
use super::survival::kept;
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
fn a_calendar_is_read_again_when_it_changes_and_keeps_its_last_reading_when_it_breaks() {
    let calendar = |events: &str| format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n");
    let home = Home::with(&[
        ("bins.ics", &calendar("")),
        (
            "rules/a.yaml",
            "rules: { long: { while: calendar('bins').len() > 0, then: { to/out: begun }, else: { to/out: over } } }",
        ),
    ]);
    let settings = fs::read_to_string(home.file("homerule.yaml")).unwrap();
    home.write("homerule.yaml", &format!("{settings}calendars: {{ bins: bins.ics }}\n"));
    let mut house = home.start();
    let says = |house: &House, value: &str| {
        until("the rule's word", || {
            let state = house.get("/api/state?filter=to/out");
            state.as_array().unwrap().first().is_some_and(|topic| topic["value"] == value)
        });
    };
    let event = "BEGIN:VEVENT\nSUMMARY:x\nDTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20991231\nEND:VEVENT\n";
    house.home.write("bins.ics", &calendar(event));
    house.reloaded();
    says(&house, "begun");
    house.home.write("bins.ics", &calendar("BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n"));
    let broken = house.reloaded();
    assert_eq!(broken["in_force"], false, "{broken}");
    let status = house.get("/api/status").to_string();
    assert!(status.contains("HR123") && status.contains("bins.ics"), "{status}");
    says(&house, "begun");
    house.home.write("bins.ics", &calendar(""));
    house.reloaded();
    says(&house, "over");
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

/// Waits until the rules are `expected`; long before the files are compared in any case.
fn soon(house: &House, expected: &[&str]) {
    let changed = Instant::now();
    while rules(house) != expected {
        assert!(changed.elapsed() < Duration::from_secs(10), "{:?}", rules(house));
    }
}

#[test]
fn what_a_link_leads_to_is_polled_wherever_it_is() {
    let home = Home::with(&[
        ("first.yaml", &rule("in-home")),
        ("v1/b.yaml", &rule("v1")),
        ("v2/b.yaml", &rule("v2")),
        ("between/keep", ""),
        ("f1/c.yaml", &rule("f1")),
        ("f2/c.yaml", &rule("f2")),
    ]);
    fs::create_dir_all(home.file("rules")).unwrap();
    symlink("../first.yaml", home.file("rules/a.yaml")).unwrap();
    // A link to a link, in a folder where no file is read.
    symlink("../between/b.yaml", home.file("rules/b.yaml")).unwrap();
    symlink("../v1/b.yaml", home.file("between/b.yaml")).unwrap();
    symlink("../between/folder", home.file("rules/folder")).unwrap();
    symlink("../f1", home.file("between/folder")).unwrap();
    symlink("../between/later.yaml", home.file("rules/z.yaml")).unwrap();
    let mut house = home.start();
    soon(&house, &["a:in-home", "b:v1", "folder/c:f1"]);
    house.home.write("first.yaml", &rule("again"));
    soon(&house, &["a:again", "b:v1", "folder/c:f1"]);
    let swap = |link: &str, target: &str| {
        symlink(target, house.home.file("between/new")).unwrap();
        fs::rename(house.home.file("between/new"), house.home.file(link)).unwrap();
    };
    swap("between/b.yaml", "../v2/b.yaml");
    soon(&house, &["a:again", "b:v2", "folder/c:f1"]);
    swap("between/folder", "../f2");
    soon(&house, &["a:again", "b:v2", "folder/c:f2"]);
    house.home.write("between/later.yaml", &rule("later"));
    soon(&house, &["a:again", "b:v2", "folder/c:f2", "z:later"]);
    house.end("TERM");
}

#[test]
fn a_broken_file_keeps_its_last_good_version_until_it_is_mended_and_others_come_into_force() {
    let mut house = house();
    house.home.write("rules/b.yaml", &rule("good"));
    house.reloaded();
    house.home.write("rules/a.yaml", "rules: { second: { whne: in, then: { to/out: x } } }\n");
    let reloaded = house.reloaded();
    assert_eq!((&reloaded["in_force"], &reloaded["stale"]), (&json!(false), &json!(["rules/a.yaml"])));
    assert_eq!(rules(&house), ["a:first", "b:good"]);
    house.home.write("rules/b.yaml", &rule("better"));
    let reloaded = house.reloaded();
    assert_eq!(reloaded["rules"], json!({ "came": ["b:better"], "went": ["b:good"], "changed": [] }));
    assert_eq!((&reloaded["in_force"], &reloaded["stale"]), (&json!(false), &json!(["rules/a.yaml"])));
    assert_eq!(rules(&house), ["a:first", "b:better"]);
    let status = house.get("/api/status");
    assert_eq!((&status["healthy"], &status["stale"]), (&json!(false), &json!(["rules/a.yaml"])));
    assert_eq!(status["rules"]["loaded"], 2);
    assert_eq!(status["diagnostics"][0]["file"], "rules/a.yaml");
    assert_eq!(house.get("/api/rules/a%3Afirst")["stale"], true);
    assert_eq!(house.get("/api/rules/b%3Abetter")["stale"], false);
    assert_eq!(house.ask("GET", "/healthz", None).0, 503);

    house.home.write("rules/a.yaml", &rule("second"));
    assert_eq!(house.reloaded()["in_force"], true);
    assert_eq!(rules(&house), ["a:second", "b:better"]);
    assert_eq!(house.get("/api/status")["healthy"], true);
    let log = house.end("TERM");
    assert!(log.contains("`rules/a.yaml` is NOT in force"), "{log}");
    assert!(log.contains("Rules reloaded: 1 came (b:better), 1 went (b:good)."), "{log}");
}

#[test]
fn a_file_that_is_emptied_keeps_its_rules_until_it_says_that_it_has_none() {
    let mut house = house();
    house.home.write("rules/a.yaml", "");
    assert_eq!(house.reloaded()["stale"], json!(["rules/a.yaml"]));
    assert_eq!(rules(&house), ["a:first"]);
    let status = house.get("/api/status");
    assert_eq!(status["diagnostics"][0]["message"], "the file had rules and is empty now; they stay in force");
    assert_eq!(house.ask("GET", "/healthz", None).0, 503);
    house.home.write("rules/a.yaml", "rules: {}\n");
    assert_eq!(house.reloaded()["in_force"], true);
    assert_eq!(rules(&house), [""; 0]);
}

#[test]
fn a_file_that_is_broken_at_a_restart_starts_as_it_was_last_good() {
    let waiting = "rules: { later: { when: in, then: [ { delay: 1s }, { to/out: done } ] } }\n";
    for (broken, end) in [("rules: { later: { whne: in } }\n", "KILL"), ("", "TERM")] {
        let mut house = Home::with(&[("rules/a.yaml", waiting), ("rules/b.yaml", &rule("b"))]).start();
        assert_eq!(house.ask("POST", "/api/publish", Some("{\"topic\":\"in\",\"payload\":\"x\"}")).0, 202);
        house.publication("to/out");
        until("the text", || !kept(&house, "source/rules/a.yaml").is_empty());
        house.end(end);
        house.home.write("rules/a.yaml", broken);
        house.home.write("rules/b.yaml", &rule("c"));
        let (status, said) = house.home.run_to_its_end(&["--strict"]);
        assert_eq!(status, Some(1), "{said}");
        house.begin();
        assert_eq!(rules(&house), ["a:later", "b:c"]);
        assert_eq!(house.get("/api/status")["stale"], json!(["rules/a.yaml"]));
        let publication = house.publication("to/out");
        assert_eq!(publication["rule"], "a:later", "what waited goes on");
        // It is good for the next restart too.
        house.end("TERM");
        house.begin();
        assert_eq!(rules(&house), ["a:later", "b:c"]);
        // A file that is taken away is forgotten.
        fs::remove_file(house.home.file("rules/a.yaml")).unwrap();
        house.reloaded();
        house.end("TERM");
        house.home.write("rules/a.yaml", "rules: [");
        house.begin();
        assert_eq!(rules(&house), ["b:c"]);
    }
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
