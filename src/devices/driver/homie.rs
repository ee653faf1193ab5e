//! Homie 5: a device describes its nodes and their properties.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parts::{flag, get, name_apart, named, of_word, shared, text};
use super::{Driver, Ending, Told};
use crate::devices::codec::color::ColorForm;
use crate::devices::codec::{Codec, kelvin_range};
use crate::devices::device::address::Address;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property, Range};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::{Means, snake_case, unit_and_codec, word};
use crate::devices::device::{Availability, AvailabilityMode, Device, SaysAvailable, Source};
use crate::devices::settings::DeviceSettings;
use crate::model::{Payload, Topic, TopicFilter, Value};

/// The most properties of one device.
const MOST_PROPERTIES: usize = 1000;

/// Returns the driver, where the source is switched on.
pub(super) fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    let Some(prefix) = &settings.discovery.homie else { return Vec::new() };
    vec![Box::new(Homie { prefix: format!("{prefix}/5/"), known: BTreeMap::new() })]
}

/// What is described, by the device's id.
#[derive(Debug)]
struct Homie {
    prefix: String,
    known: BTreeMap<Arc<str>, Value>,
}

impl Driver for Homie {
    fn endings(&self) -> &'static [Ending] {
        &[Ending::Level("$description")]
    }

    fn claims(&self, topic: &str) -> bool {
        topic.starts_with(&self.prefix) && topic.ends_with("/$description")
    }

    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told) {
        let rest = topic.as_str().strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix("/$description"));
        let Some(id) = rest.filter(|id| !id.is_empty() && !id.contains('/')) else { return };
        if payload.is_empty() {
            told.sound(topic.as_str());
            if self.known.remove(id).is_some() {
                told.gone.push(format!("{}/{id}", Source::Homie).into());
            }
            return;
        }
        if !matches!(payload.value(), Value::Map(_)) {
            let fault: Arc<str> = format!("`{topic}` isn't a JSON object").into();
            match self.known.get(id) {
                Some(before) => {
                    let mut device = self.device(id, before);
                    device.diagnostics.push(fault);
                    told.devices.push(device);
                }
                None => told.fault(topic.as_str(), fault),
            }
            return;
        }
        told.sound(topic.as_str());
        told.devices.push(self.device(id, payload.value()));
        self.known.insert(id.into(), payload.value().clone());
    }
}

impl Homie {
    fn device(&self, id: &str, description: &Value) -> Device {
        let mut device = Device::new(Source::Homie, id, text(description, "name").unwrap_or(id));
        device.addresses.extend(Address::all_in(id));
        let base = format!("{}{id}", self.prefix);
        let Ok(state) = TopicFilter::parse(&format!("{base}/$state")) else {
            device.diagnostics.push("its id can't be part of a topic".into());
            return device;
        };
        let (yes, no) = (shared(&["ready", "sleeping", "alert"]), shared(&["init", "disconnected", "lost"]));
        device.availability = Availability {
            says: vec![SaysAvailable { topic: state, extract: Extract::Text, yes, no }],
            mode: AvailabilityMode::Latest,
            bridge: None,
        };
        let mut found: Vec<(Arc<str>, Property)> = Vec::new();
        if let Some(Value::Map(nodes)) = get(description, "nodes") {
            for (node, described) in nodes.iter() {
                let Some(Value::Map(properties)) = get(described, "properties") else { continue };
                for (name, described) in properties.iter().take(MOST_PROPERTIES.saturating_sub(found.len())) {
                    match property(&mut device, &base, node, name, described) {
                        Some(property) => found.push((Arc::clone(node), property)),
                        None => device.diagnostics.push(format!("its property `{node}/{name}` isn't usable").into()),
                    }
                }
            }
        }
        // Nodes that have the same are told apart by their names, as channels.
        let names: Vec<Arc<str>> = found.iter().map(|(_, property)| Arc::clone(&property.name)).collect();
        let is_shared = |name: &Arc<str>| names.iter().filter(|other| *other == name).count() > 1;
        let mut properties: Vec<Property> = found
            .into_iter()
            .map(|(node, property)| {
                let name = format!("{}_{}", property.name, snake_case(&node));
                if is_shared(&property.name) { property.called(name) } else { property }
            })
            .collect();
        name_apart(&mut properties);
        device.kind = kind(&properties);
        device.properties = properties.into();
        device
    }
}

fn kind(properties: &[Property]) -> Kind {
    let has = |name: &str| {
        properties.iter().any(|property| {
            property.write.is_some() && (*property.name == *name || property.name.starts_with(&format!("{name}_")))
        })
    };
    match () {
        () if has("brightness") || has("color") || has("color_temp") => Kind::Light,
        () if has("position") || has("move") => Kind::Cover,
        () if has("locked") => Kind::Lock,
        () if has("setpoint") => Kind::Climate,
        () if has("fan") => Kind::Fan,
        () if has("on") => Kind::Switch,
        () => Kind::Sensor,
    }
}

