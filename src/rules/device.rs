//! What rules ask of devices by name (docs/devices.md): commands, and how they are confirmed.

use crate::model::{Value, ValuePath};
use crate::script::Template;

use super::DurationTemplate;

/// `set`: commands devices.
#[derive(Debug, Clone)]
pub struct SetAction {
    /// Which devices: a name or id, a list of them, or a map that selects.
    pub target: Template,
    /// The properties and what they are to be: a map.
    pub to: Template,
    /// Whether what a device says already is left out.
    pub if_changed: bool,
    /// How long the run waits for the devices to say it; `None`: it doesn't.
    pub confirm: Option<Confirm>,
}

/// How a command is confirmed.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// How long an answer may take.
    pub within: DurationTemplate,
    /// How often the command is sent again.
    pub retry: u32,
}

/// How a published message is confirmed: by what a topic says.
#[derive(Debug, Clone)]
pub struct PublishConfirm {
    /// The topic.
    pub state: Template,
    /// The value's path in its payload.
    pub field: ValuePath,
    /// What the value must be: one of these.
    pub is: Vec<Value>,
    /// How long that may take.
    pub confirm: Confirm,
}
