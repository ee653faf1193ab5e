//! A device from all that was discovered of it.

use std::sync::Arc;

use super::super::parts::of_word;
use super::entity::{Entity, Trigger};
use super::message::Message;
use super::names;
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Holds, Property, Read};
use crate::devices::device::reader::Reader;
use crate::devices::device::{Availability, Device, Source};
use crate::model::{TopicFilter, Value};

/// Returns the device that these messages tell of.
pub(super) fn device(key: &str, messages: &[&Message]) -> Device {
    let name = messages.iter().find_map(|message| message.about.name.clone());
    let mut device = Device::new(Source::HomeAssistant, key, name.as_deref().unwrap_or(key));
    device.area = messages.iter().find_map(|message| message.about.area.clone());
    device.model = messages.iter().find_map(|message| message.about.model.clone());
    device.addresses = messages.iter().flat_map(|message| message.about.addresses.iter().copied()).collect();
    device.addresses.sort_unstable();
    device.addresses.dedup();
    let mut diagnostics: Vec<Arc<str>> =
        messages.iter().flat_map(|message| message.diagnostics.iter().chain(&message.later)).cloned().collect();
    diagnostics.dedup();
    device.diagnostics = diagnostics;
    let mut entities: Vec<Entity> = messages.iter().flat_map(|message| message.entities.iter().cloned()).collect();
    names::name(&mut entities);
    let kinds = entities.iter().filter(|entity| entity.is_main && has_something(entity)).map(|entity| entity.kind);
    device.kind = Kind::main(kinds.clone());
    let is_remote = kinds.clone().any(|kind| kind == Kind::Remote);
    if is_remote && entities.iter().all(|entity| !entity.is_main || entity.kind == Kind::Remote || is_battery(entity)) {
        device.kind = Kind::Remote;
    }
    device.availability = availability(&entities);
    let mut properties: Vec<Property> = Vec::new();
    for entity in &entities {
        let base = properties.len();
        for property in &entity.properties {
            properties.push(moved(property.clone(), base, &entity.topics, &mut device));
        }
    }
    let triggers: Vec<&Trigger> = entities.iter().filter_map(|entity| entity.trigger.as_ref()).collect();
    if !triggers.is_empty() {
        add_triggers(&triggers, &mut properties, &mut device);
    }
    device.properties = properties.into();
    device
}

fn has_something(entity: &Entity) -> bool {
    !entity.properties.is_empty() || entity.trigger.is_some()
}

fn is_battery(entity: &Entity) -> bool {
    entity.properties.iter().all(|property| matches!(&*property.name, "battery" | "battery_low" | "voltage" | "link"))
}

/// Returns a property of a component as one of the device: with the device's places for its topics and for what it needs.
fn moved(mut property: Property, base: usize, topics: &[TopicFilter], device: &mut Device) -> Property {
    let mut place = |topic: usize| topics.get(topic).map_or(usize::MAX, |filter| device.topic(filter));
    for read in &mut property.reads {
        read.topic = place(read.topic);
    }
    if let Some(write) = &mut property.write {
        write.topic = place(write.topic);
        write.needs = write.needs.map(|needed| needed + base);
    }
    property
}

/// Returns the availability of the device: that of what it is there for.
fn availability(entities: &[Entity]) -> Availability {
    let with = entities.iter().filter(|entity| !entity.availability.0.is_empty());
    let Some(first) = with.clone().find(|entity| entity.is_main).or_else(|| with.clone().next()) else {
        return Availability::default();
    };
    let (says, mode) = first.availability.clone();
    Availability { says, mode, bridge: None }
}

/// Adds `action`, of which each trigger is a value.
fn add_triggers(triggers: &[&Trigger], properties: &mut Vec<Property>, device: &mut Device) {
    // A payload says which trigger it is, unless two have the same.
    let is_apart = |trigger: &Trigger| {
        let same = triggers.iter().filter(|other| other.payload == trigger.payload).count();
        trigger.payload.as_ref().is_some_and(|payload| !payload.is_empty()) && same == 1
    };
    let word = |trigger: &Trigger| match &trigger.payload {
        Some(payload) if is_apart(trigger) => Arc::clone(payload),
        _ => Arc::clone(&trigger.words),
    };
    let words: Vec<Arc<str>> = triggers.iter().map(|trigger| word(trigger)).collect();
    let mut reads: Vec<Read> = Vec::new();
    for (trigger, word) in triggers.iter().zip(&words) {
        let topic = device.topic(&trigger.topic);
        let known = reads.iter_mut().find(|read| read.topic == topic && read.reader.extract == trigger.extract);
        let pair = trigger.payload.as_ref().map(|payload| (Arc::clone(word), Value::Text(Arc::clone(payload))));
        match (known, pair) {
            (Some(Read { reader: Reader { codec: Codec::Words(pairs), .. }, .. }), Some(pair)) => {
                *pairs = pairs.iter().cloned().chain([pair]).collect();
            }
            (Some(_), _) => {}
            (None, pair) => {
                let codec = pair.map_or(Codec::Event, |pair| Codec::Words([pair].into()));
                reads.push(Read { topic, reader: Reader { extract: trigger.extract.clone(), codec } });
            }
        }
    }
    match properties.iter_mut().find(|property| &*property.name == "action" && property.holds.is_event()) {
        Some(action) => {
            action.reads.extend(reads);
            if let Holds::Event(known) = &mut action.holds {
                *known = known.iter().cloned().chain(words).collect();
            }
        }
        None => properties.push(Property { reads, ..of_word("action").holding(Holds::Event(words.into())) }),
    }
}
