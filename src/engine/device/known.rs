//! Keeps what expressions know of devices true to the registry, and the state of their properties under their names now.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::devices::{Change, Device, DeviceId, Found, Registry};
use crate::engine::core::Core;
use crate::engine::live::subscriptions::Fact;
use crate::engine::trace::{Cause, CauseKind};
use crate::model::{Origin, Payload, Topic, TopicFilter, device_prefix, device_topic};
use crate::rules::LogLevel;
use crate::script::{KnownDevice, KnownProperty};

use super::hear::{Said, note_all};

/// After a start, or a change of the settings: all devices that the settings, a file and what was heard before tell of.
pub(crate) fn begin(core: &mut Core) {
    let options = Arc::clone(&core.options.devices);
    let (states, registry) = (&core.evaluator.world.states, &mut core.devices.registry);
    let mut faults = Vec::new();
    for (topic, payload) in options.kept.iter().filter(|(topic, _)| states.get(topic.as_str()).is_none()) {
        faults.extend(registry.note(topic, payload));
    }
    for (topic, state) in states.iter() {
        faults.extend(registry.note(topic, &state.payload));
    }
    let ids: Vec<DeviceId> = registry.devices().map(|device| Arc::clone(&device.id)).collect();
    faults.retain(|change| matches!(change, Change::Faulty(_)));
    let changes = ids.into_iter().map(Change::Added).chain(faults).collect();
    take(core, changes);
    forget_strangers(core);
}

/// Forgets what devices said that aren't known any more, or are called otherwise.
fn forget_strangers(core: &mut Core) {
    let world = &mut core.evaluator.world;
    let Ok(filter) = TopicFilter::parse("$device/+/+") else { return };
    let all: Vec<Topic> = world.states.matching(&filter).map(|(topic, _)| topic.clone()).collect();
    if all.is_empty() {
        return;
    }
    let topics = |device: &Arc<KnownDevice>| -> Vec<Topic> {
        device.properties.iter().map(|property| &property.topic).chain([&device.available]).cloned().collect()
    };
    let known: BTreeSet<Topic> = world.devices.iter().flat_map(topics).collect();
    for topic in all.iter().filter(|topic| !known.contains(*topic)) {
        world.states.forget(topic);
    }
}

/// Takes what became of devices, and returns what those that are new have said before.
pub(crate) fn take(core: &mut Core, changes: Vec<Change>) -> Vec<Said> {
    let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut ids: BTreeSet<DeviceId> = BTreeSet::new();
    let mut heard_anew: Vec<DeviceId> = Vec::new();
    for change in changes {
        match change {
            Change::Added(id) => {
                heard_anew.push(Arc::clone(&id));
                ids.insert(id);
            }
            Change::Changed { id, old_name, lost } => {
                names.extend(old_name);
                tell_lost(core, &id, &lost);
                heard_anew.push(Arc::clone(&id));
                ids.insert(id);
            }
            Change::Removed { id, name } => {
                names.insert(name);
                ids.insert(id);
            }
            Change::Faulty(fault) => core.log(None, LogLevel::Warn, format!("`{}`: {}", fault.about, fault.text)),
        }
    }
    if ids.is_empty() {
        return Vec::new();
    }
    // Whoever shares a name may need another label now, and so may who shared it until now.
    for id in &ids {
        let registry = &core.devices.registry;
        names.extend(registry.device(id).into_iter().flat_map(|device| called(device).cloned()));
        let before = core.evaluator.world.devices.get(id);
        names.extend(before.into_iter().flat_map(|known| std::iter::once(&known.name).chain(&known.aliases)).cloned());
    }
    for name in &names {
        if let Found::Several(several) = core.devices.registry.find(name) {
            ids.extend(several.into_iter().map(|device| Arc::clone(&device.id)));
        } else if let Found::One(device) = core.devices.registry.find(name) {
            ids.insert(Arc::clone(&device.id));
        }
    }
    for id in &ids {
        update(core, id);
    }
    core.devices.is_changed = true;
    ask(core, &ids);
    let mut said = Vec::new();
    for id in heard_anew {
        said.extend(catch_up(core, &id));
    }
    core.fact_changed(Fact::Devices, Cause::outside(CauseKind::Condition));
    said
}

/// From now on notes what is read, and asks for what all known devices say: the broker must be told which topics are needed.
pub(crate) fn ask_all(core: &mut Core) {
    core.evaluator.note_reads();
    let ids = core.devices.registry.devices().map(|device| Arc::clone(&device.id)).collect();
    ask(core, &ids);
}

