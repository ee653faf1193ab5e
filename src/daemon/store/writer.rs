//! The one writer: a thread that writes all that waits in one transaction, and goes on trying where the disk says no.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::database::{Changes, Database, DatabaseError};
use super::folder::{Claim, Folder};
use super::health::Health;
use super::kept::ALIVE;
use super::pending::{Batch, Durability, Pending};
use crate::daemon::system::clock;

/// What a power cut may take: what is only written is synced after this.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// While nothing changes, that we are alive is noted this often. `catch_up` counts how long the daemon was down from
/// there; a minute wears no disk and is within what one writes for `catch_up`.
const LIFE: Duration = Duration::from_mins(1);

/// A disk that said no is asked again after this.
const RETRY: Duration = Duration::from_secs(1);

/// A backup is made at the first change after this.
const BACKUP_AFTER: Duration = Duration::from_hours(1);

/// The one writer.
pub(super) struct Writer {
    pub(super) folder: Folder,
    pub(super) database: Option<Database>,
    pub(super) pending: Arc<Pending>,
    pub(super) health: watch::Sender<Health>,
    /// Set when a new database was begun: it needs all that is known, not only what changed.
    pub(super) wants_all: Arc<AtomicBool>,
    inode: Option<u64>,
    /// The inode of the database that we began: where that failed halfway, it is no one's loss.
    begun: Option<u64>,
    /// Since when there is something that a power cut would take.
    unsynced_since: Option<Instant>,
    backed_up_at: Option<Instant>,
    backup: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn new(
        folder: Folder,
        database: Option<Database>,
        pending: Arc<Pending>,
        health: watch::Sender<Health>,
        wants_all: Arc<AtomicBool>,
    ) -> Writer {
        let inode = folder.inode();
        let backed_up_at = folder.backup_age().and_then(|age| Instant::now().checked_sub(age));
        Writer {
            folder,
            database,
            pending,
            health,
            wants_all,
            inode,
            begun: None,
            unsynced_since: None,
            backed_up_at,
            backup: None,
        }
    }

    /// Writes until the last batch.
    pub(super) fn run(mut self) {
        loop {
            let batch = self.pending.take(self.patience());
            let is_last = batch.is_last;
            self.take(batch);
            if is_last {
                break;
            }
        }
        if let Some(backup) = self.backup.take() {
            // It says itself what is wrong.
            let _ = backup.join();
        }
        if let Some(database) = self.database.take() {
            database.close();
        }
    }

    fn patience(&self) -> Duration {
        if *self.health.borrow() != Health::Well {
            return RETRY;
        }
        self.unsynced_since.map_or(LIFE, |since| SYNC_AFTER.saturating_sub(since.elapsed()))
    }

