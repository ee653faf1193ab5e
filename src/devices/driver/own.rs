//! Devices of homerule.yaml, which say nothing of themselves.

use std::sync::Arc;

use super::parts::{named, of_word};
use super::{Driver, Ending, Told};
use crate::devices::codec::color::ColorForm;
use crate::devices::codec::units;
use crate::devices::codec::{self, Codec};
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property, Range};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::{Means, word};
use crate::devices::device::{Device, Source};
use crate::devices::settings::{DeviceSettings, OwnDevice, OwnProperty};
use crate::model::{Payload, Topic, Value};

/// Returns the driver, where there are such devices.
pub(super) fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    if settings.own.is_empty() {
        return Vec::new();
    }
    vec![Box::new(Own { devices: settings.own.clone() })]
}

#[derive(Debug)]
struct Own {
    devices: Vec<OwnDevice>,
}

impl Driver for Own {
    fn endings(&self) -> &'static [Ending] {
        &[]
    }

    fn claims(&self, _: &str) -> bool {
        false
    }

    fn note(&mut self, _: &Topic, _: &Payload, _: &mut Told) {}

    fn start(&mut self, told: &mut Told) {
        told.devices.extend(self.devices.iter().map(device));
    }
}

fn device(own: &OwnDevice) -> Device {
    let mut device = Device::new(Source::Own, &own.name, &own.name);
    device.area.clone_from(&own.area);
    device.aliases.clone_from(&own.aliases);
    let properties: Vec<Property> = own.properties.iter().map(|property| placed(property, own, &mut device)).collect();
    device.kind = own.kind.unwrap_or_else(|| kind(&properties));
    device.properties = properties.into();
    device
}

/// Returns what sort of thing has these properties.
fn kind(properties: &[Property]) -> Kind {
    let has = |name: &str| properties.iter().any(|property| *property.name == *name);
    match () {
        () if has("position") || has("move") => Kind::Cover,
        () if has("locked") => Kind::Lock,
        () if has("setpoint") || has("setpoint_low") => Kind::Climate,
        () if has("alarm") => Kind::Alarm,
        () if has("vacuum") => Kind::Vacuum,
        () if has("humidity_target") => Kind::Humidifier,
        () if has("brightness") || has("color_temp") || has("color") => Kind::Light,
        () if has("fan") || has("oscillating") => Kind::Fan,
        () if has("sound") => Kind::Siren,
        () if has("on") => Kind::Switch,
        () if has("press") => Kind::Button,
        () if has("action") => Kind::Remote,
        () => Kind::Sensor,
    }
}

fn placed(own: &OwnProperty, of: &OwnDevice, device: &mut Device) -> Property {
    let (property, codec) = typed(own);
    let said = own.topic.as_ref().or(of.state.as_ref());
    let property = match said {
        Some(topic) => {
            let topic = device.topic(topic);
            let keys: Vec<&str> = own.path.iter().map(|key| &**key).collect();
            let extract = if keys.is_empty() && !matches!(property.holds, Holds::Any | Holds::Color) {
                Extract::Text
            } else {
                Extract::keys(&keys)
            };
            property.read(topic, extract, codec.clone())
        }
        None => property,
    };
    let is_read_only = word(&own.name).is_some_and(|word| word.is_read_only);
    // A property with a topic of its own is set there where that is said, and not where the others are.
    let set = match (&own.set, &own.topic) {
        (Some(set), _) => Some((&set.topic, set.path.as_ref())),
        (None, Some(_)) => None,
        (None, None) => of.set.as_ref().map(|topic| (topic, None)),
    };
    match set {
        Some((topic, path)) if !is_read_only => {
            let topic = device.topic(topic);
            // A topic of its own takes the bare value, unless its path is said.
            let keys = path.unwrap_or(if own.set.is_some() { const { &Vec::new() } } else { &own.path });
            let form = if keys.is_empty() { Form::Payload } else { Form::Member(keys.as_slice().into()) };
            property.written(topic, form, codec)
        }
        _ => property,
    }
}

