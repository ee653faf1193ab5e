//! Why something was published, why a rule didn't run, and a test made of what happened.

use serde_json::{Value, json};

use super::house::House;
use crate::home::{Home, SETTINGS, Said, homerule};

pub(crate) fn say(house: &House, arguments: &[&str]) -> Said {
    let url = format!("http://{}", house.web);
    let place: &[&str] = if arguments[0] == "test" { &[] } else { &["--url", &url] };
    homerule(house.home.path(), &[arguments, place].concat())
}

pub(crate) fn publish(house: &House, topic: &str, payload: &Value) {
    let body = json!({ "topic": topic, "payload": payload }).to_string();
    assert_eq!(house.ask("POST", "/api/publish", Some(&body)).0, 202);
}

fn why_not(house: &House, rule: &str) -> Value {
    house.get(&format!("/api/why-not?rule={rule}"))
}

#[test]
fn why_goes_back_across_a_delay_to_the_message_that_came_first() {
    let mut house = House::with_rules(
        "rules:\n  first: { when: tv, then: [ { delay: 20ms }, { publish: between, payload: 1 } ] }\n  \
         second: { when: between, then: [ { publish: lamp, payload: ON }, { delay: 1h } ] }\n",
    );
    publish(&house, "tv", &json!("ON"));
    house.publication("lamp");
    let chain = house.get("/api/why?topic=lamp");
    let said = |key: &str| chain.as_array().unwrap().iter().map(|link| link[key].clone()).collect::<Vec<_>>();
    assert_eq!(said("rule"), ["all:first", "all:second"]);
    assert_eq!(said("outcome"), ["finished", "running"], "the second still waits");
    assert_eq!((&chain[0]["cause"]["topic"], &chain[0]["cause"]["value"]), (&"tv".into(), &"ON".into()));
    assert_eq!(chain[1]["cause"]["run"], chain[0]["run"]);
    let waits = chain[1]["steps"].as_array().unwrap().last().unwrap();
    assert!(waits["what"] == "waits" && waits["result"].as_str().unwrap().starts_with("until "), "{waits}");
    assert_eq!(house.get("/api/traces?rule=second")[0]["outcome"], "running");
}

