//! `record --since` and `replay --since`: what the daemon's recorder has left in the home.

use super::home::Home;

const ROOMS: &str = "\
rules:
  dim: { when: home/+room/tv, if: \"msg == 'ON' and state('home/mode') == 'evening'\", then: { 'home/${room}/light/set': '40' } }
";

/// A file of the first evening.
const FIRST: &str = r#"{"tst":"2026-06-01T18:00:00.000000Z","topic":"home/mode","qos":1,"retain":0,"payloadlen":7,"payload":"evening","origin":"live","client":"phone"}
{"tst":"2026-06-01T18:30:00.000000Z","topic":"home/hall/tv","qos":1,"retain":0,"payloadlen":2,"payload":"ON","origin":"live","client":"tv"}
{"tst":"2026-06-01T18:30:00.000000Z","topic":"home/hall/light/set","qos":1,"retain":0,"payloadlen":2,"payload":"40","origin":"own","rule":"rooms:dim","cause":{"kind":"message","sequence":2,"topic":"home/hall/tv","origin":"live","depth":0,"run":null}}
"#;

/// A file of the second one; it begins with what was known, and a kill broke off its last line.
const SECOND: &str = r#"{"tst":"2026-06-02T18:00:00.000000Z","topic":"home/hall/tv","qos":0,"retain":1,"payloadlen":2,"payload":"ON","origin":"restored"}
{"tst":"2026-06-02T18:00:00.000000Z","topic":"home/mode","qos":0,"retain":1,"payloadlen":7,"payload":"evening","origin":"restored"}
{"tst":"2026-06-02T18:00:01.000000Z","topic":"home/den/tv","qos":1,"retain":0,"payloadlen":2,"payload":"ON","origin":"live","client":"tv"}
{"tst":"2026-06-02T18:30:00.000000Z","topic":"home/attic/tv","qos":1,"retain":0,"payloadlen":2,"payload":"ON","origin":"live"}
{"tst":"2026-06-02T18:30:0"#;

fn home() -> Home {
    Home::new(&[
        ("homerule.yaml", "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n"),
        ("rules/rooms.yaml", ROOMS),
        (".homerule/recordings/2026-06-01T180000Z.jsonl", FIRST),
        (".homerule/recordings/2026-06-02T180000Z.jsonl", SECOND),
    ])
}

#[test]
fn what_was_recorded_since_a_time_is_written_as_it_was_recorded() {
    let home = home();
    let said = home.say(&["record", "--since", "2026-06-01T18:10:00Z"]);
    let lines: Vec<&str> = FIRST.lines().skip(1).chain(SECOND.lines().skip(2).take(2)).collect();
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(said.out.lines().collect::<Vec<_>>(), lines);
    let said = home.say(&["record", "--since", "2026-06-01", "home/+/light/set", "-o", "lights.jsonl"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
    assert_eq!(home.read("lights.jsonl").lines().collect::<Vec<_>>(), [FIRST.lines().nth(2).unwrap()]);
    let said = home.say(&["record", "--since", "1s"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
}

#[test]
fn a_replay_since_a_time_knows_what_was_known_then() {
    let home = home();
    let said = home.say(&["replay", "--since", "2026-06-02T18:10:00Z"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(said.out, "2026-06-02 20:30:00.000  home/attic/light/set 40  rooms:dim\n");
    let said = home.say(&["replay", "--since", "2026-06-01T00:00:00Z"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "\
2026-06-01 20:30:00.000  home/hall/light/set 40  rooms:dim
2026-06-02 20:00:01.000  home/den/light/set 40  rooms:dim
2026-06-02 20:30:00.000  home/attic/light/set 40  rooms:dim
"
    );
    let said = home.say(&["replay", "--since", "1s"]);
    assert_eq!(said.err, "warning: ./.homerule/recordings: there is no message in it\n");
}

#[test]
fn a_damaged_line_in_the_middle_is_told_with_its_file_and_the_rest_is_read() {
    let home = home();
    home.write(".homerule/recordings/2026-06-01T180000Z.jsonl", &FIRST.replace("ON\",\"origin", "ON\0"));
    let told = "error: ./.homerule/recordings: 2026-06-01T180000Z.jsonl, line 2 is skipped: no JSON of a message: \
                control character (\\u0000-\\u001F) found while parsing a string\n";
    for command in ["replay", "record"] {
        let said = home.say(&[command, "--since", "2026-06-01"]);
        assert_eq!((said.status, said.err.as_str()), (1, told), "{command}");
        assert!(said.out.contains("home/den/") && said.out.contains("home/attic/"), "{}", said.out);
    }
}

#[test]
fn nothing_recorded_yet_is_told_with_what_to_do() {
    let home = Home::new(&[("rules/rooms.yaml", ROOMS)]);
    for command in ["replay", "record"] {
        let said = home.say(&[command, "--since", "1h"]);
        assert_eq!(
            (said.status, said.err.as_str()),
            (
                2,
                "error: nothing is recorded in `./.homerule/recordings` yet: the daemon records while it runs \
                 (`homerule run`)\n"
            )
        );
    }
    home.write("homerule.yaml", "recorder: off\ndata: elsewhere\n");
    let said = home.say(&["replay", "--since", "1h"]);
    assert_eq!(
        (said.status, said.err.as_str()),
        (
            2,
            "error: nothing is recorded in `./elsewhere/recordings`: `recorder` is off in homerule.yaml; take that out, \
             and the daemon records\n"
        )
    );
    for (since, told) in [
        ("yesterday", "error: `yesterday` is no duration: write `500ms`, `30s`, `5m`, `1h30m` or `2d`\n"),
        ("30", "error: a duration needs a unit: `30s`, `30m` or `30h`\n"),
        ("29:00", "error: `29:00` is no time: write `24h`, `20:10` or `2024-06-01T20:10`\n"),
    ] {
        let said = home.say(&["record", "--since", since]);
        assert_eq!((said.status, said.err.as_str()), (2, told));
    }
}
