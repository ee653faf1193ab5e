//! `homerule backup` and `restore`: what a home needs to go on, in one file, taken while it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::clients::{Kind, sent};
use super::house::{House, until};
use crate::home::{Home, SETTINGS, homerule};

/// A rule that waits for an hour, and remembers.
const WAITS: &str = "rules:\n  waits:\n    when: in\n    then:\n      - remember: { seen: '${msg}' }\n      - to/begun: x\n      - delay: 1h\n      - to/done: x\n";

/// A home that runs, and whose rule waits.
fn waiting() -> House {
    let mut house =
        Home::with(&[("rules/all.yaml", WAITS), ("recordings/day.jsonl", "{}\n"), ("notes/empty.txt", "")]).start();
    let broker = format!("mqtt://{}", house.mqtt);
    let kept = homerule(house.home.path(), &["pub", "--retain", "--broker", &broker, "kept", "x"]);
    assert_eq!(kept.status, 0, "{kept:?}");
    Kind::Own.publish(house.mqtt, &[sent("in", "x")]);
    house.publication("to/begun");
    house
}

fn backup(house: &House, file: &Path) -> (i32, String) {
    let said = homerule(house.home.path(), &["backup", &file.to_string_lossy()]);
    (said.status, said.out + said.err.as_str())
}

fn restore(file: &Path, home: &Path) -> (i32, String) {
    let said = homerule(file.parent().unwrap(), &["restore", &file.to_string_lossy(), &home.to_string_lossy()]);
    (said.status, said.out + said.err.as_str())
}

/// A backup of a home that never ran.
fn backup_of(files: &[(&str, &str)], file: &Path) {
    let home = Home::new(files);
    let said = home.say(&["backup", &file.to_string_lossy()]);
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn a_home_that_runs_goes_on_elsewhere_from_its_backup() {
    let house = waiting();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("home.tar.gz");
    let (status, said) = backup(&house, &file);
    assert_eq!(status, 0, "{said}");
    let until_when = house.get("/api/rules")[0]["doing"]["waits_until"].clone();
    assert!(until_when.is_string(), "{until_when}");
    drop(house);

    let home = Home::new(&[]);
    let (status, said) = restore(&file, home.path());
    assert_eq!(status, 0, "{said}");
    assert_eq!(home.read("rules/all.yaml"), WAITS);
    assert_eq!(home.read("notes/empty.txt"), "");
    let house = home.start();
    assert_eq!(house.get("/api/rules")[0]["doing"]["waits_until"], until_when);
    assert_eq!(house.get("/api/state?filter=kept")[0]["value"], "x");
}

#[test]
fn a_backup_overwrites_nothing_and_only_its_owner_can_read_it() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("home.tar.gz");
    backup_of(&[("homerule.yaml", SETTINGS)], &file);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&file).unwrap();
    let said = Home::with(&[]).say(&["backup", &file.to_string_lossy()]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("already exists; nothing was written"), "{said:?}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_backup_that_lies_in_the_home_holds_neither_itself_nor_what_belongs_to_the_process() {
    let house = waiting();
    let recordings = house.home.file(".homerule/recordings");
    until("the recorder begins", || fs::read_dir(&recordings).is_ok_and(|mut files| files.next().is_some()));
    let (status, said) = backup(&house, &house.home.file("backup.tar.gz"));
    assert_eq!(status, 0, "{said}");
    let listed = std::process::Command::new("tar").arg("tzf").arg(house.home.file("backup.tar.gz")).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names: Vec<&str> = listed.lines().collect();
    for wanted in ["backup.json", "home/homerule.yaml", "home/recordings/day.jsonl", "data/homerule.db"] {
        assert!(names.contains(&wanted), "{wanted} isn't in {names:#?}");
    }
    assert!(names.iter().any(|name| name.starts_with("data/recordings/2")), "{names:#?}");
    let is_unwanted =
        |name: &&&str| ["backup.tar.gz", "lock", "address", "-wal", ".homerule"].iter().any(|end| name.ends_with(end));
    assert_eq!(names.iter().filter(is_unwanted).count(), 0, "{names:#?}");
    assert_eq!(fs::read_dir(house.home.path()).unwrap().count(), 6, "nothing is left beside the backup");
}

