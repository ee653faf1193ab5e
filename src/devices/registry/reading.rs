//! Reading: what messages say of devices, and what they ask of them.

use std::sync::Arc;

use super::index::Ear;
use super::{Registry, place};
use crate::devices::command::encode;
use crate::devices::device::reader::{Extract, Reader};
use crate::devices::device::{Device, DeviceId, SaysAvailable};
use crate::devices::registry::change::Change;
use crate::model::{Payload, Topic, Value};

/// What a message says of a property.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The device.
    pub device: DeviceId,
    /// The property.
    pub property: Arc<str>,
    /// Its value; `()` only of `available`, where it is no longer known.
    pub value: Value,
    /// Whether it happened, rather than lasts.
    pub is_event: bool,
}

/// What a message came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    /// What it says, by device and property.
    pub said: Vec<Reading>,
    /// Templates that turned out to be at fault.
    pub changes: Vec<Change>,
}

impl Readings {
    /// Returns whether the message says nothing of devices.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.said.is_empty() && self.changes.is_empty()
    }
}

impl Registry {
    /// Returns whether no topic says anything of a device: there are none, or none that speaks.
    #[must_use]
    pub fn hears_nothing(&self) -> bool {
        self.index.is_empty()
    }

    /// Returns what a message says of devices. `is_retained` is whether it was said before: then no event happens.
    pub fn read(&mut self, topic: &Topic, payload: &Payload, is_retained: bool) -> Readings {
        let mut readings = Readings::default();
        if self.index.is_empty() {
            return readings;
        }
        let mut ears = std::mem::take(&mut self.ears);
        self.index.find(topic, &mut ears);
        if ears.is_empty() {
            self.read_attribute(topic, payload, is_retained, &mut readings);
        }
        for ear in ears.drain(..) {
            match ear {
                Ear::Reads { slot, topic } => {
                    self.read_topic(slot, usize::from(topic), payload, is_retained, &mut readings);
                }
                Ear::Available { slot, place } => {
                    self.read_reach(slot, Some(usize::from(place)), payload, &mut readings);
                }
                Ear::Bridge { slot } => self.read_reach(slot, None, payload, &mut readings),
                Ear::Attributes { slot } => {
                    if let Some(Some(known)) = self.slots.get_mut(place(slot)) {
                        known.speaks_json = true;
                    }
                }
                Ear::Command { .. } => {}
            }
        }
        self.ears = ears;
        readings
    }

    /// Reads all that a device says on one of its topics.
    fn read_topic(&mut self, slot: u32, topic: usize, payload: &Payload, is_retained: bool, readings: &mut Readings) {
        let Some(device) = self.at(slot) else { return };
        let mut fault = None;
        let members = members(device, topic, payload);
        for property in device.properties.iter() {
            let is_event = property.holds.is_event();
            for read in property.reads.iter().filter(|read| read.topic == topic && !(is_event && is_retained)) {
                let said = match &members {
                    Some(members) => Ok(read_member(&read.reader, members)),
                    None => read.reader.read(payload),
                };
                match said {
                    Ok(Some(value)) => readings.said.push(Reading {
                        device: Arc::clone(&device.id),
                        property: Arc::clone(&property.name),
                        value,
                        is_event,
                    }),
                    Ok(None) => {}
                    Err(error) => fault = Some((Arc::clone(&device.id), format!("`{}`: {error}", property.name))),
                }
            }
        }
        if let Some((id, text)) = fault {
            self.fault(&id, Some(text.into()), &mut readings.changes);
        }
    }

    /// Reads `BASE/NAME/PROPERTY`, as a device writes that says each property by itself.
    fn read_attribute(&mut self, topic: &Topic, payload: &Payload, is_retained: bool, readings: &mut Readings) {
        let Some((slot, key)) = self.index.attribute(topic) else { return };
        let Some(device) = self.at(slot) else { return };
        for property in device.properties.iter() {
            let Some(read) = property.reads.first() else { continue };
            let is_key = matches!(&read.reader.extract, Extract::Key(known) if **known == *key);
            // An event is also said in the device's message, where it writes such.
            if !is_key || property.holds.is_event() && (is_retained || self.speaks_json(slot)) {
                continue;
            }
            if let Some(value) = read.reader.codec.decode(payload.value()) {
                readings.said.push(Reading {
                    device: Arc::clone(&device.id),
                    property: Arc::clone(&property.name),
                    value,
                    is_event: property.holds.is_event(),
                });
            }
        }
    }

