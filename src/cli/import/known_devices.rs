//! The devices that a home knows from its `devices.jsonl`.

use std::path::Path;

use crate::devices::{DeviceSettings, Holds, Registry};
use crate::disk::recording_file;
use crate::lang::import::home_assistant::{KnownDevice, KnownProperty};

/// Returns the devices of the home in `folder`; none where it has no `devices.jsonl`.
pub(super) fn read(folder: &Path) -> Vec<KnownDevice> {
    let path = folder.join("devices.jsonl");
    let Ok(lines) = recording_file::read(&path) else { return Vec::new() };
    let mut registry = Registry::new(DeviceSettings::default());
    for recorded in lines {
        registry.note(&recorded.message.topic, &recorded.message.payload);
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
