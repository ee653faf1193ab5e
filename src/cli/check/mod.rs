//! `homerule check`: all errors and warnings in rules, tests and settings, without running them.

mod deep;
mod fix;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;

use super::test::Suite;
use super::{Exit, Failure, print};
use crate::cli::home::home_folder::meant;
use crate::cli::home::zone::zone_of;
use crate::cli::progress::{Progress, Reader};
use crate::disk::home_files::{self, is_test};
use crate::lang::{
    Applies, Diagnostic, Home, Report, Severity, Sources, take_refusals_for_errors, take_unfit_for_errors,
};
use deep::Wanted;
use fix::Fixed;

/// Check rules, tests and settings for mistakes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The home's folder.
    #[arg(default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Fix what can only be meant one way, such as a misspelt key, and show the rest.
    #[arg(long)]
    fix: bool,
    /// Tell what can't be demonstrated too: rules that may work against each other.
    #[arg(long)]
    all: bool,
    /// Write a test for each warning that can be demonstrated, into this folder.
    #[arg(long, value_name = "DIR")]
    witness: Option<PathBuf>,
    /// Print a JSON document.
    #[arg(long)]
    json: bool,
}

/// With so many files it takes long enough that people want to see it.
const MANY: usize = 1000;

/// What was found in a home.
struct Checked {
    found: Vec<Diagnostic>,
    /// The home with its tests.
    suite: Suite,
    rules: usize,
    tests: usize,
}

impl Check {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        let scan = home_files::scan(&self.home).map_err(|error| Failure::new(error.to_string()))?;
        for copy in &scan.copies {
            print::warning(&format!("`{copy}` isn't read: it looks like a copy that a synchronizer or an editor made"));
        }
        let mut sources = scan.sources;
        let progress = (sources.len() >= MANY)
            .then(|| Progress::of_unknown(Reader::of(self.json), format!("checking {} files", sources.len())));
        let mut fixed = None;
        if self.fix {
            let better = Fixed::of(&sources, &|sources| Checked::new(&self.home, sources.clone()).found);
            better.write(&self.home, &sources)?;
            sources = better.sources;
            fixed = Some(better.counts);
        }
        let mut checked = Checked::new(&self.home, sources);
        let witnesses = checked.look_deep(&self.home, Wanted { all: self.all, witness: self.witness.as_deref() })?;
        drop(progress);
        let errors = checked.count(Severity::Error);
        if self.json {
            let mut answer = Report::new(&checked.suite.sources).json(&checked.found);
            if let (Some(answer), Some(fixed)) = (answer.as_object_mut(), fixed) {
                answer.insert("fixed".to_owned(), fixed.values().sum::<usize>().into());
            }
            print::json(&answer)?;
        } else {
            print::diagnostics(&checked.found, &checked.suite.sources, "");
            for (file, count) in fixed.unwrap_or_default() {
                print::line(&format!("fixed {file}: {}", counted(count, "change")));
            }
            for line in &witnesses {
                print::line(line);
            }
            print::line(&checked.summary());
        }
        Ok(if errors == 0 { Exit::Well } else { Exit::No })
    }
}

impl Checked {
    /// Checks the home in `folder`, whose files are `sources`.
    fn new(folder: &Path, sources: Sources) -> Checked {
        let home = Home::load(&sources);
        // Mistakes in a test file are found when it's read as one.
        let mut found: Vec<Diagnostic> = home.diagnostics.clone();
        found.retain(|found| !is_test(&found.label.file));
        let rules = home.ruleset.entries.len();
        let paths = sources.keys().filter(|path| is_test(path)).map(ToString::to_string).collect();
        // No time of day is told here.
        let zone = zone_of(&home.settings).unwrap_or(TimeZone::UTC);
        let mut suite = Suite::of(folder, String::new(), (sources, home), &paths, zone);
        let tests = suite.files.iter().map(|file| file.tests.len()).sum();
        found.extend(suite.unarmed());
        found.extend(std::mem::take(&mut suite.broken).into_iter().flat_map(|(_, found)| found));
        found.append(&mut suite.warnings);
        // Other rules that tests name; those of the home are found already.
        let place = |found: &Diagnostic| (found.label.file.clone(), found.label.span.start, found.code);
        let known: BTreeSet<_> = found.iter().map(place).collect();
        found.extend(suite.errors.iter().filter(|error| !known.contains(&place(error))).cloned());
        // What keeps the daemon from starting is an error here; tests run all the same.
        take_refusals_for_errors(&mut found);
        take_unfit_for_errors(&mut found);
        Checked { found, suite, rules, tests }
    }

    /// Looks at how the rules work together, where all of them load, and leaves out what the files allow. Returns what became of
    /// the tests that demonstrate it.
    fn look_deep(&mut self, folder: &Path, wanted: Wanted<'_>) -> Result<Vec<String>, Failure> {
        if self.count(Severity::Error) > 0 {
            return Ok(Vec::new());
        }
        let mut deep = deep::look(folder, &self.suite, wanted)?;
        deep::without_allowed(&mut self.found, &self.suite, &mut deep);
        self.found.append(&mut deep.found);
        Ok(deep.witnesses)
    }

    fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|found| found.severity == severity).count()
    }

    fn summary(&self) -> String {
        let is_fixable = |found: &&Diagnostic| found.fix.as_ref().is_some_and(|fix| fix.applies == Applies::Safe);
        let fixable = match self.found.iter().filter(is_fixable).count() {
            0 => String::new(),
            count => format!(" ({count} can be fixed with `homerule check --fix`)"),
        };
        format!(
            "{}, {}: {}, {}{fixable}",
            counted(self.rules, "rule"),
            counted(self.tests, "test"),
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning")
        )
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
