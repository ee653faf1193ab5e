//! Commands find their home in one way: the folder given, or else the nearest one upward.

use super::tv::{TV, tv_with_tests};
use crate::home::{Home, homerule};

#[test]
fn commands_in_a_folder_of_a_home_are_about_that_home() {
    let home = tv_with_tests("tests: {}\n");
    home.write("rules/deep/er.yaml", "rules: { a: { when: b, then: { c/d: e } } }\n");
    let below = home.file("rules/deep");
    assert!(homerule(&below, &["check"]).out.starts_with("2 rules"), "{:?}", homerule(&below, &["check"]));
    home.write("one.jsonl", "{\"tst\":\"2026-01-01T12:00:00.000000Z\",\"topic\":\"home/den/tv\",\"qos\":1,\"retain\":0,\"payload\":\"ON\"}\n");
    let replayed = homerule(&below, &["replay", "../../one.jsonl"]);
    assert!(replayed.out.contains("home/den/light/set"), "{replayed:?}");
    home.write("homerule.yaml", "web: { listen: \"127.0.0.1:1\" }\n");
    let status = homerule(&below, &["status"]);
    assert!(status.err.contains("127.0.0.1:1"), "{status:?}");
}

#[test]
fn check_says_which_copies_are_not_read() {
    let home = Home::new(&[("rules/tv.yaml", TV), ("rules/tv.sync-conflict-20260101-120000-ABCDEFG.yaml", TV)]);
    let said = home.say(&["check"]);
    assert!(said.out.starts_with("1 rule,"), "{said:?}");
    assert!(said.err.contains("`rules/tv.sync-conflict-20260101-120000-ABCDEFG.yaml` isn't read"), "{said:?}");
}
