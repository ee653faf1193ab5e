//! `homerule run`: the daemon.

use std::path::{Path, PathBuf};

use clap::Args;

use super::home::home_folder::{home_of, is_home};
use super::{Exit, Failure};
use crate::daemon::{self, Ended, Format};

/// Runs a home: its broker and its rules.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The home's folder.
    #[arg(default_value = ".")]
    home: PathBuf,
    #[command(flatten)]
    options: RunOptions,
}

/// How it runs.
#[derive(Debug, Args)]
pub(super) struct RunOptions {
    /// Don't start if a file doesn't load.
    #[arg(long)]
    strict: bool,
    /// Don't show messages and rules.
    #[arg(long, short)]
    quiet: bool,
    /// What to log: `info`, `debug`, `homerule::daemon=trace`.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Run the rules in this folder beside those in force: they do nothing, and `homerule shadow` shows what they would.
    #[arg(long, value_name = "DIR")]
    shadow: Option<PathBuf>,
    /// Write JSON lines for programs.
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Runs the home in the current folder.
    pub(super) fn here(options: RunOptions) -> Run {
        Run { home: PathBuf::from("."), options }
    }

    pub(super) fn execute(self) -> Result<Exit, Failure> {
        if self.home.is_dir() && !is_home(&self.home) {
            return Err(no_home(&self.home));
        }
        let RunOptions { strict, quiet, log, shadow, json } = self.options;
        let format = if json { Format::Json } else { Format::Text };
        let shadow = shadow.map(|folder| shadow_folder(&folder)).transpose()?;
        let options = daemon::Options { home: self.home, strict, quiet, log, format, pace: None, shadow };
        match daemon::run(&options) {
            Ok(Ended::Stopped) => Ok(Exit::Well),
            Ok(Ended::Refused) => Ok(Exit::No),
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }
}

/// Returns the folder of rules for the shadow, wherever the daemon runs.
fn shadow_folder(folder: &Path) -> Result<PathBuf, Failure> {
    if !folder.is_dir() {
        let shown = folder.display();
        return Err(Failure::new(format!("there is no folder `{shown}`; `--shadow` names one with rule files")));
    }
    std::path::absolute(folder).map_err(|error| Failure::new(format!("`{}` can't be found: {error}", folder.display())))
}

/// Says that `folder` is no home, and what to do instead.
fn no_home(folder: &Path) -> Failure {
    let is_here = folder == Path::new(".");
    let (shown, name) = if is_here {
        ("this folder".to_owned(), String::new())
    } else {
        (format!("`{}`", folder.display()), format!(" {}", folder.display()))
    };
    let instead = match home_of(folder) {
        Ok(home) => format!("`homerule run {}` runs the home that it is in", home.display()),
        Err(_) => format!("`homerule init{name}` creates one, and `homerule demo` shows one with simulated devices"),
    };
    Failure::new(format!("there is no home in {shown}: {instead}"))
}