    fn take(&mut self, batch: Batch) {
        let Batch { mut changes, mut durability, notes_life, waiting, is_last, .. } = batch;
        let must_sync = self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_AFTER);
        if must_sync {
            durability = Durability::Synced;
        }
        let is_idle = changes.is_empty() && durability == Durability::Written;
        if notes_life || must_sync || is_idle || is_last {
            changes.insert(ALIVE.into(), Some(clock::now().to_string().into_bytes()));
        }
        match self.write(&changes, durability) {
            Ok(()) => self.wrote(durability),
            Err(error) => {
                self.failed(&error);
                changes.remove(ALIVE);
                if is_last && !changes.is_empty() {
                    error!(changes = changes.len(), "The daemon ends, and what changed since the disk failed is lost.");
                }
                self.pending.put_back(changes);
            }
        }
        for done in waiting {
            // Whoever waited may have gone on.
            let _ = done.send(());
        }
    }

    fn write(&mut self, changes: &Changes, durability: Durability) -> Result<(), DatabaseError> {
        if self.folder.inode() != self.inode {
            // Somebody took the file away: what we write would be gone with it.
            self.database = None;
        }
        if let Some(database) = &mut self.database {
            match database.write(changes, durability) {
                Err(DatabaseError::Damaged(reason)) => {
                    error!("The database is damaged ({reason}); a new one is started.");
                    self.database = None;
                    let aside = self.folder.set_aside().map_err(|error| DatabaseError::Unusable(error.to_string()))?;
                    info!("The damaged database is kept as `{}`.", aside.display());
                }
                written => return written,
            }
        }
        self.reopen()?.write(changes, durability)
    }

    /// Begins a new database: of what was in an old one, we don't know whether it is still true.
    fn reopen(&mut self) -> Result<&mut Database, DatabaseError> {
        let unusable = |error: std::io::Error| DatabaseError::Unusable(error.to_string());
        if !self.folder.is_ours() || !self.folder.path().exists() {
            match self.folder.claim().map_err(unusable)? {
                Claim::Ours => {}
                Claim::Taken => {
                    return Err(DatabaseError::Unusable("another homerule uses the folder".to_owned()));
                }
            }
        }
        if self.folder.inode().is_some_and(|inode| self.begun != Some(inode)) {
            let aside = self.folder.set_aside().map_err(unusable)?;
            warn!("The database that could not be written is kept as `{}`.", aside.display());
        }
        let database = Database::open(&self.folder.database());
        self.begun = self.folder.inode();
        let database = database?;
        self.inode = self.begun;
        self.wants_all.store(true, Ordering::Release);
        Ok(self.database.insert(database))
    }

    fn wrote(&mut self, durability: Durability) {
        match durability {
            Durability::Synced => self.unsynced_since = None,
            Durability::Written => {
                self.unsynced_since.get_or_insert_with(Instant::now);
            }
        }
        if *self.health.borrow() != Health::Well || self.wants_all.load(Ordering::Acquire) {
            info!("The disk takes changes again; nothing that the daemon knows is lost.");
            self.health.send_replace(Health::Well);
        }
        self.back_up();
    }

    fn failed(&mut self, error: &DatabaseError) {
        let path = self.folder.path().display();
        let said = format!("nothing can be kept in `{path}`: {error}");
        if *self.health.borrow() == Health::Well {
            error!(
                "The home goes on, but {said}. A restart now would lose what changes. It is tried again each second."
            );
        } else {
            debug!("Still {said}.");
        }
        // It is told once; the words may change with the reason.
        self.health.send_if_modified(|health| {
            let was_well = *health == Health::Well;
            *health = Health::Failing(said);
            was_well
        });
    }

    /// Makes a backup beside the writing, if the last one is old.
    fn back_up(&mut self) {
        if self.backed_up_at.is_some_and(|at| at.elapsed() < BACKUP_AFTER) {
            return;
        }
        if self.backup.as_ref().is_some_and(|backup| !backup.is_finished()) {
            return;
        }
        self.backed_up_at = Some(Instant::now());
        let folder = Folder::new(self.folder.path().to_owned());
        let work = move || {
            if let Err(reason) = make_backup(&folder) {
                warn!("No backup could be made in `{}`: {reason}.", folder.path().display());
            }
        };
        self.backup = std::thread::Builder::new().name("backup".to_owned()).spawn(work).ok();
    }
}