#[test]
fn a_backup_is_restored_into_empty_folders_alone() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("home.tar.gz");
    let data = place.path().join("data");
    backup_of(&[("homerule.yaml", &format!("{SETTINGS}data: {}\n", data.display()))], &file);
    let home = Home::new(&[("mine.txt", "mine")]);
    let (status, said) = restore(&file, home.path());
    assert_eq!(status, 2);
    assert!(said.contains("isn't empty, and nothing was restored"), "{said}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);

    fs::create_dir(&data).unwrap();
    fs::write(data.join("homerule.db"), "another home's").unwrap();
    let (status, said) = restore(&file, &place.path().join("new"));
    assert_eq!(status, 2);
    assert!(said.contains(&format!("`{}` isn't empty", data.display())), "{said}");
    assert!(!place.path().join("new").exists());
}

/// A backup with these entries.
fn made_up(file: &Path, entries: &[(&str, &[u8])]) {
    let mut builder = tar::Builder::new(GzEncoder::new(fs::File::create(file).unwrap(), Compression::fast()));
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        // A library wouldn't write a name that leads out of the archive.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

const MANIFEST: &[u8] = br#"{ "format": 1, "homerule": "0.1.0", "made_at": "2026-01-01T00:00:00Z" }"#;

#[test]
fn what_is_no_whole_backup_restores_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    backup_of(&[("homerule.yaml", SETTINGS)], &path("whole"));
    let whole = fs::read(path("whole")).unwrap();
    fs::write(path("cut"), &whole[..whole.len() - 9]).unwrap();
    fs::write(path("text"), "no backup").unwrap();
    made_up(&path("foreign"), &[("home/homerule.yaml", b"")]);
    made_up(
        &path("newer"),
        &[("backup.json", br#"{ "format": 2, "homerule": "9.0.0", "made_at": "2026-01-01T00:00:00Z" }"#)],
    );
    made_up(&path("escapes"), &[("backup.json", MANIFEST), ("home/../../escaped", b"x")]);
    made_up(
        &path("damaged"),
        &[("backup.json", MANIFEST), ("data/homerule.db", b"SQLite format 3\0 and then nothing")],
    );
    let expected = [
        ("cut", "it breaks off in the middle"),
        ("text", "it isn't a backup that `homerule backup` wrote"),
        ("foreign", "it isn't a backup that `homerule backup` wrote"),
        ("newer", "homerule 9.0.0 wrote it in format 2; this one reads up to 1"),
        ("escapes", "`home/../../escaped` in it is nothing that `homerule backup` writes"),
        ("damaged", "the data in this backup can't be used"),
        ("missing", "no such file or directory"),
    ];
    for (name, reason) in expected {
        let (status, said) = restore(&path(name), &path("new"));
        assert_eq!(status, 2, "{name}: {said}");
        assert!(said.contains(reason), "{name}: {said}");
        assert!(!path("new").exists(), "{name}: something was left");
    }
    assert!(!path("escaped").exists());
}

/// Makes the database say that a newer version wrote it.
fn age(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
}

#[test]
fn an_older_version_refuses_the_data_of_a_newer_one_and_leaves_it_alone() {
    let mut house = waiting();
    house.end("TERM");
    let database = house.home.file(".homerule/homerule.db");
    age(&database);
    let before = fs::read(&database).unwrap();
    let home = &house.home;
    let (status, said) = home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("it has the schema 99, which a newer homerule wrote"), "{said}");
    assert!(said.contains("run that version"), "{said}");
    assert_eq!(fs::read(&database).unwrap(), before);
    let doctor = home.say(&["doctor"]);
    assert_eq!(doctor.status, 1);
    assert!(doctor.out.contains("which a newer homerule wrote"), "{}", doctor.out);
    let said = home.say(&["backup", "newer.tar.gz"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("which a newer homerule wrote") && !home.file("newer.tar.gz").exists(), "{said:?}");
}
