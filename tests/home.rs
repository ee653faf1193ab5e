//! A home in a folder of its own, and what `homerule` says there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Settings with ports that nobody else has.
pub(crate) const SETTINGS: &str = "broker: { listen: \"127.0.0.1:0\" }\nweb: { listen: \"127.0.0.1:0\" }\n";

/// The same, with room for a burst: the test's reader may be slower than the daemon.
pub(crate) const ROOMY: &str =
    "broker: { listen: \"127.0.0.1:0\", limits: { queued_messages: 0 } }\nweb: { listen: \"127.0.0.1:0\" }\n";

/// The program that is tested.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_homerule");

/// A home's folder; it goes with this.
pub(crate) struct Home(TempDir);

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What a command wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    /// Makes a home of these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        for (path, content) in files {
            home.write(path, content);
        }
        home
    }

    /// Makes a home of these files beside [`SETTINGS`], for a daemon.
    pub(crate) fn with(files: &[(&str, &str)]) -> Home {
        let home = Home::new(&[("homerule.yaml", SETTINGS)]);
        for (path, content) in files {
            home.write(path, content);
        }
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.file(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap()
    }

    /// Returns all files of a folder of the home, one after the other.
    pub(crate) fn read_all(&self, folder: &str) -> String {
        let files = fs::read_dir(self.file(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    /// Runs `homerule` in the home; its path is written as `HOME`.
    pub(crate) fn say(&self, arguments: &[&str]) -> Said {
        let said = homerule(self.path(), arguments);
        let path = self.path().to_string_lossy();
        Said { status: said.status, out: said.out.replace(&*path, "HOME"), err: said.err.replace(&*path, "HOME") }
    }
}

/// Returns a command of `homerule`.
pub(crate) fn command() -> Command {
    Command::new(BINARY)
}

/// Runs `homerule` in `folder`.
pub(crate) fn homerule(folder: &Path, arguments: &[&str]) -> Said {
    let output = command().args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
