//! The text of a script, and what it is called.

use std::sync::Arc;

/// A script that isn't loaded yet.
#[derive(Debug, Clone)]
pub struct ScriptFile {
    /// Its path relative to the home: `rules/lib/lights.rhai`.
    pub file: Arc<str>,
    /// Its path under the folder of the rules, without its ending: `lib/lights`.
    pub stem: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}