/// Returns the property, and how its values travel: by its words, its range, its unit, or as the vocabulary has it.
fn typed(own: &OwnProperty) -> (Property, Codec) {
    let means = word(&own.name).map(|word| word.means);
    let property = match means {
        Some(_) => of_word(&own.name),
        None => named(&own.name, Holds::Any),
    };
    if !own.values.is_empty() {
        return with_words(own, property);
    }
    let unit = own.unit.as_deref();
    match (means, own.range) {
        (Some(Means::Percent), range) => {
            let (low, high) = range.unwrap_or((0.0, 100.0));
            let has_least = *own.name == *"brightness";
            (property, Codec::Percent { low, high, has_least })
        }
        (Some(Means::Number(_)), range) => {
            let is_kelvin = *own.name == *"color_temp";
            let codec = match unit {
                Some("mired" | "mireds") if is_kelvin => Codec::Mired,
                _ if is_kelvin => Codec::Whole,
                unit => unit.and_then(units::conversion).map_or(Codec::Number, Codec::conversion),
            };
            let ends = range.map(|(low, high)| {
                [low, high].map(|end| codec.decode(&Value::Float(end)).and_then(|end| end.as_number()))
            });
            let property = match ends {
                Some([Some(low), Some(high)]) => property.within(Some(low.min(high)), Some(low.max(high)), None),
                _ => property,
            };
            (property, codec)
        }
        (Some(Means::Boolean | Means::Sound), _) => (property, Codec::Boolean { yes: true.into(), no: false.into() }),
        (Some(Means::Words | Means::Text), _) => (property, Codec::Text),
        (Some(Means::Color), _) => (property, Codec::Color(ColorForm::Hex)),
        (Some(Means::Event), _) => (property, Codec::Event),
        (Some(Means::Press), _) => (property, Codec::Boolean { yes: "PRESS".into(), no: "".into() }),
        (Some(Means::Duration), _) => (property, Codec::Number),
        (None, range) => {
            let conversion = unit.and_then(units::conversion);
            let unit = conversion.map(|conversion| Arc::from(conversion.unit)).or_else(|| own.unit.clone());
            let codec = conversion.map(Codec::conversion);
            match (range, codec) {
                (None, None) if unit.is_none() => (property, Codec::Plain),
                (range, codec) => {
                    let codec = codec.unwrap_or(Codec::Number);
                    let end = |end: f64| codec.decode(&Value::Float(end)).and_then(|end| end.as_number());
                    let range = Range {
                        min: range.and_then(|range| end(range.0)),
                        max: range.and_then(|range| end(range.1)),
                        ..Range::default()
                    };
                    (property.holding(Holds::Number(range)).in_unit(unit), codec)
                }
            }
        }
    }
}

/// Returns a property whose values are the device's words.
fn with_words(own: &OwnProperty, property: Property) -> (Property, Codec) {
    let of = |wanted: bool| {
        own.values.iter().find(|(ours, _)| *ours == Value::Bool(wanted)).map(|(_, theirs)| theirs.clone())
    };
    if let (Some(yes), Some(no)) = (of(true), of(false)) {
        let holds = if property.holds == Holds::Sound { Holds::Sound } else { Holds::Boolean };
        return (property.holding(holds), Codec::Boolean { yes, no });
    }
    let words: Arc<[(Arc<str>, Value)]> =
        own.values.iter().map(|(ours, theirs)| (Arc::from(ours.to_string()), theirs.clone())).collect();
    let holds: Arc<[Arc<str>]> = words.iter().map(|(ours, _)| Arc::clone(ours)).collect();
    let holds = if property.holds.is_event() { Holds::Event(holds) } else { Holds::Words(holds) };
    (property.holding(holds), codec::Codec::Words(words))
}
