//! Finds the home that a path belongs to.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::disk::home_files::SETTINGS;

use crate::cli::Failure;

/// The home of a daemon that a package installed.
const SYSTEM_HOME: &str = "/etc/homerule";

/// Returns whether `folder` is a home: it holds `rules/` or `homerule.yaml`.
pub(in crate::cli) fn is_home(folder: &Path) -> bool {
    folder.join("rules").is_dir() || folder.join(SETTINGS).is_file()
}

/// Reads the folder of a home from the command line: here means the nearest home upward, or else the one of the daemon that a
/// package installed, where there is one.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a `Result` of what reads an argument")]
pub(in crate::cli) fn meant(folder: &str) -> Result<PathBuf, Infallible> {
    let folder = PathBuf::from(folder);
    let is_here = folder == Path::new(".") && !is_home(&folder);
    Ok(if is_here { here().unwrap_or(folder) } else { folder })
}

/// Returns the home that the current folder is in, or else the one of the daemon that a package installed.
///
/// # Errors
/// When there is neither.
pub(in crate::cli) fn here() -> Result<PathBuf, Failure> {
    home_of(Path::new(".")).or_else(|failure| {
        let installed = PathBuf::from(SYSTEM_HOME);
        if is_home(&installed) { Ok(installed) } else { Err(failure) }
    })
}

/// Returns the home that `path` is or lies in: the nearest folder above it that is one.
///
/// # Errors
/// When there is nothing at `path`, or no home above it.
pub(in crate::cli) fn home_of(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = path.canonicalize().map_err(|error| {
        let reason = disk::reason(&error);
        Failure::new(format!("`{}` can't be read: {reason}", path.display()))
    })?;
    let home = absolute.ancestors().find(|folder| is_home(folder));
    home.map(Path::to_path_buf).ok_or_else(|| {
        let path = path.display();
        Failure::new(format!("`{path}` belongs to no home: no folder above it has `rules/` or `{SETTINGS}`"))
    })
}