/// Returns a property of a node; `None` where its topic isn't one.
fn property(device: &mut Device, base: &str, node: &str, name: &str, described: &Value) -> Option<Property> {
    let said = format!("{base}/{node}/{name}");
    Topic::parse(&said).ok()?;
    let said = TopicFilter::parse(&said).ok()?;
    let set = TopicFilter::parse(&format!("{said}/set")).ok()?;
    let (property, codec) = typed(name, described);
    // What isn't retained is a moment, such as a press.
    let is_event = get(described, "retained") == Some(&Value::Bool(false)) && !flag(described, "settable");
    let property = if is_event {
        let place = device.topic(&said);
        return Some(named(&event_name(&property), Holds::Event(std::sync::Arc::new([]))).read(
            place,
            Extract::Text,
            Codec::Event,
        ));
    } else {
        let place = device.topic(&said);
        property.read(place, Extract::Text, codec.clone())
    };
    Some(if flag(described, "settable") {
        let place = device.topic(&set);
        property.written(place, Form::Payload, codec)
    } else {
        property
    })
}

fn event_name(property: &Property) -> String {
    if word(&property.name).is_some_and(|word| word.means != Means::Event) {
        format!("{}_raw", property.name)
    } else {
        property.name.to_string()
    }
}

/// Returns the property by its type and format, named in the words of the vocabulary where it fits one.
fn typed(id: &str, described: &Value) -> (Property, Codec) {
    let format = text(described, "format").unwrap_or_default();
    let is_settable = flag(described, "settable");
    let unit = text(described, "unit");
    let own = snake_case(id);
    let name = |holds: &Holds, unit: Option<&str>| match word(&own) {
        Some(word) if word.fits(holds, unit) && (!word.is_read_only || !is_settable) => own.clone(),
        Some(_) => format!("{own}_raw"),
        None => own.clone(),
    };
    match text(described, "datatype") {
        Some("boolean") => {
            let is_switch = is_settable && matches!(&*own, "power" | "state" | "switch" | "onoff" | "relay");
            let name = if is_switch { "on".to_owned() } else { name(&Holds::Boolean, None) };
            // Homie writes these words, not JSON's.
            (named(&name, Holds::Boolean), Codec::Boolean { yes: "true".into(), no: "false".into() })
        }
        Some("integer" | "float") => number(&own, format, unit, &name),
        Some("enum") => {
            let words: Arc<[Arc<str>]> = format.split(',').filter(|word| !word.is_empty()).map(Arc::from).collect();
            let holds = Holds::Words(words);
            (named(&name(&holds, None), holds), Codec::Text)
        }
        Some("color") => {
            let form = match format.split(',').next() {
                Some("hsv") => ColorForm::HomieHsv,
                Some("xyz") => ColorForm::HomieXyz,
                _ => ColorForm::HomieRgb,
            };
            (named(&name(&Holds::Color, None), Holds::Color), Codec::Color(form))
        }
        Some("json") => (named(&name(&Holds::Any, None), Holds::Any), Codec::Plain),
        _ => (named(&name(&Holds::Text, None), Holds::Text), Codec::Text),
    }
}

fn number(
    own: &str,
    format: &str,
    unit: Option<&str>,
    name: &dyn Fn(&Holds, Option<&str>) -> String,
) -> (Property, Codec) {
    let mut parts = format.split(':').map(|part| part.trim().parse::<f64>().ok().filter(|number| number.is_finite()));
    let (low, high, step) = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
    let means = word(own).map(|word| word.means);
    if means == Some(Means::Percent) && unit.is_none_or(|unit| unit == "%") {
        let codec =
            Codec::Percent { low: low.unwrap_or(0.0), high: high.unwrap_or(100.0), has_least: own == "brightness" };
        return (of_word(own), codec);
    }
    if own == "color_temp" {
        let is_mired = unit.is_some_and(|unit| unit.to_lowercase().starts_with("mired"));
        let codec = if is_mired { Codec::Mired } else { Codec::Whole };
        let range =
            if is_mired { kelvin_range(low, high) } else { Range { min: low, max: high, step: None, is_whole: true } };
        return (of_word(own).holding(Holds::Number(range)), codec);
    }
    let (unit, codec) = unit_and_codec(unit);
    let end = |end: Option<f64>| end.and_then(|end| codec.decode(&Value::Float(end))).and_then(|end| end.as_number());
    let holds = Holds::Number(Range { min: end(low), max: end(high), step, is_whole: false });
    let name = name(&holds, unit.as_deref());
    (named(&name, holds).in_unit(unit), codec)
}
