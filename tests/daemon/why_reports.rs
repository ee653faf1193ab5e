//! What `why` and `why-not` say, as a user reads it: while memory holds it, and when only the recorder does.

use serde_json::json;

use super::house::House;
use super::why::{publish, say};
use crate::home::{Home, SETTINGS};

const CHAIN: &str = "\
rules:
  evening: { when: home/+room/tv, if: msg == 'ON', then: { wanted/scene: 'evening in ${room}' } }
  scene: { when: wanted/scene, then: { home/hall/light/set: { state: ON, text: '${msg}' } } }
";

/// Returns what a command says, with its times replaced by how many letters they have.
fn report(house: &House, arguments: &[&str]) -> String {
    let said = say(house, arguments);
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z?)?").unwrap();
    let held = regex::Regex::new(r"held for \d+(\.\d+)?m?s").unwrap();
    let text = format!("{}--- {}\n{}", said.out, said.status, said.err);
    let zone = regex::Regex::new(r"those of \S+\)").unwrap();
    let text = zone.replace_all(&text, "those of ZONE)");
    let step = regex::Regex::new(r"TIME\.\d{3}|\b\d\d:\d\d:\d\d\.\d{3}").unwrap();
    let text = step.replace_all(&time.replace_all(&text, "TIME"), "TIME").into_owned();
    held.replace_all(&text, "held for SOME").into_owned()
}

/// Starts a home that remembers nothing: all that is told comes out of the recorder.
fn forgetful(rules: &str) -> House {
    let home = Home::with(&[("rules/all.yaml", rules)]);
    home.write("homerule.yaml", &format!("{SETTINGS}traces: {{ memory: 1B }}\n"));
    home.start()
}

#[test]
fn why_tells_each_run_back_to_the_client() {
    let mut house = House::with_rules(CHAIN);
    publish(&house, "home/hall/tv", &json!("ON"));
    house.publication("home/hall/light/set");
    insta::assert_snapshot!(report(&house, &["why", "home/hall/light/set"]));
    insta::assert_snapshot!(report(&house, &["why", "home/hall/tv"]));
}

#[test]
fn why_goes_on_in_the_recording_where_the_runs_are_forgotten() {
    let told = |house: &House| report(house, &["why", "home/hall/light/set"]);
    let mut house = House::with_rules(CHAIN);
    publish(&house, "home/hall/tv", &json!("ON"));
    house.publication("home/hall/light/set");
    house.end("TERM");
    house.begin();
    let after_restart = told(&house);
    insta::assert_snapshot!(after_restart);
    assert!(report(&house, &["why", "home/hall/tv"]).contains("home/hall/tv \"ON\", published by an unknown client"));

    let mut house = forgetful(CHAIN);
    publish(&house, "home/hall/tv", &json!("ON"));
    house.publication("home/hall/light/set");
    assert_eq!(told(&house), after_restart);
}

#[test]
fn why_goes_on_through_what_a_while_read() {
    let mut house = House::with_rules(
        "\
rules:
  mode: { when: home/mode, then: [ { remember: { mode: '${msg}' } }, { delay: 1h } ] }
  dark: { while: state('home/lux') < 10 }
  by-holds: { while: holds('dark'), then: { lamp/holds: ON } }
  by-running: { while: running('mode'), then: { lamp/running: ON } }
",
    );
    publish(&house, "home/lux", &json!(3));
    publish(&house, "home/mode", &json!("night"));
    house.publication("lamp/running");
    insta::assert_snapshot!(report(&house, &["why", "lamp/holds"]));
    insta::assert_snapshot!(report(&house, &["why", "lamp/running"]));
}

