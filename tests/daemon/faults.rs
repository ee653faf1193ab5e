//! What goes wrong around the daemon, and what must not leave it: secrets, payloads that are too large, answers that nobody
//! takes.

use std::fs::OpenOptions;
use std::process::Stdio;

use serde_json::{Value, json};

use super::clients::{Kind, Sent, sent};
use super::house::House;
use crate::home::{Home, command, homerule};

const SECRET: &str = "s3cret-t0ken";

/// A home whose rule publishes a secret, whole and within a text, and one that is short.
fn home_with_secrets() -> Home {
    let rules = "\
let: { token: { file: secrets/token.txt }, pin: { file: secrets/pin.txt } }
rules:
  tell:
    when: in/tell
    let: { header: 'Bearer ${token}' }
    then:
      - { to/whole: '${token}', to/within: '${header}', to/pin: '${pin}', to/map: { pin: '${pin}', on: true } }
      - log: 'sent ${token}'
      - http: { url: 'http://127.0.0.1:1/${token}' }
";
    Home::with(&[("rules/all.yaml", rules), ("secrets/token.txt", "s3cret-t0ken\n"), ("secrets/pin.txt", "4711")])
}

#[test]
fn a_secret_is_sent_and_shown_nowhere() {
    let mut house = home_with_secrets().start();
    let subscriber = Kind::Own.subscribe(house.mqtt, &["to/#"]);
    Kind::Own.publish(house.mqtt, &[sent("in/tell", "x")]);
    let came: Vec<String> = (0..4).map(|_| subscriber.next()).collect();
    let plain = came.iter().map(|line| line.split_once(' ').unwrap().1).collect::<Vec<_>>();
    assert_eq!(
        plain,
        [
            format!("to/whole {SECRET}"),
            format!("to/within Bearer {SECRET}"),
            "to/pin 4711".to_owned(),
            r#"to/map {"pin":"4711","on":true}"#.to_owned()
        ],
        "what is sent is what it is"
    );
    let shown = house.publication("to/pin");
    assert_eq!(
        (&shown["payload"], &shown["masked"], &shown["payloadlen"]),
        (&json!("•••"), &json!(true), &Value::Null)
    );
    let state = house.get("/api/state?filter=to/%23");
    let payloads: Vec<&str> =
        state.as_array().unwrap().iter().map(|state| state["payload"].as_str().unwrap()).collect();
    assert_eq!(payloads, [r#"{"pin":"•••","on":true}"#, "•••", "•••", "Bearer •••"]);
    let failed = house.line("the failed run", |line| line["event"] == "run" && line["outcome"] == "failed");
    assert!(failed.to_string().contains("•••"), "{failed}");
    let mut told = state.to_string();
    for path in ["/api/traces", "/api/rules", "/api/status", "/metrics"] {
        let (status, text) = house.ask("GET", path, None);
        assert_eq!(status, 200, "{path}");
        told += &text;
    }
    let url = format!("http://{}", house.web);
    for arguments in [&["trace", "--url", &url][..], &["state", "--url", &url], &["why", "to/pin", "--url", &url]] {
        let said = homerule(house.home.path(), arguments);
        assert_eq!(said.status, 0, "{arguments:?}: {said:?}");
        assert!(said.out.contains("•••"), "{arguments:?}: {said:?}");
        told += &said.out;
    }
    told += &house.end("TERM");
    let recorded = homerule(house.home.path(), &["record", "--since", "1h"]);
    assert!(recorded.out.contains(r#""masked":true"#), "{recorded:?}");
    told += &recorded.out;
    assert!(!told.contains(SECRET) && !told.contains("4711"), "{told}");
}

#[test]
fn what_a_test_prints_has_no_secret_in_it_and_it_may_expect_one() {
    let home = home_with_secrets();
    home.write(
        "rules/all.test.yaml",
        "tests:\n  passes: { steps: [ { publish: in/tell, payload: x }, { expect: { to/pin: 4711, to/whole: s3cret-t0ken, \
         to/within: Bearer s3cret-t0ken, to/map: { pin: '4711', on: true } } }, { expect_http: [ { url: 'http://127.0.0.1:1/s3cret-t0ken' } ] } ] }\n",
    );
    let said = homerule(home.path(), &["test"]);
    assert_eq!(said.status, 0, "{said:?}");
    home.write(
        "rules/all.test.yaml",
        "tests: { fails: { steps: [ { publish: in/tell, payload: x }, { expect: nothing } ] } }\n",
    );
    let said = homerule(home.path(), &["test"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("•••") && !said.out.contains(SECRET) && !said.out.contains("4711"), "{}", said.out);
}

#[test]
fn what_check_says_has_no_secret_in_it_and_one_that_is_missing_is_told() {
    let rules = "let: { token: { file: token.txt } }\nrules: { a: { when: { silent: in, for: '${token}' }, then: { to/out: x } } }\n";
    let home = Home::new(&[("rules/a.yaml", rules), ("token.txt", "s3cret-t0ken")]);
    let said = homerule(home.path(), &["check"]);
    assert_eq!(said.status, 1, "{said:?}");
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("`•••` isn't a valid duration") && !told.contains(SECRET), "{told}");
    let home = Home::new(&[(
        "rules/a.yaml",
        "let: { token: { env: HOMERULE_NOT_SET } }\nrules: { a: { when: in, then: { to/out: '${token}' } } }\n",
    )]);
    let said = homerule(home.path(), &["check"]);
    assert_eq!(said.status, 1, "{said:?}");
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("HR087") && told.contains("the environment variable `HOMERULE_NOT_SET` isn't set"), "{told}");
}

#[test]
fn a_payload_that_is_too_large_reaches_clients_and_rules_and_is_not_kept() {
    let home = Home::with(&[("rules/all.yaml", "rules: { seen: { when: cam/door, then: { to/seen: x } } }\n")]);
    let settings = home.read("homerule.yaml");
    home.write("homerule.yaml", &format!("{settings}limits: {{ payload: 1KiB }}\n"));
    let mut house = home.start();
    let subscriber = Kind::Own.subscribe(house.mqtt, &["cam/door"]);
    let picture = "x".repeat(2000);
    for _ in 0..2 {
        Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("cam/door", &picture) }]);
        house.publication("to/seen");
        assert!(subscriber.next().ends_with(&picture));
    }
    let state = &house.get("/api/state?filter=cam/%23")[0];
    assert_eq!((&state["payload"], &state["too_large"], &state["retained"]), (&json!(""), &json!(2000), &json!(true)));
    let log = house.end("TERM");
    assert_eq!(log.matches("`cam/door` is 2000 bytes long").count(), 1, "{log}");
    let recorded = homerule(house.home.path(), &["record", "--since", "1h"]);
    assert!(recorded.out.contains("to/seen") && !recorded.out.contains("xxx"), "{}", recorded.out);
}

