//! A store that is opened, closed, damaged and opened again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::engine::SaveKey;

use super::*;

fn opened(folder: &Path) -> Opened {
    open_when_free(folder).unwrap_or_else(|error| panic!("{error}"))
}

/// Opens a folder that nobody uses, though it may seem so: a program that another test starts has a copy of all that we
/// have open until it runs.
fn open_when_free(folder: &Path) -> Result<Opened, StoreError> {
    loop {
        match open(folder.to_owned()) {
            Err(StoreError::Taken(_)) => std::thread::sleep(std::time::Duration::from_millis(1)),
            opened => return opened,
        }
    }
}

fn save(store: &mut Store, key: &str, value: Option<&str>) -> bool {
    store.save(SaveKey(key.into()), value.map(str::to_owned))
}

fn values(kept: &kept::Kept) -> Vec<String> {
    kept.snapshot.values.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// Keeps these in a store of its own, and closes it.
async fn keep(folder: &Path, rows: &[(&str, &str)]) {
    let mut store = opened(folder).store;
    for (key, value) in rows {
        save(&mut store, key, Some(value));
    }
    store.commit().await;
    store.close().await;
}

/// Returns the databases that were set aside.
fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().contains("damaged-")).collect()
}

#[tokio::test]
async fn what_is_committed_is_there_though_nobody_closes_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = opened(folder.path()).store;
    save(&mut store, "run/1", Some("a"));
    save(&mut store, "run/2", Some("b"));
    store.commit().await;
    save(&mut store, "run/1", None);
    store.commit().await;
    let database = database::Database::open_to_read(&folder.path().join("homerule.db")).unwrap();
    let rows = database.read().unwrap().rows;
    assert_eq!(rows.get("run/2").map(Vec::as_slice), Some(&b"b"[..]));
    assert_eq!(rows.get("run/1"), None);
    store.close().await;
}

#[tokio::test]
async fn what_is_as_it_was_needs_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path(), &[("rule/a", "1")]).await;
    let mut store = opened(folder.path()).store;
    assert!(!save(&mut store, "rule/a", Some("1")));
    assert!(!save(&mut store, "run/never-kept", None));
    assert!(save(&mut store, "rule/a", Some("2")));
    assert!(save(&mut store, "rule/a", None));
    store.close().await;
}

#[tokio::test]
async fn a_second_store_on_one_folder_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = opened(folder.path()).store;
    let refused = open(folder.path().to_owned()).err().unwrap().to_string();
    assert!(refused.starts_with("another `homerule run` uses the data in `"), "{refused}");
    store.close().await;
    drop(store);
    opened(folder.path()).store.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path(), &[("rule/a", "1")]).await;
    let path = folder.path().join("homerule.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = open(folder.path().to_owned()).err().unwrap().to_string();
    assert!(refused.contains("it has the schema 99, which a newer homerule wrote"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_row_with_a_flipped_bit_is_taken_from_the_backup_and_the_others_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("homerule.db");
    keep(folder.path(), &[("rule/a", "old old old")]).await;
    fs::copy(&path, folder.path().join("backup-1.db")).unwrap();
    keep(folder.path(), &[("rule/a", "new new new"), ("rule/b", "newest of b"), ("rule/c", "gone gone gone")]).await;
    for text in ["new new new", "gone gone gone"] {
        flip_in(&path, text);
    }
    let Opened { mut store, kept } = opened(folder.path());
    assert_eq!(values(&kept), ["rule/a=old old old", "rule/b=newest of b"]);
    let losses = store.losses().join("\n");
    assert!(losses.contains("`rule/a` was damaged on the disk; it is what it was at the last backup."), "{losses}");
    assert!(losses.contains("`rule/c` was damaged on the disk and is lost."), "{losses}");
    assert!(losses.contains("The damaged database is kept as"), "{losses}");
    assert_eq!(set_aside(folder.path()).len(), 1);
    store.close().await;
    drop(store);
    let Opened { mut store, kept } = opened(folder.path());
    assert_eq!((values(&kept).len(), store.losses()), (2, &[][..]), "it is mended");
    store.close().await;
}

/// Flips a bit of the first byte of `text` in the file.
fn flip_in(path: &Path, text: &str) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn whichever_bytes_are_damaged_the_store_opens_and_gives_nothing_that_was_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("homerule.db");
    let rows: Vec<(String, String)> = (0..60).map(|n| (format!("rule/{n:02}"), format!("{n} ").repeat(40))).collect();
    let borrowed: Vec<(&str, &str)> = rows.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    keep(folder.path(), &borrowed).await;
    let whole = fs::read(&path).unwrap();
    fs::copy(&path, folder.path().join("backup-1.db")).unwrap();
    // A generator with a fixed seed (Numerical Recipes).
    let mut random: u32 = 2024;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(random >> 8).unwrap() % below
    };
    let mut noticed = 0;
    for round in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..=round % 4 {
            // The first page is where most goes wrong.
            let at = if round % 3 == 0 { next(200) } else { next(bytes.len()) };
            bytes[at] ^= 1 << next(8);
        }
        if round % 10 == 9 {
            bytes.truncate(next(whole.len()));
        }
        fs::write(&path, bytes).unwrap();
        let (mut store, kept) = match open_when_free(folder.path()) {
            Ok(Opened { store, kept }) => (store, kept),
            // The version's own bytes: that database is left alone.
            Err(StoreError::Newer(..)) => continue,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(store.health(), Health::Well);
        for (SaveKey(key), value) in &kept.snapshot.values {
            assert!(
                rows.iter().any(|(known, right)| **known == **key && right == value),
                "round {round}: {key}={value}"
            );
        }
        if kept.snapshot.values.len() < rows.len() {
            assert!(!store.losses().is_empty(), "round {round}: {} rows", kept.snapshot.values.len());
        }
        noticed += usize::from(!store.losses().is_empty());
        store.close().await;
        assert!(set_aside(folder.path()).len() <= 3 * 3, "not all that ever was damaged is kept");
    }
    assert!(noticed > 30, "{noticed}");
}

#[tokio::test]
async fn without_a_backup_a_damaged_database_is_said_and_the_store_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("homerule.db"), "this is no database, but somebody's shopping list".repeat(100))
        .unwrap();
    let Opened { mut store, kept } = opened(folder.path());
    assert!(kept.snapshot.values.is_empty());
    assert!(store.losses()[0].contains("there is no backup: all that was kept is lost"), "{:?}", store.losses());
    assert_eq!(set_aside(folder.path()).len(), 1);
    assert_eq!(store.health(), Health::Well);
    store.close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_keeps_all_in_memory_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(&data, "a file where the folder should be").unwrap();
    let mut store = opened(&data).store;
    assert!(matches!(store.health(), Health::Failing(_)));
    save(&mut store, "rule/a", Some("1"));
    store.commit().await;
    let mut health = store.watch();
    health.mark_unchanged();
    fs::remove_file(&data).unwrap();
    while store.health() != Health::Well {
        health.changed().await.unwrap();
    }
    assert!(store.takes_all());
    store.close().await;
    drop(store);
    let Opened { mut store, kept } = opened(&data);
    assert_eq!(values(&kept), ["rule/a=1"]);
    store.close().await;
}
