//! Reads the files of a home into [`Sources`]. What can't be read is said there, not dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::lang::{DEVICES_FILE, Home, Secret, Source, Sources};

/// The settings' file.
pub const SETTINGS: &str = "homerule.yaml";

/// Nobody writes a longer rule file by hand; one is a log, or a disk image, in the wrong folder.
const LARGEST_FILE: u64 = 16 << 20;

/// Deeper folders are taken for a mistake.
const DEEPEST_FOLDER: usize = 32;

/// Why a home can't be read at all.
#[derive(Debug, Error)]
pub enum FilesError {
    /// There is no such folder.
    #[error("there is no folder `{0}`; `homerule init {0}` creates a first home")]
    NoHome(String),
    /// It is something else.
    #[error("`{0}` is not a folder; name the folder that holds `homerule.yaml` and `rules/`")]
    NotAFolder(String),
    /// The system says no.
    #[error("the folder `{path}` can't be read: {error}")]
    Unreadable {
        /// The folder.
        path: String,
        /// The system's reason.
        error: io::Error,
    },
}

/// Reads the settings and all rule, script and test files of the home in `folder`.
///
/// # Errors
/// As [`scan`].
pub fn read_home(folder: &Path) -> Result<Sources, FilesError> {
    scan(folder).map(|scan| scan.sources)
}

/// The files of a home, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The files.
    pub sources: Sources,
    /// The real paths of the folders that hold them, with the inode, which tells a folder that replaced another: a change
    /// of a file is a change in one of these.
    pub folders: BTreeMap<PathBuf, u64>,
    /// The names in the home's own folder that matter.
    pub entries: BTreeSet<OsString>,
    /// Whether the folder of the rules is there.
    pub has_rules_folder: bool,
    /// What synchronizers and editors left beside the rules; it isn't read.
    pub copies: Vec<String>,
    /// What may change without a change in a folder above: links, whose targets may be links again, and files that are
    /// mounted alone. With what each was before it was read.
    pub polled: BTreeMap<PathBuf, Option<Stamp>>,
}

/// What tells a file that changed or was replaced, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Returns the stamp of the file that `path` leads to; `None` where there is none.
    #[must_use]
    pub fn of(path: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(path).ok()?;
        Some(Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// Reads the files of the home in `folder`, and notes the folders that they are in.
///
/// # Errors
/// When the home's folder isn't there, is none, or can't be read. That a single file can't be read is in the [`Sources`].
pub fn scan(folder: &Path) -> Result<Scan, FilesError> {
    scan_rules(folder, None)
}

/// Reads the home in `folder` as [`scan`] does, with the rules in the folder `instead`, relative to it, in place of its own: under the
/// paths that they would have there.
///
/// # Errors
/// As [`scan`].
pub fn scan_instead(folder: &Path, instead: &str) -> Result<Scan, FilesError> {
    scan_rules(folder, Some(instead))
}

fn scan_rules(folder: &Path, instead: Option<&str>) -> Result<Scan, FilesError> {
    let shown = || folder.display().to_string();
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(FilesError::NotAFolder(shown())),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(FilesError::NoHome(shown())),
        Err(error) => return Err(FilesError::Unreadable { path: shown(), error }),
    }
    if let Err(error) = fs::read_dir(folder) {
        return Err(FilesError::Unreadable { path: shown(), error });
    }
    let mut reader = Reader::new(folder);
    if fs::canonicalize(folder).is_ok_and(|real| real != folder) {
        reader.poll(folder);
    }
    reader.read_settings();
    let rules = Home::load(&reader.sources).settings.rules;
    let rules = rules.trim_end_matches('/');
    let read = instead.unwrap_or(rules).trim_end_matches('/');
    reader.note_entry(read);
    reader.read_folder(read);
    if instead.is_some() {
        reader.poll(&folder.join(read));
        reader.rename(read, rules);
    }
    for secret in Home::secrets_of_rules(&reader.sources, rules) {
        reader.read_secret(&secret);
    }
    let has_rules_folder = folder.join(read).is_dir();
    let Reader { sources, folders, entries, mut copies, polled, .. } = reader;
    copies.sort();
    Ok(Scan { sources, folders, entries, has_rules_folder, copies, polled })
}

/// Returns where the rules are that `named`, relative to `folder`, holds: those of a home, where it is one.
#[must_use]
pub fn rules_folder_of(folder: &Path, named: &str) -> String {
    let full = folder.join(named);
    if !full.join(SETTINGS).is_file() {
        return named.to_owned();
    }
    let rules = Home::load(&read_settings(&full)).settings.rules;
    format!("{}/{}", named.trim_end_matches('/'), rules.trim_end_matches('/'))
}

/// Reads the settings of the home in `folder`, with what they keep elsewhere: passwords in files or in the environment.
#[must_use]
pub fn read_settings(folder: &Path) -> Sources {
    let mut reader = Reader::new(folder);
    reader.read_settings();
    reader.sources
}

/// Returns whether the file at `path` holds tests of rules, which the daemon doesn't load.
#[must_use]
pub fn is_test(path: &str) -> bool {
    path.ends_with(".test.yaml") || path.ends_with(".test.yml")
}

struct Reader<'a> {
    home: &'a Path,
    sources: Sources,
    folders: BTreeMap<PathBuf, u64>,
    entries: BTreeSet<OsString>,
    copies: Vec<String>,
    polled: BTreeMap<PathBuf, Option<Stamp>>,
    /// The real paths of the folders that we are in: a link back to one of them is not followed.
    above: Vec<PathBuf>,
}