#[test]
fn why_not_says_which_messages_came_near() {
    let house = House::with_rules(
        "rules:\n  cold: { when: { state: room, field: t, below: 10 }, then: { out/x: 1 } }\n  \
         on: { when: { topic: tv, payload: ON }, then: { out/x: 1 } }\n",
    );
    publish(&house, "room", &json!({ "t": 12 }));
    publish(&house, "room", &json!({ "h": 1 }));
    publish(&house, "tv", &json!("OFF"));
    let near = |rule: &str| {
        let answer = why_not(&house, rule);
        assert_eq!(answer["by"], "trigger", "{answer}");
        answer["near"].as_array().unwrap().iter().map(|near| near["why"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(near("cold"), ["it has no `t`", "12 isn't below 10"]);
    assert_eq!(near("on"), ["it's OFF, and `payload` wants ON"]);
}

/// A sensor, and rules that hear of it and of an input by name.
const NAMED: &str = "\
inputs: { house: { type: choice, options: [home, away], default: home } }
rules:
  cold: { when: { device: Sensor, field: t, below: 10 }, then: { out/x: 1 } }
  any: { when: { device: { has: t }, field: t, above: 30 }, then: { out/x: 1 } }
  open: { when: { device: Sensor, field: open, to: true, for: 3m }, then: { out/x: 1 } }
  away: { when: { input: house, to: away }, then: { out/x: 1 } }
  none: { when: { device: Sensro, field: t, below: 10 }, then: { out/x: 1 } }
";

fn with_a_sensor(more: &str) -> House {
    let device =
        "devices: [ { name: Sensor, state: home/sensor, properties: { t: { path: temp }, open: { path: open } } } ]\n";
    let settings = format!("{SETTINGS}{device}{more}");
    Home::with(&[("homerule.yaml", &settings), ("rules/all.yaml", NAMED)]).start()
}

#[test]
fn why_not_says_what_devices_and_inputs_said_that_came_near() {
    let house = with_a_sensor("");
    publish(&house, "home/sensor", &json!({ "temp": 8 }));
    publish(&house, "home/sensor", &json!({ "open": false }));
    publish(&house, "home/sensor", &json!({ "temp": 7 }));
    publish(&house, "homerule/input/house/set", &json!("home"));
    let near = |rule: &str| {
        let answer = why_not(&house, rule);
        assert_eq!(answer["by"], "trigger", "{answer}");
        answer["near"].as_array().unwrap().iter().map(|near| near["why"].clone()).collect::<Vec<_>>()
    };
    let first = "`Sensor.t`: it's the first value that's known, and a first one never crosses";
    assert_eq!(near("cold"), ["`Sensor.t`: it was already within the range: 8", first]);
    assert_eq!(near("any"), ["`Sensor.t`: 7 isn't above 30", "`Sensor.t`: 8 isn't above 30"]);
    assert_eq!(near("open"), ["`Sensor.open`: it's false, and `to` wants true"]);
    assert_eq!(near("away"), ["`inputs.house`: it's home, and `to` wants away"]);
    assert_eq!(why_not(&house, "cold")["near"][0]["topic"], "home/sensor");
    let message = why_not(&house, "none")["message"].as_str().unwrap().to_owned();
    assert!(message.ends_with("; no device is called `Sensro`"), "{message}");
    publish(&house, "home/sensor", &json!({ "open": true }));
    let held = why_not(&house, "open");
    assert!(held["message"].as_str().unwrap().contains("`Sensor.open`"), "{held}");
}

#[test]
fn what_devices_said_is_found_in_the_recording_too() {
    let mut house = with_a_sensor("traces: { memory: 1B }\n");
    for temp in [20, 12] {
        publish(&house, "home/sensor", &json!({ "temp": temp }));
    }
    house.end("TERM");
    house.begin();
    let said = say(&house, &["why-not", "cold"]);
    let lines: Vec<&str> = said.out.lines().filter(|line| line.contains("`Sensor.t`")).collect();
    assert_eq!(lines.len(), 2, "{said:?}");
    assert!(lines[0].contains("12 isn't below 10") && lines[1].contains("20 isn't below 10"), "{said:?}");
    let quiet = say(&house, &["why-not", "open"]).out;
    assert!(quiet.contains("no message came on `home/sensor`") && !quiet.contains('$'), "{quiet}");
}

#[test]
fn why_not_names_all_that_blocks_a_rule() {
    let house = House::with_rules(
        "rules:\n  held: { when: { state: door, to: open, for: 3m }, then: { out/x: 1 } }\n  \
         once: { when: go, mode: single, then: { delay: 1h } }\n  \
         cool: { when: go, cooldown: 1h, then: { out/x: 1 } }\n  \
         if: { when: go, if: \"state('lux').value > 3\", then: { out/x: 1 } }\n  \
         while: { while: \"state('lux') == 3\", then: { out/x: 1 } }\n  \
         off: { when: switch, then: { disable: cool } }\n",
    );
    let by = |rule: &str| {
        let answer = why_not(&house, rule);
        (answer["by"].as_str().unwrap_or("ran").to_owned(), answer["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(by("while").0, "condition");
    publish(&house, "door", &json!("open"));
    let (gate, message) = by("held");
    assert!(gate == "hold" && message.starts_with("`door` has held for ") && message.contains(" of 3m"), "{message}");
    publish(&house, "door", &json!("closed"));
    let (gate, message) = by("held");
    assert!(gate == "hold" && message.starts_with("its `for` was broken: `door` held for "), "{message}");
    publish(&house, "go", &json!(1));
    assert_eq!((by("once").0, by("cool").0), ("ran".to_owned(), "ran".to_owned()));
    publish(&house, "go", &json!(1));
    let (gate, message) = by("cool");
    assert!(gate == "cooldown" && message.contains("its cooldown wasn't over: until "), "{message}");
    let (gate, message) = by("if");
    assert!(gate == "unknown" && message.contains("`lux` has no value yet"), "{message}");
    publish(&house, "switch", &json!(1));
    let (gate, message) = by("cool");
    assert!(gate == "disabled" && message.contains("the rule all:off switched it off at "), "{message}");
    house.ask("POST", "/api/rules/if/disable", None);
    let (gate, message) = by("if");
    assert!(gate == "disabled" && message.contains("a person, by the command line or the web switched"), "{message}");
}

#[test]
fn why_not_at_a_time_tells_what_held_then_and_what_became_of_it() {
    let house = House::with_rules(
        "rules:\n  held: { when: { state: door, to: open, for: 3m }, then: { out/x: 1 } }\n  \
         kept: { while: state('door') == 'open', for: 3m, then: { out/x: 1 } }\n",
    );
    let told = |rule: &str, at: jiff::Timestamp| {
        let answer = house.get(&format!("/api/why-not?rule={rule}&at={at}"));
        assert_eq!(answer["by"], "hold", "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    };
    publish(&house, "door", &json!("open"));
    let at = jiff::Timestamp::now();
    for (rule, what) in [("held", "`door`"), ("kept", "its `while`")] {
        let message = told(rule, at);
        assert!(message.starts_with(&format!("{what} had held for 0s of 3m by then, and still does")), "{message}");
    }
    publish(&house, "door", &json!("closed"));
    for (rule, what) in [("held", "`door`"), ("kept", "its `while`")] {
        let message = told(rule, at);
        assert!(message.starts_with(&format!("{what} had held for 0s of 3m by then; it was broken at ")), "{message}");
        assert!(message.ends_with(", after 0s of 3m"), "{message}");
    }
    let said = say(&house, &["why-not", "held", "--at", "soon"]);
    assert_eq!(
        (said.status, said.err.as_str()),
        (2, "error: `soon` isn't a valid time; write `20:10` or `2024-06-01T20:10:00`\n")
    );
}

#[test]
fn a_topic_that_is_nearly_that_of_a_trigger_is_named() {
    let house = House::with_rules("rules:\n  tv: { when: home/+room/tv, then: { out/x: 1 } }\n");
    publish(&house, "home/living/TV", &json!("ON"));
    let message = why_not(&house, "tv")["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("; no message came on `home/+room/tv`; `home/living/TV` speaks: did you mean that?"),
        "{message}"
    );
}

#[test]
fn a_topic_that_is_nearly_one_that_a_condition_reads_is_named() {
    let house = House::with_rules(
        "rules:\n  if: { when: tv, if: { state: home/lux, below: 10 }, then: { out/x: 1 } }\n  \
         while: { while: (state('home/lux') ?? 30) < 10, then: { out/x: 1 } }\n  \
         own: { when: tv, then: { out/home/lux: 1 } }\n",
    );
    publish(&house, "lux", &json!(3));
    publish(&house, "tv", &json!(1));
    for rule in ["if", "while"] {
        let message = why_not(&house, rule)["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with("; nothing speaks on `home/lux`, but `lux` does: did you mean that?"), "{message}");
    }
}

#[test]
fn what_each_made_is_named_and_so_is_a_file_that_does_not_load() {
    let mut house = House::with_rules(
        "rules:\n  light:\n    each: { room: [hall, kitchen] }\n    when: 'home/${room}/motion'\n    then: { 'home/${room}/light': ON }\n",
    );
    let said = say(&house, &["why-not", "light"]);
    let told = "error: `all:light` could be several rules: name `all:light[hall]` or `all:light[kitchen]`\n";
    assert_eq!((said.status, said.err.as_str()), (2, told));
    publish(&house, "home/hall/motion", &json!(1));
    assert!(say(&house, &["trace", "light"]).out.contains(" all:light[hall] finished\n"));
    house.home.write("rules/broken.yaml", "rules:\n  bell: { whne: a }\n");
    house.reloaded();
    let said = say(&house, &["trace", "doorbell"]);
    let told =
        "error: no rule `doorbell` is in force, and `rules/broken.yaml` doesn't load: `homerule status` says why\n";
    assert_eq!((said.status, said.err.as_str()), (2, told));
}

#[test]
fn times_are_those_of_the_home_and_the_zone_is_named_once() {
    let home = Home::with(&[("rules/all.yaml", "rules:\n  on: { when: tv, mode: single, then: { delay: 1h } }\n")]);
    home.write(
        "homerule.yaml",
        &format!("{SETTINGS}location: {{ latitude: 27.7, longitude: 85.3, timezone: Asia/Kathmandu }}\n"),
    );
    let house = home.start();
    publish(&house, "tv", &json!("ON"));
    publish(&house, "tv", &json!("ON"));
    let said = say(&house, &["why-not", "on"]);
    // No other zone has these minutes.
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Asia/Kathmandu").unwrap());
    let hours =
        [now.clone(), &now - jiff::SignedDuration::from_mins(1)].map(|now| now.strftime("%Y-%m-%d %H:%M:").to_string());
    let times = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:").unwrap();
    let times: Vec<&str> = times.find_iter(&said.out).map(|time| time.as_str()).collect();
    assert!(times.len() >= 2 && times.iter().all(|time| hours.contains(&(*time).to_owned())), "{hours:?} {}", said.out);
    assert!(said.out.ends_with("\n(times are those of Asia/Kathmandu)\n"), "{}", said.out);
}

#[test]
fn status_names_the_rules_that_failed_last_and_lists_all() {
    let mut house = House::with_rules(
        "rules:\n  fails: { when: go, then: { out/x: '${msg.a.b}' } }\n  off: { enabled: false, when: go, then: { out/y: 1 } }\n",
    );
    publish(&house, "go", &json!(1));
    house.line("that a run failed", |line| line["outcome"] == "failed");
    let said = say(&house, &["status"]);
    let reason = "rules/all.yaml:2:44: can't read `a`: `msg` is a number, which has no such property";
    assert!(
        said.out.contains("2 rules in force, 1 switched on, 1 failed last\n    all:fails failed at 2"),
        "{}",
        said.out
    );
    assert!(said.out.contains(reason), "{}", said.out);
    let said = say(&house, &["status", "--rules"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("all:fails  on   failed at 2") && lines[0].ends_with(reason), "{}", said.out);
    assert_eq!(lines[1], "all:off    off  no run");
}

#[test]
fn status_says_what_each_rule_is_doing() {
    let mut house = House::with_rules(
        "rules:\n  waits: { when: go, then: [ { out/a: 1 }, { delay: 1h } ] }\n  \
         holds: { when: { state: go, to: 1, for: 1h }, then: { out/b: 1 } }\n  \
         begun: { while: \"state('go') == 1\", then: { out/c: 1 } }\n  \
         lingers: { while: \"state('stay') == 1\", linger: 1h, then: { out/d: 1 } }\n  \
         due: { when: { every: 1h }, then: { out/e: 1 } }\n  idle: { when: never, then: { out/f: 1 } }\n",
    );
    publish(&house, "stay", &json!(1));
    house.publication("out/d");
    publish(&house, "stay", &json!(0));
    publish(&house, "go", &json!(1));
    house.publication("out/a");
    let said = say(&house, &["status", "--rules"]);
    let times = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    let lines: Vec<String> = said
        .out
        .lines()
        .map(|line| times.replace_all(line, "TIME").split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for expected in [
        "all:waits on running since TIME, waits until TIME",
        "all:holds on holds since TIME, next at TIME",
        "all:begun on holds since TIME, finished at TIME",
        "all:lingers on lingers until TIME, finished at TIME",
        "all:due on next at TIME",
        "all:idle on no run",
    ] {
        assert!(lines.contains(&expected.to_owned()), "{expected}: {}", said.out);
    }
    let doing = &house.get("/api/rules/all%3Alingers")["doing"];
    let until: jiff::Timestamp = doing["lingers_until"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(jiff::Timestamp::now());
    assert!(left.as_mins() >= 58 && left.as_mins() < 60, "{doing}");
    assert_eq!(doing["holds_since"], Value::Null, "it doesn't hold any more: {doing}");

    let said = say(&house, &["why-not", "lingers"]);
    let told = times.replace_all(&said.out, "TIME");
    assert!(
        told.starts_with(
            "all:lingers: it ran at TIME and finished; its `while` has been false since TIME, and lingers until TIME\n"
        ),
        "{told}"
    );
}

#[test]
fn a_trace_has_the_time_of_each_step_of_a_run_that_took_some() {
    let mut house = House::with_rules(
        "rules:\n  slow: { when: go, then: [ { delay: 20ms }, { out/x: 1 } ] }\n  \
         quick: { when: go, then: { out/y: 1 } }\n",
    );
    publish(&house, "go", &json!(1));
    house.publication("out/x");
    let said = say(&house, &["trace", "slow"]);
    let steps: Vec<&str> = said.out.lines().filter(|line| line.starts_with("    ")).collect();
    let timed = regex::Regex::new(r"^    (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3}  ").unwrap();
    assert!(timed.is_match(steps[0]) && timed.is_match(steps.last().unwrap()), "{}", said.out);
    let said = say(&house, &["trace", "quick"]);
    assert!(said.out.lines().all(|line| !timed.is_match(line)), "the first line has it: {}", said.out);
}

#[test]
fn why_not_at_a_time_before_the_start_knows_nothing() {
    let house = House::with_rules("rules:\n  on: { when: tv, if: msg == 'ON', then: { out/x: 1 } }\n");
    publish(&house, "tv", &json!("OFF"));
    let said = say(&house, &["why-not", "on"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(
        said.out.starts_with("all:on: its condition was false: if false: msg == 'ON' (msg = OFF)\n"),
        "{}",
        said.out
    );
    let said = say(&house, &["why-not", "on", "--at", "2000-01-01T00:00"]);
    assert!(said.out.contains("no trigger fired, as far back as the daemon remembers"), "{}", said.out);
    assert_eq!(say(&house, &["why-not", "nobody"]).status, 2);
}

#[test]
fn an_incident_of_inputs_and_devices_becomes_a_short_test() {
    let settings = format!(
        "{SETTINGS}devices:\n  \
         - {{ name: Sensor, state: home/sensor, properties: {{ t: {{ path: temp }} }} }}\n  \
         - {{ name: Heater, state: home/heater, set: home/heater/set, properties: {{ level: {{ path: level, range: [0, 10] }} }} }}\n"
    );
    let rules = "\
inputs: { house: { type: choice, options: [home, away], default: home } }
rules:
  away: { when: { input: house, to: away }, then: [ { set: Heater, to: { level: \"-2\" } }, { out/t: \"${device('Sensor').t}\" } ] }
";
    let mut house = Home::with(&[("homerule.yaml", &settings), ("rules/all.yaml", rules)]).start();
    for (topic, payload) in [
        ("home/noise", json!(1)),
        ("home/sensor", json!({ "temp": 7 })),
        ("home/heater", json!({ "level": 5 })),
        ("homerule/input/house/set", json!("home")),
        ("homerule/input/house/set", json!("nobody says that")),
        ("homerule/input/gone", json!("ON")),
        ("homerule/input/house/set", json!("away")),
    ] {
        publish(&house, topic, &payload);
    }
    house.publication("out/t");
    for (topic, file, needed) in [
        ("out/t", "rules/t.test.yaml", "home/sensor"),
        // What the command was computed from is in no trace: all that was known is tried, and what makes no difference left out.
        ("home/heater/set", "rules/level.test.yaml", "home/heater"),
    ] {
        let said = say(&house, &["why", topic, "--as-test", file]);
        assert_eq!(said.status, 0, "{said:?}");
        let text = std::fs::read_to_string(house.home.file(file)).unwrap();
        assert!(text.contains("- { input: { house: away } }\n") && text.contains(needed), "{text}");
        for other in ["home/noise", "homerule/input/gone", "$"] {
            assert!(!text.contains(other), "{other}: {text}");
        }
    }
    let said = say(&house, &["test"]);
    assert_eq!((said.status, said.out.as_str()), (0, "2 passed, 0 failed\n"), "{}", said.err);
}

#[test]
fn an_incident_becomes_a_test_that_passes() {
    let mut house = Home::with(&[(
        "rules/hall/light.yaml",
        "rules:\n  motion:\n    when: { state: home/+room/motion, field: occupancy, to: true }\n    \
         if: { all: [ \"(state('home/lux') ?? 0) < 10\", { state: home/mode, is: home } ] }\n    \
         then:\n      - 'home/${room}/light/set': { state: ON, brightness: \"${state('home/level')}\" }\n      \
         - delay: 30ms\n      - wanted/scene: evening\n  \
         scene: { when: wanted/scene, then: { home/scene/set: '${msg}' } }\n  \
         other: { when: '#', then: { log: seen } }\n",
    )])
    .start();
    for (topic, payload) in [
        ("home/lux", json!(3)),
        ("home/mode", json!("home")),
        ("home/level", json!(40)),
        ("home/noise", json!(1)),
        ("home/hall/motion", json!({ "occupancy": false })),
        ("home/hall/motion", json!({ "occupancy": true })),
    ] {
        publish(&house, topic, &payload);
    }
    house.publication("home/scene/set");
    let said = say(&house, &["why", "home/scene/set", "--as-test", "rules/hall/incident.test.yaml"]);
    assert_eq!(said.status, 0, "{said:?}");
    let text = std::fs::read_to_string(house.home.file("rules/hall/incident.test.yaml")).unwrap();
    assert!(text.contains("rules: [light.yaml:motion, light.yaml:scene]\n"), "{text}");
    assert!(text.contains("- { topic: home/scene/set, payload: evening }\n"), "{text}");
    assert!(!text.contains("home/noise"), "{text}");
    let said = say(&house, &["test"]);
    assert_eq!((said.status, said.out.as_str()), (0, "1 passed, 0 failed\n"), "{}\n{text}", said.err);

    let said = say(&house, &["why", "home/hall/light/set", "--as-test", "tests.test.yaml"]);
    assert_eq!(said.status, 0, "{said:?}");
    let said = say(&house, &["test", "tests.test.yaml"]);
    assert_eq!((said.status, said.out.as_str()), (0, "1 passed, 0 failed\n"), "{}", said.err);
}

#[test]
fn a_test_is_only_written_where_it_can_be() {
    let house = House::with_rules("rules:\n  on: { when: tv, then: { out/x: 1 } }\n");
    publish(&house, "tv", &json!("OFF"));
    for (topic, file, wrong) in [
        ("tv", "rules/a.test.yaml", "no rule published `tv`"),
        ("out/x", "rules/a.yaml", "isn't a test file's name"),
        ("out/x", "/a.test.yaml", "isn't in the home"),
        ("out/x", "none/a.test.yaml", "the folder `none` can't be read"),
    ] {
        let said = say(&house, &["why", topic, "--as-test", file]);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.err.contains(wrong), "{said:?}");
    }
}
