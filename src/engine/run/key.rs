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
        let length: usize = captures.iter().map(|capture| capture.len() + 3).sum();
        let mut json = Vec::with_capacity(length + 1);
        // Neither fails: these are texts.
        let is_written = serde_json::to_writer(&mut json, captures).is_ok();
        RunKey(if is_written { std::str::from_utf8(&json).unwrap_or_default().into() } else { Arc::default() })
    }
}
