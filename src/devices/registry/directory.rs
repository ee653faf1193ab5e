//! The devices at one moment, for those who look at a whole home: which one a name means, and whose a topic is. It shares the
//! devices with the registry, and takes no notice of what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::devices::device::Device;
use crate::model::Topic;

use super::Registry;

/// The devices at one moment.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    devices: Vec<Arc<Device>>,
    names: BTreeMap<Arc<str>, Vec<usize>>,
    topics: BTreeMap<Topic, Vec<usize>>,
}

impl Registry {
    /// Returns the devices that are known now.
    #[must_use]
    pub fn directory(&self) -> Directory {
        Directory::new(self.devices().cloned().collect())
    }
}

impl Directory {
    /// Returns the directory of `devices`.
    #[must_use]
    pub fn new(mut devices: Vec<Arc<Device>>) -> Directory {
        devices.sort_by(|one, other| one.id.cmp(&other.id));
        let mut names: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
        let mut topics: BTreeMap<Topic, Vec<usize>> = BTreeMap::new();
        for (place, device) in devices.iter().enumerate() {
            for name in std::iter::once(&device.name).chain(&device.aliases) {
                let known = names.entry(Arc::clone(name)).or_default();
                if !known.contains(&place) {
                    known.push(place);
                }
            }
            for topic in device.topics.iter().filter_map(crate::model::TopicFilter::as_topic) {
                topics.entry(topic).or_default().push(place);
            }
        }
        Directory { devices, names, topics }
    }

    /// Returns the devices.
    pub fn devices(&self) -> impl Iterator<Item = &Arc<Device>> {
        self.devices.iter()
    }

    /// Returns the devices that a name, an id, or a name with an area (`Lamp (hall)`) means.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<&Arc<Device>> {
        let place = self.devices.binary_search_by(|device| (*device.id).cmp(name));
        if let Some(device) = place.ok().and_then(|place| self.devices.get(place)) {
            return vec![device];
        }
        let found = self.at(self.names.get(name));
        if found.is_empty()
            && let Some((name, area)) = name.strip_suffix(')').and_then(|name| name.rsplit_once(" ("))
        {
            let mut found = self.at(self.names.get(name));
            found.retain(|device| device.area.as_deref() == Some(area));
            return found;
        }
        found
    }

    /// Returns the device that alone is heard on `topic` or spoken to there.
    #[must_use]
    pub fn of_topic(&self, topic: &Topic) -> Option<&Arc<Device>> {
        match self.at(self.topics.get(topic)).as_slice() {
            [device] => Some(device),
            _ => None,
        }
    }

    fn at(&self, places: Option<&Vec<usize>>) -> Vec<&Arc<Device>> {
        places.into_iter().flatten().filter_map(|place| self.devices.get(*place)).collect()
    }
}
