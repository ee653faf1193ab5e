//! What the writer leaves on the shelf, and what is read of it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::disk::recorded::shelf::{self, Room, recorded_files};
use crate::disk::recorded::{RecordedSince, Wanted};
use crate::engine::{Cause, CauseKind};
use crate::lang::RecorderSettings;
use crate::model::recording::Recorded;
use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};

use super::waiting::{Noted, Waiting};
use super::writer::Writer;
use super::{Search, Speaker};

/// 2026-01-01 00:00 in UTC.
const BEGIN: i64 = 1_767_225_600;

struct Bench {
    folder: tempfile::TempDir,
    settings: RecorderSettings,
    writer: Writer,
}

impl Bench {
    fn new(max_size: u64) -> Bench {
        // The files are of another time than the one in which this runs.
        let keep = Duration::from_hours(24 * 365 * 100);
        let settings = RecorderSettings { keep, max_size, ..RecorderSettings::default() };
        let folder = tempfile::tempdir().unwrap();
        let writer = Bench::writer(folder.path(), &settings);
        Bench { folder, settings, writer }
    }

    fn writer(folder: &Path, settings: &RecorderSettings) -> Writer {
        Writer::new(folder.join("recordings"), settings.clone(), Arc::new(Waiting::default()), BTreeMap::new())
    }

    /// The daemon is killed and starts again.
    fn restart(&mut self) {
        self.writer = Bench::writer(self.folder.path(), &self.settings);
    }

    fn write(&mut self, noted: Vec<Noted>) {
        let waiting = Waiting::default();
        for noted in noted {
            waiting.note(noted);
        }
        waiting.ask(|batch| batch.is_last = true);
        self.writer.take(waiting.take(Duration::ZERO));
    }

    fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join("recordings")
    }

    /// Returns what is read since a second, each message as `topic payload`.
    fn since(&self, second: i64) -> (Vec<String>, Vec<String>) {
        let Some(mut recorded) = RecordedSince::open(&self.folder(), at(second)).unwrap() else {
            return (Vec::new(), vec!["nothing".to_owned()]);
        };
        let told = recorded.by_ref().map(|recorded| told(&recorded)).collect();
        (told, recorded.skipped().to_vec())
    }

    fn sizes(&self) -> Vec<u64> {
        recorded_files(&self.folder()).unwrap().into_iter().map(|file| file.size).collect()
    }

    fn packing_ends(&mut self) {
        self.writer.finish_packing();
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + second).unwrap()
}

fn message(topic: &str, payload: &str) -> Message {
    Message {
        topic: Topic::parse(topic).unwrap(),
        payload: Payload::from_bytes(payload.to_owned()),
        qos: Qos::AtLeastOnce,
        retain: false,
        origin: Origin::Live,
        expires_at: None,
    }
}

fn noted(second: i64, topic: &str, payload: &str) -> Noted {
    Noted { at: at(second), message: message(topic, payload), speaker: Speaker::Client(Some("tv".into())) }
}

fn told(recorded: &Recorded) -> String {
    let Recorded { message, .. } = recorded;
    let known = if message.origin == Origin::Restored { "known: " } else { "" };
    format!("{known}{} {}", message.topic, message.payload.text().unwrap())
}

#[test]
fn who_published_and_why_is_recorded() {
    let mut bench = Bench::new(1 << 20);
    let own = Message { origin: Origin::Own, retain: true, ..message("lamp", "ON") };
    let kind = CauseKind::Message { sequence: 1, topic: Topic::parse("tv").unwrap(), origin: Origin::Live };
    let cause = Cause { kind, depth: 0, run: None, armed: None };
    let speaker = Speaker::Rule(RuleId::from_text("tv:on"), Some(cause.clone()));
    bench.write(vec![noted(0, "tv", "ON"), Noted { at: at(1), message: own.clone(), speaker }]);
    let recorded: Vec<Recorded> = RecordedSince::open(&bench.folder(), at(0)).unwrap().unwrap().collect();
    assert_eq!((recorded[0].client.as_deref(), recorded[0].message.origin), (Some("tv"), Origin::Live));
    assert_eq!((recorded[1].at, &recorded[1].message), (at(1), &own));
    assert_eq!(recorded[1].rule, Some(RuleId::from_text("tv:on")));
    let read = serde_json::from_str(recorded[1].cause.as_ref().unwrap()).unwrap();
    assert_eq!(crate::api::cause_of(&read), Some(cause));
}