#[test]
fn why_not_tells_what_is_missing() {
    let house = House::with_rules(
        "\
rules:
  cold: { when: { state: room, field: t, below: 10 }, then: { out/x: 1 } }
  dim: { when: tv, if: [ \"msg == 'ON'\", \"(state('lux') ?? 0) < 10\" ], then: { out/x: 1 } }
  open: { when: { state: door, to: open, for: 3m }, then: { out/x: 1 } }
  bell: { when: bell, cooldown: 1h, then: { out/x: 1 } }
  off: { enabled: false, when: bell, then: { out/x: 1 } }
  while: { while: state('lux') < 10, then: { out/x: 1 } }
",
    );
    for (topic, payload) in [
        ("lux", json!(300)),
        ("room", json!({ "t": 12 })),
        ("room", json!({ "h": 50 })),
        ("room", json!({ "t": 11.5 })),
        ("tv", json!("ON")),
        ("door", json!("open")),
        ("bell", json!(1)),
        ("bell", json!(2)),
    ] {
        publish(&house, topic, &payload);
    }
    let reports: Vec<String> =
        ["cold", "dim", "open", "bell", "off", "while"].iter().map(|rule| report(&house, &["why-not", rule])).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn why_not_finds_what_came_near_in_the_recording() {
    let rules = "\
rules:
  cold: { when: { state: room, field: t, below: 10 }, then: { out/x: 1 } }
  tv: { when: { topic: tv, payload: ON }, then: { out/tv: 1 } }
  silent: { when: nothing, then: { out/x: 1 } }
";
    let told = |house: &House| {
        let reports = ["cold", "tv", "silent"].map(|rule| report(house, &["why-not", rule]));
        reports.join("\n")
    };
    let tell = |house: &mut House| {
        for (topic, payload) in [("room", json!({ "t": 12 })), ("room", json!({ "t": 12 })), ("tv", json!("OFF"))] {
            publish(house, topic, &payload);
        }
        publish(house, "tv", &json!("ON"));
        house.publication("out/tv");
        publish(house, "tv", &json!("BLUE"));
    };
    let mut house = House::with_rules(rules);
    tell(&mut house);
    house.end("TERM");
    house.begin();
    let after_restart = told(&house);
    insta::assert_snapshot!(after_restart);
    let mut house = forgetful(rules);
    tell(&mut house);
    assert_eq!(told(&house), after_restart);
    let said = report(&house, &["why-not", "tv", "--at", "2000-01-01T00:00:00Z"]);
    assert!(said.starts_with("all:tv: no trigger fired, as far back as the daemon remembers; no message"), "{said}");
}

#[test]
fn a_test_is_made_of_what_was_recorded() {
    let rules = "\
rules:
  motion:
    when: { state: home/+room/motion, to: 1 }
    if: (state('home/lux') ?? 0) < 10
    then: { 'home/${room}/light/set': \"${state('home/level')}\" }
  scene: { when: home/+/light/set, then: { home/scene: '${msg}' } }
";
    for forgets in [false, true] {
        let mut house = if forgets { forgetful(rules) } else { House::with_rules(rules) };
        for (topic, payload) in [("home/lux", 3), ("home/level", 40), ("home/hall/motion", 0), ("home/hall/motion", 1)]
        {
            publish(&house, topic, &json!(payload));
        }
        house.publication("home/scene");
        if !forgets {
            publish(&house, "home/lux", &json!(300));
            house.end("TERM");
            house.begin();
        }
        let said = say(&house, &["why", "home/scene", "--as-test", "rules/incident.test.yaml"]);
        assert_eq!(said.status, 0, "{said:?}");
        let text = std::fs::read_to_string(house.home.file("rules/incident.test.yaml")).unwrap();
        assert!(text.contains("rules: [all.yaml:motion, all.yaml:scene]"), "{text}");
        let said = say(&house, &["test"]);
        assert_eq!((said.status, said.out.as_str()), (0, "1 passed, 0 failed\n"), "{}\n{text}", said.err);
    }
}

/// Returns a line of the recorder, so many minutes ago; `rest` begins with who published it.
fn line(minutes: i64, topic: &str, payload: &str, rest: &str) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let length = payload.len();
    format!(
        "{{\"tst\":\"{at:.6}\",\"topic\":\"{topic}\",\"qos\":1,\"retain\":0,\"payloadlen\":{length},\"payload\":\"{payload}\",{rest}}}\n"
    )
}

const LIVE: &str = "\"origin\":\"live\",\"client\":\"panel\"";

/// Makes a home whose recorder has these lines, the oldest first.
fn recorded_home(rules: &str, lines: &[String]) -> Home {
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let begin: jiff::Timestamp = first["tst"].as_str().unwrap().parse().unwrap();
    let name = format!(".homerule/recordings/{}.jsonl", begin.strftime("%Y-%m-%dT%H%M%SZ"));
    Home::with(&[("rules/all.yaml", rules), (&name, &lines.concat())])
}

#[test]
fn a_test_knows_what_was_recorded_before_its_begin() {
    let rules =
        "rules: { on: { when: { topic: button, payload: press }, if: state('lux') < 10, then: { hall/lamp: ON } } }\n";
    let cause = "\"cause\":{\"kind\":\"message\",\"sequence\":2,\"topic\":\"button\",\"origin\":\"live\",\"depth\":0,\"run\":1}";
    let own = format!("\"origin\":\"own\",\"rule\":\"all:on\",{cause}");
    let lines = [line(90, "lux", "3", LIVE), line(70, "button", "press", LIVE), line(70, "hall/lamp", "ON", &own)];
    let house = recorded_home(rules, &lines).start();
    publish(&house, "lux", &json!(300));
    assert_eq!(
        report(&house, &["why", "hall/lamp"]),
        "TIME all:on published; what else its run did is no longer remembered\n    button \"press\" was published at TIME by the \
         client `panel`\n    publish  hall/lamp ON\n(times are those of ZONE)\n--- 0\n"
    );
    let said = say(&house, &["why", "hall/lamp", "--as-test", "rules/incident.test.yaml"]);
    assert_eq!(said.status, 0, "{said:?}");
    let text = std::fs::read_to_string(house.home.file("rules/incident.test.yaml")).unwrap();
    assert!(text.contains("    given:\n      lux: 3\n"), "{text}");

    let house = recorded_home("rules: {}\n", &lines).start();
    let said = say(&house, &["why", "hall/lamp", "--as-test", "rules/incident.test.yaml"]);
    assert_eq!(
        (said.status, said.err.as_str()),
        (2, "error: all:on published `hall/lamp`, but the home no longer has that rule\n")
    );
}

#[test]
fn a_test_is_made_of_what_was_recorded_and_of_what_is_remembered() {
    let rules = "\
rules:
  on:
    when: { topic: button, payload: press }
    if: { any: [ { state: mode, is: away, for: 2h }, \"state('mode') == 'home'\" ] }
    then: { hall/lamp: ON }
";
    let mut house = recorded_home(rules, &[line(60, "mode", "away", LIVE), line(30, "mode", "home", LIVE)]).start();
    publish(&house, "mode", &json!("home"));
    publish(&house, "button", &json!("press"));
    house.publication("hall/lamp");
    let said = say(&house, &["why", "hall/lamp", "--as-test", "rules/incident.test.yaml"]);
    assert_eq!(said.status, 0, "{said:?}");
    let text = std::fs::read_to_string(house.home.file("rules/incident.test.yaml")).unwrap();
    let steps: Vec<&str> = text.lines().filter(|line| line.contains("- { publish: ")).map(str::trim).collect();
    assert_eq!(
        steps[..4],
        [
            "- { publish: mode, payload: away }",
            "- { publish: mode, payload: home }",
            "- { publish: mode, payload: home }",
            "- { publish: button, payload: press }",
        ],
        "{text}"
    );
}

/// Rules that each publish to `out/KEY` once a time has passed.
const TIMES: &str = "\
rules:
  held: { when: { state: door, field: s, to: open, for: 300ms }, then: { out/held: 1 } }
  kept: { while: { state: door, field: s, is: open, for: 300ms }, then: { out/kept: 1 } }
  late: { while: \"state('door').s == 'open'\", for: 300ms, then: { out/late: 1 } }
  again: { while: \"state('door').s == 'open'\", every: 300ms, then: { out/again: 1 } }
  silent: { when: { silent: door, for: 600ms }, then: { out/silent: 1 } }
  delay: { when: { topic: door, where: msg.n == 1 }, then: [ { delay: 300ms }, { out/delay: 1 } ] }
";

const TIMER: &str = "rule(\"timer\", #{ when: \"door\", then: |e| if e.msg.n == 1 { after(\"300ms\", || publish(\"out/timer\", 1)) } });\n";

#[test]
fn why_goes_back_to_the_message_that_began_the_time_that_had_to_pass() {
    let files = [("rules/all.yaml", TIMES), ("rules/timer.rhai", TIMER)];
    let keys = ["held", "kept", "late", "again", "delay", "timer"];
    let check = |house: &House| {
        let message = |key: &str| {
            let chain = house.get(&format!("/api/why?topic=out/{key}"));
            let cause = &chain[0]["cause"];
            (key.to_owned(), cause["topic"].clone(), cause["value"]["n"].clone())
        };
        for key in keys {
            assert_eq!(
                message(key),
                (key.to_owned(), "door".into(), json!(1)),
                "{}",
                report(house, &["why", &format!("out/{key}")])
            );
        }
        assert_eq!(message("silent"), ("silent".to_owned(), "door".into(), json!(2)));
    };
    let publish_all = |house: &House| {
        publish(house, "door", &json!({ "s": "open", "n": 1 }));
        publish(house, "door", &json!({ "s": "open", "n": 2 }));
    };
    let mut house = Home::with(&files).start();
    publish_all(&house);
    house.publication("out/silent");
    check(&house);
    let reports: Vec<String> =
        keys.iter().filter(|key| **key != "again").map(|key| report(&house, &["why", &format!("out/{key}")])).collect();
    insta::assert_snapshot!(reports.join("\n"));
    let cut = |house: &House, when: &str| {
        for (key, n) in keys.iter().map(|key| (*key, 1)).chain([("silent", 2)]) {
            let file = format!("rules/{key}-{when}.test.yaml");
            let said = say(house, &["why", &format!("out/{key}"), "--as-test", &file]);
            assert_eq!(said.status, 0, "{said:?}");
            let text = std::fs::read_to_string(house.home.file(&file)).unwrap();
            assert!(text.contains(&format!("payload: {{ s: open, n: {n} }}")), "{text}");
        }
    };
    cut(&house, "remembered");
    house.end("TERM");
    house.begin();
    check(&house);
    cut(&house, "recorded");
    let said = say(&house, &["test"]);
    assert_eq!((said.status, said.out.as_str()), (0, "14 passed, 0 failed\n"), "{}", said.err);

    // The time passes while the daemon is down.
    let mut house = Home::with(&files).start();
    publish_all(&house);
    house.end("TERM");
    house.begin();
    house.publication("out/silent");
    check(&house);
}
