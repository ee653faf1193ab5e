//! Standard error that can't be written, or that nobody reads, holds up nothing and ends nothing.

use std::fs::OpenOptions;
use std::io::BufRead;
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::clients::{Kind, sent};
use super::house::wait;
use crate::home::{Home, ROOMY};

const RULES: &str = "rules: { says: { when: in, then: [ { log: 'line ${payload}' }, { to/out: '${payload}' } ] } }\n";

/// A daemon that ends with the test, whatever that finds.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A daemon whose standard error is `stderr`, once it listens.
fn start(home: &Home, stderr: Stdio) -> (Daemon, std::io::Lines<std::io::BufReader<ChildStdout>>, SocketAddr) {
    let mut command = home.command();
    let mut daemon = Daemon(command.arg("--json").stderr(stderr).spawn().unwrap());
    let mut lines = std::io::BufReader::new(daemon.0.stdout.take().unwrap()).lines();
    let line = lines.by_ref().map(Result::unwrap).find(|line| line.contains("\"mqtt\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    (daemon, lines, line["address"].as_str().unwrap().parse().unwrap())
}

fn signal(daemon: &Daemon, name: &str) {
    assert!(Command::new("kill").arg(format!("-{name}")).arg(daemon.0.id().to_string()).status().unwrap().success());
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (mut daemon, mut lines, broker) = start(&home, full.into());
    signal(&daemon, "HUP");
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line.contains("\"reloaded\"")));
    let out = Kind::Own.subscribe(broker, &["to/out"]);
    Kind::Own.publish(broker, &[sent("in", "x")]);
    assert_eq!(out.next(), "0 to/out x");
    signal(&daemon, "TERM");
    assert_eq!(wait(&mut daemon.0).and_then(|status| status.code()), Some(0));
}

#[test]
fn a_log_that_nobody_reads_delays_neither_messages_nor_the_end() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    home.write("homerule.yaml", ROOMY);
    // The pipe is full after 64 KiB; nobody ever reads it.
    let (_reader, writer) = std::io::pipe().unwrap();
    let (mut daemon, _lines, broker) = start(&home, writer.into());
    let out = Kind::Own.subscribe(broker, &["to/out"]);
    let payloads: Vec<String> = (0..2_000).map(|number| format!("{number:0100}")).collect();
    let messages: Vec<_> = payloads.iter().map(|payload| sent("in", payload)).collect();
    Kind::Own.publish(broker, &messages);
    for payload in &payloads {
        assert_eq!(out.next(), format!("0 to/out {payload}"));
    }
    let asked = Instant::now();
    signal(&daemon, "TERM");
    assert_eq!(wait(&mut daemon.0).and_then(|status| status.code()), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}
