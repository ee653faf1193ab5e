//! Shelly's devices from their second generation: they have no definition, but say what they have as they speak.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parts::{get, list, name_apart, named, of_word, shared, text, words};
use super::{Driver, Ending, Told};
use crate::devices::codec::Codec;
use crate::devices::codec::color::ColorForm;
use crate::devices::device::address::Address;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property, Range};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::unit_and_codec;
use crate::devices::device::{Availability, AvailabilityMode, Device, SaysAvailable, Source};
use crate::devices::settings::DeviceSettings;
use crate::model::{Payload, Topic, TopicFilter, Value};

/// The most devices, and the most components of one: what only looks like a Shelly must not fill the memory.
const MOST_DEVICES: usize = 2_000;
const MOST_COMPONENTS: usize = 100;

/// Returns the driver, where the source is switched on.
pub(super) fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    if settings.discovery.shelly { vec![Box::new(Shelly::default())] } else { Vec::new() }
}

/// What was heard, by the devices' prefixes.
#[derive(Debug, Default)]
struct Shelly {
    known: BTreeMap<Arc<str>, BTreeMap<Component, BTreeSet<&'static str>>>,
}

/// A component of a device: `switch:0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Component {
    kind: &'static str,
    number: u32,
}

/// The components that are read, with the keys of their status that show which properties they have.
const COMPONENTS: [(&str, &[&str]); 20] = [
    ("switch", &["output", "apower", "voltage", "current", "aenergy", "temperature"]),
    ("light", &["output", "brightness", "apower", "voltage", "current", "aenergy", "temperature"]),
    ("rgb", &["output", "brightness", "rgb", "apower", "aenergy"]),
    ("rgbw", &["output", "brightness", "rgb", "apower", "aenergy"]),
    ("cct", &["output", "brightness", "ct", "apower", "aenergy"]),
    ("cover", &["state", "current_pos", "apower", "voltage", "current", "aenergy", "temperature", "slat_pos"]),
    ("input", &["state", "percent", "counts"]),
    ("pm1", &["apower", "voltage", "current", "aenergy"]),
    ("em", &["total_act_power"]),
    ("em1", &["act_power", "voltage", "current"]),
    ("emdata", &["total_act"]),
    ("em1data", &["total_act_energy"]),
    ("temperature", &["tC"]),
    ("humidity", &["rh"]),
    ("illuminance", &["lux"]),
    ("devicepower", &["battery"]),
    ("smoke", &["alarm"]),
    ("flood", &["alarm"]),
    ("voltmeter", &["voltage"]),
    ("thermostat", &["target_C", "current_C", "output"]),
];

impl Component {
    /// Returns the component of `switch:0`.
    fn parse(text: &str) -> Option<Component> {
        let (kind, number) = text.split_once(':')?;
        let (kind, _) = COMPONENTS.iter().find(|(known, _)| *known == kind)?;
        Some(Component { kind, number: number.parse().ok()? })
    }

    /// Returns the keys of a status that show properties of the component.
    fn keys_in(&self, status: &Value) -> BTreeSet<&'static str> {
        let known = COMPONENTS.iter().find(|(kind, _)| *kind == self.kind).map_or(&[][..], |(_, keys)| *keys);
        known.iter().copied().filter(|key| get(status, key).is_some()).collect()
    }
}

impl Driver for Shelly {
    fn endings(&self) -> &'static [Ending] {
        &[Ending::Level("rpc"), Ending::Numbered]
    }

    fn claims(&self, topic: &str) -> bool {
        topic.ends_with("/events/rpc") || status_place(topic).is_some()
    }

    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told) {
        let topic = topic.as_str();
        if payload.is_empty() {
            return;
        }
        if let Some(prefix) = topic.strip_suffix("/events/rpc") {
            self.note_events(prefix, payload.value(), told);
        } else if let Some((prefix, component)) = status_place(topic) {
            let status = payload.value();
            // Its own status has its number: something else on such a topic hasn't.
            let is_own = get(status, "id").is_some_and(|id| *id == Value::Int(component.number.into()));
            if is_own {
                let keys = component.keys_in(status);
                self.learn(prefix, vec![(component, keys)], told);
            }
        }
    }
}