#[test]
fn a_failure_beside_a_part_that_decides_is_counted() {
    let mut house = House::with_rules(
        "rules: { a: { when: in, if: [ \"state('t').x < 5\", \"state('go') == 'yes'\" ], then: { to/out: x } }, \
         b: { when: in, then: { to/b: x } } }\n",
    );
    Kind::Own.publish(house.mqtt, &[sent("t", "{\"x\":null}"), sent("go", "no"), sent("in", "x")]);
    house.publication("to/b");
    let (_, text) = house.ask("GET", "/metrics", None);
    assert!(text.contains("\nhomerule_condition_failures_passed_over_total 1\n"), "{text}");
    assert!(text.contains("\nhomerule_runs_failed_total 0\n"), "{text}");
}

#[test]
fn a_token_that_is_too_short_is_said_to_be_too_short() {
    let home = Home::with(&[("token.txt", "short\n")]);
    home.write(
        "homerule.yaml",
        "broker: { listen: \"127.0.0.1:0\" }\nweb: { listen: \"127.0.0.1:0\", token_file: token.txt }\n",
    );
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.contains("the token in `token.txt`") && said.contains("is too short") && !said.contains("can't read"),
        "{said}"
    );
}

#[test]
fn a_topic_of_ours_that_is_overwritten_ten_times_in_a_row_is_left() {
    let mut house = House::with_rules("rules: { a: { when: in, then: { to/out: x } } }\n");
    let subscriber = Kind::Own.subscribe(house.mqtt, &["homerule/status"]);
    assert_eq!(subscriber.next(), "1 homerule/status online");
    let overwrite = || Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("homerule/status", "wrong") }]);
    for _ in 0..10 {
        overwrite();
        assert_eq!(subscriber.next(), "0 homerule/status wrong");
        assert_eq!(subscriber.next(), "0 homerule/status online");
    }
    overwrite();
    assert_eq!(subscriber.next(), "0 homerule/status wrong");
    // One that is still put right shows that the turn of the other has come.
    let other = Kind::Own.subscribe(house.mqtt, &["homerule/rule/all:a"]);
    Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("homerule/rule/all:a", "wrong") }]);
    while !other.next().starts_with("0 homerule/rule/all:a {") {}
    let log = house.end("TERM");
    assert_eq!(log.matches("it's left as it is").count(), 1, "{log}");
}

