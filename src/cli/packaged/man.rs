//! `homerule man`: the pages that packages put where `man homerule` finds them.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use crate::cli::{Arguments, Exit, Failure};
use crate::disk;

/// Writes a page for `man` for homerule and for each command into a folder.
#[derive(Debug, Args)]
pub(in crate::cli) struct Man {
    /// The folder; it is made if it isn't there.
    folder: PathBuf,
}

impl Man {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        fs::create_dir_all(&self.folder).map_err(|error| unwritten(&self.folder, &error))?;
        let mut command = Arguments::command();
        // Gives each command its full name, `homerule test`.
        command.build();
        self.write(&command, "homerule")?;
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            if name != "help" {
                self.write(command, &format!("homerule-{name}"))?;
            }
        }
        Ok(Exit::Well)
    }

    fn write(&self, command: &clap::Command, name: &str) -> Result<(), Failure> {
        let path = self.folder.join(format!("{name}.1"));
        let mut page = Vec::new();
        let source = concat!("homerule ", env!("CARGO_PKG_VERSION"));
        let rendered = Page::new(command.clone()).title(name).source(source).manual("homerule").render(&mut page);
        rendered.and_then(|()| fs::write(&path, page)).map_err(|error| unwritten(&path, &error))
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` can't be written: {}", path.display(), disk::reason(error)))
}
