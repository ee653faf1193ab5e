//! What rules read of devices and tell them, as topics.

use std::sync::Arc;

use crate::devices::{CommandOptions, Device, Directory, Extract, Property};
use crate::model::{DeviceFilter, Map, TopicFilter, Value};
use crate::rules::{DeviceChoice, SetAction, Snapshot, SnapshotPart, snapshot_parts};
use crate::script::Template;

use crate::analysis::Pattern;

/// Returns the devices that a trigger hears.
pub(super) fn chosen(devices: &Directory, choice: &DeviceChoice) -> Vec<Arc<Device>> {
    match choice {
        DeviceChoice::Names(names) => names.iter().flat_map(|name| named(devices, name)).collect(),
        DeviceChoice::Where(filter) => fitting(devices, filter),
    }
}

fn fitting(devices: &Directory, filter: &DeviceFilter) -> Vec<Arc<Device>> {
    devices.devices().filter(|device| device.is_in(filter)).cloned().collect()
}

/// Returns the devices that a name means.
pub(super) fn named(devices: &Directory, name: &str) -> Vec<Arc<Device>> {
    devices.named(name).into_iter().cloned().collect()
}

/// Returns where a device says a property: the topics, and the path in the payload.
pub(super) fn said(device: &Device, property: &str) -> Vec<(Pattern, String)> {
    let Some((_, property)) = device.property(property) else { return Vec::new() };
    let topic = |read: &crate::devices::Read| {
        let path = match &read.reader.extract {
            Extract::Key(key) => key.to_string(),
            Extract::Keys(keys) => keys.join("."),
            _ => String::new(),
        };
        Some((Pattern::of_filter(device.topics.get(read.topic)?), path))
    };
    property.reads.iter().filter_map(topic).collect()
}

/// Returns the devices that the target of a command may mean.
fn meant(devices: &Directory, target: &Template) -> Vec<Arc<Device>> {
    match target {
        Template::Constant(Value::Text(name)) => named(devices, name),
        Template::Constant(Value::List(names)) => {
            names.iter().filter_map(Value::as_text).flat_map(|name| named(devices, name)).collect()
        }
        Template::Constant(Value::Map(map)) => selected(devices, map),
        // Any of them may be meant.
        _ => devices.devices().cloned().collect(),
    }
}

/// Returns the devices that a map selects; none where it can't be read.
fn selected(devices: &Directory, map: &Map) -> Vec<Arc<Device>> {
    DeviceFilter::read(map).map(|filter| fitting(devices, &filter)).unwrap_or_default()
}

/// Returns what a snapshot is taken of: filters of topics, and devices. `None`: that is known at run only.
pub(super) fn remembered(devices: &Directory, snapshot: &Snapshot) -> Option<(Vec<Pattern>, Vec<Arc<Device>>)> {
    let parts = snapshot_parts(snapshot.target.as_constant()?).ok()?;
    let (mut patterns, mut found) = (Vec::new(), Vec::new());
    for part in &parts {
        match part {
            SnapshotPart::Topics(filter) => {
                patterns.extend(TopicFilter::parse(filter).ok().map(|filter| Pattern::of_filter(&filter)));
            }
            SnapshotPart::Device(name) => found.extend(named(devices, name)),
            SnapshotPart::Where(map) => found.extend(selected(devices, map)),
        }
    }
    Some((patterns, found))
}

/// Returns where a device says what can be set.
pub(super) fn says(device: &Device) -> Vec<(Pattern, String)> {
    let settable = device.properties.iter().filter(|property| property.write.is_some());
    settable.flat_map(|property| said(device, &property.name)).collect()
}

/// Returns what a command sends: to which topics, and what, where that is known at load.
pub(super) fn told(devices: &Directory, action: &SetAction) -> Vec<(Pattern, Option<Value>)> {
    let meant = meant(devices, &action.target);
    let values = constants(&action.to);
    let mut found = Vec::new();
    for device in &meant {
        let command = values.as_ref().map(|values| device.command(values, &|_| None, CommandOptions::default()));
        match command {
            Some(Ok(command)) => {
                found.extend(command.publications.into_iter().map(|publication| {
                    (Pattern::of_topic(&publication.topic), Some(publication.payload.value().clone()))
                }));
            }
            _ => found.extend(listens(device).into_iter().map(|pattern| (pattern, None))),
        }
    }
    found
}

fn constants(to: &Template) -> Option<Map> {
    match to {
        Template::Constant(Value::Map(map)) => Some((**map).clone()),
        Template::Map(entries) => {
            let entry = |(key, value): &(Template, Template)| {
                Some((key.as_constant()?.to_string().into(), value.as_constant()?.clone()))
            };
            entries.iter().map(entry).collect()
        }
        _ => None,
    }
}

/// Returns the topics that a device listens on.
pub(super) fn listens(device: &Device) -> Vec<Pattern> {
    let topic = |property: &Property| device.topics.get(property.write.as_ref()?.topic);
    let topics: std::collections::BTreeSet<&TopicFilter> = device.properties.iter().filter_map(topic).collect();
    topics.into_iter().map(Pattern::of_filter).collect()
}
