//! A password file that is being changed: locked meanwhile, replaced as a whole, and readable by its owner alone.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::broker::access::Users;
use crate::cli::Failure;
use crate::disk;

/// Who may read and write it: its owner.
const MODE: u32 = 0o600;

/// A password file, locked.
pub(super) struct PasswordFile {
    /// The file itself, where the name that was given is a link to it.
    path: PathBuf,
    lines: Vec<String>,
    owner: (u32, u32),
    was_open_to_others: bool,
    /// Held until the new file is in its place.
    _lock: File,
}

impl PasswordFile {
    /// Opens the file; where it isn't there, it is made if `may_create`.
    ///
    /// # Errors
    /// When it can't be opened, or a line of it is broken.
    pub(super) fn open(path: &Path, may_create: bool) -> Result<PasswordFile, Failure> {
        let shown = path.display();
        let failed = |error: io::Error| Failure::new(format!("`{shown}` can't be opened: {}", disk::reason(&error)));
        let (path, mut file) = lock(path, may_create).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if let Err(errors) = Users::parse(&bytes) {
            let errors: Vec<String> = errors.iter().map(|error| error.in_file(&shown.to_string())).collect();
            return Err(Failure::new(format!("nothing was changed, since the file is broken:\n{}", errors.join("\n"))));
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(PasswordFile {
            path,
            lines: text.lines().map(ToOwned::to_owned).collect(),
            owner: (metadata.uid(), metadata.gid()),
            was_open_to_others: metadata.mode() & 0o077 != 0,
            _lock: file,
        })
    }

    /// Returns whether others than its owner could read or write it.
    pub(super) fn was_open_to_others(&self) -> bool {
        self.was_open_to_others
    }

    /// Sets the password of `user`; returns whether there was one.
    pub(super) fn set(&mut self, user: &str, hash: &str) -> bool {
        let line = format!("{user}:{hash}");
        match self.lines.iter_mut().find(|known| is_of(known, user)) {
            Some(known) => {
                *known = line;
                true
            }
            None => {
                self.lines.push(line);
                false
            }
        }
    }

    /// Removes `user`; returns whether it was there.
    pub(super) fn remove(&mut self, user: &str) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| !is_of(line, user));
        self.lines.len() < before
    }

    /// Puts the changed file in the place of the old one: whoever reads it sees one or the other.
    pub(super) fn write(self) -> Result<(), Failure> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let new = self.path.with_file_name(name);
        let written = self.write_to(&new).and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|error| {
            // It may not be there.
            let _ = fs::remove_file(&new);
            Failure::new(format!("`{}` can't be written: {}", self.path.display(), disk::reason(&error)))
        })
    }

    fn write_to(&self, new: &Path) -> io::Result<()> {
        let mut text = self.lines.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(new)?;
        file.set_permissions(Permissions::from_mode(MODE))?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != self.owner {
            // Written by root, it stays the daemon's.
            chown(new, Some(self.owner.0), Some(self.owner.1))?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

/// Opens the file that `path` leads to, and locks it. Another that held the lock may have put a new file in its place: then that
/// one is locked.
fn lock(path: &Path, may_create: bool) -> io::Result<(PathBuf, File)> {
    loop {
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).append(may_create).create(may_create).mode(MODE).open(path)?;
        if is_new {
            // Root makes it for the daemon, which must be able to read it.
            disk::give_to_owner_of_folder(path)?;
        }
        flock(&file, FlockOperation::LockExclusive)?;
        let real = fs::canonicalize(path)?;
        let (ours, current) = (file.metadata()?, fs::metadata(&real)?);
        if (ours.dev(), ours.ino()) == (current.dev(), current.ino()) {
            return Ok((real, file));
        }
    }
}

fn is_of(line: &str, user: &str) -> bool {
    !line.starts_with('#') && line.split_once(':').is_some_and(|(name, _)| name.trim() == user)
}
