//! A home at another broker, a real mosquitto: `broker.url`.

use std::time::Duration;

use super::house::{House, until};
use super::mosquitto::{Device, Mosquitto};
use crate::home::Home;

fn home(mosquitto: &Mosquitto, rules: &str) -> House {
    Home::new(&[("homerule.yaml", &mosquitto.settings()), ("rules/all.yaml", rules)]).start_at_another()
}

/// Returns the values without those that came again, in the order in which they came first.
fn first(values: &[&str]) -> Vec<u32> {
    let mut first: Vec<u32> = Vec::new();
    for value in values {
        let value = value.parse().unwrap();
        if !first.contains(&value) {
            first.push(value);
        }
    }
    first
}

#[test]
fn a_home_runs_against_mosquitto_with_one_changed_line() {
    let mosquitto = Mosquitto::start();
    let rules = "rules:\n  tv:\n    when: home/+room/tv\n    if: msg == \"ON\" && state('weather/dark') == true\n    then:\n      home/${room}/light/set: { state: ON }\n  \
                 all:\n    when: home/#\n    then:\n      out/seen: \"${topic}\"\n";
    let mut device = Device::new(mosquitto.address, "device", &["home/+/light/set", "out/seen", "homerule/status"]);
    device.publish("weather/dark", "true", true);
    device.live_until("it has arrived", Device::is_drained);
    let mut house = home(&mosquitto, rules);
    device.live_until("the home is there", |device| device.on("homerule/status") == ["online"]);
    device.publish("home/living/tv", "ON", false);
    device.live_until("the light is switched", |device| device.on("home/living/light/set") == ["{\"state\":\"ON\"}"]);
    // The rule on `home/#` heard the rule's own message too, once, and each message once though two filters match.
    device.live_until("all was seen", |device| device.on("out/seen").len() >= 2);
    device.live(Duration::from_millis(300));
    assert_eq!(device.on("out/seen"), ["home/living/tv", "home/living/light/set"]);
    let status = house.get("/api/status");
    let link = &status["link"];
    assert_eq!((&link["connected"], &link["protocol"]), (&true.into(), &"5.0".into()), "{status:#}");
    // `home/+/tv` is within `home/#`.
    assert_eq!(link["subscriptions"], 5, "{status:#}");
    assert_eq!(house.ask("GET", "/healthz", None).0, 200);
    assert!(house.ask("GET", "/metrics", None).1.contains("homerule_link_connected 1\n"));
    let log = house.end("TERM");
    assert!(log.contains("Connected to the broker at 127.0.0.1"), "{log}");
    device.live_until("the home is gone", |device| device.on("homerule/status") == ["online", "offline"]);
}

