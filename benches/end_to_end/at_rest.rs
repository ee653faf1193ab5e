//! The daemon at rest: memory, wake-ups, how soon it acts after a start, and what a reload of many rules holds up.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::Client;
use super::load::{Route, answers, open_loop};
use super::packets::{Publish, push_publish};
use super::process::Daemon;
use super::{SETTINGS, fires};

/// Each file has so many rules.
const RULES_A_FILE: usize = 100;

/// How many topics the small home knows.
const TOPICS: usize = 500;

/// How long a daemon is watched that has nothing to do.
const IDLE: Duration = Duration::from_secs(10);

/// Measures, and prints a line each.
pub(crate) fn measure() {
    let home = home(100);
    println!("from the start to the first action, 100 rules: {:.0?}", first_action(home.path()));
    idle(home.path());
    let home = self::home(10_000);
    println!("from the start to the first action, 10,000 rules: {:.0?}", first_action(home.path()));
    reload(home.path());
}

fn idle(home: &Path) {
    let daemon = Daemon::start(home, true);
    let mut device = Client::connect(daemon.broker, "device").unwrap();
    for number in 0..TOPICS {
        let topic = format!("home/device{number}/state");
        let payload = br#"{"state":"ON","brightness":80,"linkquality":120,"battery":97}"#;
        push_publish(&mut device.outgoing, &Publish { topic: &topic, payload, qos: 0, retain: false }, 0);
    }
    device.write();
    assert!(answers(&route(&daemon)));
    let [all, own] = daemon.process.memory();
    println!(
        "memory with 100 rules and {TOPICS} topics: {all:.1} MiB, of which {own:.1} MiB are not the program's file"
    );
    // What may be late is written within a second or two, and threads that helped at the start end after ten.
    std::thread::sleep(Duration::from_secs(12));
    let (busy, wake_ups) = (daemon.process.busy(), daemon.process.wake_ups());
    std::thread::sleep(IDLE);
    let busy = daemon.process.busy().saturating_sub(busy);
    let wake_ups = daemon.process.wake_ups().saturating_sub(wake_ups);
    println!(
        "idle for {IDLE:?}: {:.3} % of a processor, {:.1} wake-ups a second",
        busy.as_secs_f64() / IDLE.as_secs_f64() * 100.0,
        f64::from(u32::try_from(wake_ups).unwrap()) / IDLE.as_secs_f64()
    );
}

fn first_action(home: &Path) -> Duration {
    let begun = Instant::now();
    let daemon = Daemon::start(home, true);
    while !answers(&route(&daemon)) {}
    begun.elapsed()
}

fn reload(home: &Path) {
    let daemon = Daemon::start(home, true);
    assert!(answers(&route(&daemon)));
    let route = route(&daemon);
    let time = Duration::from_secs(4);
    let load = std::thread::spawn(move || open_loop(&route, Duration::from_millis(1), time));
    std::thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    fs::write(home.join("rules/file0.yaml"), file(0).replace("brightness: 80", "brightness: 81")).unwrap();
    let said = daemon.wait_for("reloaded");
    let taken = begun.elapsed();
    assert_eq!(said["in_force"], true, "{said}");
    let measured = load.join().unwrap();
    println!(
        "10,000 rules reloaded after {taken:.0?}; meanwhile at 1,000/s: p50 {:.0?}, longest {:.0?}, {} lost",
        measured.quantile(0.5),
        measured.quantile(1.0),
        measured.lost
    );
}

fn route(daemon: &Daemon) -> Route {
    fires(daemon.broker, "bench/q0", 0)
}

/// Makes a home with about so many rules, and one that is measured.
pub(crate) fn home(rules: usize) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("rules")).unwrap();
    fs::write(home.path().join("homerule.yaml"), SETTINGS).unwrap();
    fs::write(home.path().join("rules/bench.yaml"), super::RULES).unwrap();
    for number in 0..rules / RULES_A_FILE {
        fs::write(home.path().join(format!("rules/file{number}.yaml")), file(number)).unwrap();
    }
    home
}

fn file(number: usize) -> String {
    let mut text = "rules:\n".to_owned();
    for rule in 0..RULES_A_FILE {
        let _ = writeln!(
            text,
            "  rule{rule}:\n    when: home{number}/+room/device{rule}\n    if: msg.state == \"ON\"\n    then:\n      \
             home{number}/${{room}}/light{rule}/set: {{ state: ON, brightness: 80 }}"
        );
    }
    text
}