/// Returns the prefix and component of `PREFIX/status/COMPONENT:N`.
fn status_place(topic: &str) -> Option<(&str, Component)> {
    let (rest, last) = topic.rsplit_once('/')?;
    let prefix = rest.strip_suffix("/status")?;
    Some((prefix, Component::parse(last)?))
}

/// Returns what a component writes of itself: each status has its number, by which it's known.
pub(in crate::devices) fn with_number(topic: &Topic, payload: Payload) -> Payload {
    let (Some((_, component)), Value::Map(status)) = (status_place(topic.as_str()), payload.value()) else {
        return payload;
    };
    if status.contains_key("id") {
        return payload;
    }
    let number = [(Arc::from("id"), Value::Int(component.number.into()))];
    let entries = status.iter().map(|(key, value)| (Arc::clone(key), value.clone()));
    Payload::from_value(&Value::Map(Arc::new(number.into_iter().chain(entries).collect())))
}

impl Shelly {
    /// Learns from `NotifyStatus`, `NotifyFullStatus` and `NotifyEvent`.
    fn note_events(&mut self, prefix: &str, message: &Value, told: &mut Told) {
        let is_notice = text(message, "method").is_some_and(|method| method.starts_with("Notify"));
        let (Some(params), true, Some(_)) = (get(message, "params"), is_notice, text(message, "src")) else { return };
        let mut learned = Vec::new();
        if let Value::Map(entries) = params {
            for (name, status) in entries.iter() {
                if let Some(component) = Component::parse(name) {
                    let keys = component.keys_in(status);
                    learned.push((component, keys));
                }
            }
        }
        for event in list(params, "events") {
            learned.extend(
                text(event, "component").and_then(Component::parse).map(|component| (component, BTreeSet::new())),
            );
        }
        self.learn(prefix, learned, told);
    }

    fn learn(&mut self, prefix: &str, learned: Vec<(Component, BTreeSet<&'static str>)>, told: &mut Told) {
        if learned.is_empty() || (self.known.len() >= MOST_DEVICES && !self.known.contains_key(prefix)) {
            return;
        }
        let known = self.known.entry(prefix.into()).or_default();
        let mut is_new = false;
        for (component, keys) in learned {
            if known.len() >= MOST_COMPONENTS && !known.contains_key(&component) {
                continue;
            }
            is_new |= !known.contains_key(&component);
            let have = known.entry(component).or_default();
            let before = have.len();
            have.extend(keys);
            is_new |= have.len() > before;
        }
        if is_new {
            told.devices.push(device(prefix, known));
        }
    }
}

/// What is gathered of a device.
struct Draft<'a> {
    device: Device,
    prefix: &'a str,
    properties: Vec<Property>,
    kinds: Vec<Kind>,
}

/// The status of one component, and how it is commanded.
struct Part<'a> {
    component: &'a Component,
    status: usize,
    events: usize,
    rpc: usize,
    /// The channel in names, where there are several of its kind.
    channel: String,
}

fn device(prefix: &str, components: &BTreeMap<Component, BTreeSet<&'static str>>) -> Device {
    let name = prefix.rsplit('/').next().unwrap_or(prefix);
    let mut device = Device::new(Source::Shelly, prefix, name);
    device.addresses.extend(Address::all_in(name));
    device.model = name.split_once('-').map(|(model, _)| Arc::from(model));
    let mut draft = Draft { device, prefix, properties: Vec::new(), kinds: Vec::new() };
    for (component, keys) in components {
        let count = components.keys().filter(|other| other.kind == component.kind).count();
        draft.add(component, keys, count);
    }
    draft.add_events(components);
    let Draft { mut device, mut properties, kinds, .. } = draft;
    name_apart(&mut properties);
    device.kind = Kind::main(kinds);
    device.properties = properties.into();
    if let Ok(topic) = TopicFilter::parse(&format!("{prefix}/online")) {
        let says = SaysAvailable { topic, extract: Extract::Text, yes: shared(&["true"]), no: shared(&["false"]) };
        device.availability = Availability { says: vec![says], mode: AvailabilityMode::Latest, bridge: None };
    }
    device
}