/// Copies the database of `folder` and makes the copy the newest backup.
pub(super) fn make_backup(folder: &Folder) -> Result<(), String> {
    let fresh = folder.path().join("backup-new.db");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
        _ => {}
    }
    let database = Database::open_to_read(&folder.database()).map_err(|error| error.to_string())?;
    database.copy_to(&fresh).map_err(|error| error.to_string())?;
    folder.rotate(&fresh).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::store::recovery::find;

    struct Bench {
        folder: tempfile::TempDir,
        writer: Writer,
        health: watch::Receiver<Health>,
    }

    impl Bench {
        fn new() -> Bench {
            let folder = tempfile::tempdir().unwrap();
            let mut claimed = Folder::new(folder.path().join("data"));
            claimed.claim().unwrap();
            let found = find(&claimed).unwrap();
            let (sender, health) = watch::channel(Health::Well);
            let wants_all = Arc::new(AtomicBool::new(false));
            let writer = Writer::new(claimed, found.database, Arc::default(), sender, wants_all);
            Bench { folder, writer, health }
        }

        fn write(&mut self, key: &str, value: &str) {
            let changes = [(key.into(), Some(value.as_bytes().to_vec()))].into();
            self.writer.pending.add(Batch { changes, durability: Durability::Synced, ..Batch::default() });
            self.go_on();
        }

        fn go_on(&mut self) {
            let batch = self.writer.pending.take(Duration::ZERO);
            self.writer.take(batch);
        }

        fn kept(&self) -> Vec<String> {
            let database = Database::open_to_read(&self.writer.folder.database()).unwrap();
            let rows = database.read().unwrap().rows;
            let shown = |(key, value): (Arc<str>, Vec<u8>)| format!("{key}={}", String::from_utf8(value).unwrap());
            rows.into_iter().map(shown).filter(|row| !row.starts_with("alive=")).collect()
        }

        fn is_well(&self) -> bool {
            *self.health.borrow() == Health::Well
        }
    }

    #[test]
    fn a_disk_that_is_full_loses_nothing_once_it_has_room_again() {
        let mut bench = Bench::new();
        bench.write("a", "1");
        bench.writer.database.as_ref().unwrap().fill_up(true);
        let large = "x".repeat(100_000);
        bench.write("b", &large);
        assert!(!bench.is_well());
        bench.write("a", "2");
        bench.write("b", "small");
        bench.write("c", &large);
        assert!(!bench.is_well());
        assert_eq!(bench.writer.patience(), RETRY, "it is tried again");
        bench.writer.database.as_ref().unwrap().fill_up(false);
        bench.go_on();
        assert!(bench.is_well());
        assert_eq!(bench.kept(), ["a=2".to_owned(), "b=small".to_owned(), format!("c={large}")]);
        assert!(!bench.writer.wants_all.load(Ordering::Acquire), "it is the same database");
    }

    #[test]
    fn what_waits_is_answered_though_the_disk_takes_nothing() {
        let mut bench = Bench::new();
        bench.writer.database.as_ref().unwrap().fill_up(true);
        let (sender, mut done) = tokio::sync::oneshot::channel();
        let changes = [("a".into(), Some(vec![0; 100_000]))].into();
        bench.writer.pending.add(Batch { changes, waiting: vec![sender], ..Batch::default() });
        bench.go_on();
        assert_eq!(done.try_recv(), Ok(()));
        assert!(!bench.is_well());
    }

    #[test]
    fn a_folder_that_is_taken_away_is_made_again_and_asks_for_all() {
        let mut bench = Bench::new();
        bench.write("a", "1");
        std::fs::remove_dir_all(bench.folder.path().join("data")).unwrap();
        bench.write("b", "2");
        assert!(bench.is_well());
        assert_eq!(bench.kept(), ["b=2"]);
        assert!(bench.writer.wants_all.load(Ordering::Acquire));
    }

    #[test]
    fn a_database_that_is_damaged_while_it_is_used_is_set_aside_and_a_new_one_asks_for_all() {
        let mut bench = Bench::new();
        bench.write("a", "1");
        let database = bench.writer.folder.database();
        rusqlite::Connection::open(&database).unwrap().execute("DROP TABLE kept", []).unwrap();
        bench.write("b", "2");
        assert!(bench.is_well());
        assert_eq!(bench.kept(), ["b=2"]);
        assert!(bench.writer.wants_all.load(Ordering::Acquire), "`a` is to be written anew");
        let files = std::fs::read_dir(bench.writer.folder.path()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let is_aside = |path: &std::path::PathBuf| path.to_string_lossy().contains("/damaged-");
        assert_eq!(paths.filter(|path| is_aside(path) && path.extension().is_some_and(|end| end == "db")).count(), 1);
    }

    #[test]
    fn what_is_only_written_is_synced_within_a_second() {
        let mut bench = Bench::new();
        let changes = [("a".into(), Some(vec![1]))].into();
        bench.writer.pending.add(Batch { changes, ..Batch::default() });
        bench.go_on();
        assert!(bench.writer.patience() <= SYNC_AFTER);
        bench.writer.unsynced_since = Instant::now().checked_sub(SYNC_AFTER);
        bench.go_on();
        assert_eq!(bench.writer.unsynced_since, None);
        assert_eq!(bench.writer.patience(), LIFE);
    }

    #[test]
    fn a_backup_is_whole_and_the_one_before_is_kept() {
        let mut bench = Bench::new();
        bench.write("a", "1");
        bench.writer.backup.take().unwrap().join().unwrap();
        bench.write("a", "2");
        assert!(bench.writer.backup.is_none(), "the last one is young");
        bench.writer.backed_up_at = Instant::now().checked_sub(BACKUP_AFTER);
        bench.write("a", "3");
        bench.writer.backup.take().unwrap().join().unwrap();
        let value = |number| {
            let backup = Database::open_to_read(&bench.writer.folder.backup(number)).unwrap();
            backup.check().unwrap();
            backup.read().unwrap().rows.get("a").cloned()
        };
        assert_eq!((value(1), value(2)), (Some(b"3".to_vec()), Some(b"1".to_vec())));
    }
}
