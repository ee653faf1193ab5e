//! `homerule import home-assistant`: what becomes of a configuration, and what never happens to the files around it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;

use crate::home::{Home, copy_folder};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/home_assistant");

/// An automation that means the same here.
const PLAIN: &str = "- alias: Plain\n  trigger: { platform: mqtt, topic: a/b }\n  action: { service: mqtt.publish, data: { topic: c/d, payload: x } }\n";

/// A home in `home`, with the configuration `name` of the fixtures in `config` beside it.
fn with_configuration(name: &str) -> Home {
    let home = Home::new(&[]);
    copy_folder(&Path::new(FIXTURES).join(name), &home.file("config"));
    fs::create_dir_all(home.file("home")).unwrap();
    home
}

/// Imports `config` into `home`.
fn import(home: &Home, more: &[&str]) -> crate::home::Said {
    let mut arguments = vec!["import", "home-assistant", "config", "--into", "home"];
    arguments.extend(more);
    home.say(&arguments)
}

fn entries(home: &Home) -> Vec<(String, String, Vec<String>)> {
    let said = import(home, &["--json", "--dry-run"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entry = |entry: &Value| {
        let reasons = entry["reasons"].as_array().unwrap().iter().map(text).collect();
        (text(&entry["name"]), text(&entry["outcome"]), reasons)
    };
    json["entries"].as_array().unwrap().iter().map(entry).collect()
}

/// All files below a folder, with their texts.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_configuration_becomes_rules_that_check_and_test_accept() {
    let home = with_configuration("walk");
    fs::copy(format!("{FIXTURES}/devices.jsonl"), home.file("home/devices.jsonl")).unwrap();
    let said = import(&home, &[]);
    assert_eq!(said.status, 1, "{}", said.err);
    insta::assert_snapshot!("import_walk_said", said.out);
    insta::assert_snapshot!("import_walk_rules", home.read("home/rules/imported/automations.yaml"));
    insta::assert_snapshot!("import_walk_tests", home.read("home/rules/imported/automations.test.yaml"));
    insta::assert_snapshot!("import_walk_report", home.read("home/import-report.md"));
    insta::assert_snapshot!("import_walk_entities", home.read("home/homeassistant-entities.yaml"));
    insta::assert_snapshot!("import_walk_bridge", home.read("home/homeassistant-bridge.yaml"));
    let checked = home.say(&["check", "home"]);
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
    let tested = home.say(&["test", "home"]);
    assert_eq!(tested.status, 0, "{}{}", tested.out, tested.err);
}

#[test]
fn the_guide_shows_what_is_written() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coming-from-home-assistant.md")).unwrap();
    let home = with_configuration("walk");
    fs::copy(format!("{FIXTURES}/devices.jsonl"), home.file("home/devices.jsonl")).unwrap();
    let said = import(&home, &[]);
    assert!(guide.contains(said.out.trim_end()), "{}", said.out);
    let rules = home.read("home/rules/imported/automations.yaml");
    let first = rules.split("  washing-machine:").next().unwrap();
    assert!(guide.contains(first.trim_end()), "{first}");
    let tests = home.read("home/rules/imported/automations.test.yaml");
    let first = tests.split("  Washing machine:").next().unwrap();
    assert!(guide.contains(first.trim_end()), "{first}");
}

#[test]
fn old_and_new_shapes_are_taken_and_nothing_acts_half() {
    let home = with_configuration("shapes");
    let said = import(&home, &[]);
    assert_eq!(said.status, 1, "{}", said.err);
    let checked = home.say(&["check", "home"]);
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
    let tested = home.say(&["test", "home"]);
    assert_eq!(tested.status, 0, "{}{}", tested.out, tested.err);
    let mut refused: Vec<String> = Vec::new();
    let again = with_configuration("shapes");
    for (name, outcome, reasons) in entries(&again) {
        if outcome == "refused" {
            assert!(!reasons.is_empty(), "{name}");
            refused.push(name);
        }
    }
    assert_eq!(
        refused,
        [
            "Device trigger z2m",
            "Zone",
            "Calendar",
            "Calls a response",
            "Spoken",
            "Unquoted on",
            "Computed entity",
            "2019 style",
        ]
    );
    // Each of them is there, switched off.
    let rules: String =
        files(&home.file("home/rules/imported")).into_iter().map(|(_, text)| text).collect::<Vec<_>>().concat();
    let off = rules.matches("\n    enabled: false\n").count();
    assert_eq!(off, refused.len(), "{rules}");
}

