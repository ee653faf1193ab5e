//! Which files of a home are read, in which order, and what one broken file means for the others.

use std::sync::Arc;

use homerule::lang::{Home, Severity, Source, Sources};
use homerule::rules::{Rule, RuleEntry};

const RULE: &str = "rules: { r: { when: a/b, then: { a/c: 1 } } }";

fn home(files: &[(&str, &str)]) -> Home {
    let mut sources = Sources::new();
    for (path, text) in files {
        sources.insert(Arc::from(*path), Source::Content(text.as_bytes().into()));
    }
    Home::load(&sources)
}

fn ids(home: &Home) -> Vec<&str> {
    home.ruleset.entries.iter().map(|entry| entry.id().as_str()).collect()
}

fn messages(home: &Home) -> Vec<String> {
    home.diagnostics.iter().map(|found| format!("{} {}", found.label.file, found.message)).collect()
}

#[test]
fn rules_are_read_from_the_folder_of_rules_alone() {
    let home = home(&[
        ("rules/a.yaml", RULE),
        ("rules/b/c.yml", RULE),
        ("rules/a.test.yaml", "tests: {}"),
        ("rules/.hidden.yaml", RULE),
        ("rules/.git/x.yaml", RULE),
        ("rules/backup.yaml~", RULE),
        ("rules/old~/x.yaml", RULE),
        ("rules/lib/x.yaml", RULE),
        ("rules/notes.txt", "no rule"),
        ("other.yaml", RULE),
        ("rulesets/x.yaml", RULE),
    ]);
    assert_eq!((ids(&home), messages(&home)), (vec!["a:r", "b/c:r"], Vec::new()));
}

#[test]
fn the_settings_name_the_folder_of_rules() {
    for folder in ["automations", "./automations/"] {
        let settings = format!("rules: {folder}");
        let home = home(&[("homerule.yaml", &settings), ("automations/a.yaml", RULE), ("rules/b.yaml", RULE)]);
        assert_eq!(ids(&home), ["a:r"], "{folder}");
    }
}

#[test]
fn rules_are_in_the_order_of_their_files_and_places() {
    let two = "rules: { z: { when: a/b, then: { a/c: 1 } }, a: { when: a/b, then: { a/c: 1 } } }";
    let home = home(&[("rules/b.yaml", two), ("rules/a.yaml", RULE)]);
    assert_eq!(ids(&home), ["a:r", "b:z", "b:a"]);
}

#[test]
fn a_broken_file_is_left_out_whole_and_the_others_load() {
    let broken = "rules:\n  good: { when: a/b, then: { a/c: 1 } }\n  bad: { when: a/#/b, then: { a/c: 1 } }\n";
    let home = home(&[("rules/a.yaml", broken), ("rules/b.yaml", RULE)]);
    assert!(home.has_errors());
    assert_eq!(ids(&home), ["b:r"]);
}

#[test]
fn a_file_that_cannot_be_read_takes_no_other_with_it() {
    let caller = "rules: { r: { when: a/b, then: [ { run: other:x }, { scene: night } ] } }";
    let home = home(&[("rules/a.yaml", caller), ("rules/other.yaml", "rules: [")]);
    assert_eq!(ids(&home), ["a:r"]);
    let severities: Vec<Severity> = home.diagnostics.iter().map(|found| found.severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Warning, Severity::Error]);
}

#[test]
fn what_the_system_refuses_is_said() {
    let mut sources = Sources::new();
    sources.insert("rules".into(), Source::Unreadable("permission denied".to_owned()));
    sources.insert("rules/a.yaml".into(), Source::Unreadable("permission denied".to_owned()));
    let home = Home::load(&sources);
    assert!(home.has_errors());
    let messages = messages(&home).join("\n");
    assert!(messages.contains("rules can't read `rules`: permission denied"), "{messages}");
    assert!(messages.contains("rules/a.yaml can't read `rules/a.yaml`: permission denied"), "{messages}");
}

#[test]
fn a_home_without_rules_is_told_so() {
    let home = home(&[]);
    assert!(!home.has_errors());
    assert_eq!(messages(&home), ["rules this home has no rules: there are no `*.yaml` files in `rules/`"]);
}

#[test]
fn two_files_that_differ_in_their_ending_cannot_share_an_id() {
    let home = home(&[("rules/a.yaml", RULE), ("rules/a.yml", RULE)]);
    assert_eq!(ids(&home), ["a:r"]);
    assert_eq!(messages(&home), ["rules/a.yml `r` is in `rules/a.yaml` too, so two rules have the id `a:r`"]);
}

#[test]
fn mistakes_of_all_files_are_reported_in_their_order() {
    let bad = "rules: { r: { whne: a/b, thne: { a/c: 1 } } }";
    let home = home(&[("rules/b.yaml", bad), ("homerule.yaml", "borker: {}"), ("rules/a.yaml", bad)]);
    let files: Vec<&str> = home.diagnostics.iter().map(|found| &*found.label.file).collect();
    assert_eq!(files, ["homerule.yaml", "rules/a.yaml", "rules/a.yaml", "rules/b.yaml", "rules/b.yaml"]);
}

