//! How far long work is: shown on a terminal, and nowhere else.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::home::{BINARY, Home};

/// A home with a recording that is long enough to be shown.
fn home() -> Home {
    let mut recording = String::new();
    for second in 0..5_000 {
        let at = jiff::Timestamp::from_second(1_717_264_800 + second).unwrap();
        writeln!(
            recording,
            r#"{{"tst":"{at}","topic":"a","qos":0,"retain":0,"payloadlen":1,"payload":"1","origin":"live"}}"#
        )
        .unwrap();
    }
    Home::new(&[("rules/a.yaml", "rules: { on: { when: b, then: { out/c: 1 } } }\n"), ("long.jsonl", &recording)])
}

#[test]
fn nothing_is_shown_without_a_terminal() {
    let said = home().say(&["replay", "long.jsonl"]);
    assert_eq!((said.status, said.out.as_str(), said.err.as_str()), (0, "", ""));
}

#[test]
fn a_terminal_shows_how_far_a_replay_is_but_not_for_programs() {
    if Command::new("script").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI has no `script`, which gives a terminal");
        return;
    }
    let home = home();
    let seen = |arguments: &str| {
        let line = format!("{BINARY} replay long.jsonl {arguments}");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").current_dir(home.path());
        let output = script.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = seen("");
    assert!(shown.contains("] 0%"), "{shown:?}");
    assert_eq!(seen("--json"), "");
}
