//! The devices that the home knows already, as the shell finds them in `devices.jsonl`.

/// A device that the home knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownDevice {
    /// `zigbee2mqtt/0x00158d0001a2b3c4`.
    pub id: String,
    /// The name that rules use.
    pub name: String,
    /// `light`, `sensor`, …
    pub kind: String,
    /// What it can say and be told.
    pub properties: Vec<KnownProperty>,
    /// Its hardware addresses, in small letters without separators.
    pub addresses: Vec<String>,
}

/// A property of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownProperty {
    /// `brightness`.
    pub name: String,
    /// `boolean`, `number`, `words`, `text`, `event`, …
    pub holds: String,
    /// Whether it can be set.
    pub is_settable: bool,
}

impl KnownDevice {
    /// Returns the property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&KnownProperty> {
        self.properties.iter().find(|property| property.name == name)
    }
}
