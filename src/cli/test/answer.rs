//! The report of tests as programs read it.

use serde::Serialize;

use crate::api::Finding;
use crate::sim::RuleCoverage;

use super::runner::{Finished, Ran, coverage_percent};

/// All tests, and how they ended.
#[derive(Debug, Serialize)]
pub(super) struct TestAnswer {
    tests: Vec<OneTest>,
    passed: usize,
    failed: usize,
    coverage: Option<CoverageAnswer>,
    /// The snapshots that were written; left out where none was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<String>,
}

#[derive(Debug, Serialize)]
struct OneTest {
    file: String,
    /// `null` where the file doesn't load.
    name: Option<String>,
    outcome: &'static str,
    step: Option<usize>,
    line: u32,
    message: Option<String>,
    /// Seconds.
    duration: f64,
}

#[derive(Debug, Serialize)]
struct CoverageAnswer {
    percent: f64,
    rules: Vec<RuleAnswer>,
    /// Left out where the home has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invariants: Vec<InvariantAnswer>,
}

#[derive(Debug, Serialize)]
struct InvariantAnswer {
    invariant: String,
    armed: bool,
}

#[derive(Debug, Serialize)]
struct RuleAnswer {
    rule: String,
    percent: f64,
    never: Vec<String>,
    /// What else was never seen; it counts for no percentage.
    also: Vec<String>,
}

impl TestAnswer {
    /// Returns the answer for these tests.
    pub(super) fn new(results: &[Finished<'_>], has_coverage: bool, accepted: Vec<String>) -> TestAnswer {
        let mut tests = Vec::new();
        for finished in results {
            let prefix = &finished.suite.prefix;
            tests.extend(finished.unloaded().into_iter().map(|found| unloaded(prefix, found)));
            tests.extend(finished.tests.iter().map(|ran| OneTest::new(prefix, ran)));
        }
        let coverage = has_coverage.then(|| CoverageAnswer {
            percent: coverage_percent(results),
            rules: results.iter().flat_map(|finished| &finished.coverage.rules).map(RuleAnswer::new).collect(),
            invariants: results
                .iter()
                .flat_map(|finished| &finished.coverage.invariants)
                .map(|it| InvariantAnswer { invariant: it.invariant.to_string(), armed: it.is_armed })
                .collect(),
        });
        let passed = results.iter().map(Finished::passed).sum();
        let failed = results.iter().map(Finished::failed).sum();
        TestAnswer { tests, passed, failed, coverage, accepted }
    }
}

fn unloaded(prefix: &str, found: Finding) -> OneTest {
    OneTest {
        file: format!("{prefix}{}", found.file),
        name: None,
        outcome: "failed",
        step: None,
        line: found.line,
        message: Some(found.message),
        duration: 0.0,
    }
}

impl OneTest {
    fn new(prefix: &str, ran: &Ran<'_>) -> OneTest {
        let failure = ran.outcome.failure.as_ref();
        let place = failure.map_or(&ran.case.place, |failure| &failure.place);
        OneTest {
            file: format!("{prefix}{}", ran.file.path),
            name: Some(ran.case.name.to_string()),
            outcome: if failure.is_some() { "failed" } else { "passed" },
            step: failure.and_then(|failure| failure.step),
            line: place.line,
            message: failure.map(|failure| format!("{}\n{}", failure.message, failure.report).trim_end().to_owned()),
            duration: ran.duration.as_secs_f64(),
        }
    }
}

impl RuleAnswer {
    fn new(rule: &RuleCoverage) -> RuleAnswer {
        RuleAnswer { rule: rule.rule.to_string(), percent: rule.percent(), never: rule.gaps(), also: rule.asides() }
    }
}
