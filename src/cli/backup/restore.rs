//! `homerule restore`: a home and its data out of a backup, into empty folders. Either all of it is there afterwards, or nothing.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use clap::Args;
use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::manifest::{DATA, FORMAT, HOME, MANIFEST, Manifest};
use crate::cli::{Exit, Failure, print};
use crate::daemon::{DATABASE, Database, DatabaseError};
use crate::disk;
use crate::disk::home_files::SETTINGS;
use crate::lang::{Home, Source, Sources};

/// Makes a home of what `homerule backup` wrote.
///
/// The data goes where the backup's `homerule.yaml` says. Stop the daemon of that home first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Restore {
    /// The backup.
    file: PathBuf,
    /// The folder for the home; it must be empty, or not there yet.
    home: PathBuf,
}

impl Restore {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        let backup = Backup::read(&self.file)?;
        let data = self.home.join(&backup.data);
        for folder in [&self.home, &data] {
            must_be_empty(folder)?;
        }
        let mut target = Target { home: self.home, data, made: Vec::new(), files: 0 };
        let restored = target.fill(&self.file).and_then(|()| target.check());
        if let Err(failure) = restored {
            target.undo();
            return Err(failure);
        }
        let (home, data) = (target.home.display(), target.data.display());
        let Manifest { homerule, made_at, .. } = backup.manifest;
        print::line(&format!(
            "restored {} files from a backup that homerule {homerule} made at {made_at:.0}",
            target.files
        ));
        print::line(&format!("the home is in {home}, its data in {data}"));
        print::line(&format!(
            "`homerule run {home}` continues from there; what fell due since then happens at the start"
        ));
        Ok(Exit::Well)
    }
}

/// What is known of a backup once all of it was read.
struct Backup {
    manifest: Manifest,
    /// The folder of the data, as the home's settings have it.
    data: String,
}

impl Backup {
    /// Reads the whole file once: one that breaks off in the middle restores nothing.
    fn read(path: &Path) -> Result<Backup, Failure> {
        let mut manifest = None;
        let mut settings = Vec::new();
        each_entry(path, |entry| {
            if entry.name == Path::new(MANIFEST) {
                let mut text = String::new();
                entry.content.take(1 << 20).read_to_string(&mut text)?;
                manifest = serde_json::from_str::<Manifest>(&text).ok();
            } else if entry.name == Path::new(HOME).join(SETTINGS) {
                entry.content.read_to_end(&mut settings)?;
            } else if manifest.is_none() {
                return Err(io::Error::other(NOT_OURS));
            }
            Ok(())
        })?;
        let manifest = manifest.ok_or_else(|| unreadable(path, NOT_OURS))?;
        if manifest.format > FORMAT {
            let Manifest { format, homerule, .. } = manifest;
            return Err(unreadable(
                path,
                &format!(
                    "homerule {homerule} wrote it in format {format}; this one reads up to {FORMAT}. Restore it with that version"
                ),
            ));
        }
        let sources = Sources::from([(SETTINGS.into(), Source::Content(settings.into()))]);
        Ok(Backup { manifest, data: Home::load(&sources).settings.data })
    }
}

/// How a packed file begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

const NOT_OURS: &str = "it isn't a backup that `homerule backup` wrote";

/// An entry of a backup.
struct Entry<'a> {
    name: PathBuf,
    is_folder: bool,
    mode: u32,
    content: &'a mut dyn Read,
}

