//! Which properties a topic tells of, found without looking at the others.

use indexmap::IndexMap;

use crate::devices::device::Device;
use crate::model::{Hashing, Topic, TopicFilter};
use crate::rules::TopicIndex;

/// Who listens to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::devices) enum Ear {
    /// Properties are read there.
    Reads {
        /// The device.
        slot: u32,
        /// Which of the device's topics.
        topic: u16,
    },
    /// It says whether the device can be reached.
    Available {
        /// The device.
        slot: u32,
        /// Which of the places that say so.
        place: u8,
    },
    /// It says whether the device's bridge can be reached.
    Bridge {
        /// The device.
        slot: u32,
    },
    /// Each property may be said by itself, on a topic below.
    Attributes {
        /// The device.
        slot: u32,
    },
    /// The device is commanded there.
    Command {
        /// The device.
        slot: u32,
    },
}

/// Listeners by topic.
#[derive(Debug, Default)]
pub(in crate::devices) struct Index {
    literal: IndexMap<Topic, Vec<Ear>, Hashing>,
    wild: TopicIndex<Ear>,
    wild_count: usize,
}

impl Index {
    /// Adds all of a device.
    pub(in crate::devices) fn add(&mut self, slot: u32, device: &Device) {
        for (filter, ear) in ears(slot, device) {
            match filter.as_topic() {
                Some(topic) => self.literal.entry(topic).or_insert_with(|| Vec::with_capacity(1)).push(ear),
                None => {
                    self.wild.insert(&filter, ear);
                    self.wild_count += 1;
                }
            }
        }
    }

    /// Removes all of a device.
    pub(in crate::devices) fn remove(&mut self, slot: u32, device: &Device) {
        for (filter, ear) in ears(slot, device) {
            match filter.as_topic() {
                Some(topic) => {
                    if let Some(listeners) = self.literal.get_mut(&topic) {
                        listeners.retain(|known| *known != ear);
                        if listeners.is_empty() {
                            self.literal.swap_remove(&topic);
                        }
                    }
                }
                None => {
                    self.wild.remove(&filter, &ear);
                    self.wild_count = self.wild_count.saturating_sub(1);
                }
            }
        }
    }

    /// Appends the listeners of a topic to `found`, by device and property.
    pub(in crate::devices) fn find(&self, topic: &Topic, found: &mut Vec<Ear>) {
        if let Some(listeners) = self.literal.get(topic) {
            found.extend_from_slice(listeners);
        }
        if self.wild_count > 0 {
            let before = found.len();
            self.wild.find(topic, found);
            if found.len() > before {
                found.sort_unstable();
            }
        }
    }

    /// Returns the device that says a property by itself there, and the property's key.
    pub(in crate::devices) fn attribute<'a>(&self, topic: &'a Topic) -> Option<(u32, &'a str)> {
        let (parent, key) = topic.as_str().rsplit_once('/')?;
        let listeners = self.literal.get(parent)?;
        let slot = listeners.iter().find_map(|ear| match ear {
            Ear::Attributes { slot } => Some(*slot),
            _ => None,
        })?;
        Some((slot, key))
    }

    /// Returns whether nothing listens.
    pub(in crate::devices) fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.wild_count == 0
    }
}

fn ears(slot: u32, device: &Device) -> Vec<(TopicFilter, Ear)> {
    let mut ears = Vec::new();
    let mut commanded: Vec<TopicFilter> = Vec::new();
    for (place, filter) in device.topics.iter().enumerate() {
        let mut reads = device.properties.iter().flat_map(|property| &property.reads);
        if let (true, Ok(topic)) = (reads.any(|read| read.topic == place), u16::try_from(place)) {
            ears.push((filter.clone(), Ear::Reads { slot, topic }));
        }
    }
    for property in device.properties.iter() {
        let Some(write) = &property.write else { continue };
        let Some(filter) = device.topics.get(write.topic) else { continue };
        let filter = match &write.form {
            crate::devices::device::property::Form::Tasmota(_) => {
                TopicFilter::parse(&format!("{filter}/+")).unwrap_or_else(|_| filter.clone())
            }
            _ => filter.clone(),
        };
        if !commanded.contains(&filter) {
            commanded.push(filter.clone());
            ears.push((filter, Ear::Command { slot }));
        }
    }
    if let Some(filter) = device.topics.first().filter(|_| device.speaks_by_attribute) {
        ears.push((filter.clone(), Ear::Attributes { slot }));
    }
    for (place, says) in device.availability.says.iter().enumerate() {
        if let Ok(place) = u8::try_from(place) {
            ears.push((says.topic.clone(), Ear::Available { slot, place }));
        }
    }
    if let Some(bridge) = &device.availability.bridge {
        ears.push((bridge.topic.clone(), Ear::Bridge { slot }));
    }
    ears
}
