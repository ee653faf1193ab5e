//! What all checks look at: the home, its settings, and the daemon that runs it, if there is one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::api::Status;
use crate::cli::Failure;
use crate::cli::home::home_folder::is_home;
use crate::cli::home::settings_file::read_settings;
use crate::cli::link::daemon_client::DaemonArguments;
use crate::lang::Settings;

/// What is looked at.
pub(super) struct Patient {
    pub(super) home: PathBuf,
    /// The home's settings; the defaults where they don't load, which the check of the files says.
    pub(super) settings: Settings,
    /// The folder of the data.
    pub(super) data: PathBuf,
    /// What the daemon of the home says of itself, if it runs and answers.
    pub(super) daemon: Option<Status>,
    /// The process that holds the data: the daemon's, whether it answers or not.
    pub(super) process: Option<u32>,
    pub(super) now: Timestamp,
}

impl Patient {
    /// Looks at the home in `home`.
    ///
    /// # Errors
    /// When there is no such folder, or no home in it.
    pub(super) fn of(home: &Path) -> Result<Patient, Failure> {
        if !home.is_dir() {
            return Err(Failure::new(format!("there is no folder `{}`", home.display())));
        }
        if !is_home(home) {
            return Err(Failure::new(format!(
                "there is no home in `{}`: `homerule init` creates one, and `homerule doctor DIR` looks at another",
                home.display()
            )));
        }
        let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
        let settings = read_settings(&home).unwrap_or_default();
        let answer = DaemonArguments::of(&home).client().and_then(|client| client.get("/api/status", &[]));
        let daemon = answer.ok().and_then(|answer| serde_json::from_value(answer).ok());
        let data = home.join(&settings.data);
        let process = holder(&data);
        Ok(Patient { home, settings, data, daemon, process, now: Timestamp::now() })
    }

    /// Returns the nearest folder that is there: the one of the data, or the one in which it will be made.
    pub(super) fn disk(&self) -> &Path {
        self.data.ancestors().find(|folder| folder.is_dir()).unwrap_or(&self.home)
    }
}

/// Returns the process that holds the lock on the data in `folder`.
fn holder(folder: &Path) -> Option<u32> {
    let lock = fs::metadata(folder.join("lock")).ok()?;
    holder_of(&fs::read_to_string("/proc/locks").ok()?, lock.ino())
}

/// Returns the process that holds the lock on a file, by `/proc/locks`: `1: FLOCK ADVISORY WRITE 723 08:01:1234 0 EOF`.
fn holder_of(locks: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "FLOCK").skip(3);
        let (process, file) = (words.next()?, words.next()?);
        (file.rsplit(':').next() == Some(inode.as_str())).then(|| process.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_who_holds_a_lock() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 12 08:01:77 0 EOF\n";
        assert_eq!((holder_of(locks, 77), holder_of(locks, 78)), (Some(12), None));
    }
}
