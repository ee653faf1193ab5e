//! Devices as a home knows them: definitions in, readings and commands out.

mod devices_of_zigbee2mqtt;
mod discovered;
mod hostile;
mod known;
mod restored;
mod spoken;
mod templates;
mod various;

use std::collections::BTreeMap;

use super::*;
use crate::model::{Map, Payload, Topic, Value};

/// A home's devices, with what topics said last and what devices said.
#[derive(Default)]
struct Home {
    registry: Registry,
    last: BTreeMap<String, Payload>,
    said: BTreeMap<(String, String), Value>,
}

fn topic(text: &str) -> Topic {
    Topic::parse(text).unwrap()
}

fn payload(text: &str) -> Payload {
    Payload::from_bytes(text.as_bytes().to_vec())
}

fn value(text: &str) -> Value {
    Value::from_payload(text.as_bytes())
}

fn map(text: &str) -> Map {
    match value(text) {
        Value::Map(entries) => (*entries).clone(),
        other => panic!("{other:?} is no map"),
    }
}

fn written(publication: &Publication) -> String {
    format!("{} {}", publication.topic, publication.payload.text().unwrap())
}

impl Home {
    fn new() -> Home {
        Home::of(DeviceSettings::default())
    }

    fn of(settings: DeviceSettings) -> Home {
        Home { registry: Registry::new(settings), ..Home::default() }
    }

    /// Takes a definition; returns what became of it, in words.
    fn note(&mut self, name: &str, text: &str) -> Vec<String> {
        let changes = self.registry.note(&topic(name), &payload(text));
        changes
            .iter()
            .map(|change| match change {
                Change::Added(id) => format!("+{id}"),
                Change::Changed { id, old_name, lost } => {
                    let old = old_name.as_ref().map(|name| format!(" was {name}")).unwrap_or_default();
                    let lost: Vec<String> = lost.iter().map(|name| format!(" lost {name}")).collect();
                    let lost = lost.concat();
                    format!("~{id}{old}{lost}")
                }
                Change::Removed { id, .. } => format!("-{id}"),
                Change::Faulty(fault) => format!("! {}: {}", fault.about, fault.text),
            })
            .collect()
    }

    /// Takes a message; returns what devices say with it.
    fn hear(&mut self, name: &str, text: &str) -> Vec<String> {
        self.hear_as(name, text, false)
    }

    fn hear_as(&mut self, name: &str, text: &str, is_retained: bool) -> Vec<String> {
        self.last.insert(name.to_owned(), payload(text));
        let readings = self.registry.read(&topic(name), &payload(text), is_retained);
        let mut said = Vec::new();
        for reading in readings.said {
            let device = self.registry.device(&reading.device).unwrap();
            said.push(format!("{}.{}={}", device.name, reading.property, reading.value));
            self.said.insert((reading.device.to_string(), reading.property.to_string()), reading.value);
        }
        said.extend(readings.changes.iter().map(|change| format!("{change:?}")));
        said
    }

    fn device(&self, name: &str) -> &Device {
        match self.registry.find(name) {
            Found::One(device) => device,
            other => panic!("{name}: {other:?}"),
        }
    }

    fn command(&self, name: &str, wanted: &str, options: CommandOptions) -> Result<Command, Vec<CommandError>> {
        let device = self.device(name);
        let known = |property: &str| self.said.get(&(device.id.to_string(), property.to_owned())).cloned();
        device.command(&map(wanted), &known, options)
    }

    /// Returns the messages of a command.
    fn set(&self, name: &str, wanted: &str) -> Vec<String> {
        let command = self.command(name, wanted, CommandOptions::default()).unwrap();
        command.publications.iter().map(written).collect()
    }

    /// Returns why a command can't be sent.
    fn refused(&self, name: &str, wanted: &str) -> Vec<String> {
        self.command(name, wanted, CommandOptions::default()).unwrap_err().iter().map(ToString::to_string).collect()
    }

    /// Returns what a device writes that says these values.
    fn says(&self, name: &str, values: &str) -> Vec<String> {
        let last = |topic: &Topic| self.last.get(topic.as_str()).cloned();
        match self.device(name).says(&map(values), &last) {
            Ok(publications) => publications.iter().map(written).collect(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        }
    }

    /// Returns what a message on a command topic asks of devices.
    fn asked(&self, name: &str, text: &str) -> Vec<String> {
        let asked = self.registry.commanded(&topic(name), &payload(text));
        asked.iter().map(|reading| format!("{}={}", reading.property, reading.value)).collect()
    }

    /// Returns the properties of a device: `on rw`, `power r W`.
    fn properties(&self, name: &str) -> Vec<String> {
        let described = |property: &Property| {
            let reads = if property.reads.is_empty() { "" } else { "r" };
            let writes = if property.write.is_some() { "w" } else { "" };
            let unit = property.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
            format!("{} {reads}{writes}{unit}", property.name)
        };
        self.device(name).properties.iter().map(described).collect()
    }
}