#[test]
fn an_answer_of_the_daemon_that_a_full_disk_does_not_take_is_a_failure() {
    let house = House::with_rules("rules: { a: { when: in, then: { to/out: x } } }\n");
    Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent("in", "x") }]);
    let (url, broker) = (format!("http://{}", house.web), house.mqtt.to_string());
    let commands: [&[&str]; 6] = [
        &["state", "--url", &url],
        &["state", "--json", "--url", &url],
        &["status", "--url", &url],
        &["status", "--rules", "--url", &url],
        &["trace", "--url", &url],
        &["sub", "--broker", &broker, "in"],
    ];
    for arguments in commands {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = command().args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("standard output can't be written: no space left on device"), "{arguments:?}: {said}");
    }
}

#[test]
fn status_finds_a_daemon_whose_data_is_elsewhere_and_whose_settings_are_broken_now() {
    let home = Home::with(&[("rules/all.yaml", "rules: { a: { when: in, then: { to/out: x } } }\n")]);
    let settings = home.read("homerule.yaml");
    home.write("homerule.yaml", &format!("data: data\n{settings}"));
    let mut house = home.start();
    house.home.write("homerule.yaml", "web: { lisen: x }\n");
    assert_eq!(house.reloaded()["in_force"], false);
    let said = homerule(house.home.path(), &["status"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("homerule.yaml is NOT in force"), "{said:?}");
}

#[test]
fn commands_refuse_a_zone_that_nobody_knows_unless_the_home_names_one() {
    let home = Home::new(&[
        ("rules/a.yaml", "rules: { a: { when: in, then: { to/out: x } } }\n"),
        ("rules/a.test.yaml", "tests: { t: { steps: [ { publish: in, payload: x }, { expect: { to/out: x } } ] } }\n"),
        ("one.jsonl", "{\"tst\":\"2026-01-01T12:00:00Z\",\"topic\":\"in\",\"payload\":\"x\"}\n"),
    ]);
    let run = |arguments: &[&str]| {
        let mut command = command();
        let run = command.args(arguments).env("TZ", "Europe/Belin").current_dir(home.path()).output().unwrap();
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    for arguments in [&["test"][..], &["replay", "one.jsonl"]] {
        let (status, said) = run(arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains("`TZ=Europe/Belin` isn't a known time zone"), "{arguments:?}: {said}");
    }
    home.write("homerule.yaml", "location: { timezone: Europe/Berlin }\n");
    assert_eq!(run(&["test"]).0, Some(0));
}
