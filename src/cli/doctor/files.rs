//! Whether the files of the home load.

use super::finding::Finding;
use super::patient::Patient;
use crate::disk::home_files;
use crate::lang::{Home, Severity, take_refusals_for_errors};

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let sources = match home_files::read_home(&patient.home) {
        Ok(sources) => sources,
        Err(error) => return vec![Finding::error(error.to_string(), "see who may read it")],
    };
    let mut home = Home::load(&sources);
    take_refusals_for_errors(&mut home.diagnostics);
    let errors = home.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    let rules = home.ruleset.entries.len();
    let rules = if rules == 1 { "1 rule".to_owned() } else { format!("{rules} rules") };
    vec![match errors {
        0 => Finding::ok(format!("{rules}, no errors")),
        1 => Finding::error(format!("{rules}, 1 error"), "`homerule check` shows it"),
        errors => Finding::error(format!("{rules}, {errors} errors"), "`homerule check` shows them"),
    }]
}
