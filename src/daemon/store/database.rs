//! The database file: its schema, its checks, reading all of it, and writing changes in one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use thiserror::Error;

use super::checksum::checksum;
use super::pending::Durability;

/// One step for each version of the schema; a database of version N has had the first N.
const MIGRATIONS: [&str; 1] = ["CREATE TABLE kept (
        key TEXT NOT NULL PRIMARY KEY,
        value BLOB NOT NULL,
        checksum INTEGER NOT NULL
    ) WITHOUT ROWID;"];

/// Says that a database is ours: `hmrl`.
const APPLICATION: i32 = 0x686d_726c;

/// What was kept, by its key.
pub(super) type Rows = BTreeMap<Arc<str>, Vec<u8>>;

/// What changed: a new value, or that there is none any more.
pub(super) type Changes = BTreeMap<Arc<str>, Option<Vec<u8>>>;

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    durability: Durability,
}

/// Why a database doesn't do what it should.
#[derive(Debug, Error)]
pub(crate) enum DatabaseError {
    /// What is in the file is no longer what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A later version of this program wrote it.
    #[error("it has the schema {0}, which a newer homerule wrote; this one knows {known} and leaves it alone", known = MIGRATIONS.len())]
    Newer(usize),
    /// The disk or the system says no.
    #[error("{0}")]
    Unusable(String),
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> DatabaseError {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => DatabaseError::Unusable(text),
            // A table that isn't there, a schema that can't be read, …
            _ => DatabaseError::Damaged(text),
        }
    }
}

/// What a database holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The rows that are as they were written.
    pub(super) rows: Rows,
    /// The keys of those that aren't.
    pub(super) damaged: Vec<String>,
}

impl Database {
    /// Opens the database at `path` for writing; makes it where there is none.
    ///
    /// # Errors
    /// Where it is damaged, newer than we are, or can't be written.
    pub(super) fn open(path: &Path) -> Result<Database, DatabaseError> {
        let mut connection = Connection::open(path)?;
        // Full pages are written, even for small changes: small ones spare the disk.
        connection.pragma_update(None, "page_size", 1024)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // With pages of 1 KiB: a log of 4 MiB.
        connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        migrate(&mut connection)?;
        Ok(Database { connection, durability: Durability::Synced })
    }

