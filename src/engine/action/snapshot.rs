//! `snapshot`: remembers what topics and devices say (docs/language/snapshots.md).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::device::set::said_at;
use crate::engine::device::target::select;
use crate::engine::instant::later;
use crate::engine::live::snapshots::{Remembered, RememberedDevice};
use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Map, Payload, Topic, TopicFilter, Value, format_size};
use crate::rules::{Snapshot, SnapshotPart, snapshot_key, snapshot_name, snapshot_parts};
use crate::script::{Failure, KnownDevice};

use super::act::Act;
use super::next::Next;

/// How many topics and devices one may hold.
const MOST: usize = 1000;

/// How many devices a trace names.
const MOST_NAMED: usize = 10;

/// Remembers what topics and devices say now. Where a name means no device, the others are remembered.
///
/// # Errors
/// When the target can't be one, matches too much, or names a device that isn't there.
pub(crate) fn take(act: &mut Act<'_>, snapshot: &Snapshot) -> Result<Next, Failure> {
    let target = act.evaluate(|engine, scope, reads| engine.render(scope, &snapshot.target, reads))?;
    let name = match &snapshot.name {
        Some(name) => act.evaluate(|engine, scope, reads| engine.text(scope, name, reads))?,
        None => snapshot_name(&target),
    };
    let parts = snapshot_parts(&target).map_err(Failure::plain)?;
    let (now, key) = (act.at.core.now(), key_of(act, &name));
    if !snapshot.replace && act.at.core.snapshots.get(&key, now).is_some() {
        act.note(StepKind::Snapshot, StepResult::Words(format!("`{name}` is there already, and stays")));
        return Ok(Next::GoOn);
    }
    let mut remembered = Remembered {
        at: now,
        until: later(now, snapshot.keep),
        topics: Vec::new(),
        filters: Vec::new(),
        devices: Vec::new(),
    };
    let mut wrong = Vec::new();
    for part in &parts {
        match part {
            SnapshotPart::Topics(filter) => topics(act, filter, &mut remembered)?,
            SnapshotPart::Device(name) => devices(act, &Value::Text(Arc::clone(name)), &mut remembered, &mut wrong)?,
            SnapshotPart::Where(map) => devices(act, &Value::Map(Arc::clone(map)), &mut remembered, &mut wrong)?,
        }
    }
    check_size(act, &snapshot_name(&target), &remembered)?;
    act.note(StepKind::Snapshot, StepResult::Words(in_words(&name, &remembered)));
    act.at.core.snapshots.put(key, remembered, now);
    if wrong.is_empty() {
        return Ok(Next::GoOn);
    }
    Err(Failure { place: Some(act.action.place.clone()), ..Failure::plain(wrong.join("; ")) })
}

/// Checks that a snapshot isn't too large: it's written to the disk, and read as one.
fn check_size(act: &Act<'_>, target: &str, remembered: &Remembered) -> Result<(), Failure> {
    let count = remembered.topics.len() + remembered.devices.len();
    if count > MOST {
        return Err(Failure::plain(format!("`{target}` matches {count} topics and devices, and {MOST} are the most")));
    }
    let payloads = remembered.topics.iter().map(|(_, payload)| payload.bytes().len());
    let values = remembered.devices.iter().flat_map(|device| &device.values).map(|(_, value)| value.size());
    let (size, most) = (payloads.chain(values).sum::<usize>(), act.at.core.options.limits.value().bytes);
    if size > most {
        let (size, most) = (format_size(size), format_size(most));
        return Err(Failure::plain(format!(
            "what `{target}` says is too large to remember: {size}, and {most} is the most"
        )));
    }
    Ok(())
}

/// Adds what the topics of a filter say.
fn topics(act: &mut Act<'_>, text: &str, remembered: &mut Remembered) -> Result<(), Failure> {
    let filter = TopicFilter::parse(text)
        .map_err(|error| Failure::plain(format!("`{text}` isn't a valid topic filter: {error}")))?;
    act.at.core.evaluator.ask(std::iter::once(&filter));
    let core = &*act.at.core;
    let known: BTreeSet<Topic> = remembered.topics.iter().map(|(topic, _)| topic.clone()).collect();
    let found = core.evaluator.world.states.matching(&filter).filter(|(topic, state)| {
        let value = state.payload.value();
        !value.is_null() && !core.options.ignored.contains(value) && !known.contains(*topic)
    });
    remembered.topics.extend(found.map(|(topic, state)| (topic.clone(), state.payload.clone())));
    remembered.filters.push(text.to_owned());
    Ok(())
}

/// Adds what the devices of a target say; names that mean none are added to `wrong`.
fn devices(act: &Act<'_>, target: &Value, remembered: &mut Remembered, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let (found, unknown) = select(&act.at.core.evaluator.world.devices, target).map_err(Failure::plain)?;
    wrong.extend(unknown);
    for device in found {
        if remembered.devices.iter().all(|known| known.id != device.id) {
            remembered.devices.push(remember(act, &device));
        }
    }
    Ok(())
}

fn remember(act: &Act<'_>, device: &KnownDevice) -> RememberedDevice {
    let core = &*act.at.core;
    let heard = |topic: &Topic| -> Option<Payload> {
        core.evaluator.world.states.get(topic.as_str()).map(|state| state.payload.clone())
    };
    let said =
        |property: &str| said_at(core, device, property).filter(|(value, _)| !core.options.ignored.contains(value));
    let known = core.devices.registry.device(&device.id);
    RememberedDevice {
        id: Arc::clone(&device.id),
        label: Arc::clone(&device.label),
        values: known.map(|known| known.restorable(&said, &heard)).unwrap_or_default(),
        commanded: BTreeSet::new(),
    }
}

/// Returns what was remembered, for the trace.
fn in_words(name: &str, remembered: &Remembered) -> String {
    let mut parts: Vec<String> = Vec::new();
    for device in remembered.devices.iter().take(MOST_NAMED) {
        let values: Map = device.values.iter().cloned().collect();
        parts.push(if values.is_empty() {
            format!("{} says nothing that can be set", device.label)
        } else {
            format!("{} {}", device.label, Value::Map(Arc::new(values)))
        });
    }
    match remembered.devices.len().saturating_sub(MOST_NAMED) {
        0 => {}
        1 => parts.push("1 more device".to_owned()),
        more => parts.push(format!("{more} more devices")),
    }
    match remembered.topics.len() {
        0 if !remembered.devices.is_empty() => {}
        0 if remembered.filters.is_empty() => parts.push("no device fits".to_owned()),
        1 => parts.push("1 topic".to_owned()),
        many => parts.push(format!("{many} topics")),
    }
    format!("`{name}`: {}", parts.join("; "))
}

/// Returns the name of a snapshot in all of the home: those of a file are its own, unless another file's id is written.
pub(super) fn key_of(act: &Act<'_>, name: &str) -> String {
    let is_of_file = act.at.core.snapshots.get(name, act.at.core.now()).is_some();
    if name.contains(':') && is_of_file { name.to_owned() } else { snapshot_key(act.at.rule.id.file(), name) }
}