impl Reader<'_> {
    fn new(home: &Path) -> Reader<'_> {
        Reader {
            home,
            sources: Sources::new(),
            folders: BTreeMap::new(),
            entries: BTreeSet::new(),
            copies: Vec::new(),
            polled: BTreeMap::new(),
            above: Vec::new(),
        }
    }

    fn read_settings(&mut self) {
        self.note_entry(SETTINGS);
        let settings = self.home.join(SETTINGS);
        if settings.is_symlink() {
            self.poll(&settings);
        }
        match fs::metadata(&settings) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => self.read_file(SETTINGS, SETTINGS),
        }
        if self.home.join(DEVICES_FILE).exists() {
            self.read_file(DEVICES_FILE, DEVICES_FILE);
        }
        self.note_entry(DEVICES_FILE);
        for secret in Home::secrets(&self.sources) {
            self.read_secret(&secret);
        }
        for path in Home::calendars(&self.sources) {
            self.note_entry(&path);
            self.read_file(&path, &path);
        }
    }

    /// Reads what the settings keep elsewhere.
    fn read_secret(&mut self, secret: &Secret) {
        match secret {
            Secret::File(path) => {
                self.note_entry(path);
                self.read_file(path, &secret.key());
            }
            Secret::Environment(name) => {
                if let Ok(value) = std::env::var(name.as_ref()) {
                    self.note(&secret.key(), Source::Content(value.into_bytes().into()));
                }
            }
        }
    }

    fn read_folder(&mut self, path: &str) {
        let full = self.home.join(path);
        if is_link(&full, self.home) {
            self.poll(&full);
        }
        let (real, entries) = match fs::canonicalize(&full).and_then(|real| Ok((real, fs::read_dir(&full)?))) {
            Ok(found) => found,
            // A home without rules is a home.
            Err(error) if error.kind() == ErrorKind::NotFound && self.above.is_empty() => return,
            Err(error) => return self.note_unreadable(path, &error),
        };
        if self.above.contains(&real) || self.above.len() >= DEEPEST_FOLDER {
            return;
        }
        self.note_folder(&real);
        self.above.push(real);
        for entry in entries {
            match entry {
                Ok(entry) => self.read_entry(path, &entry),
                Err(error) => self.note_unreadable(path, &error),
            }
        }
        self.above.pop();
    }

    fn read_entry(&mut self, folder: &str, entry: &fs::DirEntry) {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let path = format!("{folder}/{}", name.to_string_lossy());
            return self.note(&path, Source::Unreadable("its name is not UTF-8".to_owned()));
        };
        if name.starts_with('.') || name.ends_with('~') {
            return;
        }
        let path = format!("{folder}/{name}");
        if is_read(name) && is_copy(name) {
            self.copies.push(path);
            return;
        }
        // Follows links, as `ln -sfn` deployments need.
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_dir() => self.read_folder(&path),
            _ if !is_read(name) => {}
            Ok(_) => self.read_file(&path, &path),
            // It went away since the folder was listed, or is a link to nothing.
            Err(error) if error.kind() == ErrorKind::NotFound && !entry.path().is_symlink() => {}
            Err(error) => {
                self.poll(&entry.path());
                self.note_unreadable(&path, &error);
            }
        }
    }

    /// Reads the file at `path` into the source `key`.
    fn read_file(&mut self, path: &str, key: &str) {
        let full = self.home.join(path);
        if is_link(&full, self.home) || is_mounted(&full) {
            self.poll(&full);
        }
        // The file may be a link into another folder.
        if let Some(folder) = fs::canonicalize(&full).ok().as_deref().and_then(Path::parent) {
            self.note_folder(folder);
        }
        // A script may import what is read here: nothing from outside of the rules.
        if Path::new(path).extension().is_some_and(|ending| ending == "rhai") && self.leads_outside(&full) {
            return self
                .note(key, Source::Unreadable("it is a link that leads out of the folder of the rules".to_owned()));
        }
        match read_regular(&full) {
            Ok(bytes) => self.note(key, Source::Content(bytes.into())),
            Err(error) => self.note_unreadable(key, &error),
        }
    }

    /// Returns whether a file lies outside of the folder of the rules, which is read first.
    fn leads_outside(&self, full: &Path) -> bool {
        let (Some(root), Ok(real)) = (self.above.first(), fs::canonicalize(full)) else { return false };
        !real.starts_with(root)
    }

    fn poll(&mut self, full: &Path) {
        self.polled.insert(full.to_owned(), Stamp::of(full));
    }

    fn note_entry(&mut self, path: &str) {
        self.entries.extend(path.split('/').next().map(OsString::from));
    }

    fn note_folder(&mut self, real: &Path) {
        let inode = fs::metadata(real).map_or(0, |metadata| metadata.ino());
        self.folders.insert(real.to_owned(), inode);
    }

    fn note_unreadable(&mut self, path: &str, error: &io::Error) {
        self.note(path, Source::Unreadable(reason(error)));
    }

    /// Takes what was read in the folder `from` for what is in the folder `to`.
    fn rename(&mut self, from: &str, to: &str) {
        for (path, source) in std::mem::take(&mut self.sources) {
            let renamed = path.strip_prefix(from).filter(|rest| rest.starts_with('/'));
            let path = renamed.map_or_else(|| Arc::clone(&path), |rest| format!("{to}{rest}").into());
            self.sources.insert(path, source);
        }
    }

    fn note(&mut self, path: &str, source: Source) {
        self.sources.insert(Arc::from(path), source);
    }
}