    /// Opens the database at `path` for reading only.
    ///
    /// # Errors
    /// Where it isn't there or can't be read.
    pub(super) fn open_to_read(path: &Path) -> Result<Database, DatabaseError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Database { connection, durability: Durability::Synced })
    }

    /// Opens the database at `path` for reading, on a disk that takes nothing: not even what readers share.
    ///
    /// # Errors
    /// Where it isn't there or can't be read.
    pub(super) fn open_alone(path: &Path) -> Result<Database, DatabaseError> {
        let database = Database::open_to_read(path)?;
        database.connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        Ok(database)
    }

    /// Returns the version of its schema.
    ///
    /// # Errors
    /// Where a newer homerule wrote it, or it can't be read.
    pub(super) fn version(&self) -> Result<usize, DatabaseError> {
        version(&self.connection)
    }

    /// Looks whether the file holds together.
    ///
    /// # Errors
    /// Where it doesn't.
    pub(super) fn check(&self) -> Result<(), DatabaseError> {
        let found: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(DatabaseError::Damaged(found)) }
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub(super) fn read(&self) -> Result<Contents, DatabaseError> {
        let mut contents = Contents::default();
        let mut statement = self.connection.prepare("SELECT CAST(key AS BLOB), value, checksum FROM kept")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key: Vec<u8> = row.get(0)?;
            let (value, sum) = (row.get::<_, Vec<u8>>(1), row.get::<_, i64>(2));
            match (String::from_utf8(key), value, sum) {
                (Ok(key), Ok(value), Ok(sum)) if checksum(&key, &value) == sum => {
                    contents.rows.insert(key.into(), value);
                }
                (Ok(key), _, _) => contents.damaged.push(key),
                (Err(error), _, _) => {
                    contents.damaged.push(String::from_utf8_lossy(error.as_bytes()).into_owned());
                }
            }
        }
        Ok(contents)
    }

    /// Writes `changes`, all or none of them.
    ///
    /// # Errors
    /// Where the disk doesn't take them.
    pub(super) fn write(&mut self, changes: &Changes, durability: Durability) -> Result<(), DatabaseError> {
        if durability != self.durability {
            let word = match durability {
                Durability::Written => "NORMAL",
                Durability::Synced => "FULL",
            };
            self.connection.pragma_update(None, "synchronous", word)?;
            self.durability = durability;
        }
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction.prepare_cached(
                "INSERT INTO kept (key, value, checksum) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET value = ?2, checksum = ?3",
            )?;
            let mut remove = transaction.prepare_cached("DELETE FROM kept WHERE key = ?1")?;
            for (key, value) in changes {
                match value {
                    Some(value) => put.execute(params![&**key, value, checksum(key, value)])?,
                    None => remove.execute(params![&**key])?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Writes a copy of it, whole and checked, to `path`, where nothing may be.
    ///
    /// # Errors
    /// Where it can't be read or the copy can't be written.
    pub(super) fn copy_to(&self, path: &Path) -> Result<(), DatabaseError> {
        self.connection.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
        Ok(())
    }

    /// Writes a copy of the database at `from` to `to`, where nothing may be: as it is at one moment, also while a daemon writes.
    ///
    /// # Errors
    /// When it can't be read, a newer homerule wrote it, or the copy can't be written.
    pub(crate) fn back_up(from: &Path, to: &Path) -> Result<(), DatabaseError> {
        let database = Database::open_to_read(from)?;
        database.version()?;
        database.copy_to(to)
    }

    /// Returns the version of the schema of the database at `path`, once it is seen to be whole and known to us.
    ///
    /// # Errors
    /// When it is damaged, a newer homerule wrote it, or it can't be read.
    pub(crate) fn examine(path: &Path) -> Result<usize, DatabaseError> {
        let database = Database::open_to_read(path)?;
        let version = database.version()?;
        database.check()?;
        let damaged = database.read()?.damaged;
        match damaged.first() {
            None => Ok(version),
            Some(key) => {
                Err(DatabaseError::Damaged(format!("{} of its rows are damaged, `{key}` among them", damaged.len())))
            }
        }
    }

    /// Puts the log into the database file, so that it stands alone.
    pub(super) fn close(self) {
        // The log stays as it is where that fails, and is read at the next start.
        let _ = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
        let _ = self.connection.close();
    }

    /// Makes each further write fail, as on a disk that is full, or lets them work again.
    #[cfg(test)]
    pub(super) fn fill_up(&self, is_full: bool) {
        let pages = if is_full { 1 } else { 1 << 30 };
        self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }
}

/// Returns the version of a database's schema, which we know.
fn version(connection: &Connection) -> Result<usize, DatabaseError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(version).map_err(|_| DatabaseError::Damaged(format!("its schema is {version}")))?;
    if version > MIGRATIONS.len() { Err(DatabaseError::Newer(version)) } else { Ok(version) }
}

fn migrate(connection: &mut Connection) -> Result<(), DatabaseError> {
    let version = version(connection)?;
    let steps = MIGRATIONS.get(version..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_survive_a_power_cut_is_synced_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(&folder.path().join("a.db")).unwrap();
        let changes: Changes = [("a".into(), Some(vec![1]))].into();
        let asked = |database: &Database, name| {
            database.connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
        };
        assert_eq!(asked(&database, "journal_mode"), "wal".to_owned().into());
        for (durability, synchronous) in [(Durability::Synced, 2), (Durability::Written, 1), (Durability::Synced, 2)] {
            database.write(&changes, durability).unwrap();
            assert_eq!(asked(&database, "synchronous"), synchronous.into(), "{durability:?}");
        }
    }
}