impl Draft<'_> {
    fn topic(&mut self, rest: &str) -> Option<usize> {
        let filter = TopicFilter::parse(&format!("{}/{rest}", self.prefix)).ok()?;
        filter.as_topic()?;
        Some(self.device.topic(&filter))
    }

    fn add(&mut self, component: &Component, keys: &BTreeSet<&'static str>, count: usize) {
        let name = format!("{}:{}", component.kind, component.number);
        let (Some(status), Some(events), Some(rpc)) =
            (self.topic(&format!("status/{name}")), self.topic("events/rpc"), self.topic("rpc"))
        else {
            return;
        };
        // Shelly counts from 0, people from 1.
        let channel = if count > 1 { format!("_{}", component.number.saturating_add(1)) } else { String::new() };
        let part = Part { component, status, events, rpc, channel };
        let is_plug = self.device.model.as_deref().is_some_and(|model| model.contains("plug"));
        let kind = match component.kind {
            "switch" if is_plug => Some(Kind::Plug),
            "switch" => Some(Kind::Switch),
            "light" | "rgb" | "rgbw" | "cct" => Some(Kind::Light),
            "cover" => Some(Kind::Cover),
            "thermostat" => Some(Kind::Climate),
            _ => None,
        };
        self.kinds.extend(kind);
        for key in keys {
            self.properties.extend(part.property(key));
        }
        let is_light = kind == Some(Kind::Light);
        if is_light && keys.contains("output") {
            let transition = part.set(of_word("transition"), part.light_method(), "transition_duration", Codec::Number);
            self.properties.push(transition);
        }
        if component.kind == "cover" && keys.contains("state") {
            self.properties.push(part.moves());
        }
    }

    /// Adds `action`, of which each press of an input is a value.
    fn add_events(&mut self, components: &BTreeMap<Component, BTreeSet<&'static str>>) {
        let inputs: Vec<u32> =
            components.keys().filter(|component| component.kind == "input").map(|component| component.number).collect();
        let Some(topic) = (!inputs.is_empty()).then(|| self.topic("events/rpc")).flatten() else { return };
        let codec = Codec::ShellyEvent { is_single: inputs.len() == 1 };
        self.properties.push(of_word("action").read(topic, Extract::Value, codec));
        if self.kinds.is_empty() {
            self.kinds.push(Kind::Remote);
        }
    }
}

