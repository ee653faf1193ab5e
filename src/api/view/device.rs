//! What is known of one device beside what it says now.

use super::History;

/// What a property said over time.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyHistory {
    /// Its unit.
    pub unit: Option<String>,
    /// Its values; the field is its name.
    pub history: History,
}

/// A rule that has to do with a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRule {
    /// The rule's id.
    pub rule: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether the device starts it.
    pub is_started: bool,
    /// Whether it reads the device when something else starts it.
    pub reads: bool,
    /// Whether it commands the device.
    pub commands: bool,
}
