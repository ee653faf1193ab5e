//! Which tests `homerule test` runs, and what it says where there are none.

use super::home::{Home, TV, Watch};

const PASSES: &str = "tests:\n  passes:\n    steps: [ { after: 1m } ]\n";
const FAILS: &str = "tests:\n  fails:\n    steps: [ { expect: { a: 1 } } ]\n";

#[test]
fn a_file_a_folder_and_a_home_can_be_named() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/a.test.yaml", PASSES), ("rules/sub/b.test.yaml", FAILS)]);
    assert_eq!(home.say(&["test", "rules/a.test.yaml"]).out, "1 passed, 0 failed\n");
    assert!(home.say(&["test", "rules/sub"]).out.ends_with("\n0 passed, 1 failed\n"));
    assert!(home.say(&["test", "."]).out.ends_with("\n1 passed, 1 failed\n"));
    assert!(home.say(&["test"]).out.ends_with("\n1 passed, 1 failed\n"));
}

#[test]
fn several_homes_are_told_apart_by_their_paths() {
    let home = Home::new(&[
        ("one/rules/tv.yaml", TV),
        ("one/rules/a.test.yaml", PASSES),
        ("two/rules/tv.yaml", TV),
        ("two/rules/b.test.yaml", FAILS),
    ]);
    let said = home.say(&["test", "."]);
    assert!(said.out.starts_with("FAILED fails\ntwo/rules/b.test.yaml:3:14: "), "{}", said.out);
    assert!(said.out.ends_with("\n1 passed, 1 failed\n"), "{}", said.out);
}

#[test]
fn a_filter_chooses_by_file_or_name() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/a.test.yaml", PASSES), ("rules/b.test.yaml", FAILS)]);
    assert_eq!(home.say(&["test", "--filter", "passes"]).out, "1 passed, 0 failed\n");
    assert_eq!(home.say(&["test", "--filter", "a.test"]).out, "1 passed, 0 failed\n");
    let said = home.say(&["test", "--filter", "nothing like it"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: no test has `nothing like it` in its file or name\n"));
}

#[test]
fn what_is_no_test_is_said() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("notes/a.txt", "")]);
    for (path, message) in [
        ("nowhere", "error: `nowhere` can't be read: no such file or directory\n"),
        ("rules/tv.yaml", "error: `rules/tv.yaml` is no test file: its name must end in `.test.yaml`\n"),
        ("notes", "error: `notes` holds no test: no file in it ends in `.test.yaml`\n"),
    ] {
        let said = home.say(&["test", path]);
        assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (2, "", message));
    }
}

#[test]
fn watch_runs_the_tests_again_when_a_file_changes() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/a.test.yaml", PASSES)]);
    let mut watch = Watch::start(&home);
    let mut until = |wanted: &str| watch.until(wanted);
    until("1 passed, 0 failed");
    until("waiting for a change; Ctrl+C ends");
    home.write("rules/a.test.yaml", FAILS);
    until("0 passed, 1 failed");
}