#[test]
fn a_line_that_a_kill_broke_off_is_no_problem_for_who_reads_and_is_cut_off_at_the_next_start() {
    let mut bench = Bench::new(1 << 20);
    bench.write(vec![noted(0, "a", "1"), noted(1, "a", "2")]);
    let path = recorded_files(&bench.folder()).unwrap()[0].path.clone();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"tst":"2026-01-01T00:00:02.000000Z","topic":"a","qos":1,"payl"#).unwrap();
    assert_eq!(bench.since(0), (vec!["a 1".to_owned(), "a 2".to_owned()], vec![]));
    bench.restart();
    bench.write(vec![noted(3, "a", "3")]);
    assert_eq!(bench.sizes().len(), 1, "it goes on with the file");
    assert_eq!(bench.since(0), (vec!["a 1".to_owned(), "a 2".to_owned(), "a 3".to_owned()], vec![]));
}

#[test]
fn a_file_that_is_nothing_but_a_broken_line_is_begun_anew() {
    let mut bench = Bench::new(1 << 20);
    fs::create_dir_all(bench.folder()).unwrap();
    fs::write(bench.folder().join("2026-01-01T000000Z.jsonl"), vec![b'x'; 10_000]).unwrap();
    bench.write(vec![noted(1, "a", "1")]);
    assert_eq!(bench.since(0), (vec!["a 1".to_owned()], vec![]));
}

#[test]
fn files_are_rotated_by_size_and_the_oldest_go_so_that_the_bound_holds() {
    let bound = 1 << 20;
    let mut bench = Bench::new(bound);
    // What can't be packed shows the size best.
    let mut random: u64 = 1;
    let mut letters = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{random:016x}")
    };
    for second in 0..300 {
        let mut payload = || (0..64).map(|_| letters()).collect::<String>();
        bench.write((0..10).map(|_| noted(second, "a", &payload())).collect());
        assert!(bench.sizes().iter().sum::<u64>() <= bound, "{second}: {:?}", bench.sizes());
    }
    bench.packing_ends();
    let sizes = bench.sizes();
    assert!(sizes.len() > 4 && sizes.iter().all(|size| *size <= bound / 16), "{sizes:?}");
    let (read, skipped) = bench.since(0);
    assert_eq!(skipped, Vec::<String>::new());
    let live = read.iter().filter(|told| !told.starts_with("known")).count();
    assert!((200..3000).contains(&live), "{live}");
    let (read, _) = bench.since(299);
    assert_eq!(read.iter().filter(|told| !told.starts_with("known")).count(), 10);
}

#[test]
fn a_finished_file_is_packed_and_read_all_the_same() {
    let mut bench = Bench::new(1 << 20);
    let payload = "x".repeat(20_000);
    for second in 0..20 {
        bench.write(vec![noted(second, "a", &payload)]);
        bench.packing_ends();
    }
    let files = recorded_files(&bench.folder()).unwrap();
    let packed = files.iter().filter(|file| file.is_packed).count();
    assert_eq!((files.len() - packed, packed >= 4), (1, true), "{files:?}");
    assert!(files[0].size < 2000, "{files:?}");
    let (read, _) = bench.since(0);
    assert_eq!(read.iter().filter(|told| !told.starts_with("known")).count(), 20);
}

#[test]
fn what_a_broken_off_packing_left_is_tidied_up() {
    let bench = Bench::new(1 << 20);
    fs::create_dir_all(bench.folder()).unwrap();
    for name in
        ["2026-01-01T000000Z.jsonl.gz.part", "2026-01-01T000100Z.jsonl", "2026-01-01T000100Z.jsonl.gz", "notes.txt"]
    {
        fs::write(bench.folder().join(name), "x").unwrap();
    }
    shelf::tidy(&bench.folder());
    let mut left: Vec<_> = fs::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["2026-01-01T000100Z.jsonl.gz", "notes.txt"]);
}

