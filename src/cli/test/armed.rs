//! The invariants that no test gives anything to judge: they hold whatever the rules do.

use crate::cli::progress::Reader;
use crate::lang::{Code, Diagnostic, Label, Severity, Source};
use crate::model::Place;

use super::material::Acceptance;
use super::runner::Choice;
use super::suite::Suite;

impl Suite {
    /// Runs the tests where the home has invariants, and returns a warning for each that none of them armed. Without tests there is
    /// nothing to say.
    pub(in crate::cli) fn unarmed(&self) -> Vec<Diagnostic> {
        let has_tests = self.files.iter().any(|file| !file.tests.is_empty());
        if self.rules.invariants.is_empty() || !has_tests || !self.errors.is_empty() {
            return Vec::new();
        }
        let choice = Choice { filter: None, touched: None, reader: Reader::of(true) };
        let finished = self.run(choice, Acceptance::Compare);
        let unarmed = finished.coverage.invariants.iter().filter(|invariant| !invariant.is_armed);
        let warning = |invariant: &crate::sim::InvariantCoverage| {
            let message = format!("no test gives the invariant `{}` anything to judge", invariant.invariant.key());
            let label = self.label(&invariant.place);
            let help = "write a test in which what it reads is said, so that it could be broken".to_owned();
            let (code, severity) = (Code::NEVER_ARMED, Severity::Warning);
            Diagnostic { code, severity, message, label, related: Vec::new(), help: Some(help), fix: None }
        };
        unarmed.map(warning).collect()
    }

    /// Returns a place as the rest of its word.
    fn label(&self, place: &Place) -> Label {
        let text = match self.sources.get(&place.file) {
            Some(Source::Content(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
            Some(Source::Unreadable(_)) | None => "",
        };
        let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or_default();
        let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or_default();
        let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
        let rest = text.get(start..).unwrap_or_default();
        let start = start + rest.chars().take(column).map(char::len_utf8).sum::<usize>();
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find([':', '\n', ',', ')']).unwrap_or(rest.len());
        Label { file: place.file.clone(), span: start..start + length, text: String::new() }
    }
}
