//! What devices that have told of themselves may say, and where they listen.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::devices::{Device, Extract, Holds, Property};
use crate::model::{Map, Payload, Topic, TopicFilter, Value};

use super::{Domain, Known, Spoken};
use crate::analysis::Pattern;

impl Known {
    /// Adds what a retained message tells of devices.
    pub fn note_definition(&mut self, topic: &Topic, payload: &Payload) {
        let _ = self.devices.note(topic, payload);
        if let Some(base) = topic.as_str().strip_suffix("/bridge/devices") {
            self.whole.insert(base.to_owned());
        }
    }

    /// Looks at the devices that are known: what they may say, and where they listen.
    pub fn look_at_devices(&mut self) {
        let devices: Vec<Arc<Device>> = self.devices.devices().cloned().collect();
        for device in &devices {
            for says in device.availability.says.iter().chain(device.availability.bridge.as_deref()) {
                self.patterns.push(Pattern::of_filter(&says.topic));
            }
            self.look_at(device);
        }
        for device in &devices {
            for available in [true, false] {
                for (topic, payload) in device.says_available(available) {
                    self.note(&topic, &payload, Spoken::Device, true);
                }
            }
        }
    }

    fn look_at(&mut self, device: &Device) {
        let mut last: BTreeMap<Topic, Payload> = BTreeMap::new();
        for property in device.properties.iter() {
            for read in &property.reads {
                let Some(filter) = device.topics.get(read.topic) else { continue };
                match filter.as_topic() {
                    Some(topic) => {
                        let _ = self.topics.entry(topic).or_default().by.insert(Spoken::Device);
                    }
                    None => self.patterns.push(Pattern::of_filter(filter)),
                }
            }
            let state = property.reads.first().and_then(|read| topic_of(device, read.topic));
            let command = property.write.as_ref().and_then(|write| topic_of(device, write.topic));
            if let Some((state, command)) = state.as_ref().zip(command).filter(|(state, command)| *state != command) {
                self.commands.insert(command, state.clone());
            }
            self.note_samples(device, property, &mut last);
        }
        for (topic, payload) in last {
            let is_retained = !device.properties.iter().any(|property| property.holds.is_event());
            self.note(&topic, &payload, Spoken::Device, is_retained);
        }
    }

    /// Notes each value that a property may have, beside what the device said before.
    fn note_samples(&mut self, device: &Device, property: &Property, last: &mut BTreeMap<Topic, Payload>) {
        let mut values = Vec::new();
        for value in Domain::samples(property) {
            let map: Map = [(Arc::clone(&property.name), value)].into_iter().collect();
            let Ok(said) = device.says(&map, &|topic| last.get(topic).cloned()) else { continue };
            for publication in said {
                if let Some(value) = at_property(property, &publication.payload) {
                    values.push((publication.topic.clone(), value));
                }
                self.note(&publication.topic, &publication.payload, Spoken::Device, false);
                if !property.holds.is_event() {
                    last.insert(publication.topic, publication.payload);
                }
            }
        }
        let Some((topic, _)) = values.first().cloned() else { return };
        let Some(path) = path_of(property) else { return };
        let said: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
        let domain = match &property.holds {
            Holds::Boolean | Holds::Words(_) => Some(Domain::Values(said)),
            Holds::Event(words) if !words.is_empty() => Some(Domain::Values(said)),
            Holds::Number(range) if range.min.is_some() && range.max.is_some() => {
                let numbers = || said.iter().filter_map(Value::as_number);
                Some(Domain::Numbers(
                    numbers().fold(f64::INFINITY, f64::min),
                    numbers().fold(f64::NEG_INFINITY, f64::max),
                ))
            }
            _ => None,
        };
        if let Some(domain) = domain {
            self.topics.entry(topic).or_default().domains.insert(path, domain);
        }
    }
}

fn topic_of(device: &Device, place: usize) -> Option<Topic> {
    device.topics.get(place).and_then(TopicFilter::as_topic)
}

/// Returns where a property stands in a payload.
fn path_of(property: &Property) -> Option<String> {
    match &property.reads.first()?.reader.extract {
        Extract::Key(key) => Some(key.to_string()),
        Extract::Keys(keys) => Some(keys.join(".")),
        Extract::Text | Extract::Value => Some(String::new()),
        Extract::KeyOrText(_) | Extract::Template(_) => None,
    }
}

fn at_property(property: &Property, payload: &Payload) -> Option<Value> {
    let path = crate::model::ValuePath::parse(&path_of(property)?).ok()?;
    payload.value().at(&path).cloned()
}