#[test]
fn each_file_begins_with_what_is_known_so_that_who_reads_from_there_knows_the_homes_state() {
    let mut bench = Bench::new(1 << 20);
    let day = 24 * 3600;
    bench.write(vec![noted(0, "mode", "home"), noted(1, "tv", "ON"), noted(2, "gone", "x"), noted(3, "gone", "")]);
    bench.write(vec![noted(2 * day, "tv", "OFF"), noted(2 * day + 10, "tv", "ON")]);
    assert_eq!(bench.sizes().len(), 2, "a file covers a day");
    let (read, _) = bench.since(2 * day + 5);
    assert_eq!(read, ["known: gone ", "known: mode home", "known: tv OFF", "tv ON"][1..]);
    let (read, _) = bench.since(0);
    assert_eq!(read, ["mode home", "tv ON", "gone x", "gone ", "tv OFF", "tv ON"]);
    let first = RecordedSince::open(&bench.folder(), at(2 * day + 5)).unwrap().unwrap().next().unwrap();
    assert_eq!(first.at, at(2 * day + 5), "it is known at the time that is asked for");
}

#[test]
fn what_is_too_old_goes() {
    let mut bench = Bench::new(1 << 20);
    bench.settings.keep = Duration::from_hours(1);
    bench.restart();
    let now = Timestamp::now().as_second() - BEGIN;
    for minutes in [180, 120, 61, 30, 0] {
        bench.write(vec![noted(now - minutes * 60, "a", &minutes.to_string())]);
        bench.packing_ends();
    }
    bench.write(vec![noted(now, "a", "now")]);
    let (read, _) = bench.since(0);
    let live: Vec<&String> = read.iter().filter(|told| !told.starts_with("known")).collect();
    assert_eq!(live, ["a 61", "a 30", "a 0", "a now"], "a file goes when all of it is too old");
}

#[test]
fn a_clock_that_was_set_back_begins_a_new_file() {
    let mut bench = Bench::new(1 << 20);
    bench.write(vec![noted(100, "a", "1"), noted(50, "a", "2"), noted(51, "a", "3"), noted(50, "a", "4")]);
    let names: Vec<String> =
        recorded_files(&bench.folder()).unwrap().iter().map(|file| file.begin.to_string()).collect();
    assert_eq!(names, ["2026-01-01T00:00:50Z", "2026-01-01T00:00:51Z", "2026-01-01T00:01:40Z"]);
    assert_eq!(bench.since(0).1, Vec::<String>::new());
}

#[test]
fn a_damaged_file_in_the_middle_costs_its_damaged_lines() {
    let mut bench = Bench::new(1 << 20);
    let day = 24 * 3600;
    for second in [0, day, 2 * day] {
        bench.write(vec![
            noted(second, "a", "before"),
            noted(second + 1, "b", "damaged"),
            noted(second + 2, "c", "after"),
        ]);
        bench.packing_ends();
    }
    let files = recorded_files(&bench.folder()).unwrap();
    let (first, second) = (&files[0].path, &files[1].path);
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(second).unwrap()).read_to_string(&mut text).unwrap();
    fs::write(second, text.replace(r#""damaged","origin":"live""#, "\0")).unwrap();
    let (read, skipped) = bench.since(day);
    let live: Vec<&String> = read.iter().filter(|told| !told.starts_with("known")).collect();
    assert_eq!(live, ["a before", "c after", "a before", "b damaged", "c after"]);
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].starts_with("2026-01-02T000000Z.jsonl.gz, line 5 was skipped: not JSON"), "{skipped:?}");

    let packed = fs::read(first).unwrap();
    fs::write(first, &packed[..packed.len() - 20]).unwrap();
    let (read, _) = bench.since(0);
    assert!(read.len() > 5, "what is whole is read: {read:?}");
}

