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
    let readings = registry.read(&message.topic, &message.payload, is_retained);
    changes.extend(readings.changes);
    let mut said = if changes.is_empty() { Vec::new() } else { known::take(core, changes) };
    said.extend(readings.said.into_iter().filter_map(|reading| note(core, reading, message.origin)));
    said
}

/// Notes one reading in the state. `None` where its device isn't known any more.
pub(crate) fn note(core: &mut Core, reading: Reading, origin: Origin) -> Option<Said> {
    let now = core.now();
    let world = &mut core.evaluator.world;
    let device = world.devices.get(&reading.device)?;
    let topic = device.topic(&reading.property)?;
    let before = world.states.get(topic.as_str());
    let is_news = reading.is_event || before.is_none_or(|before| *before.payload.value() != reading.value);
    let before = before.map(|before| before.payload.value().clone()).unwrap_or_default();
    let (topic, device) = (topic.clone(), Arc::clone(device));
    if is_news {
        let payload = Payload::exactly(&reading.value);
        let (topic, qos) = (topic.clone(), Qos::AtMostOnce);
        let message = Message { topic, payload, qos, retain: false, origin, expires_at: None };
        world.states.note(now, &message, Size::Fits);
    }
    let Reading { property, value, is_event, .. } = reading;
    Some(Said { topic, device, property, value, before, is_event, is_news, origin })
}
