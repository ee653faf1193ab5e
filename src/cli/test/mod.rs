//! `homerule test`: runs the tests of rules under virtual time, and says exactly what is not as expected.

mod answer;
mod armed;
mod coverage_source;
mod coverage_table;
mod found;
mod junit;
mod material;
mod paths;
mod runner;
mod suite;
mod text;
mod watch;
mod webhooks;

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Failure, print, replay};
use crate::cli::home::home_folder;
use crate::cli::progress::Reader;
use found::find_suites;
use material::Acceptance;
use runner::{Choice, Ended, Finished};
pub(super) use suite::Suite;
use watch::{Touched, Watched};

/// Runs the tests of rules (`*.test.yaml`) under virtual time.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Test files, folders with test files, or homes; without any: the home here.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only tests in whose file or name this text is found.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Take what the rules publish now for what tests with a `snapshot` expect, and write the snapshots that change.
    #[arg(long, conflicts_with = "watch")]
    accept: bool,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    /// Run those again that a change touches, whenever a file changes that they depend on.
    #[arg(long, conflicts_with_all = ["json", "junit"])]
    watch: bool,
    #[arg(long, value_name = "FILE", help = "Write a JUnit report into this file")]
    junit: Option<PathBuf>,
    /// List what the tests never exercised: by rule, or in the rules' source with marks.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    coverage: Option<CoverageForm>,
    /// Fail if the tests exercise less of the rules than this, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
    /// Instead, compare what the rules publish now with what they published in the last 24 hours, or since a time.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "24h")]
    #[arg(conflicts_with_all = ["filter", "accept", "watch", "junit", "coverage", "min_coverage"])]
    from_recorder: Option<String>,
}

/// How coverage is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CoverageForm {
    /// A line for each rule.
    Table,
    /// The source of the rules with a mark on each line, then the table.
    Source,
}

impl Test {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        if let Some(since) = &self.from_recorder {
            return self.compare(since);
        }
        if self.watch {
            return self.watch();
        }
        let (exit, _) = self.run(&find_suites(&self.paths)?, None)?;
        Ok(exit)
    }

    /// Runs the tests, and those that a change touches again, until a signal ends it.
    fn watch(&self) -> Result<Exit, Failure> {
        let mut watched = Watched::new(&self.paths)?;
        // What is covered is only known when all ran.
        let is_whole = self.coverage.is_some() || self.min_coverage.is_some();
        loop {
            match self.run(watched.suites(), Some(watched.touched()).filter(|_| !is_whole)) {
                Ok((_, ended)) => watched.note(ended),
                Err(failure) => print::error(&failure.to_string()),
            }
            watched.wait();
        }
    }

    /// Compares with what the recorder of a home's daemon has.
    fn compare(&self, since: &str) -> Result<Exit, Failure> {
        let home = match self.paths.as_slice() {
            [] => &home_folder::here().unwrap_or_else(|_| PathBuf::from(".")),
            [home] if home.is_dir() => home,
            _ => return Err(Failure::new("`--from-recorder` takes one home's folder".to_owned())),
        };
        replay::test(home, since, if self.json { replay::Form::Json } else { replay::Form::Text })
    }

    /// Runs the tests once; of those that are watched only what is touched.
    fn run(&self, suites: &[Suite], touched: Option<&Touched>) -> Result<(Exit, Ended), Failure> {
        let mut results: Vec<Finished> = Vec::new();
        for suite in suites {
            let acceptance = if self.accept { Acceptance::Accept } else { Acceptance::Compare };
            let choice = Choice { filter: self.filter.as_deref(), touched, reader: Reader::of(self.json) };
            results.push(suite.run(choice, acceptance));
        }
        let accepted = self.accepted(&results)?;
        let failed: usize = results.iter().map(Finished::failed).sum();
        let passed: usize = results.iter().map(Finished::passed).sum();
        if let Some(filter) = self.filter.as_ref().filter(|_| touched.is_none_or(Touched::is_all))
            && passed + failed == 0
        {
            return Err(Failure::new(format!("no test has `{filter}` in its file or name")));
        }
        if let Some(path) = &self.junit {
            junit::write(path, &results)?;
        }
        let is_loaded = results.iter().all(Finished::is_loaded);
        let shows_coverage = self.coverage.is_some() || self.min_coverage.is_some();
        let is_covered = self.min_coverage.is_none_or(|least| runner::coverage_percent(&results) >= least);
        if self.json {
            let answer = answer::TestAnswer::new(&results, shows_coverage, accepted);
            print::json(&answer)?;
        } else {
            self.show(suites, &results, &accepted);
            print::line(&format!("{passed} passed, {failed} failed"));
        }
        if !is_loaded {
            print::error("no test of a home runs while its rules or settings don't load");
        } else if let Some(least) = self.min_coverage.filter(|_| !is_covered) {
            let percent = runner::coverage_percent(&results);
            print::error(&format!("coverage is {percent:.1} %, less than the {least} % required"));
        }
        results.iter().flat_map(Finished::odd).for_each(|odd| print::warning(&odd));
        for (suite, path) in
            suites.iter().flat_map(|suite| paths::left_over(suite).into_iter().map(move |path| (suite, path)))
        {
            print::warning(&format!(
                "{}{path} isn't the snapshot of any test: delete it, or name it in a test's `snapshot:`",
                suite.prefix
            ));
        }
        let exit = if failed == 0 && is_loaded && is_covered { Exit::Well } else { Exit::No };
        Ok((exit, runner::ended(&results)))
    }
}