#[test]
fn a_rule_is_found_by_its_key_in_its_own_file_first() {
    let caller = "rules: { r: { when: a/b, then: [ { delay: 1s }, { run: x } ] }, x: { when: a/b, then: { a/c: 1 } } }";
    let other = "rules: { x: { when: a/b, then: { a/c: 1 } } }";
    assert_eq!(messages(&home(&[("rules/a.yaml", caller), ("rules/b.yaml", other)])), Vec::<String>::new());
    let caller = "rules: { r: { when: a/b, then: { run: x } } }";
    let found = home(&[("rules/a.yaml", caller), ("rules/b.yaml", other), ("rules/c.yaml", other)]);
    assert_eq!(messages(&found), ["rules/a.yaml there are several rules named `x`"]);
    assert_eq!(found.diagnostics[0].help.as_deref(), Some("write the file too; choose one of `b:x`, `c:x`"));
}

/// The fingerprint of the rule `a:r` of a file.
fn fingerprint(text: &str) -> u64 {
    let home = home(&[("rules/a.yaml", text), ("rules/b.yaml", "rules: { other: { when: a/b, then: { a/c: 1 } } }")]);
    assert!(home.diagnostics.is_empty(), "{:#?}", home.diagnostics);
    let rule = |entry: &RuleEntry| match entry {
        RuleEntry::Rule(rule) => Some(Arc::clone(rule)),
        RuleEntry::EachTopic(_) => None,
    };
    let rules: Vec<Arc<Rule>> = home.ruleset.entries.iter().filter_map(rule).collect();
    rules.iter().find(|rule| rule.id.as_str().starts_with("a:r")).unwrap().fingerprint
}

const MEANING: &str = "let: { level: 5, unused: 1 }
scenes: { night: { a/d: 1 } }
rules:
  r:
    when: home/+room/tv
    then: [ { a/c: { x: 1, level: '${level}' } }, { scene: night }, { run: other } ]
";

#[test]
fn comments_layout_place_and_words_for_people_do_not_change_a_fingerprint() {
    let moved = "# A comment.
rules:
  first: { when: a/b, then: { a/c: 1 } }
  r:
    # Another.
    name: For people
    description: For people too
    tags: [evening]
    then:
      - a/c:
          \"x\": 1
          level: \"${level}\"
      - scene: night
      - run: other
    when: \"home/+room/tv\"
let: { unused: 2, level: 5 }
scenes:
  night:
    a/d: 1
";
    assert_eq!(fingerprint(MEANING), fingerprint(moved));
}

#[test]
fn a_change_of_meaning_changes_a_fingerprint() {
    for (before, after) in [
        ("level: 5", "level: 6"),
        ("a/d: 1", "a/d: 2"),
        ("x: 1, level", "x: '1', level"),
        ("{ x: 1, level: '${level}' }", "{ level: '${level}', x: 1 }"),
        ("+room", "+raum"),
        ("run: other", "run: b:other"),
        ("[ { a/c", "[ { log: hi }, { a/c"),
    ] {
        let changed = MEANING.replacen(before, after, 1);
        assert_ne!(changed, MEANING, "{before}");
        assert_ne!(fingerprint(MEANING), fingerprint(&changed), "{before} -> {after}");
    }
}

#[test]
fn another_instance_leaves_the_others_as_they_are() {
    let text = |rooms: &str| {
        format!("rules: {{ r: {{ each: {{ room: [{rooms}] }}, when: \"a/${{room}}\", then: {{ a/c: 1 }} }} }}")
    };
    assert_eq!(fingerprint(&text("hall")), fingerprint(&text("hall, attic")));
    assert_ne!(fingerprint(&text("hall")), fingerprint(&text("attic")));
}

#[test]
fn a_file_has_no_name_that_the_ids_of_its_rules_cannot_hold() {
    let names = [
        ("a:b", "a-b.yaml"),
        ("a[1]", "a-1.yaml"),
        ("x/a]", "x/a.yaml"),
        ("a\nb", "a-b.yaml"),
        ("plus+hash#", "plus-hash.yaml"),
        ("+/#", "x/x.yaml"),
        ("a\u{fffe}b", "a-b.yaml"),
    ];
    for (name, better) in names {
        let path = format!("rules/{name}.yaml");
        let home = home(&[(&path, RULE), ("rules/c & d.yaml", RULE)]);
        assert_eq!(ids(&home), ["c & d:r"], "{name:?}");
        let found = &home.diagnostics[0];
        assert!(found.message.starts_with("the name of a rule file can't contain "), "{name:?}");
        assert!(found.help.as_ref().is_some_and(|help| help.contains(&format!("`{better}`"))), "{found:?}");
    }
}

#[test]
fn a_file_and_a_key_have_no_name_that_the_topic_of_a_rule_cannot_hold() {
    let script = "rule(\"s\", #{ when: \"a/b\", then: #{ \"a/c\": 1 } });";
    assert_eq!(ids(&home(&[("rules/a+b.rhai", script), ("rules/b.rhai", script)])), ["b:s"]);
    for key in ["a+b", "a#b", "a\\u007fb", "a\\ufffeb"] {
        let yaml = format!("rules: {{ \"{key}\": {{ when: a/b, then: {{ a/c: 1 }} }} }}");
        let scripted = script.replace("\"s\"", &format!("\"{key}\""));
        for (path, text) in [("rules/a.yaml", &yaml), ("rules/a.rhai", &scripted)] {
            let messages = messages(&home(&[(path, text)]));
            assert!(messages.iter().any(|message| message.contains("isn't a valid name for a rule")), "{messages:?}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file() {
    let script = "\u{feff}rule(\"s\", #{ when: \"a/b\", then: #{ \"a/c\": 1 } });";
    let yaml = format!("\u{feff}{RULE}");
    let home = home(&[("rules/a.rhai", script), ("rules/b.yaml", &yaml)]);
    assert_eq!((ids(&home), messages(&home)), (vec!["a:s", "b:r"], Vec::new()));
}
