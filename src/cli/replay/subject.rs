//! Whose rules decide in a replay: a home on disk, or at a revision of git.

use std::path::Path;

use crate::cli::home::zone::zone_of;
use crate::cli::{Failure, print};
use crate::disk::home_files::read_home;
use crate::engine::Options;
use crate::lang::{Diagnostic, Home, Severity, Sources};
use crate::rules::Ruleset;
use crate::sim::TestHome;

use super::git;

/// Whose rules decide.
pub(super) struct Subject {
    /// What it is called in what we print.
    pub(super) name: String,
    pub(super) rules: Ruleset,
    pub(super) options: Options,
}

impl Subject {
    /// Loads the home in `folder`; `None` where it doesn't load, which is told.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn load(folder: &Path) -> Result<Option<Subject>, Failure> {
        let sources = read_home(folder).map_err(|error| Failure::new(error.to_string()))?;
        Subject::of(folder.display().to_string(), &sources)
    }

    /// Loads what `--diff` names: another home, or `git:REVISION` of the home in `folder`.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn named(name: &str, folder: &Path) -> Result<Option<Subject>, Failure> {
        match name.strip_prefix("git:") {
            Some(revision) => Subject::of(name.to_owned(), &git::read_home(folder, revision)?),
            None => Subject::load(Path::new(name)),
        }
    }

    fn of(name: String, sources: &Sources) -> Result<Option<Subject>, Failure> {
        let home = Home::load(sources);
        let errors: Vec<Diagnostic> =
            home.diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
        if !errors.is_empty() {
            let prefix = if name == "." { String::new() } else { format!("{}/", name.trim_end_matches('/')) };
            print::diagnostics(&errors, sources, &prefix);
            return Ok(None);
        }
        if home.ruleset.entries.is_empty() {
            print::warning(&format!("`{name}` has no rules: nothing is published"));
        }
        let zone = zone_of(&home.settings)?;
        let test_home = TestHome::new(&home.settings, zone, Ruleset::default()).with_devices(&home.kept_devices);
        let options = test_home.options().clone();
        Ok(Some(Subject { name, rules: home.ruleset, options }))
    }
}
