//! What messages say of devices.

use std::sync::Arc;

use crate::devices::Reading;
use crate::engine::core::Core;
use crate::model::{Message, Origin, Payload, Qos, Size, Topic, Value};
use crate::script::KnownDevice;

use super::known;

/// What a message says of a property of a device.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The topic that holds it.
    pub(crate) topic: Topic,
    pub(crate) device: Arc<KnownDevice>,
    pub(crate) property: Arc<str>,
    pub(crate) value: Value,
    /// What it was before; `()` where that isn't known.
    pub(crate) before: Value,
    /// Whether it happens, and doesn't last.
    pub(crate) is_event: bool,
    /// Whether it is an event, or another value than before.
    pub(crate) is_news: bool,
    /// Where it came from: what was said before its device was known counts as retained.
    pub(crate) origin: Origin,
}

/// Notes what a message says of devices, and what it tells of which devices there are.
pub(crate) fn hear(core: &mut Core, message: &Message) -> Vec<Said> {
    let is_retained = message.origin != Origin::Live && message.origin != Origin::Own;
    let registry = &mut core.devices.registry;
    let mut changes = registry.note(&message.topic, &message.payload);
    if changes.is_empty() && registry.hears_nothing() {
        return Vec::new();
    }
    let readings = registry.read(&message.topic, &message.payload, is_retained);
    if changes.is_empty() && readings.is_empty() {
        return Vec::new();
    }
    changes.extend(readings.changes);
    let mut said = if changes.is_empty() { Vec::new() } else { known::take(core, changes) };
    said.extend(note_all(core, readings.said, message.origin));
    said
}

/// Notes readings in the state. Those whose device isn't known any more are passed over.
pub(crate) fn note_all(core: &mut Core, readings: Vec<Reading>, origin: Origin) -> Vec<Said> {
    let mut said = Vec::with_capacity(readings.len());
    // A message says many things of one device.
    let mut device: Option<Arc<KnownDevice>> = None;
    for reading in readings {
        if device.as_ref().is_none_or(|device| device.id != reading.device) {
            device = core.evaluator.world.devices.get(&reading.device).cloned();
        }
        said.extend(device.as_ref().and_then(|device| note(core, device, reading, origin)));
    }
    said
}

fn note(core: &mut Core, device: &Arc<KnownDevice>, reading: Reading, origin: Origin) -> Option<Said> {
    let now = core.now();
    let topic = device.topic(&reading.property)?;
    let states = &mut core.evaluator.world.states;
    let known = states.get(topic.as_str()).map(|known| known.payload.value());
    let is_news = reading.is_event || known.is_none_or(|known| *known != reading.value);
    let before = known.cloned().unwrap_or_default();
    if is_news {
        let payload = Payload::exactly(&reading.value);
        let (topic, qos) = (topic.clone(), Qos::AtMostOnce);
        let message = Message { topic, payload, qos, retain: false, origin, expires_at: None };
        states.note(now, &message, Size::Fits);
    }
    let Reading { property, value, is_event, .. } = reading;
    Some(Said { topic: topic.clone(), device: Arc::clone(device), property, value, before, is_event, is_news, origin })
}