#[test]
fn a_disk_that_takes_nothing_costs_the_messages_of_that_time_and_no_others() {
    let mut bench = Bench::new(1 << 20);
    bench.write(vec![noted(0, "a", "1")]);
    // A folder that is a file can't be written into.
    let (folder, aside) = (bench.folder(), bench.folder.path().join("aside"));
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "x").unwrap();
    bench.write(vec![noted(1, "a", "2")]);
    bench.write(vec![noted(2, "a", "3"), noted(3, "b", "x")]);
    assert_eq!(bench.writer.lost(), 3);
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    bench.write(vec![noted(4, "a", "4")]);
    assert_eq!(bench.writer.lost(), 0);
    let (read, skipped) = bench.since(4);
    assert_eq!(read, ["known: a 3", "known: b x", "a 4"], "what is known is known all the same");
    assert_eq!(skipped, Vec::<String>::new());
}

#[test]
fn the_last_room_of_a_disk_is_left_to_others_and_the_oldest_files_go_for_it() {
    let mut bench = Bench::new(1 << 20);
    let payload = "x".repeat(20_000);
    for second in 0..9 {
        bench.write(vec![noted(second, "a", &payload)]);
    }
    bench.packing_ends();
    let mebibyte = 1 << 20;
    let count = |bench: &Bench| recorded_files(&bench.folder()).unwrap().len();
    assert_eq!(count(&bench), 3);
    let plenty = Room { free: 33 * mebibyte, all: 10_000 * mebibyte };
    assert!(bench.writer.leave_free(1000, Some(plenty)).is_ok() && count(&bench) == 3);
    let scarce = Room { free: 32 * mebibyte + 990, all: 10_000 * mebibyte };
    assert!(bench.writer.leave_free(1000, Some(scarce)).is_ok() && count(&bench) == 2, "the oldest went");
    let small = Room { free: 2 * mebibyte, all: 10 * mebibyte };
    assert!(bench.writer.leave_free(1000, Some(small)).is_ok() && count(&bench) == 2, "a tenth is enough there");
    let none = Room { free: 1000, all: 10_000 * mebibyte };
    let error = bench.writer.leave_free(1000, Some(none)).unwrap_err();
    assert_eq!(error.to_string(), "the last 32 MiB of a disk are left to what must be kept");
    assert_eq!(count(&bench), 1, "the one that is written stays");
}

#[test]
fn a_message_too_large_for_the_bound_is_left_out_and_the_others_are_not() {
    let mut bench = Bench::new(1 << 20);
    bench.write(vec![noted(0, "a", "1"), noted(1, "b", &"x".repeat(300_000)), noted(2, "a", "2")]);
    assert_eq!(bench.since(0).0, ["a 1", "a 2"]);
}

#[test]
fn more_than_may_wait_is_left_out_and_counted() {
    let waiting = Waiting::default();
    for _ in 0..30 {
        waiting.note(noted(0, "a", &"x".repeat(1 << 20)));
    }
    let batch = waiting.take(Duration::ZERO);
    assert_eq!((batch.noted.len(), batch.left_out), (16, 14));
}

#[tokio::test]
async fn a_search_finds_the_last_message_of_a_topic_before_a_time() {
    let mut bench = Bench::new(1 << 20);
    let day = 24 * 3600;
    bench.write(vec![noted(0, "a", "1"), noted(1, "b", "\"topic\":\"a\""), noted(2, "a", "2"), noted(3, "b", "x")]);
    bench.write(vec![noted(2 * day, "b", "y"), noted(3 * day, "b", "z")]);
    let (search, b) = (Search::new(bench.folder(), Arc::new(Semaphore::new(1)), None), Topic::parse("b").unwrap());
    let found = search
        .run(move |past| {
            let before = |topic: &str, second| {
                past.before(&Topic::parse(topic).unwrap(), at(second), |_| true).map(|recorded| told(&recorded))
            };
            let all =
                past.within(at(1), at(2 * day), &Wanted::new([&b].into_iter(), std::iter::empty(), None).unwrap());
            let all: Vec<String> = all.iter().map(told).collect();
            ([before("a", 4 * day), before("a", 1), before("b", 2 * day), before("none", day)], all)
        })
        .await
        .unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(found.0, [some("a 2"), some("a 1"), some("b y"), None]);
    assert_eq!(found.1, ["b x", "b y"]);
}
