//! The devices of a home, and which commands to them wait for an answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::devices::{DeviceSettings, Registry};
use crate::model::{Name, Payload, Topic, Value};

use super::confirming::Waiters;

/// What is known of devices before any message tells of them.
#[derive(Debug, Clone, Default)]
pub struct DeviceOptions {
    /// What the settings say of them.
    pub settings: DeviceSettings,
    /// What a file of the home keeps of what they say of themselves.
    pub kept: Arc<BTreeMap<Topic, Payload>>,
    /// What inputs are at the start, whatever was kept of them.
    pub given_inputs: BTreeMap<Name, Value>,
}

/// The devices of a home.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) registry: Registry,
    /// The threads of runs that wait for devices or topics to say something.
    pub(crate) waiters: Waiters,
    /// Whether a trigger hears devices: nobody else needs to be told that others are there.
    pub(crate) has_listeners: bool,
    /// Whether other devices are there than when the triggers were last armed.
    pub(crate) is_changed: bool,
}

impl Devices {
    /// Returns those that the settings tell of.
    pub(crate) fn new(options: &Arc<DeviceOptions>) -> Devices {
        let registry = Registry::new(options.settings.clone());
        Devices { registry, waiters: Waiters::default(), has_listeners: false, is_changed: false }
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").field("waiters", &self.waiters).finish_non_exhaustive()
    }
}
