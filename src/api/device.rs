//! Devices, as programs read them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::devices::{Device, Fault, Holds, Property, Registry};
use crate::engine::Engine;
use crate::model::Topic;

/// All devices of a home.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Devices)]
pub struct DevicesAnswer {
    /// The devices, by area and name.
    pub devices: Vec<DeviceAnswer>,
    /// What can't be read and belongs to no device that is known.
    pub diagnostics: Vec<DeviceDiagnostic>,
}

/// What can't be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceDiagnostic {
    /// The device's id, its name, or a topic.
    #[schema(value_type = String)]
    pub about: Arc<str>,
    /// What is wrong.
    #[schema(value_type = String)]
    pub message: Arc<str>,
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceAnswer {
    /// What it is known by.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// What it is called.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What means it alone in rules: its name, unless others have it too.
    #[schema(value_type = String)]
    pub label: Arc<str>,
    /// What else it is called.
    #[schema(value_type = Vec<String>)]
    pub aliases: Vec<Arc<str>>,
    /// Where it is.
    #[schema(value_type = Option<String>)]
    pub area: Option<Arc<str>>,
    /// What sort of thing it is: `light`, `sensor`, …
    pub kind: &'static str,
    /// Who told of it: `zigbee2mqtt`, `tasmota`, …
    pub source: &'static str,
    /// Its model and maker.
    #[schema(value_type = Option<String>)]
    pub model: Option<Arc<str>>,
    /// Whether it can be reached; `null`: nothing says it.
    pub available: Option<bool>,
    /// Seconds since it last spoke; `null`: never.
    pub age: Option<f64>,
    /// What it has.
    pub properties: Vec<PropertyAnswer>,
    /// Why it can't be commanded, if so.
    #[schema(value_type = Option<String>)]
    pub refuses: Option<Arc<str>>,
    /// What couldn't be read of it.
    #[schema(value_type = Vec<String>)]
    pub diagnostics: Vec<Arc<str>>,
}

/// A property of a device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Property)]
pub struct PropertyAnswer {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What it holds: `boolean`, `number`, `words`, `text`, `color`, `event`, `press`, `duration`, `sound` or `any`.
    #[serde(rename = "type")]
    pub holds: &'static str,
    /// What was last said of it, `null` where nothing was.
    pub value: serde_json::Value,
    /// What the device said last that isn't what it promised: a text for a number, or a number out of its range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<serde_json::Value>,
    /// Since when it has been so.
    pub changed_at: Option<Timestamp>,
    /// Its unit.
    #[schema(value_type = Option<String>)]
    pub unit: Option<Arc<str>>,
    /// The least number that it takes.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The steps between.
    pub step: Option<f64>,
    /// The words that it is, or takes.
    #[schema(value_type = Vec<String>)]
    pub words: Vec<Arc<str>>,
    /// Whether it is ever said.
    pub is_said: bool,
    /// Whether it can be set.
    pub can_set: bool,
    /// The topic on which it is said.
    pub topic: Option<String>,
    /// The topic on which it is set.
    pub set_topic: Option<String>,
}

impl DevicesAnswer {
    /// Returns these devices, by area and name, and what can't be read and belongs to none.
    #[must_use]
    pub fn new(mut devices: Vec<DeviceAnswer>, diagnostics: Vec<DeviceDiagnostic>) -> DevicesAnswer {
        let key = |device: &DeviceAnswer| (device.area.is_none(), device.area.clone(), device.name.clone());
        devices.sort_by(|left, right| key(left).cmp(&key(right)).then_with(|| left.id.cmp(&right.id)));
        DevicesAnswer { devices, diagnostics }
    }
}

impl DeviceDiagnostic {
    /// Returns what can't be read and belongs to no device that is known.
    #[must_use]
    pub fn of_none(registry: &Registry) -> Vec<DeviceDiagnostic> {
        let is_of_none = |fault: &Fault| registry.device(&fault.about).is_none();
        let diagnostics = registry.faults().filter(is_of_none);
        diagnostics.map(|Fault { about, text }| DeviceDiagnostic { about, message: text }).collect()
    }
}

impl DeviceAnswer {
    /// Returns a device as the engine knows it.
    #[must_use]
    pub fn new(engine: &Engine, device: &Device, now: Timestamp) -> DeviceAnswer {
        let (registry, states) = (engine.registry(), engine.states());
        let known = engine.devices().get(&device.id);
        let heard = known.into_iter().flat_map(|known| &known.hears);
        let spoke_at = heard.filter_map(|topic| states.get(topic.as_str())).map(|state| state.at).max();
        let mut diagnostics = device.diagnostics.clone();
        diagnostics.extend(registry.fault_of(&device.id).cloned());
        let property = |property: &Property| {
            let topic = known.and_then(|known| known.topic(&property.name));
            PropertyAnswer::new(engine, device, property, topic)
        };
        DeviceAnswer {
            id: Arc::clone(&device.id),
            name: Arc::clone(&device.name),
            label: registry.label(device),
            aliases: device.aliases.clone(),
            area: device.area.clone(),
            kind: device.kind.as_str(),
            source: device.source.as_str(),
            model: device.model.clone(),
            available: registry.available(&device.id),
            age: spoke_at.map(|at| now.duration_since(at).as_secs_f64().max(0.0)),
            properties: device.properties.iter().map(property).collect(),
            refuses: device.refuses.clone(),
            diagnostics,
        }
    }
}

impl PropertyAnswer {
    fn new(engine: &Engine, device: &Device, property: &Property, topic: Option<&Topic>) -> PropertyAnswer {
        let state = topic.and_then(|topic| engine.states().get(topic.as_str())).filter(|state| state.has_had_value);
        let range = match &property.holds {
            Holds::Number(range) => *range,
            _ => crate::devices::Range::default(),
        };
        let words = match &property.holds {
            Holds::Words(words) | Holds::Event(words) => words.to_vec(),
            _ => Vec::new(),
        };
        let extra = property.write.iter().flat_map(|write| write.words.iter()).cloned();
        let at = |place: usize| device.topics.get(place).map(ToString::to_string);
        PropertyAnswer {
            name: Arc::clone(&property.name),
            holds: property.holds.as_str(),
            misfit: misfit(engine, device, property),
            value: state.map_or(serde_json::Value::Null, |state| state.payload.value().to_json()),
            changed_at: state.map(|state| state.changed_at),
            unit: property.unit.clone(),
            min: range.min,
            max: range.max,
            step: range.step,
            words: words.into_iter().chain(extra).collect(),
            is_said: !property.reads.is_empty(),
            can_set: property.write.is_some() && device.refuses.is_none(),
            topic: property.reads.first().and_then(|read| at(read.topic)),
            set_topic: property.write.as_ref().and_then(|write| at(write.topic)),
        }
    }
}

/// Returns what the last messages say of a property that isn't what was promised.
fn misfit(engine: &Engine, device: &Device, property: &Property) -> Option<serde_json::Value> {
    let found = property.reads.iter().find_map(|read| {
        let topic = device.topics.get(read.topic)?.as_topic()?;
        let state = engine.states().get(topic.as_str())?;
        property.misfit(&read.reader, &state.payload)
    });
    found.map(|value| value.to_json())
}
