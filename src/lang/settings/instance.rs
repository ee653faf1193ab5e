//! Settings of one home's several instances.

use std::time::Duration;

/// What an instance is among those of its home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSettings {
    /// Its own name.
    pub name: String,
    /// The home's.
    pub home: String,
    /// How the instances divide the work.
    pub role: InstanceRole,
    /// How long a leader leads without word.
    pub lease: Duration,
    /// The file with the key by which what is saved is encrypted, relative to the home.
    pub key: Option<String>,
    /// Whether it takes over though its rules are others than the leader's.
    pub force: bool,
}

/// How instances divide the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceRole {
    /// One leads, and the others wait to take over.
    Standby,
    /// Each acts for some of the rules; all names, its own among them.
    Share(Vec<String>),
}
