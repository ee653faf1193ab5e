//! A child that only stores is killed a hundred times; what it said was kept must be there.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::engine::SaveKey;

use super::{Opened, open};

/// Tells the child its folder.
const FOLDER: &str = "HOMERULE_TEST_STORE";

/// How many keys there are: most are written again and again.
const KEYS: usize = 50;

const KILLS: usize = 100;

/// The child: keeps numbers for ever, and says before and after each commit which. Ends at once unless it is asked to.
#[tokio::test]
async fn child_that_only_stores() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let Opened { mut store, kept } = open(PathBuf::from(folder)).unwrap_or_else(|error| panic!("{error}"));
    let of_broker = kept.broker.iter().filter_map(|(_, value)| number(std::str::from_utf8(value).ok()?));
    let of_rules = kept.snapshot.values.values().filter_map(|value| number(value));
    let first = of_rules.chain(of_broker).max().map_or(0, |last| last + 1);
    let mut out = std::io::stdout();
    for n in first.. {
        writeln!(out, "\nbegin {n}").unwrap();
        if n % 3 == 0 {
            // As the broker does.
            store.keep(format!("mqtt/{}", n % KEYS).into(), Some(value(n).into_bytes()));
            assert!(store.write().unwrap().wait().await);
        } else {
            store.save(SaveKey(format!("run/{}", n % KEYS).into()), Some(value(n)));
            store.commit().await;
        }
        writeln!(out, "\ndone {n}").unwrap();
    }
}

/// A value that says its number, of a length that makes pages split.
fn value(n: usize) -> String {
    format!("{n} {}", "x".repeat(n * 37 % 2000))
}

fn number(value: &str) -> Option<usize> {
    value.split(' ').next()?.parse().ok()
}

/// Starts the child, kills it after `commits` commits and a while, and returns the last number that it said it began, and
/// all that it said it had kept.
fn kill_after(folder: &Path, commits: usize, pause: Duration) -> (Option<usize>, Vec<usize>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "daemon::store::kill_tests::child_that_only_stores", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut begun, mut done) = (None, Vec::new());
    let mut note = |line: &str, done: &mut Vec<usize>| match line.split_once(' ') {
        Some(("begin", n)) => begun = n.parse().ok(),
        Some(("done", n)) => done.extend(n.parse::<usize>().ok()),
        _ => {}
    };
    while done.len() < commits {
        let line = lines.next().expect("the child ended by itself").unwrap();
        note(&line, &mut done);
    }
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).for_each(|line| note(&line, &mut done));
    (begun, done)
}

#[tokio::test]
async fn what_a_killed_child_said_was_kept_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut random: u32 = 5;
    let mut next = |below: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % below
    };
    let mut newest: Vec<Option<usize>> = vec![None; KEYS];
    let mut during_commits = 0;
    // A busy machine kills less precisely: it is done again until enough have landed.
    for kill in 0..10 * KILLS {
        if kill >= KILLS && during_commits >= KILLS / 10 {
            break;
        }
        let commits = usize::try_from(next(20) + 1).unwrap();
        let (begun, done) = kill_after(folder.path(), commits, Duration::from_micros(next(900).into()));
        during_commits += usize::from(begun > done.last().copied());
        for n in done {
            newest[n % KEYS] = newest[n % KEYS].max(Some(n));
        }
        let Opened { mut store, kept } = open(folder.path().to_owned()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(store.losses(), &[] as &[String], "kill {kill}");
        let mut found: Vec<Option<usize>> = vec![None; KEYS];
        for (SaveKey(key), text) in &kept.snapshot.values {
            let Some(key) = key.strip_prefix("run/") else { continue };
            let n = number(text).unwrap();
            assert_eq!(*text, value(n), "kill {kill}");
            let slot = &mut found[key.parse::<usize>().unwrap()];
            *slot = (*slot).max(Some(n));
        }
        for (key, bytes) in &kept.broker {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let n = number(&text).unwrap();
            assert_eq!(text, value(n), "kill {kill}");
            let slot = &mut found[key.strip_prefix("mqtt/").unwrap().parse::<usize>().unwrap()];
            *slot = (*slot).max(Some(n));
        }
        for (key, (newest, found)) in newest.iter().zip(&found).enumerate() {
            assert!(found >= newest, "kill {kill}: key {key} was kept as {newest:?} and is {found:?}");
        }
        store.close().await;
    }
    assert!(during_commits >= KILLS / 10, "only {during_commits} kills landed during a commit");
}
