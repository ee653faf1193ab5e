//! `homerule backup` and `homerule restore`: a home and its data in one file, which `tar` opens too.

mod archive;
mod collect;
mod manifest;
mod restore;

use std::path::PathBuf;

use clap::Args;

use super::home::home_folder::meant;
use super::home::settings_file::read_settings;
use super::{Exit, Failure, print};
use archive::Archive;

pub(super) use restore::Restore;

/// Writes a home and its data into a file, also while the daemon runs.
///
/// The file is a `.tar.gz` that only its owner can read: it has the passwords and tokens of the home in it. `homerule restore`
/// makes a home of it again.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write; it must not be there yet.
    file: PathBuf,
    /// The home's folder.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
}

impl Backup {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let settings = read_settings(&self.home)?;
        if !super::home::home_folder::is_home(&self.home) {
            return Err(Failure::new(format!(
                "`{}` isn't a home, so there is nothing to back up",
                self.home.display()
            )));
        }
        let archive = Archive::create(&self.file)?;
        let data = self.home.join(&settings.data);
        let written = collect::collect(archive, &self.home, &data);
        let counted = written.inspect_err(|_| {
            // Half a backup looks like one.
            let _ = std::fs::remove_file(&self.file);
        })?;
        for left_out in &counted.left_out {
            print::warning(left_out);
        }
        let size = crate::model::format_size(usize::try_from(counted.size).unwrap_or(usize::MAX));
        print::line(&format!("wrote {} ({} files, {size})", self.file.display(), counted.files));
        if !counted.has_data {
            print::line("there is no data in it: no daemon has run this home yet");
        }
        Ok(Exit::Well)
    }
}
