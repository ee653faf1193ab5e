//! The folder of the data: the names in it, and the lock that keeps a second daemon out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

/// The name of the database.
pub(crate) const DATABASE: &str = "homerule.db";

/// How many backups there are: the newest is 1.
pub(super) const BACKUPS: usize = 2;

/// How many damaged databases are kept for those who want to look.
const SET_ASIDE: usize = 3;

/// How the names of damaged databases begin.
const ASIDE: &str = "damaged-";

/// The files that `SQLite` makes beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The folder of the data.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held as long as we run.
    lock: Option<File>,
}

/// Whether the folder is ours.
#[derive(Debug)]
pub(super) enum Claim {
    /// It is.
    Ours,
    /// Another daemon has it.
    Taken,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Folder {
        Folder { path, lock: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, and claims it for us.
    ///
    /// # Errors
    /// Where the system says no.
    pub(super) fn claim(&mut self) -> io::Result<Claim> {
        fs::create_dir_all(&self.path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {
                self.lock = Some(lock);
                Ok(Claim::Ours)
            }
            Err(TryLockError::WouldBlock) => Ok(Claim::Taken),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns whether we have claimed it.
    pub(super) fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Returns the backup of this number, from 1, the newest, on.
    pub(super) fn backup(&self, number: usize) -> PathBuf {
        self.path.join(format!("backup-{number}.db"))
    }

    /// Returns the inode of the database; `None` where it is gone.
    pub(super) fn inode(&self) -> Option<u64> {
        fs::metadata(self.database()).ok().map(|metadata| metadata.ino())
    }

    /// Renames the database, with what belongs to it, and returns its new name. Of those of earlier times, the oldest go.
    ///
    /// # Errors
    /// Where the system says no.
    pub(super) fn set_aside(&self) -> io::Result<PathBuf> {
        let path = self.database();
        let aside = self.free_name();
        fs::rename(&path, &aside)?;
        for suffix in BESIDE {
            match fs::rename(with_suffix(&path, suffix), with_suffix(&aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.forget_oldest();
        Ok(aside)
    }

    /// Returns how old the newest backup is; `None`: there is none, or it is from the future.
    pub(super) fn backup_age(&self) -> Option<Duration> {
        fs::metadata(self.backup(1)).ok()?.modified().ok()?.elapsed().ok()
    }

    /// Makes the finished copy `fresh` the newest backup.
    ///
    /// # Errors
    /// Where the system says no.
    pub(super) fn rotate(&self, fresh: &Path) -> io::Result<()> {
        File::open(fresh)?.sync_all()?;
        for number in (1..BACKUPS).rev() {
            match fs::rename(self.backup(number), self.backup(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(fresh, self.backup(1))?;
        File::open(&self.path)?.sync_all()
    }

    fn free_name(&self) -> PathBuf {
        let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let name = |attempt: usize| match attempt {
            0 => self.path.join(format!("{ASIDE}{now}.db")),
            attempt => self.path.join(format!("{ASIDE}{now}-{attempt}.db")),
        };
        (0..100).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
    }

    fn forget_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        let is_aside = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(ASIDE) && path.extension().is_some_and(|ending| ending == "db")
        };
        let mut aside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_aside).collect();
        // The names begin with their time.
        aside.sort();
        let too_many = aside.len().saturating_sub(SET_ASIDE);
        for path in aside.into_iter().take(too_many) {
            for suffix in BESIDE {
                // It may not be there.
                let _ = fs::remove_file(with_suffix(&path, suffix));
            }
            // It stays where it can't be removed.
            let _ = fs::remove_file(path);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
