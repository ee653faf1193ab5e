//! The devices that a home knows, from its `devices.jsonl` and its settings.

use std::path::Path;

use crate::devices::{Holds, Registry};
use crate::disk::home_files;
use crate::lang::Home;
use crate::lang::import::home_assistant::{KnownDevice, KnownProperty};

/// Returns the devices that the home in `folder` knows.
pub(super) fn read(folder: &Path) -> Vec<KnownDevice> {
    let home = Home::load(&home_files::read_home(folder).unwrap_or_default());
    let mut registry = Registry::new(home.settings.device_settings(""));
    for (topic, payload) in home.kept_devices.iter() {
        registry.note(topic, payload);
    }
    registry.devices().map(|device| known(device)).collect()
}

fn known(device: &crate::devices::Device) -> KnownDevice {
    let properties = device.properties.iter().map(|property| KnownProperty {
        name: property.name.to_string(),
        holds: match &property.holds {
            Holds::Event(_) => "event".to_owned(),
            other => other.as_str().to_owned(),
        },
        is_settable: property.write.is_some(),
    });
    KnownDevice {
        id: device.id.to_string(),
        name: device.name.to_string(),
        kind: device.kind.as_str().to_owned(),
        properties: properties.collect(),
        addresses: device.addresses.iter().map(ToString::to_string).collect(),
    }
}
