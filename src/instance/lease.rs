//! The message by which a leader says that it leads, retained on the home's leader topic.

use serde::{Deserialize, Serialize};

/// A lease, or a claim to it: they look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who leads.
    pub name: String,
    /// How often leadership has changed hands.
    pub epoch: u64,
    /// Until when, in seconds since 1970 by the leader's clock: for people only, since clocks differ.
    pub until: i64,
    /// How often it was renewed.
    pub renewal: u64,
    /// The hash of the leader's rules.
    pub ruleset: String,
}

impl Lease {
    /// Returns the lease in a payload; `None`: it is none.
    #[must_use]
    pub fn parse(payload: &str) -> Option<Lease> {
        serde_json::from_str(payload).ok()
    }

    /// Returns the lease as a payload.
    #[must_use]
    pub fn payload(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
