//! Reading a device's properties in an expression.

use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString};

use crate::model::{Topic, Value, device_topic, nearest};
use crate::script::evaluation::convert::to_dynamic;
use crate::script::evaluation::loan::{Lent, Loan};
use crate::script::evaluation::moment::seconds;
use crate::script::evaluation::refusal::{Refusal, refuse};

use super::handle::DeviceHandle;
use super::known::Named;

/// What each device has beside its properties.
pub(in crate::script) const OF_DEVICES: [&str; 7] = ["name", "id", "area", "kind", "available", "age", "properties"];

/// Registers the type, and how its properties are read.
pub(in crate::script) fn register(engine: &mut Engine, loan: &Loan, items: usize) {
    engine.register_type_with_name::<DeviceHandle>("device");
    let lent = loan.clone();
    engine.register_indexer_get(move |device: &mut DeviceHandle, name: &str| -> Result<Dynamic, Refusal> {
        lent.with(|lent| lent.property_of(device, name, items))
    });
    engine.register_fn("to_string", |device: &mut DeviceHandle| device.label());
}

impl Lent {
    /// Returns the device that a name means.
    pub(in crate::script) fn device(&mut self, name: &str) -> Result<DeviceHandle, Refusal> {
        self.reads.devices = true;
        let device = match self.world.devices.find(name) {
            Named::One(device) => Some(Arc::clone(device)),
            Named::None => None,
            Named::Several(several) => {
                let labels: Vec<String> = several.iter().map(|device| format!("`{}`", device.label)).collect();
                return Err(refuse(&format!("several devices are called `{name}`: write {}", labels.join(" or "))));
            }
        };
        Ok(DeviceHandle { asked: name.into(), device })
    }

    fn property_of(&mut self, handle: &DeviceHandle, name: &str, items: usize) -> Result<Dynamic, Refusal> {
        let Some(device) = &handle.device else {
            if name == "name" {
                return Ok(handle.asked.clone().into());
            }
            if let Some(topic) = device_topic(&handle.asked, name) {
                self.note_missing(topic);
            }
            return Ok(Dynamic::UNIT);
        };
        if let Some(property) = device.property(name) {
            return self.said(&property.topic, items);
        }
        let text = |text: &str| Dynamic::from(ImmutableString::from(text));
        Ok(match name {
            "name" => text(&device.name),
            "id" => text(&device.id),
            "kind" => text(device.kind),
            "area" => device.area.as_deref().map_or(Dynamic::UNIT, text),
            "properties" => {
                Dynamic::from_array(device.properties.iter().map(|property| text(&property.name)).collect())
            }
            "available" => {
                self.reads.topics.insert(device.available.clone());
                let state = self.world.states.get(device.available.as_str());
                state.map_or(Dynamic::UNIT, |state| match state.payload.value() {
                    Value::Bool(available) => Dynamic::from(*available),
                    _ => Dynamic::UNIT,
                })
            }
            "age" => {
                self.reads.clock = true;
                self.reads.topics.extend(device.hears.iter().cloned());
                let spoke = device.hears.iter().filter_map(|topic| self.world.states.get(topic.as_str()));
                let latest = spoke.map(|state| state.at).max();
                latest.map_or(Dynamic::UNIT, |at| seconds(self.world.now.duration_since(at)))
            }
            _ => {
                let known = device.properties.iter().map(|property| &*property.name).chain(OF_DEVICES);
                let near = nearest(name, known).map(|near| format!("; did you mean `{near}`?"));
                let (label, near) = (&device.label, near.unwrap_or_default());
                return Err(refuse(&format!("`{label}` has no property `{name}`{near}")));
            }
        })
    }

    /// Returns what was last said of a property.
    fn said(&mut self, topic: &Topic, items: usize) -> Result<Dynamic, Refusal> {
        let state = self.world.states.get(topic.as_str()).filter(|state| state.has_had_value);
        let Some(state) = state else {
            self.note_missing(topic.clone());
            return Ok(Dynamic::UNIT);
        };
        let value = to_dynamic(state.payload.value(), None, items).map_err(|error| refuse(&error))?;
        self.reads.topics.insert(topic.clone());
        Ok(value)
    }

    fn note_missing(&mut self, topic: Topic) {
        if self.reads.without_value.is_none() {
            self.reads.without_value = Some(topic.clone());
        }
        self.reads.topics.insert(topic);
    }
}
