//! A whole home: all its files read together.

use super::{Diagnostic, Settings, Severity, Sources};
use crate::rules::Ruleset;

/// What the files of a home say.
#[derive(Debug, Clone)]
pub struct Home {
    /// The settings; defaults where `homerule.yaml` doesn't load.
    pub settings: Settings,
    /// The rules of the files that load.
    pub ruleset: Ruleset,
    /// All findings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Home {
    /// Reads the files of a home. Test files are not read here.
    #[must_use]
    pub fn load(sources: &Sources) -> Home {
        let _ = sources;
        Home { settings: Settings::default(), ruleset: Ruleset::default(), diagnostics: Vec::new() }
    }

    /// Returns whether a file doesn't load.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|found| found.severity == Severity::Error)
    }
}
