//! The settings of the home that a command speaks to.

use std::path::Path;

use crate::cli::Failure;
use crate::disk::home_files::{self, SETTINGS};
use crate::lang::{Home, Settings, Severity};

/// Reads the settings of the home in `folder`; without a file each has its default.
///
/// # Errors
/// When the folder isn't there, or the file can't be read or has errors.
pub(in crate::cli) fn read_settings(folder: &Path) -> Result<Settings, Failure> {
    if !folder.is_dir() {
        return Err(Failure::new(format!("there is no folder `{}`", folder.display())));
    }
    let path = folder.join(SETTINGS);
    match std::fs::read(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(Failure::new(format!("`{}` can't be read: {error}", path.display()))),
    }
    let sources = home_files::read_settings(folder);
    let home = Home::load(&sources);
    let in_settings =
        |found: &&crate::lang::Diagnostic| found.severity == Severity::Error && &*found.label.file == SETTINGS;
    match home.diagnostics.iter().find(in_settings) {
        Some(found) => {
            let message = &found.message;
            Err(Failure::new(format!("`{}` doesn't load: {message}; `homerule check` shows where", path.display())))
        }
        None => Ok(home.settings),
    }
}