/// Gives each entry of the backup at `path`, and reads it to its end.
fn each_entry(path: &Path, mut take: impl FnMut(Entry<'_>) -> io::Result<()>) -> Result<(), Failure> {
    let failed = |error: &io::Error| unreadable(path, &disk::reason(error));
    let mut file = io::BufReader::new(File::open(path).map_err(|error| failed(&error))?);
    if !file.fill_buf().map_err(|error| failed(&error))?.starts_with(&GZIP) {
        return Err(unreadable(path, NOT_OURS));
    }
    let mut archive = Archive::new(MultiGzDecoder::new(file));
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => unreadable(path, "it breaks off in the middle"),
        // What tar or gzip can't be.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => unreadable(path, NOT_OURS),
        _ => failed(&error),
    };
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.into_owned();
        let kind = entry.header().entry_type();
        let is_inside = name.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || !matches!(kind, EntryType::Regular | EntryType::Directory) {
            return Err(unreadable(
                path,
                &format!("`{}` in it is nothing that `homerule backup` writes", name.display()),
            ));
        }
        let mode = entry.header().mode().unwrap_or(0o600);
        let is_folder = kind == EntryType::Directory;
        take(Entry { name, is_folder, mode, content: &mut entry }).map_err(broken)?;
        io::copy(&mut entry, &mut io::sink()).map_err(broken)?;
    }
    // The checksum of the whole stands at the end.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
    Ok(())
}

/// Where a backup is restored to.
struct Target {
    home: PathBuf,
    data: PathBuf,
    /// What we made, in this order.
    made: Vec<PathBuf>,
    files: usize,
}

impl Target {
    fn fill(&mut self, backup: &Path) -> Result<(), Failure> {
        for folder in [self.home.clone(), self.data.clone()] {
            self.make_folder(&folder, 0o755).map_err(|error| unwritable(&folder, &error))?;
        }
        let mut failed = None;
        each_entry(backup, |entry| {
            let Some(path) = self.place(&entry.name) else { return Ok(()) };
            self.make(&path, entry).inspect_err(|error| failed = Some(unwritable(&path, error)))
        })
        .map_err(|failure| failed.unwrap_or(failure))
    }

    /// Returns where an entry goes; `None`: it isn't for the disk.
    fn place(&self, name: &Path) -> Option<PathBuf> {
        let in_home = name.strip_prefix(HOME).ok().map(|rest| self.home.join(rest));
        in_home.or_else(|| name.strip_prefix(DATA).ok().map(|rest| self.data.join(rest)))
    }

    fn make(&mut self, path: &Path, entry: Entry<'_>) -> io::Result<()> {
        if entry.is_folder {
            return self.make_folder(path, entry.mode);
        }
        if let Some(folder) = path.parent() {
            self.make_folder(folder, 0o755)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        self.made.push(path.to_owned());
        io::copy(entry.content, &mut file)?;
        file.set_permissions(fs::Permissions::from_mode(entry.mode & 0o777))?;
        disk::give_to_owner_of_folder(path)?;
        file.sync_all()?;
        self.files += 1;
        Ok(())
    }

    /// Makes a folder, and those above it, unless it is there.
    fn make_folder(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        if let Some(above) = path.parent() {
            self.make_folder(above, 0o755)?;
        }
        // Into a folder that we can't write nothing could be restored.
        DirBuilder::new().mode(mode | 0o700).create(path)?;
        self.made.push(path.to_owned());
        disk::give_to_owner_of_folder(path)
    }

    /// Looks whether the data is whole, and ours to use.
    fn check(&self) -> Result<(), Failure> {
        let database = self.data.join(DATABASE);
        if !database.exists() {
            return Ok(());
        }
        match Database::examine(&database) {
            Ok(_) => Ok(()),
            Err(error @ DatabaseError::Newer(_)) => Err(Failure::new(format!(
                "the data in this backup can't be used: {error}. Restore it with that version"
            ))),
            Err(error) => Err(Failure::new(format!("the data in this backup can't be used: {error}"))),
        }
    }

    /// Takes away what was made.
    fn undo(&self) {
        for path in self.made.iter().rev() {
            // What SQLite made beside its database to read it goes too.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

fn must_be_empty(folder: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| unwritable(folder, &error);
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Failure::new(format!("`{}` isn't a folder, and nothing was restored", folder.display())));
        }
        Err(error) => return Err(failed(error)),
    };
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!(
            "`{}` isn't empty, and nothing was restored; a backup is restored into an empty folder, so move away what is there",
            folder.display()
        ))),
    }
}

fn unreadable(path: &Path, reason: &str) -> Failure {
    Failure::new(format!("`{}` can't be restored: {reason}", path.display()))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` can't be written: {}", path.display(), disk::reason(error)))
}
