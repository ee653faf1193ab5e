//! Finds out what was kept, and mends what is damaged: the damaged database is set aside, and what it no longer knows is
//! taken from the newest backup that is whole.

use std::path::Path;

use super::database::{Changes, Contents, Database, DatabaseError, Rows};
use super::folder::{BACKUPS, Folder};
use super::pending::Durability;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) database: Option<Database>,
    pub(super) rows: Rows,
    /// What was lost, in sentences.
    pub(super) losses: Vec<String>,
    /// Why nothing can be written now.
    pub(super) trouble: Option<String>,
}

/// Opens the database of `folder` and reads it.
///
/// # Errors
/// Where a newer homerule wrote it.
pub(super) fn find(folder: &Folder) -> Result<Found, DatabaseError> {
    let had_one = folder.inode().is_some();
    let (rows, losses) = match open(&folder.database()) {
        Ok((database, contents)) if contents.damaged.is_empty() => {
            return Ok(if had_one {
                Found { database: Some(database), rows: contents.rows, ..Found::default() }
            } else {
                fill_new(folder, database)
            });
        }
        Ok((database, contents)) => {
            database.close();
            mend_rows(folder, contents)
        }
        Err(DatabaseError::Damaged(reason)) => from_backup(folder, &reason),
        Err(DatabaseError::Unusable(reason)) => return Ok(find_without_writing(folder, reason)),
        Err(newer @ DatabaseError::Newer(_)) => return Err(newer),
    };
    Ok(begin_anew(folder, rows, losses))
}

/// Reads what was kept where nothing can be written, for the reason `trouble`.
pub(super) fn find_without_writing(folder: &Folder, trouble: String) -> Found {
    let trouble = Some(trouble);
    let read = |database: Database| {
        database.check()?;
        database.read()
    };
    if folder.inode().is_none() {
        return Found { trouble, ..Found::default() };
    }
    let (rows, losses) = match Database::open_alone(&folder.database()).and_then(read) {
        Ok(contents) => mend_rows(folder, contents),
        Err(error) => from_backup(folder, &error.to_string()),
    };
    Found { database: None, rows, losses, trouble }
}

/// Opens the database at `path`, checks it, and reads it.
fn open(path: &Path) -> Result<(Database, Contents), DatabaseError> {
    let database = Database::open(path)?;
    database.check()?;
    let contents = database.read()?;
    Ok((database, contents))
}

/// There was no database. Somebody may have taken it away, and left the backup for us.
fn fill_new(folder: &Folder, database: Database) -> Found {
    let Some((rows, number)) = newest_backup(folder) else {
        return Found { database: Some(database), ..Found::default() };
    };
    let loss = format!(
        "There was no database in `{}`, but a backup: what changed since it was made is lost ({}).",
        folder.path().display(),
        folder.backup(number).display()
    );
    write_all(database, rows, vec![loss])
}

/// Some rows aren't what was written: they are taken from the backup, the others are right.
fn mend_rows(folder: &Folder, contents: Contents) -> (Rows, Vec<String>) {
    let Contents { mut rows, damaged } = contents;
    let backup = newest_backup(folder).map(|(rows, _)| rows).unwrap_or_default();
    let mut losses = Vec::new();
    for key in damaged {
        if let Some(value) = backup.get(key.as_str()) {
            losses.push(format!("`{key}` was damaged on the disk; it is what it was at the last backup."));
            rows.insert(key.into(), value.clone());
        } else {
            losses.push(format!("`{key}` was damaged on the disk and is lost."));
        }
    }
    (rows, losses)
}

fn from_backup(folder: &Folder, reason: &str) -> (Rows, Vec<String>) {
    let path = folder.database();
    let path = path.display();
    match newest_backup(folder) {
        Some((rows, number)) => {
            let backup = folder.backup(number);
            let since = when(&rows).map_or_else(String::new, |at| format!(" of {at}"));
            let loss = format!(
                "The database `{path}` can't be used ({reason}). The backup{since} is used: what changed since is lost ({}).",
                backup.display()
            );
            (rows, vec![loss])
        }
        None => {
            let loss = format!(
                "The database `{path}` can't be used ({reason}), and there is no backup: all that was kept is lost."
            );
            (Rows::new(), vec![loss])
        }
    }
}

/// Sets the damaged database aside and writes `rows` into a new one.
fn begin_anew(folder: &Folder, rows: Rows, mut losses: Vec<String>) -> Found {
    match folder.set_aside() {
        Ok(aside) => losses.push(format!("The damaged database is kept as `{}`.", aside.display())),
        Err(error) => {
            let trouble = format!("the damaged database can't be set aside: {error}");
            return Found { rows, losses, trouble: Some(trouble), database: None };
        }
    }
    match Database::open(&folder.database()) {
        Ok(database) => write_all(database, rows, losses),
        Err(error) => Found { rows, losses, trouble: Some(error.to_string()), database: None },
    }
}

fn write_all(mut database: Database, rows: Rows, losses: Vec<String>) -> Found {
    let changes: Changes = rows.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    match database.write(&changes, Durability::Synced) {
        Ok(()) => Found { database: Some(database), rows, losses, trouble: None },
        Err(error) => Found { database: None, rows, losses, trouble: Some(error.to_string()) },
    }
}

/// Returns the rows of the newest backup that is whole, and its number.
fn newest_backup(folder: &Folder) -> Option<(Rows, usize)> {
    (1..=BACKUPS).find_map(|number| {
        let backup = Database::open_alone(&folder.backup(number)).ok()?;
        backup.check().ok()?;
        let contents = backup.read().ok()?;
        contents.damaged.is_empty().then_some((contents.rows, number))
    })
}

fn when(rows: &Rows) -> Option<String> {
    rows.get(super::kept::ALIVE).and_then(|at| String::from_utf8(at.clone()).ok())
}