/// Returns whether a path in the folder `home` is a link.
fn is_link(full: &Path, home: &Path) -> bool {
    full.ancestors().take_while(|path| *path != home).any(Path::is_symlink)
}

/// Returns whether a file is mounted by itself, as `docker run -v x.yaml:/home/rules/x.yaml` does: its folder's watch
/// doesn't hear of its changes.
#[cfg(target_os = "linux")]
fn is_mounted(file: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let found = statx(CWD, file, AtFlags::empty(), StatxFlags::empty());
    found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)) || is_on_another_device(file)
}

/// Returns whether a file is mounted by itself.
#[cfg(not(target_os = "linux"))]
fn is_mounted(file: &Path) -> bool {
    is_on_another_device(file)
}

/// Returns whether a file is on another device than its folder.
fn is_on_another_device(file: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    match (device(file), file.parent().and_then(device)) {
        (Some(own), Some(folder)) => own != folder,
        _ => false,
    }
}

/// Reads a file that is neither a device nor a pipe, which could keep us waiting for ever.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

/// Returns whether a file is one that a synchronizer or an editor put beside the real one: it would have all rules twice.
fn is_copy(name: &str) -> bool {
    [".sync-conflict-", "conflicted copy", ".orig.", ".bak.", ".conflict.", "~."].iter().any(|mark| name.contains(mark))
}

