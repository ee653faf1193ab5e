//! What goes into a backup: all files of the home, and of the data what a daemon needs to go on. Links are followed, so that
//! it is whole by itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::archive::{Archive, Aside};
use super::manifest::{DATA, HOME, MANIFEST, Manifest};
use crate::cli::Failure;
use crate::daemon::{ADDRESS_FILE, DATABASE, Database, DatabaseError};
use crate::disk;

/// What was put into a backup.
pub(super) struct Collected {
    pub(super) files: usize,
    pub(super) size: u64,
    pub(super) has_data: bool,
    /// What isn't in it and why, in sentences.
    pub(super) left_out: Vec<String>,
}

/// Puts the home in `home`, whose data is in `data`, into `archive`.
pub(super) fn collect(mut archive: Archive, home: &Path, data: &Path) -> Result<Collected, Failure> {
    let now = Timestamp::now();
    let manifest =
        serde_json::to_string_pretty(&Manifest::new(now)).map_err(|error| Failure::new(error.to_string()))?;
    archive.add_text(MANIFEST, &manifest, u64::try_from(now.as_second()).unwrap_or(0))?;
    // Reading the data first: what a rule did by then, its file is there for.
    let has_data = add_database(&mut archive, data)?;
    let mut walk = Walk { archive, above: Vec::new(), passed_over: Vec::new(), left_out: Vec::new() };
    if data.is_dir() {
        walk.folder(data, DATA, &is_left_out_of_data)?;
    }
    let backup = fs::canonicalize(walk.archive.path()).ok();
    walk.passed_over.extend(backup.into_iter().chain(fs::canonicalize(data).ok()));
    walk.folder(home, HOME, &|_| false)?;
    let files = walk.archive.files;
    let size = walk.archive.finish()?;
    Ok(Collected { files, size, has_data, left_out: walk.left_out })
}

/// Adds the database as it is at one moment; returns false where there is none.
fn add_database(archive: &mut Archive, data: &Path) -> Result<bool, Failure> {
    let database = data.join(DATABASE);
    match fs::metadata(&database) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unreadable(&database, &disk::reason(&error))),
        Ok(_) => {}
    }
    let aside = Aside::beside(archive.path())?;
    let copy = aside.file(DATABASE);
    Database::back_up(&database, &copy).map_err(|error| match error {
        DatabaseError::Damaged(reason) => unreadable(
            &database,
            &format!("{reason}; the daemon mends it from its own backup when it starts, so start it and try again"),
        ),
        error => unreadable(&database, &error.to_string()),
    })?;
    archive.add_file(&format!("{DATA}/{DATABASE}"), &copy)
}

/// Returns whether a name in the data is left out: what belongs to the process that runs, and what can be made anew.
fn is_left_out_of_data(name: &str) -> bool {
    let is_of_database = [".db", ".db-wal", ".db-shm", ".db-journal", ".part"].iter().any(|end| name.ends_with(end));
    is_of_database || name == "lock" || name == ADDRESS_FILE
}

/// Walks through folders.
struct Walk {
    archive: Archive,
    /// The real paths of the folders that we are in: a link back to one of them is not followed.
    above: Vec<PathBuf>,
    /// Real paths that are passed over.
    passed_over: Vec<PathBuf>,
    left_out: Vec<String>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, name: &str, is_left_out: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
        let read = fs::canonicalize(folder).and_then(|real| Ok((real, fs::metadata(folder)?, entries(folder)?)));
        let (real, metadata, entries) = match read {
            Ok(read) => read,
            // It went away just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(folder, &disk::reason(&error))),
        };
        if self.above.contains(&real) {
            self.leave_out(folder, "it's a link to a folder above it");
            return Ok(());
        }
        self.archive.add_folder(name, &metadata)?;
        self.above.push(real);
        for path in entries {
            let Some(entry) = path.file_name().map(|entry| entry.to_string_lossy().into_owned()) else { continue };
            if !is_left_out(&entry) {
                self.entry(&path, &format!("{name}/{entry}"), is_left_out)?;
            }
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: &str, is_left_out: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
        if fs::canonicalize(path).is_ok_and(|real| self.passed_over.contains(&real)) {
            return Ok(());
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, name, is_left_out),
            Ok(metadata) if metadata.is_file() => self.file(path, name),
            Ok(_) => {
                self.leave_out(path, "it's neither a file nor a folder");
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if path.is_symlink() {
                    self.leave_out(path, "it's a link that leads nowhere");
                }
                Ok(())
            }
            Err(error) => Err(unreadable(path, &disk::reason(&error))),
        }
    }

    fn leave_out(&mut self, path: &Path, reason: &str) {
        self.left_out.push(format!("`{}` isn't in the backup: {reason}", path.display()));
    }

    fn file(&mut self, path: &Path, name: &str) -> Result<(), Failure> {
        if !self.archive.add_file(name, path)? && path.extension().is_some_and(|extension| extension == "jsonl") {
            // The recorder packed it just now.
            self.archive.add_file(&format!("{name}.gz"), &path.with_extension("jsonl.gz"))?;
        }
        Ok(())
    }
}

/// Returns what is in a folder, in the order of the names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn unreadable(path: &Path, reason: &str) -> Failure {
    Failure::new(format!("`{}` can't be backed up: {reason}", path.display()))
}
