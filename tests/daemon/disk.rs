//! Disks that are full, read-only, taken away or damaged, and two daemons on one folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::clients::{Kind, Sent, sent};
use super::house::{House, until};
use super::survival::{kept, publish, state};
use crate::home::{BINARY, Home};

const RULES: &str = "rules:
  counting: { when: count, then: [ { remember: { count: \"${(memory.count ?? 0) + 1}\" } }, { to/count: \"${memory.count}\" } ] }
  plain: { when: ask, then: { to/plain: x } }
  alerted: { when: homerule/alert, then: { 'to/alert/${msg.kind}': '${msg.message}' } }
";

fn retain(house: &House, topic: &str, payload: &str) {
    Kind::Own.publish(house.mqtt, &[Sent { retain: true, ..sent(topic, payload) }]);
}

fn count(house: &mut House) -> String {
    publish(house, "count", "x");
    house.publication("to/count")["payload"].as_str().unwrap().to_owned()
}

/// Sets how long a file the daemon may write: a disk that is full, as far as it can tell.
fn limit(house: &House, bytes: &str) {
    let arguments = ["--pid", &house.id().to_string(), &format!("--fsize={bytes}:unlimited")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

#[test]
fn a_disk_that_is_full_leaves_the_home_going_and_loses_nothing_once_it_has_room() {
    let home = Home::with(&[("rules/all.yaml", RULES)]);
    // A shell's `trap ''` makes the system say no to a write beyond the limit, and not end the program.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" run \"$1\" --json", BINARY]).arg(home.path());
    let mut house = home.start_with(command);
    assert_eq!(count(&mut house), "1");
    let alerts = Kind::Own.subscribe(house.mqtt, &["homerule/alert"]);

    limit(&house, "0");
    publish(&house, "count", "x");
    // That a client has come is kept too, so that the alert may come first.
    let mut published = BTreeMap::new();
    while published.len() < 2 {
        let line = house.line("a publication", |line| line["event"] == "publish");
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        published.insert(text("topic"), text("payload"));
    }
    assert_eq!(published["to/count"], "2");
    assert!(published["to/alert/store_failing"].contains("nothing can be kept in"), "{published:?}");
    retain(&house, "home/tv", "ON");
    let alert = alerts.next();
    assert!(alert.contains("\"kind\":\"store_failing\"") && alert.contains("nothing can be kept in"), "{alert}");
    let status = house.get("/api/status");
    assert_eq!(status["healthy"], false);
    assert!(status["store"]["failing"].as_str().unwrap().contains("nothing can be kept"), "{status}");
    let (code, said) = house.ask("GET", "/healthz", None);
    assert_eq!((code, said.contains("the disk doesn't take what should be kept")), (503, true), "{said}");

    limit(&house, "unlimited");
    let alert = alerts.next();
    assert!(alert.contains("\"kind\":\"store_recovered\""), "{alert}");
    house.publication("to/alert/store_recovered");
    assert_eq!(house.get("/api/status")["healthy"], true);
    let log = house.end("KILL");
    assert!(log.contains("The home goes on, but nothing can be kept"), "{log}");
    house.begin();
    assert_eq!(count(&mut house), "3");
    let subscriber = Kind::Own.subscribe(house.mqtt, &["home/#"]);
    assert_eq!(subscriber.next(), "1 home/tv ON");
}

/// Opens the database of a daemon that runs, as somebody else.
fn intruder(house: &House) -> rusqlite::Connection {
    rusqlite::Connection::open(house.home.file(".homerule/homerule.db")).unwrap()
}

/// A way to damage a database in use.
type Damage = fn(&House) -> rusqlite::Connection;

/// Overwrites a database in use. The connection is to be kept: closing it would write.
fn overwrite(house: &House) -> rusqlite::Connection {
    let other = intruder(house);
    // What the daemon remembers of the file's pages is void when somebody else has written.
    other.execute("INSERT INTO kept (key, value, checksum) VALUES ('other', x'', 0)", []).unwrap();
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let database = house.home.file(".homerule/homerule.db");
    let length = usize::try_from(fs::metadata(&database).unwrap().len()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&database).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0x55; length], 0).unwrap();
    other
}

/// Takes out of a database in use what all is kept in.
fn drop_table(house: &House) -> rusqlite::Connection {
    let other = intruder(house);
    other.execute("DROP TABLE kept", []).unwrap();
    other
}

#[test]
fn a_database_that_is_damaged_while_the_daemon_runs_is_set_aside_and_written_anew_from_memory() {
    let ways: [(Damage, &str); 2] =
        [(overwrite, "The database is damaged ("), (drop_table, "The database is damaged (no such table: kept)")];
    for (damage, told) in ways {
        let mut house = House::with_rules(RULES);
        assert_eq!(count(&mut house), "1");
        retain(&house, "home/tv", "ON");
        publish(&house, "home/tv", "off for now");
        until("what is late", || kept(&house, "topic/home/tv").contains("off for now"));
        let other = damage(&house);
        assert_eq!(count(&mut house), "2");
        until("a new database", || {
            kept(&house, "topic/home/tv").contains("off for now") && !kept(&house, "mqtt/retained/home/tv").is_empty()
        });
        assert_eq!(house.get("/api/status")["healthy"], true);
        let aside = fs::read_dir(house.home.file(".homerule")).unwrap();
        let aside = aside.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("damaged-"));
        assert_ne!(aside.count(), 0);
        let log = house.end("KILL");
        assert!(log.contains(told) && log.contains("a new one is started"), "{log}");
        drop(other);
        house.begin();
        assert_eq!(house.get("/api/status")["store"]["lost"], serde_json::json!([]));
        assert_eq!(count(&mut house), "3");
        assert_eq!(state(&house, "home/tv")["value"], "off for now", "the retained message is older");
        assert_eq!(Kind::Own.subscribe(house.mqtt, &["home/tv"]).next(), "1 home/tv ON");
    }
}

#[test]
fn a_folder_that_is_taken_away_is_filled_again_with_all_that_the_daemon_knows() {
    let mut house = House::with_rules(RULES);
    assert_eq!(count(&mut house), "1");
    retain(&house, "home/tv", "ON");
    publish(&house, "home/radio", "off");
    fs::remove_dir_all(house.home.file(".homerule")).unwrap();
    publish(&house, "home/lamp", "x");
    until("a new database", || {
        house.home.file(".homerule/homerule.db").exists()
            && !kept(&house, "topic/home/radio").is_empty()
            && !kept(&house, "mqtt/retained/home/tv").is_empty()
    });
    house.end("KILL");
    house.begin();
    assert_eq!(count(&mut house), "2");
    assert_eq!(state(&house, "home/radio")["value"], "off");
    assert_eq!(Kind::Own.subscribe(house.mqtt, &["home/tv"]).next(), "1 home/tv ON");
}

#[test]
fn on_a_folder_that_is_read_only_what_was_kept_is_known_and_what_changes_is_said_to_be_lost() {
    let mut house = House::with_rules(RULES);
    assert_eq!(count(&mut house), "1");
    retain(&house, "home/tv", "ON");
    // The last changes are in the log beside the database then.
    house.end("KILL");
    // To the system's administrator nothing is read-only: somebody else runs it.
    let binary = house.home.file("homerule-copy");
    fs::copy(BINARY, &binary).unwrap();
    let data = house.home.file(".homerule");
    let allow = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(house.home.path(), 0o755);
    let mut paths = vec![data.clone()];
    paths.extend(fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()));
    for path in &paths {
        allow(path, if *path == data { 0o555 } else { 0o444 });
    }
    let mut command = Command::new(&binary);
    command.arg("run").arg(house.home.path()).arg("--json");
    if is_root() {
        command.uid(65534).gid(65534);
    }
    house.begin_with(command);
    assert_eq!(count(&mut house), "2");
    assert_eq!(Kind::Own.subscribe(house.mqtt, &["home/tv"]).next(), "1 home/tv ON");
    let status = house.get("/api/status");
    assert!(status["store"]["failing"].as_str().unwrap().contains("nothing can be kept"), "{status}");
    assert_eq!(status["store"]["lost"], serde_json::json!([]));
    assert_eq!(house.ask("GET", "/healthz", None).0, 503);
    let alerts = Kind::Own.subscribe(house.mqtt, &["homerule/alert"]);

    for path in &paths {
        allow(path, if *path == data { 0o777 } else { 0o666 });
    }
    until("the disk to be found again", || house.get("/api/status")["healthy"] == true);
    let alert = alerts.next();
    assert!(alert.contains("\"kind\":\"store_recovered\""), "{alert}");
    until("all to be kept", || kept(&house, "rule/all:counting").contains("\"count\":2"));
    let log = house.end("KILL");
    assert!(log.contains("nothing can be kept"), "{log}");
    house.begin();
    assert_eq!(count(&mut house), "3");
}

fn is_root() -> bool {
    String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0"
}

#[test]
fn a_damaged_database_is_replaced_by_the_backup_and_what_was_lost_is_said() {
    let mut house = House::with_rules(RULES);
    assert_eq!(count(&mut house), "1");
    house.end("TERM");
    let (database, backup) = (house.home.file(".homerule/homerule.db"), house.home.file(".homerule/backup-1.db"));
    fs::copy(&database, &backup).unwrap();
    house.begin();
    assert_eq!(count(&mut house), "2");
    house.end("TERM");
    let mut bytes = fs::read(&database).unwrap();
    let page = 1024;
    bytes[page..2 * page].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&database, bytes).unwrap();
    house.begin();
    let status = house.get("/api/status");
    let lost = status["store"]["lost"].to_string();
    assert!(lost.contains("can't be used") && lost.contains("The backup of 2"), "{lost}");
    assert!(lost.contains("The damaged database is kept as"), "{lost}");
    assert_eq!(status["healthy"], true, "it works again");
    assert_eq!(count(&mut house), "2");
    let log = house.end("TERM");
    assert!(log.contains("what changed since is lost"), "{log}");
}

#[test]
fn a_backup_is_made_without_being_asked() {
    let house = House::with_rules(RULES);
    until("a backup", || house.home.file(".homerule/backup-1.db").exists());
}

#[test]
fn a_second_daemon_on_the_same_data_is_refused() {
    let house = House::with_rules(RULES);
    let (status, said) = house.home.run_to_its_end(&[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("error: another `homerule run` uses the data in `"), "{said}");
    assert!(said.contains("stop it, or set another folder with `data:` in homerule.yaml"), "{said}");
    assert_eq!(house.get("/api/status")["healthy"], true);
}

#[test]
fn a_disk_that_does_not_answer_is_said_and_the_home_goes_on_without_it() {
    let mut house = House::with_rules(RULES);
    assert_eq!(count(&mut house), "1");
    let alerts = Kind::Own.subscribe(house.mqtt, &["homerule/alert"]);
    // Whoever wants to write now waits.
    let database = intruder(&house);
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(count(&mut house), "2");
    let alert = alerts.next();
    assert!(alert.contains("\"kind\":\"store_failing\"") && alert.contains("the disk doesn't answer"), "{alert}");
    let status = house.get("/api/status");
    assert_eq!((&status["healthy"], status["store"]["failing"].is_string()), (&false.into(), true), "{status}");
    assert_eq!(house.ask("GET", "/healthz", None).0, 503);
    publish(&house, "ask", "x");
    house.publication("to/plain");
    assert_eq!(count(&mut house), "3");

    database.execute_batch("ROLLBACK").unwrap();
    let alert = alerts.next();
    assert!(alert.contains("\"kind\":\"store_recovered\""), "{alert}");
    assert_eq!(house.get("/api/status")["healthy"], true);
    until("all to be kept", || kept(&house, "rule/all:counting").contains("\"count\":3"));
    let log = house.end("KILL");
    assert!(log.contains("The disk doesn't answer; the home goes on without waiting for it."), "{log}");
    house.begin();
    assert_eq!(count(&mut house), "4");
}