#[test]
fn a_secret_is_a_file_that_only_its_owner_reads() {
    let home = with_configuration("shapes");
    home.write("config/secrets.yaml", "alarm_code: \"471147\"\ntoken: very-secret-token\n");
    home.write(
        "config/configuration.yaml",
        "automation: !include automations.yaml\nrest_command:\n  call:\n    url: https://example.org/\n    headers: { Authorization: !secret token }\n",
    );
    home.write(
        "config/automations.yaml",
        "- alias: Call\n  trigger: { platform: mqtt, topic: a/b }\n  action: { service: rest_command.call }\n",
    );
    import(&home, &[]);
    let secret = home.file("home/secrets/token.txt");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "very-secret-token");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    for (path, text) in files(&home.file("home")) {
        assert!(path.ends_with("token.txt") || !text.contains("very-secret"), "{path}");
    }
}

#[test]
fn a_variable_of_the_environment_that_is_missing_is_named() {
    let call = "- alias: Call\n  trigger: { platform: mqtt, topic: a/b }\n  action: { service: rest_command.call }\n";
    let topic = PLAIN.replace("c/d", "!env_var TOPIC");
    let home = Home::new(&[("config/automations.yaml", &format!("{call}{topic}"))]);
    home.write(
        "config/configuration.yaml",
        "automation: !include automations.yaml\nrest_command:\n  call: { url: https://example.org/, headers: { Authorization: !env_var TOKEN } }\n",
    );
    fs::create_dir_all(home.file("home")).unwrap();
    // What isn't set can't be asked for: it's told which one.
    let reasons: Vec<Vec<String>> = entries(&home).into_iter().map(|(_, _, reasons)| reasons).collect();
    assert!(reasons[0][0].contains("the environment variable `TOKEN` isn't set"), "{reasons:?}");
    assert!(reasons[1][0].contains("a secret isn't written into a text"), "{reasons:?}");
}

#[test]
fn a_second_run_overwrites_nothing_without_force() {
    let home = Home::new(&[("config/automations.yaml", PLAIN)]);
    let said = home.say(&["import", "home-assistant", "config", "--into", "home"]);
    assert_eq!((said.status, &*said.err), (0, ""), "{}", said.out);
    home.write("home/rules/imported/automations.yaml", "rules: {}\n");
    let again = home.say(&["import", "home-assistant", "config", "--into", "home"]);
    assert_eq!(again.status, 2);
    assert!(
        again.err.contains("`home/rules/imported/automations.yaml` is there already, and differs"),
        "{}",
        again.err
    );
    assert_eq!(home.read("home/rules/imported/automations.yaml"), "rules: {}\n");
    let forced = home.say(&["import", "home-assistant", "config", "--into", "home", "--force"]);
    assert_eq!(forced.status, 0, "{}", forced.err);
    assert!(home.read("home/rules/imported/automations.yaml").contains("plain:"));
}

#[test]
fn a_dry_run_writes_nothing_and_json_counts() {
    let home = Home::new(&[("config/automations.yaml", PLAIN)]);
    let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--json", "--dry-run"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let counts = serde_json::json!({ "found": 1, "taken": 1, "differs": 0, "refused": 0 });
    assert_eq!(json["automations"], counts);
    let entry = serde_json::json!({ "file": "automations.yaml", "line": 1, "name": "Plain", "outcome": "taken", "reasons": [] });
    assert_eq!(json["entries"], serde_json::json!([entry]));
    assert!(!home.file("home").exists());
}

