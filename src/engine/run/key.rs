//! Which runs of a rule count as the same (docs/language/modes.md).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The values of `per`, as JSON: runs for which they are equal count as the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct RunKey(pub(crate) Arc<str>);

impl RunKey {
    /// Returns the key of runs whose trigger has these captures.
    pub(crate) fn of_captures(captures: &[Arc<str>]) -> RunKey {
        if captures.is_empty() {
            return RunKey("[]".into());
        }
        // Never fails: these are texts.
        RunKey(serde_json::to_string(captures).unwrap_or_default().into())
    }
}