impl Part<'_> {
    /// Reads a property from the component's own status, and from notices of the device.
    fn said(&self, property: Property, keys: &[&str], codec: &Codec) -> Property {
        let name = format!("{}:{}", self.component.kind, self.component.number);
        let in_notice: Vec<&str> = ["params", name.as_str()].into_iter().chain(keys.iter().copied()).collect();
        let named = format!("{}{}", property.name, self.channel);
        property.called(named).read(self.status, Extract::keys(keys), codec.clone()).read(
            self.events,
            Extract::keys(&in_notice),
            codec.clone(),
        )
    }

    fn set(&self, property: Property, method: &str, parameter: &str, codec: Codec) -> Property {
        let form =
            Form::Rpc { method: method.into(), component: self.component.number, parameter: Some(parameter.into()) };
        let named = if property.reads.is_empty() {
            format!("{}{}", property.name, self.channel)
        } else {
            property.name.to_string()
        };
        property.called(named).written(self.rpc, form, codec)
    }

    fn light_method(&self) -> &'static str {
        match self.component.kind {
            "rgb" => "RGB.Set",
            "rgbw" => "RGBW.Set",
            "cct" => "CCT.Set",
            _ => "Light.Set",
        }
    }

    /// Returns the property that a key of the status shows.
    fn property(&self, key: &str) -> Option<Property> {
        // Longer than most: one row for each key reads best in one place.
        let kind = self.component.kind;
        let number = |name: &str, keys: &[&str], unit: &str| {
            let (unit, codec) = unit_and_codec(Some(unit));
            Some(self.said(of_word(name).in_unit(unit), keys, &codec))
        };
        match (kind, key) {
            ("switch", "output") => Some(self.on("Switch.Set")),
            ("light" | "rgb" | "rgbw" | "cct", "output") => Some(self.on(self.light_method())),
            (_, "brightness") => {
                let codec = Codec::Percent { low: 0.0, high: 100.0, has_least: true };
                Some(self.set(
                    self.said(of_word("brightness"), &["brightness"], &codec),
                    self.light_method(),
                    "brightness",
                    codec.clone(),
                ))
            }
            (_, "rgb") => {
                let codec = Codec::Color(ColorForm::RgbList);
                Some(self.set(self.said(of_word("color"), &["rgb"], &codec), self.light_method(), "rgb", codec.clone()))
            }
            (_, "ct") => {
                let range = Range { min: Some(2700.0), max: Some(6500.0), step: None, is_whole: true };
                let said = self.said(of_word("color_temp").holding(Holds::Number(range)), &["ct"], &Codec::Whole);
                Some(self.set(said, "CCT.Set", "ct", Codec::Whole))
            }
            ("cover", "state") => Some(self.said(
                of_word("open"),
                &["state"],
                &Codec::Boolean { yes: "open".into(), no: "closed".into() },
            )),
            ("cover", "current_pos") => {
                let codec = Codec::Percent { low: 0.0, high: 100.0, has_least: false };
                Some(self.set(
                    self.said(of_word("position"), &["current_pos"], &codec),
                    "Cover.GoToPosition",
                    "pos",
                    codec.clone(),
                ))
            }
            ("cover", "slat_pos") => {
                let codec = Codec::Percent { low: 0.0, high: 100.0, has_least: false };
                Some(self.set(
                    self.said(of_word("tilt"), &["slat_pos"], &codec),
                    "Cover.GoToPosition",
                    "slat_pos",
                    codec.clone(),
                ))
            }
            ("input", "state") => Some(self.said(named("input", Holds::Boolean), &["state"], &Codec::boolean())),
            ("input", "percent") => {
                Some(self.said(named("input_percent", Holds::Number(Range::default())), &["percent"], &Codec::Number))
            }
            ("input", "counts") => Some(self.said(
                named("input_count", Holds::Number(Range::default())),
                &["counts", "total"],
                &Codec::Number,
            )),
            (_, "apower") => number("power", &["apower"], "W"),
            ("em", "total_act_power") => number("power", &["total_act_power"], "W"),
            (_, "act_power") => number("power", &["act_power"], "W"),
            (_, "voltage") => number("voltage", &["voltage"], "V"),
            (_, "current") => number("current", &["current"], "A"),
            (_, "aenergy") => number("energy", &["aenergy", "total"], "Wh"),
            (_, "total_act") => number("energy", &["total_act"], "Wh"),
            (_, "total_act_energy") => number("energy", &["total_act_energy"], "Wh"),
            // How warm the device itself is.
            ("switch" | "light" | "cover", "temperature") => {
                let property = named("device_temperature", Holds::Number(Range::default())).in_unit(Some("°C".into()));
                Some(self.said(property, &["temperature", "tC"], &Codec::Number))
            }
            (_, "tC") => number("temperature", &["tC"], "°C"),
            (_, "rh") => number("humidity", &["rh"], "%"),
            (_, "lux") => number("illuminance", &["lux"], "lx"),
            (_, "battery") => number("battery", &["battery", "percent"], "%"),
            ("smoke", "alarm") => Some(self.said(of_word("smoke"), &["alarm"], &Codec::boolean())),
            ("flood", "alarm") => Some(self.said(of_word("leak"), &["alarm"], &Codec::boolean())),
            ("thermostat", "target_C") => {
                let said = self.said(of_word("setpoint"), &["target_C"], &Codec::Number);
                Some(self.set(said, "Thermostat.SetConfig", "config.target_C", Codec::Number))
            }
            ("thermostat", "current_C") => number("temperature", &["current_C"], "°C"),
            ("thermostat", "output") => {
                Some(self.said(named("heating", Holds::Boolean), &["output"], &Codec::boolean()))
            }
            _ => None,
        }
    }

    fn on(&self, method: &str) -> Property {
        self.set(self.said(of_word("on"), &["output"], &Codec::boolean()), method, "on", Codec::boolean())
            .with_write(|write| write.order = -1)
    }

    fn moves(&self) -> Property {
        let said = words(&[("opening", "opening"), ("closing", "closing"), ("stopped", "stopped")]);
        let property = of_word("move").holding(Holds::Words(shared(&["opening", "closing", "stopped"])));
        let methods = words(&[("open", "Cover.Open"), ("close", "Cover.Close"), ("stop", "Cover.Stop")]);
        let form = Form::Rpc { method: "".into(), component: self.component.number, parameter: None };
        let property = self.said(property, &["state"], &said).written(self.rpc, form, methods);
        property.with_write(|write| write.words = shared(&["open", "close", "stop"]))
    }
}
