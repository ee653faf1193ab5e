//! What rules ask of devices by name (docs/devices.md): triggers, conditions and commands.

use std::fmt;

use crate::model::{Name, Value, ValuePath};
use crate::script::{DeviceFilter, Template};

use super::{DurationTemplate, StateCondition, StateTrigger};

/// Which devices a trigger hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// Those of these names or ids.
    Names(Vec<Name>),
    /// All that fit, now or later.
    Where(DeviceFilter),
}

/// A trigger on a property of devices: each device has its own clock.
#[derive(Debug, Clone)]
pub struct DeviceTrigger {
    /// Which devices.
    pub devices: DeviceChoice,
    /// Which property.
    pub property: Name,
    /// What must change; its filter matches the property of any device.
    pub state: StateTrigger,
}

/// A condition on a property of one device.
#[derive(Debug, Clone)]
pub struct DeviceCondition {
    /// The device's name or id.
    pub device: Template,
    /// Which property.
    pub property: Name,
    /// What it must be; its topic is that of the property of any device.
    pub state: StateCondition,
}

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

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Names(names) => f.write_str(&names.join(", ")),
            DeviceChoice::Where(filter) => {
                let has = (!filter.has.is_empty()).then(|| format!("has {}", filter.has.join(", ")));
                let area = filter.area.as_ref().map(|area| format!("area {area}"));
                let kind = filter.kind.as_ref().map(|kind| format!("kind {kind}"));
                let parts: Vec<String> = area.into_iter().chain(kind).chain(has).collect();
                write!(f, "{{ {} }}", parts.join(", "))
            }
        }
    }
}
