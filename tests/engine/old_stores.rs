//! Stores that an earlier version wrote: its names of what is kept are read as today's.

use homerule::engine::Event;
use jiff::SignedDuration;

use super::home::{Played, message, ruleset_of};

const RULES: &str = "\
hold: { when: { state: door, to: open, for: 10m }, then: { out/hold: 1 } }
  waits: { when: go, then: [ { wait: bell, timeout: 1h }, { out/waits: '${wait.topic}' } ] }
";

/// Names of today, and what they were.
const RENAMED: [(&str, &str); 4] = [
    (r#""firing":"#, r#""occasion":"#),
    (r#""waits":"#, r#""ears":"#),
    (r#""OpenWait""#, r#""Ear""#),
    (r#""next_wait":"#, r#""next_ear":"#),
];

#[test]
fn what_an_earlier_version_kept_goes_on() {
    let mut home = Played::start(ruleset_of(RULES));
    home.handle(Event::Message(message("door", b"open", false)));
    home.handle(Event::Message(message("go", b"x", false)));
    let mut home = home.restart(ruleset_of(RULES));
    for (today, then) in RENAMED {
        let renamed = home.saved.values.values_mut().filter(|value| value.contains(today));
        let count = renamed.map(|value| *value = value.replace(today, then)).count();
        assert!(count > 0, "nothing that is kept has {today}");
    }
    let mut home = home.restart(ruleset_of(RULES));
    home.said.clear();
    home.handle(Event::Message(message("bell", b"x", false)));
    home.now = home.now.checked_add(SignedDuration::from_mins(10)).unwrap();
    home.handle(Event::Tick);
    let published: Vec<&String> = home.said.iter().filter(|line| line.contains("out/")).collect();
    assert!(published.iter().any(|line| line.contains("out/waits")), "{:?}", home.said);
    assert!(published.iter().any(|line| line.contains("out/hold")), "{:?}", home.said);
    assert!(!home.said.iter().any(|line| line.contains("can't be read")), "{:?}", home.said);
}

#[test]
fn a_snapshot_of_an_earlier_version_is_restored() {
    const RULES: &str = "\
take: { when: go, then: { snapshot: home/+/tv, as: before } }
  give: { when: bell, then: { restore: before, to: 'out/${captures[0]}' } }
";
    let mut home = Played::start(ruleset_of(RULES));
    home.handle(Event::Message(message("home/a/tv", b"ON", false)));
    home.handle(Event::Message(message("go", b"x", false)));
    let mut home = home.restart(ruleset_of(RULES));
    let row = home.saved.values.iter_mut().find(|(key, _)| key.0.starts_with("snapshot/")).unwrap().1;
    assert!(row.contains(r#""form":2"#), "{row}");
    *row = row.replace(r#""form":2,"#, "").replace(r#""filters":["home/+/tv"]"#, r#""filter":"home/+/tv""#);
    assert!(!row.contains("form") && row.contains(r#""filter":"#), "{row}");
    let mut home = home.restart(ruleset_of(RULES));
    home.said.clear();
    home.handle(Event::Message(message("bell", b"x", false)));
    assert!(home.said.iter().any(|line| line.starts_with("Publish") && line.contains("out/a")), "{:?}", home.said);
    // One of a later version is left out, and said.
    home.handle(Event::Message(message("go", b"x", false)));
    let mut home = home.restart(ruleset_of(RULES));
    let row = home.saved.values.iter_mut().find(|(key, _)| key.0.starts_with("snapshot/")).unwrap().1;
    *row = row.replace(r#""form":2"#, r#""form":3"#);
    let home = home.restart(ruleset_of(RULES));
    assert!(home.said.iter().any(|line| line.contains("a later version wrote this snapshot")), "{:?}", home.said);
}
