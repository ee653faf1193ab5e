//! A test file: which rules it tests, where the home stands, and the tests.

use std::ops::Range;
use std::sync::Arc;

use crate::lang::diagnostic::findings::Findings;
use crate::lang::{Code, Diagnostic};
use crate::model::Place;
use crate::model::schedule::Location;

use super::{Obeying, Recorded, StepKind, TestCase};

/// A test file that reads well.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFile {
    /// Its path relative to the home.
    pub path: Arc<str>,
    /// The rules that are tested; `None`: those of the rule file with the same name, or all of the home.
    pub rules: Option<Vec<RuleSelection>>,
    /// What counts instead of the settings' location and zone.
    pub location: Option<TestLocation>,
    /// Which devices do what they are told.
    pub obeying: Obeying,
    /// The tests, in the order of the file.
    pub tests: Vec<TestCase>,
}

/// A file, a folder or one rule that a test chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSelection {
    /// The file or folder, relative to the home.
    pub path: Arc<str>,
    /// The one rule of the file: `dim-lights` of `tv.yaml:dim-lights`.
    pub key: Option<Arc<str>>,
    /// Where the test file says so.
    pub place: Place,
    /// The bytes of the test file that say so.
    pub span: Range<usize>,
}

/// Where a test's home stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TestLocation {
    /// Where the sun is seen from; `None`: as the settings say.
    pub location: Option<Location>,
    /// The IANA name of the zone; `None`: as the settings say.
    pub zone: Option<Arc<str>>,
}

impl TestFile {
    /// Returns the files and folders of rules that the tests name, relative to the home.
    pub fn rule_paths(&self) -> impl Iterator<Item = &RuleSelection> {
        let reloads = self.tests.iter().flat_map(|test| &test.steps).flat_map(|step| step.kind.reload().unwrap_or(&[]));
        self.rules.iter().flatten().chain(reloads)
    }

    /// Returns the rules that count at some time in its tests, at the start and after each reload; `None`: all.
    pub fn rules_at_any_time(&self) -> impl Iterator<Item = Option<&[RuleSelection]>> {
        let reloads = self.tests.iter().flat_map(|test| &test.steps).filter_map(|step| step.kind.reload());
        std::iter::once(self.rules.as_deref()).chain(reloads.map(Some))
    }

    /// Returns the recordings that the tests play, and their snapshots.
    pub fn recorded(&self) -> impl Iterator<Item = &Recorded> {
        self.tests.iter().filter_map(|test| test.recorded.as_ref())
    }

    /// Returns the webhooks that the tests post to, each with the bytes of the file that name it.
    pub fn webhooks(&self) -> impl Iterator<Item = (&str, &Range<usize>)> {
        let steps = self.tests.iter().flat_map(|test| &test.steps);
        steps.filter_map(|step| match &step.kind {
            StepKind::Webhook { name, span, .. } => Some((&**name, span)),
            _ => None,
        })
    }

    /// Returns a warning of what stands at `span` of the file, with what to do.
    #[must_use]
    pub fn warning_at(&self, span: &Range<usize>, code: Code, message: String, help: Option<String>) -> Diagnostic {
        let mut findings = Findings::new(Arc::clone(&self.path));
        findings.warning(code, span.clone(), message).help_if(help).clone()
    }

    /// Returns an error of what stands at `span` of the file, with what to do.
    #[must_use]
    pub fn error_at(&self, span: &Range<usize>, code: Code, message: String, help: Option<String>) -> Diagnostic {
        let mut findings = Findings::new(Arc::clone(&self.path));
        findings.error(code, span.clone(), message).help_if(help).clone()
    }
}
