//! What survives a restart, as keys and JSON values.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::live::saved_rule::RULE;

/// The name of something that is kept: `topic/home/tv`, `run/17`, `rule/tv:dim-lights`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SaveKey(pub Arc<str>);

impl SaveKey {
    /// Returns the id of the rule that it says something of as a whole: its memory, and whether it is switched on.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.0.strip_prefix(RULE)
    }
}

impl fmt::Display for SaveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that was kept: what folding every [`crate::engine::Effect::Save`] gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The values as JSON.
    pub values: BTreeMap<SaveKey, String>,
    /// When the daemon was last alive; `None` at the very first start. The shell notes it.
    pub alive_at: Option<Timestamp>,
}

impl Snapshot {
    /// Takes one `Save` into account.
    pub fn apply(&mut self, key: &SaveKey, value: Option<&String>) {
        match value {
            Some(value) => self.values.insert(key.clone(), value.clone()),
            None => self.values.remove(key),
        };
    }
}
