//! `homerule replay` and `homerule test` as a user runs them: messages a second, a year of schedules, many small tests;
//! each at two sizes, with the exponent of growth, and the peak of memory.
#![expect(clippy::unwrap_used, reason = "a bench that can't go on says where")]
#![expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Each run is made so many times; the fastest counts.
const TIMES: usize = 3;

/// What one run took.
struct Cost {
    time: Duration,
    /// The peak of memory that was in use, in KiB; `None` where the system doesn't tell.
    memory: Option<u64>,
}

fn main() {
    // `cargo test --benches` only builds it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = TempDir::new().unwrap();
    println!("what                                  size       time        rate       memory   growth");
    compare("messages replayed, 100 rules", [100_000, 1_000_000], |size| {
        let home = folder.path().join("replay");
        write_rules(&home, 100);
        let recording = folder.path().join(format!("{size}.jsonl"));
        write_recording(&recording, size);
        let mut command = homerule(&["replay"]);
        command.arg(recording).arg("--home").arg(home);
        command
    });
    compare("days of ten schedules", [365, 3650], |size| {
        let home = folder.path().join(format!("days{size}"));
        write_schedules(&home, size);
        let mut command = homerule(&["test"]);
        command.arg(home);
        command
    });
    compare("small tests", [1_000, 10_000], |size| {
        let home = folder.path().join(format!("tests{size}"));
        write_tests(&home, size);
        let mut command = homerule(&["test"]);
        command.arg(home);
        command
    });
}

fn homerule(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homerule"));
    command.args(arguments).stdout(Stdio::null());
    command
}

/// Prints what two sizes cost, and the exponent by which the time grows from one to the other.
fn compare(what: &str, sizes: [usize; 2], command: impl Fn(usize) -> Command) {
    let mut smaller: Option<(usize, Duration)> = None;
    for size in sizes {
        let mut command = command(size);
        let cost = (0..TIMES).map(|_| measured(&mut command)).min_by_key(|cost| cost.time).unwrap();
        let seconds = cost.time.as_secs_f64();
        let memory = cost.memory.map_or("unknown".to_owned(), |memory| format!("{:.1} MiB", memory as f64 / 1024.0));
        let growth = smaller.map_or(String::new(), |(small, time)| {
            let factor = size as f64 / small as f64;
            format!("{:.2}", (seconds / time.as_secs_f64()).log10() / factor.log10())
        });
        let rate = size as f64 / seconds;
        println!("{what:32} {size:>9} {:>8.1} ms {rate:>9.0}/s {memory:>12} {growth:>8}", seconds * 1000.0);
        smaller = Some((size, cost.time));
    }
}

/// Runs a command to its end.
fn measured(command: &mut Command) -> Cost {
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut memory = None;
    let status = loop {
        memory = peak(&child).or(memory);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_micros(200));
    };
    let time = started.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    Cost { time, memory }
}

/// Returns the peak of the memory of a process that runs (Linux), in KiB.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Writes so many rules of distinct filters.
fn write_rules(home: &Path, count: usize) {
    let mut rules = String::from("rules:\n");
    for index in 0..count {
        let filter = match index % 4 {
            0 => format!("home/r{index}/+room/tv"),
            1 => format!("home/r{index}/tv"),
            2 => format!("home/r{index}/#rest"),
            _ => format!("+room/r{index}/tv"),
        };
        writeln!(rules, "  r{index}: {{ when: {filter}, if: 'msg.state == \"ON\"', then: {{ out/r{index}: x }} }}")
            .unwrap();
    }
    write(home, "rules/many.yaml", &rules);
}

/// Writes a recording of 500 devices, four messages a second; each tenth message is one that a rule may hear.
fn write_recording(path: &Path, count: usize) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let begin: jiff::Timestamp = "2024-06-01T00:00:00Z".parse().unwrap();
    for index in 0..count {
        let at = begin + Duration::from_millis(250) * u32::try_from(index).unwrap();
        let state = if index % 20 == 0 { "ON" } else { "OFF" };
        let topic = match index % 10 {
            0 => format!("home/r{}/x/tv", index / 10 % 100),
            _ => format!("sensors/s{}/state", index % 500),
        };
        let payload = format!(r#"{{\"state\":\"{state}\",\"n\":{index}}}"#);
        let length = payload.replace('\\', "").len();
        writeln!(
            file,
            r#"{{"tst":"{at:.6}","topic":"{topic}","qos":0,"retain":0,"payloadlen":{length},"payload":"{payload}"}}"#
        )
        .unwrap();
    }
    file.flush().unwrap();
}

/// Writes ten schedules, and a test that lasts so many days.
fn write_schedules(home: &Path, days: usize) {
    let mut rules = String::from("rules:\n");
    for index in 0..10 {
        writeln!(rules, "  s{index}: {{ when: {{ at: \"{:02}:30\" }}, then: {{ out/s{index}: x }} }}", index + 6)
            .unwrap();
    }
    write(home, "rules/schedules.yaml", &rules);
    let test = format!("tests:\n  long:\n    strict: false\n    steps:\n      - after: {days}d\n");
    write(home, "rules/schedules.test.yaml", &test);
}

/// Writes so many tests of a publication each, in files of a thousand.
fn write_tests(home: &Path, count: usize) {
    let rule =
        "rules:\n  dim: { when: home/+room/tv, if: msg == 'ON', then: { 'home/${room}/light/set': { state: ON } } }\n";
    write(home, "rules/tv.yaml", rule);
    for file in 0..count / 1000 {
        let mut tests = String::from("tests:\n");
        for index in 0..1000 {
            let publish = format!("{{ publish: home/r{index}/tv, payload: ON }}");
            let expect = format!("{{ expect: {{ home/r{index}/light/set: {{ state: ON }} }} }}");
            writeln!(tests, "  t{index}:\n    steps:\n      - {publish}\n      - {expect}").unwrap();
        }
        write(home, &format!("rules/tv{file}.test.yaml"), &tests);
    }
}

fn write(home: &Path, path: &str, text: &str) {
    let path = home.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