#[test]
fn one_file_alone_is_imported_too() {
    let home = Home::new(&[("kitchen.yaml", PLAIN)]);
    let said = home.say(&["import", "home-assistant", "kitchen.yaml", "--into", "home"]);
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(home.file("home/rules/imported/kitchen.yaml").is_file());
}

#[test]
fn the_entities_file_says_where_entities_are_here() {
    let automation = "- alias: Pump\n  trigger: { platform: state, entity_id: sensor.level, to: high }\n  action: { service: switch.turn_on, entity_id: switch.pump }\n";
    let home = Home::new(&[("config/automations.yaml", automation)]);
    home.write(
        "mine.yaml",
        "sensor.level: { topic: garden/level, path: state }\nswitch.pump: { topic: garden/pump, set: garden/pump/set, on: RUN, off: STOP }\n",
    );
    let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--entities", "mine.yaml"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    let rules = home.read("home/rules/imported/automations.yaml");
    assert!(rules.contains("when: { state: garden/level, field: state, to: high }"), "{rules}");
    assert!(rules.contains("then: { garden/pump/set: RUN }"), "{rules}");
    home.write("mine.yaml", "sensor.level: garden\n");
    let wrong = home.say(&["import", "home-assistant", "config", "--into", "home", "--entities", "mine.yaml"]);
    assert_eq!(wrong.status, 2);
    assert!(wrong.err.contains("mine.yaml:1: `garden` needs a device and its property"), "{}", wrong.err);
}

#[test]
fn a_home_without_a_place_says_so() {
    let automation = "- alias: Dusk\n  trigger: { platform: sun, event: sunset }\n  action: { service: mqtt.publish, data: { topic: a/b, payload: x } }\n";
    let home = Home::new(&[("config/automations.yaml", automation)]);
    let said = home.say(&["import", "home-assistant", "config", "--into", "home"]);
    assert_eq!(said.status, 1);
    assert!(home.read("home/import-report.md").contains("doesn't say where the home is"));
    assert!(home.read("home/homerule.yaml").contains("# A placeholder"));
    assert_eq!(home.say(&["check", "home"]).status, 0);
    // The user interface keeps it too.
    home.write(
        "config/.storage/core.config",
        r#"{ "data": { "latitude": 52.5, "longitude": 13.4, "time_zone": "Europe/Berlin" } }"#,
    );
    let said = home.say(&["import", "home-assistant", "config", "--into", "other"]);
    assert_eq!(said.status, 0, "{}", said.out);
    assert_eq!(
        home.read("other/homerule.yaml"),
        "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n"
    );
}

/// A configuration of files, its exit status, and what is said.
type Hostile = (&'static str, Vec<(&'static str, Vec<u8>)>, i32, &'static str);

/// A template that would be written out four thousand million times.
fn loops_within_loops() -> String {
    let begin = "{% for x in range(40) %}".repeat(6);
    let end = "{% endfor %}".repeat(6);
    format!("payload: '{{% set ns = namespace(a=[]) %}}{begin}{{% set ns.a = ns.a + [x] %}}{end}{{{{ ns.a }}}}'")
}

fn with_id() -> String {
    PLAIN.replacen("- ", "- id: same\n  ", 1)
}

