//! What homerule.yaml says of devices: `devices`, `discovery` and `name`.

mod decoder;
mod own;

use crate::devices::{DeviceSettings, Discovery, Naming, OwnDevice};
use crate::lang::Settings;

/// Which sources of devices are read, and what homerule tells Home Assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// Which sources are read.
    pub sources: Discovery,
    /// Whether our own rules and inputs are announced to Home Assistant.
    pub announce: bool,
    /// Whether devices are told at the start that somebody is there to hear them, as Home Assistant does.
    pub birth: bool,
}

impl Default for DiscoverySettings {
    fn default() -> DiscoverySettings {
        DiscoverySettings { sources: Discovery::default(), announce: false, birth: true }
    }
}

/// What homerule.yaml says of single devices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NamedDevices {
    /// What known devices are called.
    pub named: Vec<Naming>,
    /// Devices that say nothing of themselves.
    pub own: Vec<OwnDevice>,
}

impl Settings {
    /// Returns what the sources of devices are told. `folder` is the name of the home's folder.
    #[must_use]
    pub fn device_settings(&self, folder: &str) -> DeviceSettings {
        DeviceSettings {
            discovery: self.discovery.sources.clone(),
            named: self.named_devices.named.clone(),
            own: self.named_devices.own.clone(),
            announced: self.discovery.announce.then(|| self.home_name(folder).into()),
            home: self.home_name(folder).into(),
        }
    }

    /// Returns what the home is called: its `name`, or that of its folder.
    #[must_use]
    pub fn home_name<'a>(&'a self, folder: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(folder)
    }
}
