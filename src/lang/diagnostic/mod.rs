//! Diagnostics: located findings about the user's text, as data, and how they are shown.

mod at_place;
mod code;
pub(super) mod findings;
mod fix;
pub(super) mod near;
mod render;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use at_place::Places;
pub use fix::{Applies, Fix, apply_fixes};
pub use near::nearest;
pub use render::{Colour, Report};

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which mistake it is.
    pub code: Code,
    /// Whether it keeps the file from loading.
    pub severity: Severity,
    /// What is wrong; the first line stands alone.
    pub message: String,
    /// Where.
    pub label: Label,
    /// Other places that explain it: where the key was first used.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The change to the file that does it, where one is known.
    pub fix: Option<Fix>,
}

/// Turns what keeps the daemon from starting into errors. To all others it's a warning, since they run all the same.
pub fn take_refusals_for_errors(found: &mut [Diagnostic]) {
    for refused in found.iter_mut().filter(|found| found.code == Code::NOT_OFFERED) {
        refused.severity = Severity::Error;
    }
}

/// Turns commands that a device doesn't take into errors, for those who check: to the daemon they're warnings, since a device
/// that changed must leave no house dark.
pub fn take_unfit_for_errors(found: &mut [Diagnostic]) {
    for unfit in found.iter_mut().filter(|found| found.code == Code::UNFIT_COMMAND) {
        unfit.severity = Severity::Error;
    }
}

/// A marked place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The file's path relative to the home.
    pub file: Arc<str>,
    /// The bytes of the file.
    pub span: Range<usize>,
    /// What to say there, if anything.
    pub text: String,
}

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file doesn't load.
    Error,
    /// The file loads, but probably doesn't do what was meant.
    Warning,
}

/// A mistake's code, printed as `HR` and three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HR{:03}", self.0)
    }
}
