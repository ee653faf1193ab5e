//! A test file: which rules it tests, where the home stands, and the tests.

use std::sync::Arc;

use crate::model::Place;
use crate::model::schedule::Location;

use super::TestCase;

/// A test file that reads well.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFile {
    /// Its path relative to the home.
    pub path: Arc<str>,
    /// The rules that are tested; `None`: all of the home.
    pub rules: Option<Vec<RuleSelection>>,
    /// What counts instead of the settings' location and zone.
    pub location: Option<TestLocation>,
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
}
