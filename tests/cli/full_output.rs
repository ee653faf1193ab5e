//! An answer that can't be written is no answer: the exit status says so, unless whoever read it went away.

use std::fs::OpenOptions;
use std::process::Stdio;

use super::tv::tv_with_tests;
use crate::home::command;

const TESTS: &str = "tests: { on: { steps: [ { publish: home/den/tv, payload: ON }, { expect: { home/den/light/set: { state: ON, brightness: 80 } } } ] } }\n";

const RECORDING: &str =
    "{\"tst\":\"2026-01-01T12:00:00.000000Z\",\"topic\":\"home/den/tv\",\"qos\":1,\"retain\":0,\"payload\":\"ON\"}\n";

#[test]
fn an_answer_that_a_full_disk_does_not_take_is_a_failure() {
    let home = tv_with_tests(TESTS);
    home.write("one.jsonl", RECORDING);
    let commands: [&[&str]; 7] = [
        &["check"],
        &["check", "--json"],
        &["test"],
        &["test", "--json"],
        &["schema"],
        &["replay", "one.jsonl"],
        &["completions", "bash"],
    ];
    for arguments in commands {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run =
            command().args(arguments).current_dir(home.path()).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(
            said.contains("error: standard output can't be written: no space left on device"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = tv_with_tests(TESTS);
    for arguments in [&["check"][..], &["schema"], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = command().args(arguments).current_dir(home.path()).stdout(writer).output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    }
}