fn ask(core: &mut Core, ids: &BTreeSet<DeviceId>) {
    for id in ids {
        let Some(device) = core.devices.registry.device(id) else { continue };
        let reach =
            device.availability.says.iter().chain(device.availability.bridge.as_deref()).map(|says| &says.topic);
        core.evaluator.ask(device.topics.iter().chain(reach));
    }
}

fn called(device: &Device) -> impl Iterator<Item = &Arc<str>> {
    std::iter::once(&device.name).chain(&device.aliases)
}

/// Makes what expressions know of a device be what the registry knows.
fn update(core: &mut Core, id: &DeviceId) {
    let device = core.devices.registry.device(id).cloned();
    let new = device.and_then(|device| known_device(&core.devices.registry, &device)).map(Arc::new);
    let world = &mut core.evaluator.world;
    let old = world.devices.remove(id);
    if let Some(old) = &old {
        let prefix = device_prefix(&old.label);
        let had = old.properties.iter().map(|property| (&*property.name, &property.topic));
        for (name, topic) in had.chain([("available", &old.available)]) {
            let now = new.as_ref().and_then(|new| new.topic(name));
            match now {
                Some(now) if now == topic => {}
                Some(now) => world.states.rename(topic, now.clone()),
                None => drop(world.states.forget(topic)),
            }
        }
        debug_assert!(old.available.as_str().starts_with(&prefix), "a device's topics begin with its label");
    }
    if let Some(new) = new {
        world.devices.put(new);
    }
}

/// Returns a device as expressions see it.
fn known_device(registry: &Registry, device: &Device) -> Option<KnownDevice> {
    let label = registry.label(device);
    let mut has: Vec<Arc<str>> = Vec::new();
    let mut properties = Vec::with_capacity(device.properties.len());
    // Many properties are read from one topic.
    let mut sources: Vec<Arc<str>> = Vec::with_capacity(1);
    let mut places: Vec<Option<u16>> = vec![None; device.topics.len()];
    for property in device.properties.iter() {
        let source =
            property.reads.first().and_then(|read| Some((device.topics.get(read.topic)?, places.get_mut(read.topic)?)));
        let source = source.and_then(|(topic, place)| {
            if place.is_none() {
                *place = u16::try_from(sources.len()).ok();
                sources.push(topic.text());
            }
            *place
        });
        properties.push(KnownProperty {
            name: Arc::clone(&property.name),
            topic: device_topic(&label, &property.name)?,
            source,
            is_event: property.holds.is_event(),
        });
        let mut name = &*property.name;
        // `on_1` and `on_2` are `on` in two channels.
        loop {
            if device.has(name) && !has.iter().any(|known| **known == *name) {
                let is_whole = name.len() == property.name.len();
                has.push(if is_whole { Arc::clone(&property.name) } else { name.into() });
            }
            let Some((shorter, _)) = name.rsplit_once('_') else { break };
            name = shorter;
        }
    }
    if device.has("available") {
        has.push("available".into());
    }
    has.shrink_to_fit();
    let read = device.properties.iter().flat_map(|property| &property.reads);
    let mut hears: Vec<Topic> =
        read.filter_map(|read| device.topics.get(read.topic)).filter_map(TopicFilter::as_topic).collect();
    hears.sort_unstable();
    hears.dedup();
    hears.shrink_to_fit();
    Some(KnownDevice {
        id: Arc::clone(&device.id),
        name: Arc::clone(&device.name),
        aliases: device.aliases.clone(),
        available: device_topic(&label, "available")?,
        label,
        area: device.area.clone(),
        kind: device.kind.as_str(),
        properties,
        has,
        hears,
        sources,
    })
}

/// Reads what a device's topics said before it was known.
fn catch_up(core: &mut Core, id: &DeviceId) -> Vec<Said> {
    let states = &core.evaluator.world.states;
    let last = |topic: &Topic| -> Option<Payload> { states.get(topic.as_str()).map(|state| state.payload.clone()) };
    let readings = core.devices.registry.catch_up(id, &last);
    for change in readings.changes {
        if let Change::Faulty(fault) = change {
            core.log(None, LogLevel::Warn, format!("`{}`: {}", fault.about, fault.text));
        }
    }
    note_all(core, readings.said, Origin::Retained)
}

/// Says what a device has lost, and which rules name it: without any, it is no more than news.
fn tell_lost(core: &mut Core, id: &str, lost: &[Arc<str>]) {
    let Some(device) = core.evaluator.world.devices.get(id).cloned() else { return };
    for property in lost {
        let rules = super::target::rules_that_name(core, &device, property);
        let (level, used) = match rules.as_slice() {
            [] => (LogLevel::Info, String::new()),
            rules => (LogLevel::Warn, format!("; used by {}", rules.join(", "))),
        };
        core.log(None, level, format!("`{}` no longer has `{property}`{used}", device.label));
    }
}