impl Test {
    /// Shows what people read before the last line.
    fn show(&self, suites: &[Suite], results: &[Finished<'_>], accepted: &[String]) {
        results.iter().for_each(text::write_failures);
        match self.coverage {
            None => {}
            Some(CoverageForm::Table) => coverage_table::write(results),
            Some(CoverageForm::Source) => {
                coverage_source::write(results);
                coverage_table::write(results);
            }
        }
        for path in accepted {
            print::line(&format!("accepted {path}"));
        }
        let known: usize = suites.iter().flat_map(|suite| &suite.files).map(|file| file.tests.len()).sum();
        let ran: usize = results.iter().map(|finished| finished.tests.len()).sum();
        if results.iter().all(Finished::is_loaded) && self.filter.is_none() && ran < known {
            print::line(&format!("{} not run again: nothing that changed touches them", known - ran));
        }
        for why in self.unrun(results) {
            print::line(&why);
        }
    }

    /// Writes the snapshots of these tests, if that is asked for, and returns the paths of those that changed.
    fn accepted(&self, results: &[Finished<'_>]) -> Result<Vec<String>, Failure> {
        let mut written = Vec::new();
        for finished in results.iter().filter(|_| self.accept) {
            written.extend(finished.accept()?);
        }
        Ok(written)
    }
}

impl Test {
    /// Returns which tests were not run, where one might take them for none, in sentences.
    fn unrun(&self, results: &[Finished<'_>]) -> Vec<String> {
        let loaded: Vec<&Suite> = results.iter().filter(|ran| ran.is_loaded()).map(|ran| ran.suite).collect();
        let broken = loaded.iter().flat_map(|suite| suite.broken.iter().map(move |(path, _)| (&suite.prefix, path)));
        let whys = broken.map(|(prefix, path)| format!("no test of {prefix}{path} was run: it doesn't load"));
        let has_tests = loaded.iter().any(|suite| !suite.files.is_empty() || !suite.broken.is_empty());
        if !has_tests && loaded.len() == results.len() && self.paths.is_empty() {
            return vec!["there are no tests here: put them in `*.test.yaml` files beside the rules".to_owned()];
        }
        whys.collect()
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| "a percentage is a number".to_owned())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("a percentage is between 0 and 100".to_owned()) }
}