#[test]
fn a_broker_that_is_restarted_under_load_loses_nothing() {
    let restarts = std::env::var("HOMERULE_RESTARTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut mosquitto = Mosquitto::start();
    let house =
        home(&mosquitto, "rules: { pass: { when: in/n, mode: queued, max: 10000, then: { out/n: \"${payload}\" } } }");
    let mut device = Device::new(mosquitto.address, "device", &["out/n"]);
    until("the home is connected", || house.get("/api/status")["link"]["connected"] == true);
    let mut number = 0;
    for _ in 0..restarts {
        for _ in 0..100 {
            number += 1;
            device.publish("in/n", &number.to_string(), false);
        }
        mosquitto.end();
        for _ in 0..20 {
            number += 1;
            device.publish("in/n", &number.to_string(), false);
        }
        mosquitto.begin();
    }
    device.live_until("all has come", |device| device.on("out/n").contains(&number.to_string().as_str()));
    let heard = device.on("out/n");
    assert_eq!(first(&heard), (1..=number).collect::<Vec<u32>>());
    println!("{restarts} restarts, {number} messages, {} came twice", heard.len() - number as usize);
    until("nothing waits", || house.get("/api/status")["link"]["waiting"] == 0);
}

#[test]
fn what_waits_for_the_broker_survives_our_end() {
    let mut mosquitto = Mosquitto::start();
    let rules = "rules:\n  tick:\n    when: { every: 200ms }\n    then:\n      - remember: { n: \"${(memory.n ?? 0) + 1}\" }\n      - publish: out/n\n        payload: \"${memory.n}\"\n";
    let mut device = Device::new(mosquitto.address, "device", &["out/n"]);
    let mut house = home(&mosquitto, rules);
    device.live_until("it ticks", |device| device.on("out/n").len() >= 2);
    mosquitto.end();
    until("some wait", || house.get("/api/status")["link"]["waiting"].as_u64().unwrap() >= 5);
    let (code, text) = house.ask("GET", "/healthz", None);
    assert_eq!((code, text.as_str()), (503, "the broker is away: see `homerule status`\n"));
    let last_error = || house.get("/api/status")["link"]["last_error"].as_str().unwrap_or_default().to_owned();
    until("it was tried again", || last_error().contains("no broker listens at"));
    house.end("KILL");
    house.begin_at_another();
    until("the rest is there", || house.get("/api/status")["link"]["waiting"].as_u64().unwrap() >= 8);
    mosquitto.begin();
    device.live_until("all has come", |device| device.on("out/n").len() >= 12);
    let came = first(&device.on("out/n"));
    assert_eq!(came, (1..=u32::try_from(came.len()).unwrap()).collect::<Vec<u32>>(), "in order, without a gap");
}

#[test]
fn a_broker_that_does_not_let_us_in_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("passwords");
    std::fs::write(&passwords, "").unwrap();
    let made =
        std::process::Command::new("mosquitto_passwd").args(["-b"]).arg(&passwords).args(["me", "right"]).status();
    assert!(made.unwrap().success());
    let mosquitto = Mosquitto::with(&format!("allow_anonymous false\npassword_file {}\n", passwords.display()));
    for (user, expected) in [
        ("", "asks for a user: write `user` and `password` below `broker`"),
        (
            "user: me, password: wrong, ",
            "refuses the user `me` or its password: check `user` and `password` below `broker`",
        ),
    ] {
        let settings = mosquitto.settings().replace("url:", &format!("{user}url:"));
        let mut house = Home::new(&[("homerule.yaml", &settings)]).start_at_another();
        until("it was tried", || !house.get("/api/status")["link"]["last_error"].is_null());
        let log = house.end("TERM");
        assert_eq!(log.matches(expected).count(), 1, "{log}");
    }
    let settings = mosquitto.settings().replace("url:", "user: me, password: { file: secret.txt }, url:");
    let house = Home::new(&[("homerule.yaml", &settings), ("secret.txt", "right\n")]).start_at_another();
    until("it is let in", || house.get("/api/status")["link"]["connected"] == true);
    let said = house.home.say(&["pub", "a/b", "1", "--home", "."]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let said = house.home.say(&["doctor", "."]);
    assert!(said.out.contains("connection: connected to 127.0.0.1"), "{}", said.out);
    let url = format!("mqtt://me:wrong@{}", mosquitto.address);
    let said = house.home.say(&["sub", "a/b", "--broker", &url]);
    let expected = format!(
        "error: the broker at {} refuses this user: name one by `--broker mqtt://user:password@host`\n",
        mosquitto.address
    );
    assert_eq!((said.status, said.err), (2, expected));
}

#[test]
fn a_broker_that_refuses_our_client_id_or_a_topic_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let acl = folder.path().join("acl");
    std::fs::write(&acl, "topic read in/#\ntopic readwrite homerule/#\n").unwrap();
    let mosquitto = Mosquitto::with(&format!("allow_anonymous true\nacl_file {}\n", acl.display()));
    let house = home(&mosquitto, "rules: { a: { when: in/a, then: { secret/a: 1 } } }");
    until("it is let in", || house.get("/api/status")["link"]["connected"] == true);
    let said = house.home.say(&["pub", "secret/a", "1", "--broker", &format!("mqtt://{}", mosquitto.address)]);
    let expected = "error: the broker refuses what is published to `secret/a` (not authorized): grant this user that topic in the broker's ACL\n";
    assert_eq!((said.status, said.err.as_str()), (2, expected));
    let mosquitto = Mosquitto::with("allow_anonymous true\nclientid_prefixes device-\n");
    let mut house = home(&mosquitto, "rules: {}");
    until("it was tried", || !house.get("/api/status")["link"]["last_error"].is_null());
    let log = house.end("TERM");
    assert_eq!(log.matches("`client_id`").count(), 1, "{log}");
}

#[test]
fn a_reload_changes_what_is_subscribed_without_a_gap() {
    let mosquitto = Mosquitto::start();
    let mut device = Device::new(mosquitto.address, "device", &["out/#", "homerule/status"]);
    let mut house = home(&mosquitto, "rules: { a: { when: in/a, then: { out/a: \"${payload}\" } } }");
    device.live_until("the home is there", |device| device.on("homerule/status") == ["online"]);
    let number = std::cell::Cell::new(0_u32);
    let more = |device: &mut Device| {
        number.set(number.get() + 1);
        device.publish("in/a", &number.get().to_string(), false);
    };
    more(&mut device);
    house.home.write(
        "rules/all.yaml",
        "rules: { a: { when: in/+x, mode: parallel, max: 1000, then: { \"out/${x}\": \"${payload}\" } } }",
    );
    for _ in 0..200 {
        more(&mut device);
    }
    house.reloaded();
    for _ in 0..20 {
        more(&mut device);
    }
    let last = number.get().to_string();
    device.live_until("all has come", |device| device.on("out/a").contains(&last.as_str()));
    assert_eq!(first(&device.on("out/a")), (1..=number.get()).collect::<Vec<u32>>());
    device.publish("in/b", "new", false);
    device.live_until("the new one is heard", |device| device.on("out/b") == ["new"]);
}

#[test]
fn what_only_a_script_reads_is_known_when_it_is_read_and_what_a_comment_says_is_not_asked_for() {
    let mosquitto = Mosquitto::start();
    let mut device = Device::new(mosquitto.address, "device", &["out/#", "homerule/status"]);
    device.publish("only/script", "known", true);
    device.live_until("it has arrived", Device::is_drained);
    let script = "// state(\"in/comment\") is far away.\nfn seen() { state(\"only/script\") }\n\
                  rule(\"a\", #{ when: \"bell\", then: |e| { publish(\"out/seen\", seen()); log(\"state('in/text')\"); } });\n";
    let files = [("homerule.yaml", mosquitto.settings()), ("rules/s.rhai", script.to_owned())];
    let house = Home::new(&files.each_ref().map(|(path, text)| (*path, text.as_str()))).start_at_another();
    device.live_until("the home is there", |device| device.on("homerule/status") == ["online"]);
    device.publish("bell", "x", false);
    device.live_until("the script has run", |device| device.on("out/seen") == ["known"]);
    // `bell`, `only/script`, and what others ask of homerule.
    assert_eq!(house.get("/api/status")["link"]["subscriptions"], 5);
}
