//! Calendars, against what another implementation finds in them (`tests/tools/calendars.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use homerule::lang::{Home, Severity, Source, Sources};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The events of a calendar from one time until another: start, end and title.
fn events(text: &str, from: Timestamp, until: Timestamp) -> Vec<(String, String, String)> {
    let settings = "location: { timezone: Europe/Berlin }\ncalendars: { bins: bins.ics }\n";
    let files = [("homerule.yaml", settings), ("bins.ics", text), ("rules/x.yaml", "rules: {}\n")];
    let sources: Sources =
        files.iter().map(|(path, text)| (Arc::from(*path), Source::Content(text.as_bytes().into()))).collect();
    let home = Home::load(&sources);
    let errors: BTreeMap<_, _> = home
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| (&found.message, &found.label))
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let found = home.ruleset.agendas["bins"].within(from, until, &zone);
    let mut found: Vec<_> =
        found.iter().map(|one| (one.start.to_string(), one.end.to_string(), one.event.summary.to_string())).collect();
    found.sort();
    found
}

#[test]
fn events_happen_when_another_implementation_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/calendars.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        let time = |key: &str| case[key].as_str().unwrap().parse().unwrap();
        let part = |event: &serde_json::Value, index: usize| event[index].as_str().unwrap().to_owned();
        let mut expected: Vec<_> = case["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| (part(event, 0), part(event, 1), part(event, 2)))
            .collect();
        expected.sort();
        let found = events(text, time("from"), time("until"));
        if found != expected {
            let span = format!("{} to {}", case["from"], case["until"]);
            wrong.push(format!("{span}:\n{found:#?}\nnot\n{expected:#?}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_trace_names_the_event_that_began() {
    let bins = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Paper\nDTSTART;VALUE=DATE:20240103\nEND:VEVENT\nEND:VCALENDAR\n";
    let rules = "rules:\n  bins: { when: { calendar: bins, is: start, offset: -6h }, then: { out/bins: '${event.summary}' } }\n";
    let tests = "tests:\n  a: { at: '2024-01-02 12:00', steps: [ { after: 12h }, { expect: nothing } ] }\n";
    let home = crate::home::Home::new(&[
        ("homerule.yaml", "location: { timezone: Europe/Berlin }\ncalendars: { bins: bins.ics }\n"),
        ("bins.ics", bins),
        ("rules/a.yaml", rules),
        ("rules/a.test.yaml", tests),
    ]);
    let said = home.say(&["test"]);
    let event = "the start of `Paper` in the calendar `bins`, due at 18:00:00";
    assert!(said.status == 1 && said.out.contains(event), "{}{}", said.out, said.err);
}