fn hostile() -> Vec<Hostile> {
    let line = |letter: char| {
        let before = char::from(u8::try_from(letter).unwrap() - 1);
        format!("{letter}: &{letter} [{}]\n", vec![format!("*{before}"); 9].join(", "))
    };
    let bomb = ('b'..='j').map(line).collect::<Vec<_>>().concat();
    let with = |text: &str| text.as_bytes().to_vec();
    let main = "configuration.yaml";
    vec![
        ("bomb", vec![(main, with(&format!("a: &a [x, x, x]\n{bomb}automation: *j\n")))], 1, "anchors and aliases"),
        (
            "cycle",
            vec![(main, with("automation: !include a.yaml\n")), ("a.yaml", with("- !include a.yaml\n"))],
            1,
            "`a.yaml` includes itself",
        ),
        ("out", vec![(main, with("automation: !include ../secret.yaml\n"))], 1, "is outside of the configuration"),
        ("absolute", vec![(main, with("automation: !include /etc/passwd\n"))], 1, "is outside of the configuration"),
        (
            "large",
            vec![(main, with("automation: !include a.yaml\n")), ("a.yaml", vec![b'#'; 17 << 20])],
            1,
            "it's larger than 16 MiB",
        ),
        (
            "secret",
            vec![(main, with(&format!("automation:\n{}", PLAIN.replace("payload: x", "payload: !secret no"))))],
            1,
            "the secret `no` isn't in secrets.yaml",
        ),
        (
            "lambda",
            vec![(main, with(&format!("automation:\n{}", PLAIN.replace("payload: x", "payload: !lambda 'x'"))))],
            1,
            "`!lambda` is a tag of ESPHome",
        ),
        ("tab", vec![(main, with("automation:\n\t- alias: x\n"))], 1, "a tab indents this line"),
        ("latin", vec![(main, b"automation:\n- alias: K\xfcche\n".to_vec())], 1, "isn't UTF-8 text"),
        ("nul", vec![(main, b"automation:\n- alias: K\0che\n".to_vec())], 1, "this isn't YAML"),
        ("list", vec![(main, with("- a\n- b\n"))], 1, "isn't a map of blocks"),
        (
            "loops within loops",
            vec![(main, with(&format!("automation:\n{}", PLAIN.replace("payload: x", &loops_within_loops()))))],
            1,
            "the expression would be far too long",
        ),
        (
            "the same id twice",
            vec![(main, with(&format!("automation:\n{}{}", with_id(), with_id())))],
            1,
            "2 automations: 1 taken, 1 taken with a difference, 0 refused",
        ),
        (
            "deep",
            vec![(main, with(&format!("automation: {}{}\n", "[".repeat(5000), "]".repeat(5000))))],
            1,
            "this isn't YAML",
        ),
        (
            "registry",
            vec![(main, with(&format!("automation:\n{PLAIN}"))), (".storage/core.entity_registry", with("{broken"))],
            1,
            "isn't JSON",
        ),
        ("nothing", vec![("other.txt", Vec::new())], 2, "there is no configuration.yaml"),
        ("mark", vec![(main, [b"\xef\xbb\xbfautomation:\n", PLAIN.as_bytes()].concat())], 0, "1 automation: 1 taken"),
        (
            "windows",
            vec![(main, with(&format!("automation:\n{PLAIN}").replace('\n', "\r\n")))],
            0,
            "1 automation: 1 taken",
        ),
    ]
}

#[test]
fn bad_input_is_told_and_nothing_outside_is_read() {
    for (name, files, status, expected) in hostile() {
        let home = Home::new(&[("secret.yaml", PLAIN)]);
        for (path, bytes) in files {
            let path = home.file("config").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--dry-run"]);
        assert_eq!(said.status, status, "{name}: {}{}", said.out, said.err);
        let text = format!("{}{}", said.out, said.err);
        assert!(text.contains(expected), "{name}: {text}");
    }
}

#[test]
fn a_link_out_of_the_folder_is_not_read() {
    let home = Home::new(&[("outside.yaml", PLAIN), ("config/configuration.yaml", "automation: !include link.yaml\n")]);
    symlink(home.file("outside.yaml"), home.file("config/link.yaml")).unwrap();
    let said = home.say(&["import", "home-assistant", "config", "--into", "home", "--dry-run"]);
    assert_eq!(said.status, 1);
    assert!(said.out.contains("it's a link that leads out of the configuration"), "{}", said.out);
}
