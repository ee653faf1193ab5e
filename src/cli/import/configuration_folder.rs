//! The folder of a configuration, read so that nothing outside of it ever is.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::lang::import::home_assistant::Fetched;

/// Nobody writes a longer configuration by hand.
const LARGEST_FILE: u64 = 16 << 20;

/// Deeper folders, and more files, are taken for a mistake.
const DEEPEST_FOLDER: usize = 16;
const MOST_FILES: usize = 20_000;

/// A folder with all that lies in it.
#[derive(Debug)]
pub(super) struct ConfigurationFolder {
    root: PathBuf,
}

impl ConfigurationFolder {
    /// Returns the folder `root`, without links in its path.
    pub(super) fn new(root: &Path) -> std::io::Result<ConfigurationFolder> {
        root.canonicalize().map(|root| ConfigurationFolder { root })
    }

    /// Returns a file of it.
    pub(super) fn read(&self, path: &str) -> Fetched {
        let full = self.root.join(path);
        if !full.exists() && full.symlink_metadata().is_err() {
            return Fetched::Missing;
        }
        let Ok(real) = full.canonicalize() else {
            return Fetched::Refused("it's a link to something that isn't there".to_owned());
        };
        if !real.starts_with(&self.root) {
            return Fetched::Refused("it's a link that leads out of the configuration".to_owned());
        }
        match fs::metadata(&real) {
            Ok(found) if found.is_dir() => return Fetched::Refused("it's a folder".to_owned()),
            Ok(found) if !found.is_file() => return Fetched::Refused("it's a pipe or a device, not a file".to_owned()),
            Ok(found) if found.len() > LARGEST_FILE => return Fetched::Refused("it's larger than 16 MiB".to_owned()),
            Ok(_) => {}
            Err(error) => return Fetched::Refused(disk::reason(&error)),
        }
        let mut bytes = Vec::new();
        let read = File::open(&real).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => Fetched::Content(bytes),
            Err(error) => Fetched::Refused(disk::reason(&error)),
        }
    }

    /// Returns the YAML files below a folder of it, sorted; `None` if there is no such folder.
    pub(super) fn list(&self, path: &str) -> Option<Vec<String>> {
        let full = self.root.join(path).canonicalize().ok()?;
        if !full.is_dir() || !full.starts_with(&self.root) {
            return None;
        }
        let mut found = Vec::new();
        self.walk(path.trim_matches('/'), 0, &mut found);
        found.sort();
        Some(found)
    }

    fn walk(&self, folder: &str, depth: usize, found: &mut Vec<String>) {
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else { return };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || found.len() >= MOST_FILES {
                continue;
            }
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            // A linked folder may lead out, or in a circle.
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if entry.path().is_dir() {
                if !is_link && depth < DEEPEST_FOLDER {
                    self.walk(&path, depth + 1, found);
                }
            } else if Path::new(&name).extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
}
