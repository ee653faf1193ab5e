//! `homerule schedule`: what is due by time alone.

use serde_json::Value;

use crate::home::{Home, Said};

const SETTINGS: &str = "location: { latitude: 52.52, longitude: 13.41, timezone: Europe/Berlin }\n";

const RULES: &str = "\
rules:
  backup: { when: { at: \"02:30\" }, then: { a/b: 1 } }
  hourly: { when: { every: 1h }, then: { a/b: 1 } }
  week: { when: { at: \"06:30\", weekdays: mon-fri }, if: state('mode') == 'home', then: { a/b: 1 } }
  sleep-in: { when: { at: \"07:00\" }, if: { time: { weekdays: sat } }, then: { a/b: 1 } }
  evening: { when: { sun: sunset, offset: -30m }, then: { a/b: 1 } }
  night: { while: { time: { after: \"22:00\", before: \"06:00\" } }, then: { a/b: 1 }, else: { a/b: 2 } }
  light:
    while: [ { time: { after: sunset, before: \"23:00\" } }, state('tv') == 'on' ]
    then: { a/b: 1 }
    else: { a/b: 0 }
  motion: { when: hall/motion, then: { a/b: 1 } }
  alarm: { when: { at: \"state('alarm') ?? '06:15'\" }, then: { a/b: 1 } }
  off: { enabled: false, when: { at: \"12:00\" }, then: { a/b: 1 } }
";

fn home() -> Home {
    Home::new(&[("homerule.yaml", SETTINGS), ("rules/a.yaml", RULES)])
}

/// Returns the times and notes of a rule, as JSON has them.
fn dues(home: &Home, arguments: &[&str]) -> Vec<(String, Option<String>)> {
    let said = home.say(&[&["schedule", "--json"], arguments].concat());
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{arguments:?}");
    let entries: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let text = |entry: &Value, key: &str| entry[key].as_str().map(str::to_owned);
    entries.iter().map(|entry| (text(entry, "at").unwrap(), text(entry, "note"))).collect()
}

fn times(home: &Home, arguments: &[&str]) -> Vec<String> {
    dues(home, arguments).into_iter().map(|(at, _)| at).collect()
}

#[test]
fn each_day_shows_what_is_due_and_how_the_clock_changes() {
    let Said { status, out, err } = home().say(&["schedule", "--from", "2026-03-28", "--for", "2d"]);
    assert_eq!((status, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn a_time_that_the_clock_skips_is_due_after_the_gap() {
    let home = home();
    assert_eq!(
        dues(&home, &["backup", "--from", "2026-03-28", "--for", "2d"]),
        [
            ("2026-03-28T01:30:00Z".to_owned(), None),
            ("2026-03-29T01:00:00Z".to_owned(), Some("the clock skips 02:30".to_owned())),
        ]
    );
}

#[test]
fn a_fixed_time_of_cron_that_the_clock_skips_is_marked_and_one_after_the_gap_is_not() {
    let rules = "rules:\n  skipped: { when: { cron: \"30 2 * * *\" }, then: { a/b: 1 } }\n  three: { when: { cron: \"0 3 * * *\" }, then: { a/b: 1 } }\n";
    let home = Home::new(&[("homerule.yaml", SETTINGS), ("rules/a.yaml", rules)]);
    let note = |rule: &str| dues(&home, &[rule, "--from", "2026-03-29", "--for", "1d"]).remove(0);
    assert_eq!(note("skipped"), ("2026-03-29T01:00:00Z".to_owned(), Some("the clock skips 02:30".to_owned())));
    let (at, note) = note("three");
    assert_eq!(at, "2026-03-29T01:00:00Z");
    assert!(!note.unwrap_or_default().contains("skips"), "three o'clock is there");
}

#[test]
fn a_time_that_comes_twice_is_due_once() {
    let home = home();
    let note = "the clock shows 02:30 twice, and this is the first time";
    assert_eq!(
        dues(&home, &["a:backup", "--from", "2026-10-25", "--for", "1d"]),
        [("2026-10-25T00:30:00Z".to_owned(), Some(note.to_owned()))]
    );
    assert_eq!(times(&home, &["hourly", "--from", "2026-10-25", "--for", "1d"]).len(), 25, "a day of 25 hours");
}

#[test]
fn what_a_condition_rules_out_is_not_listed_and_what_depends_on_devices_says_so() {
    let home = home();
    // 28 March 2026 is a Saturday.
    assert_eq!(times(&home, &["sleep-in", "--from", "2026-03-26", "--for", "7d"]), ["2026-03-28T06:00:00Z"]);
    let week = dues(&home, &["week", "--from", "2026-03-27", "--for", "3d"]);
    assert_eq!(week, [("2026-03-27T05:30:00Z".to_owned(), Some("if its `if` is true".to_owned()))]);
    assert_eq!(times(&home, &["motion", "--from", "2026-03-27"]), [""; 0]);
    assert_eq!(times(&home, &["off", "--from", "2026-03-27"]), [""; 0]);
    assert_eq!(times(&home, &["alarm", "--from", "2026-03-27", "--for", "1d"]), ["2026-03-27T05:15:00Z"]);
}

#[test]
fn a_while_begins_and_ends_with_its_window() {
    let home = home();
    let night = times(&home, &["night", "--from", "2026-03-28T12:00", "--for", "1d"]);
    assert_eq!(night, ["2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"]);
    let light = dues(&home, &["light", "--from", "2026-03-27T12:00", "--for", "12h"]);
    let may = Some("if the rest of its condition is true".to_owned());
    assert_eq!(light, [("2026-03-27T17:31:46Z".to_owned(), may), ("2026-03-27T22:00:00Z".to_owned(), None)]);
}

#[test]
fn a_polar_night_has_no_sunset_and_says_so() {
    let home = home();
    let tromso =
        |from: &str, time: &str| dues(&home, &["evening", "--place", "69.65,18.96", "--from", from, "--for", time]);
    assert_eq!(tromso("2026-12-10", "20d"), []);
    let around = tromso("2026-11-20", "70d");
    let noted: Vec<&(String, Option<String>)> = around.iter().filter(|(_, note)| note.is_some()).collect();
    let [(at, Some(note))] = noted.as_slice() else { panic!("{around:?}") };
    assert!(at.starts_with("2027-01-1"), "{at}");
    assert!(note.starts_with("no sunset from 2026-11-2") && note.contains(" to 2027-01-1"), "{note}");
    let said = home.say(&["schedule", "evening", "--place", "69.65,18.96", "--from", "2026-12-10", "--for", "3d"]);
    assert!(said.out.contains("a:evening when: no sunset from 2026-12-10 to 2026-12-12"), "{said:?}");
}

#[test]
fn a_place_lets_a_home_without_one_be_asked() {
    let home = Home::new(&[
        ("homerule.yaml", "rules: rules\n"),
        ("rules/a.yaml", "rules: { e: { when: { sun: sunset }, then: { a/b: 1 } } }\n"),
    ]);
    assert_eq!(home.say(&["schedule"]).status, 1, "the sun needs a place");
    assert_eq!(times(&home, &["--place", "-33.87,151.21", "--from", "2026-06-01T00:00:00Z", "--for", "1d"]).len(), 1);
}

#[test]
fn it_is_a_calendar_that_other_programs_read() {
    let said = home().say(&["schedule", "backup", "--from", "2026-03-29", "--for", "1d", "--ical"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("DTSTART:20260329T010000Z\r\nSUMMARY:a:backup: at 02:30\r\n"), "{said:?}");
    assert!(said.out.contains("DESCRIPTION:the clock skips 02:30\r\n"), "{said:?}");
}

#[test]
fn what_cannot_be_meant_is_told() {
    let home = home();
    let said = home.say(&["schedule", "bakup"]);
    assert_eq!((said.status, said.err.as_str()), (2, "error: there is no rule `bakup`; did you mean `backup`?\n"));
    let said = home.say(&["schedule", "--from", "someday"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("`someday` isn't a date: write `2026-03-28`"), "{said:?}");
    assert_eq!(home.say(&["schedule", "--place", "north"]).status, 2);
    let said = home.say(&["schedule", "motion", "--from", "2026-03-28", "--for", "1d"]);
    assert_eq!(said.out, "nothing is due by time alone from 2026-03-28 00:00 to 2026-03-29 00:00\n");
}
