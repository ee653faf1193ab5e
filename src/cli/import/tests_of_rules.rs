//! The tests of imported rules: what each rule does when it's triggered, as the virtual home shows it.

use std::path::Path;

use crate::lang::import::home_assistant::Imported;

/// Adds the tests.
pub(super) fn add(_imported: &mut Imported, _home: &Path) {}