fn is_read(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml" | "rhai"))
}

/// The system's reason without its number: `permission denied`.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::NotFound => "it links to a file that isn't there".to_owned(),
        _ => crate::disk::reason(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn home_with(files: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for file in files {
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, *file).unwrap();
        }
        home
    }

    fn paths(home: &Path) -> Vec<String> {
        read_home(home).unwrap().keys().map(ToString::to_string).collect()
    }

    #[test]
    fn rules_are_read_recursively_and_hidden_and_backup_names_are_skipped() {
        let home = home_with(&[
            "rules/a.yaml",
            "rules/sub/b.yml",
            "rules/lib/c.rhai",
            "rules/.hidden.yaml",
            "rules/a.yaml~",
            "rules/.git/x.yaml",
            "rules/notes.txt",
            "elsewhere.yaml",
        ]);
        assert_eq!(paths(home.path()), ["rules/a.yaml", "rules/lib/c.rhai", "rules/sub/b.yml"]);
    }

    #[test]
    fn copies_of_synchronizers_and_editors_are_skipped_and_named() {
        let copies = [
            "rules/a (conflicted copy 2026-01-01).yaml",
            "rules/a.bak.yaml",
            "rules/a.sync-conflict-20260101-120000-ABCDEFG.yaml",
        ];
        let home = home_with(&[&["rules/a.yaml", "rules/a.yaml.orig", "rules/a.yaml.bak"][..], &copies].concat());
        let scan = scan(home.path()).unwrap();
        assert_eq!(scan.sources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["rules/a.yaml"]);
        assert_eq!(scan.copies, copies);
    }

    #[test]
    fn links_are_followed_but_not_in_circles() {
        let home = home_with(&["rules/a.yaml", "shared/b.yaml"]);
        symlink(home.path().join("shared"), home.path().join("rules/shared")).unwrap();
        symlink(home.path().join("rules"), home.path().join("rules/again")).unwrap();
        assert_eq!(paths(home.path()), ["rules/a.yaml", "rules/shared/b.yaml"]);
    }

    #[test]
    fn a_link_to_nothing_is_said() {
        let home = home_with(&["rules/a.yaml"]);
        symlink("nowhere", home.path().join("rules/b.yaml")).unwrap();
        let sources = read_home(home.path()).unwrap();
        let expected = Source::Unreadable("it links to a file that isn't there".to_owned());
        assert_eq!(sources.get("rules/b.yaml"), Some(&expected));
    }

    #[test]
    fn a_home_without_rules_is_a_home() {
        let home = home_with(&[]);
        assert!(paths(home.path()).is_empty());
    }

    #[test]
    fn a_missing_home_says_what_to_do() {
        let home = home_with(&[]);
        let error = read_home(&home.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("homerule init"), "{error}");
    }

    #[test]
    fn a_script_that_is_a_link_out_of_the_rules_is_not_read() {
        let home = home_with(&["rules/a.rhai", "rules/lib/inside.rhai", "secret/b.rhai"]);
        symlink(home.path().join("secret/b.rhai"), home.path().join("rules/lib/b.rhai")).unwrap();
        symlink(home.path().join("secret"), home.path().join("rules/lib/more")).unwrap();
        symlink("inside.rhai", home.path().join("rules/lib/again.rhai")).unwrap();
        let sources = read_home(home.path()).unwrap();
        let refused = Source::Unreadable("it is a link that leads out of the folder of the rules".to_owned());
        assert_eq!(sources.get("rules/lib/b.rhai"), Some(&refused));
        assert_eq!(sources.get("rules/lib/more/b.rhai"), Some(&refused));
        assert!(matches!(sources.get("rules/lib/again.rhai"), Some(Source::Content(_))));
    }
}
