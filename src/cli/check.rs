//! `homerule check`: all errors and warnings of rules, tests and settings, without running.

use std::path::PathBuf;

use clap::Args;

use super::test::Suite;
use super::{Exit, Failure, print};
use crate::disk::home_files::{self, is_test};
use crate::lang::{Diagnostic, Home, Report, Severity, take_refusals_for_errors};

/// Shows all errors and warnings of rules, tests and settings.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The home's folder.
    #[arg(default_value = ".")]
    home: PathBuf,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let sources = home_files::read_home(&self.home).map_err(|error| Failure::new(error.to_string()))?;
        let home = Home::load(&sources);
        // What is wrong with a test file is told when it is read as one.
        let mut found: Vec<Diagnostic> = home.diagnostics.clone();
        found.retain(|found| !is_test(&found.label.file));
        let rules = home.ruleset.entries.len();
        let paths = sources.keys().filter(|path| is_test(path)).map(ToString::to_string).collect();
        let suite = Suite::of(&self.home, String::new(), (sources, home), &paths);
        let tests: usize = suite.files.iter().map(|file| file.tests.len()).sum();
        found.extend(suite.broken.into_iter().flat_map(|(_, found)| found));
        found.extend(suite.warnings);
        // Other rules that tests name; those of the home are found already.
        let others = suite.errors.into_iter().filter(|error| !found.contains(error)).collect::<Vec<_>>();
        found.extend(others);
        let sources = suite.sources;
        // What keeps the daemon from starting is an error here; tests run all the same.
        take_refusals_for_errors(&mut found);
        let errors = found.iter().filter(|found| found.severity == Severity::Error).count();
        if self.json {
            print::json(&Report::new(&sources).json(&found))?;
        } else {
            print::diagnostics(&found, &sources, "");
            let warnings = found.len() - errors;
            print::line(&format!(
                "{}, {}: {}, {}",
                counted(rules, "rule"),
                counted(tests, "test"),
                counted(errors, "error"),
                counted(warnings, "warning")
            ));
        }
        Ok(if errors == 0 { Exit::Well } else { Exit::No })
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