    fn speaks_json(&self, slot: u32) -> bool {
        matches!(self.slots.get(place(slot)), Some(Some(known)) if known.speaks_json)
    }

    fn read_reach(&mut self, slot: u32, said_at: Option<usize>, payload: &Payload, readings: &mut Readings) {
        let Some(Some(known)) = self.slots.get_mut(place(slot)) else { return };
        let availability = &known.device.availability;
        let says = match said_at {
            Some(place) => availability.says.get(place),
            None => availability.bridge.as_deref(),
        };
        let Some(available) = says.and_then(|says| says.read(payload)) else { return };
        match said_at {
            Some(place) => known.reach.note(place, available),
            None => known.reach.note_bridge(available),
        }
        let verdict = known.reach.verdict(availability);
        if verdict != known.available {
            known.available = verdict;
            let value = verdict.map_or(Value::Null, Value::Bool);
            let (device, property) = (Arc::clone(&known.device.id), "available".into());
            readings.said.push(Reading { device, property, value, is_event: false });
        }
    }

    /// Returns what a device's topics said before it was known: to be asked for each device that is added or changed. `last` is what
    /// a topic said last.
    pub fn catch_up(&mut self, id: &str, last: &dyn Fn(&Topic) -> Option<Payload>) -> Readings {
        let mut readings = Readings::default();
        let Some(slot) = self.ids.get(id).copied() else { return readings };
        let Some(device) = self.visible(slot).cloned() else { return readings };
        for (number, filter) in device.topics.iter().enumerate() {
            let Some(payload) = filter.as_topic().and_then(|topic| last(&topic)) else { continue };
            self.read_topic(slot, number, &payload, true, &mut readings);
        }
        let said = |says: &SaysAvailable| says.topic.as_topic().and_then(|topic| last(&topic));
        for (place, says) in device.availability.says.iter().enumerate() {
            if let Some(payload) = said(says) {
                self.read_reach(slot, Some(place), &payload, &mut readings);
            }
        }
        if let Some(payload) = device.availability.bridge.as_deref().and_then(said) {
            self.read_reach(slot, None, &payload, &mut readings);
        }
        readings
    }

    /// Returns the devices that are commanded on a topic.
    #[must_use]
    pub fn commanded_devices(&self, topic: &Topic) -> Vec<&Arc<Device>> {
        let mut ears = Vec::new();
        self.index.find(topic, &mut ears);
        let commanded = ears.into_iter().filter_map(|ear| match ear {
            Ear::Command { slot } => self.at(slot),
            Ear::Reads { .. } | Ear::Available { .. } | Ear::Bridge { .. } | Ear::Attributes { .. } => None,
        });
        commanded.collect()
    }

    /// Returns what a message on a command topic asks of devices, whoever sent it; `value` is as a command would have it.
    #[must_use]
    pub fn commanded(&self, topic: &Topic, payload: &Payload) -> Vec<Reading> {
        let mut ears = Vec::new();
        self.index.find(topic, &mut ears);
        let mut commanded = Vec::new();
        for ear in ears {
            let Ear::Command { slot } = ear else { continue };
            let Some(device) = self.at(slot) else { continue };
            for (place, value) in encode::commanded(device, topic, payload) {
                let Some(property) = device.properties.get(place) else { continue };
                let (id, name) = (Arc::clone(&device.id), Arc::clone(&property.name));
                commanded.push(Reading { device: id, property: name, value, is_event: false });
            }
        }
        commanded
    }
}

/// The members of a JSON map that are looked at.
type Members = Vec<(Arc<str>, Value)>;

/// Returns what a payload says that nobody has read yet, where a device reads nothing of a topic but members of a JSON map: then
/// what it doesn't look at isn't kept.
fn members(device: &Device, topic: usize, payload: &Payload) -> Option<Members> {
    if payload.is_read() {
        return None;
    }
    // Asked for each member of the payload, so they are gathered once.
    let mut keys: Vec<&Arc<str>> = Vec::with_capacity(device.properties.len());
    for property in device.properties.iter() {
        for read in property.reads.iter().filter(|read| read.topic == topic) {
            keys.push(read.reader.extract.key()?);
        }
    }
    let wanted = |key: &str| keys.iter().copied().find(|known| ***known == *key);
    Some(payload.members(wanted).unwrap_or_default())
}

fn read_member(reader: &Reader, members: &Members) -> Option<Value> {
    let key = reader.extract.key()?;
    let (_, value) = members.iter().find(|(known, _)| known == key)?;
    reader.read_member(value)
}
