//! Coverage as a table: each rule, how much of it the tests exercised, and what they never did.

use crate::cli::print;
use crate::sim::RuleCoverage;

use super::runner::{Finished, coverage_percent};

/// Writes the table of all rules.
pub(super) fn write(results: &[Finished<'_>]) {
    let rules: Vec<(String, &RuleCoverage)> = results
        .iter()
        .flat_map(|finished| {
            let prefix = &finished.suite.prefix;
            finished.coverage.rules.iter().map(move |rule| (format!("{prefix}{}", rule.rule), rule))
        })
        .collect();
    let width = rules.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max("all rules".len());
    for (name, rule) in &rules {
        let mut gaps = rule.gaps().join(", ");
        let asides = rule.asides().join(", ");
        if !asides.is_empty() {
            let also = if gaps.is_empty() { "also: " } else { "; also: " };
            gaps = format!("{gaps}{also}{asides}");
        }
        print::line(format!("{name:width$}  {:>5.1} %  {gaps}", rule.percent()).trim_end());
    }
    print::line(&format!("{:width$}  {:>5.1} %", "all rules", coverage_percent(results)));
}
