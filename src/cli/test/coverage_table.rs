//! Coverage as a table: each rule, how much of it the tests exercised, and what they never did.

use crate::cli::print;
use crate::sim::{InvariantCoverage, RuleCoverage};

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
    let invariants: Vec<(String, bool)> = results
        .iter()
        .flat_map(|finished| {
            let prefix = &finished.suite.prefix;
            let name = move |it: &InvariantCoverage| (format!("{prefix}{} (invariant)", it.invariant), it.is_armed);
            finished.coverage.invariants.iter().map(name)
        })
        .collect();
    let names = rules.iter().map(|(name, _)| name).chain(invariants.iter().map(|(name, _)| name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).max("all rules".len());
    for (name, rule) in &rules {
        let mut gaps = rule.gaps().join(", ");
        let asides = rule.asides().join(", ");
        if !asides.is_empty() {
            let also = if gaps.is_empty() { "also: " } else { "; also: " };
            gaps = format!("{gaps}{also}{asides}");
        }
        print::line(format!("{name:width$}  {:>5.1} %  {gaps}", rule.percent()).trim_end());
    }
    for (name, is_armed) in &invariants {
        let (percent, gap) = if *is_armed { (100.0, "") } else { (0.0, "never armed") };
        print::line(format!("{name:width$}  {percent:>5.1} %  {gap}").trim_end());
    }
    print::line(&format!("{:width$}  {:>5.1} %", "all rules", coverage_percent(results)));
}
