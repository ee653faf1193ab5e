//! What homerule.yaml says of devices: which sources are read, what known devices are called, and devices of its own.

use std::sync::Arc;

use crate::model::{TopicFilter, Value};

/// What homerule.yaml says of devices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceSettings {
    /// Which sources are read.
    pub discovery: Discovery,
    /// What known devices are called.
    pub named: Vec<Naming>,
    /// Devices that say nothing of themselves.
    pub own: Vec<OwnDevice>,
    /// The name that homerule announces itself by to Home Assistant: what it tells there is none of its devices.
    pub announced: Option<Arc<str>>,
    /// What the home is called; empty where nobody says it.
    pub home: Arc<str>,
}

/// Which sources are read, and below which topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The base topics of zigbee2mqtt; none switches it off.
    pub zigbee2mqtt: Vec<Arc<str>>,
    /// Whether Tasmota's devices are read.
    pub tasmota: bool,
    /// The prefix of Home Assistant's discovery.
    pub home_assistant: Option<Arc<str>>,
    /// The prefix of Homie.
    pub homie: Option<Arc<str>>,
    /// Whether Shelly's devices are read.
    pub shelly: bool,
}

impl Default for Discovery {
    fn default() -> Discovery {
        Discovery {
            zigbee2mqtt: vec!["zigbee2mqtt".into()],
            tasmota: true,
            home_assistant: Some("homeassistant".into()),
            homie: Some("homie".into()),
            shelly: true,
        }
    }
}

impl Discovery {
    /// Returns the topic filters of what devices say of themselves.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let bridges = self.zigbee2mqtt.iter();
        let mut filters: Vec<String> =
            bridges.flat_map(|base| ["devices", "groups"].map(|part| format!("{base}/bridge/{part}"))).collect();
        filters.extend(self.tasmota.then(|| "tasmota/discovery/#".to_owned()));
        filters.extend(self.home_assistant.as_ref().map(|prefix| format!("{prefix}/#")));
        filters.extend(self.homie.as_ref().map(|prefix| format!("{prefix}/5/+/$description")));
        if self.shelly {
            filters.extend(["+/online", "+/status/+", "+/events/rpc"].map(str::to_owned));
        }
        filters
    }

    /// Returns settings with every source off.
    #[must_use]
    pub fn off() -> Discovery {
        Discovery { zigbee2mqtt: Vec::new(), tasmota: false, home_assistant: None, homie: None, shelly: false }
    }
}

/// What a known device is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// Its name or id.
    pub device: Arc<str>,
    /// Another name.
    pub name: Option<Arc<str>>,
    /// Where it is.
    pub area: Option<Arc<str>>,
    /// What else it is called.
    pub aliases: Vec<Arc<str>>,
}

/// A device that says nothing of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnDevice {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is.
    pub area: Option<Arc<str>>,
    /// What else it is called.
    pub aliases: Vec<Arc<str>>,
    /// What sort of thing it is; found from its properties where it isn't said.
    pub kind: Option<crate::devices::device::kind::Kind>,
    /// Where it speaks.
    pub state: Option<TopicFilter>,
    /// Where it listens.
    pub set: Option<TopicFilter>,
    /// What it has.
    pub properties: Vec<OwnProperty>,
}

/// A property of a device that says nothing of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OwnProperty {
    /// Its name.
    pub name: Arc<str>,
    /// The keys to it in the payload's JSON; empty for the whole payload.
    pub path: Vec<Arc<str>>,
    /// Where it is said, if not where the device speaks.
    pub topic: Option<TopicFilter>,
    /// The device's word for each value of rules.
    pub values: Vec<(Value, Value)>,
    /// The device's unit.
    pub unit: Option<Arc<str>>,
    /// The least and the most that the device takes.
    pub range: Option<(f64, f64)>,
    /// Where it is set, if not where the device listens.
    pub set: Option<OwnSet>,
}

/// Where a property is set.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnSet {
    /// The topic.
    pub topic: TopicFilter,
    /// The keys to it in the payload's JSON; empty for the whole payload. None is the property's own path.
    pub path: Option<Vec<Arc<str>>>,
}
