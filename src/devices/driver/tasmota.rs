//! Tasmota's own discovery: `tasmota/discovery/MAC/config` and `/sensors`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parts::{get, list, name_apart, named, number, of_word, shared, text, words};
use super::{Driver, Ending, Told};
use crate::devices::codec::color::ColorForm;
use crate::devices::codec::{Codec, kelvin_range};
use crate::devices::device::address::Address;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property, Range};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::{plain_name, snake_case, unit_and_codec};
use crate::devices::device::{Availability, AvailabilityMode, Device, SaysAvailable, Source};
use crate::devices::settings::DeviceSettings;
use crate::model::{Map, Payload, Topic, TopicFilter, Value};

const PREFIX: &str = "tasmota/discovery/";

/// The kinds of relays, as `rl` has them.
const RELAY: f64 = 1.0;
const LIGHT: f64 = 2.0;
const SHUTTER: f64 = 3.0;

/// Returns the driver, where the source is switched on.
pub(super) fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    if settings.discovery.tasmota { vec![Box::new(Tasmota::default())] } else { Vec::new() }
}

/// What is discovered, by MAC.
#[derive(Debug, Default)]
struct Tasmota {
    known: BTreeMap<Arc<str>, Definition>,
}

#[derive(Debug, Default)]
struct Definition {
    config: Option<Value>,
    sensors: Option<Value>,
    fault: Option<Arc<str>>,
}

impl Driver for Tasmota {
    fn endings(&self) -> &'static [Ending] {
        &[Ending::Level("config"), Ending::Level("sensors")]
    }

    fn claims(&self, topic: &str) -> bool {
        topic.starts_with(PREFIX) && (topic.ends_with("/config") || topic.ends_with("/sensors"))
    }

    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told) {
        let Some((mac, part)) = topic.as_str().strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')) else {
            return;
        };
        let is_config = part == "config";
        if payload.is_empty() {
            told.sound(topic.as_str());
            self.forget(mac, is_config, told);
            return;
        }
        let value = payload.value();
        let is_good = matches!(value, Value::Map(_)) && (!is_config || text(value, "t").is_some());
        if !is_good {
            let fault = format!("`{topic}` isn't a discovery message of Tasmota");
            match self.known.get_mut(mac).filter(|known| known.config.is_some()) {
                Some(known) => known.fault = Some(fault.into()),
                None => told.fault(topic.as_str(), fault),
            }
            return self.tell(mac, told);
        }
        told.sound(topic.as_str());
        let known = self.known.entry(mac.into()).or_default();
        known.fault = None;
        if is_config {
            known.config = Some(value.clone());
        } else {
            known.sensors = Some(value.clone());
        }
        self.tell(mac, told);
    }
}

impl Tasmota {
    fn forget(&mut self, mac: &str, is_config: bool, told: &mut Told) {
        let Some(known) = self.known.get_mut(mac) else { return };
        if !is_config {
            known.sensors = None;
            return self.tell(mac, told);
        }
        known.config = None;
        if known.sensors.is_none() {
            self.known.remove(mac);
        }
        told.gone.push(format!("{}/{mac}", Source::Tasmota).into());
    }

    fn tell(&self, mac: &str, told: &mut Told) {
        let Some(Definition { config: Some(config), sensors, fault }) = self.known.get(mac) else { return };
        let mut device = Device::new(Source::Tasmota, mac, text(config, "dn").unwrap_or(mac));
        device.addresses.extend(Address::parse(mac));
        device.model = text(config, "md").map(Arc::from);
        device.diagnostics.extend(fault.clone());
        match Topics::of(config) {
            Some(topics) => topics.fill(&mut device, config, sensors.as_ref()),
            None => device.diagnostics.push("its topics can't be made of `ft`, `t` and `tp`".into()),
        }
        told.devices.push(device);
    }
}

/// The topics of a device.
struct Topics {
    /// Where it is commanded: one level more is the command.
    command: TopicFilter,
    result: TopicFilter,
    state: TopicFilter,
    sensor: TopicFilter,
    will: TopicFilter,
}

impl Topics {
    fn of(config: &Value) -> Option<Topics> {
        let (full, topic) = (text(config, "ft")?, text(config, "t")?);
        let prefixes = list(config, "tp");
        let below = |place: usize, level: &str| {
            let prefix = prefixes.get(place)?.as_text()?;
            let base = full.replace("%prefix%", prefix).replace("%topic%", topic);
            let base = base.replace("%hostname%", text(config, "hn").unwrap_or_default());
            let base = base.trim_end_matches('/');
            let text = if level.is_empty() { base.to_owned() } else { format!("{base}/{level}") };
            Topic::parse(&text).ok()?;
            TopicFilter::parse(&text).ok()
        };
        Some(Topics {
            command: below(0, "")?,
            result: below(1, "RESULT")?,
            state: below(2, "STATE")?,
            sensor: below(2, "SENSOR")?,
            will: below(2, "LWT")?,
        })
    }

    fn fill(&self, device: &mut Device, config: &Value, sensors: Option<&Value>) {
        let relays: Vec<f64> = list(config, "rl").iter().map(|kind| kind.as_number().unwrap_or_default()).collect();
        let mut properties = Vec::new();
        let mut kinds = Vec::new();
        self.add_relays(device, config, &relays, &mut properties, &mut kinds);
        self.add_shutters(device, &relays, &mut properties, &mut kinds);
        self.add_buttons(device, config, &mut properties);
        if let Some(Value::Map(sensors)) = sensors.and_then(|sensors| get(sensors, "sn")) {
            self.add_sensors(device, sensors, &mut properties);
        }
        let topic = device.topic(&self.state);
        properties.push(of_word("link").read(
            topic,
            Extract::keys(&["Wifi", "RSSI"]),
            Codec::Percent { low: 0.0, high: 100.0, has_least: false },
        ));
        name_apart(&mut properties);
        device.kind = Kind::main(kinds);
        device.properties = properties.into();
        let word = |key, usual: &str| shared(&[text(config, key).unwrap_or(usual)]);
        device.availability = Availability {
            says: vec![SaysAvailable {
                topic: self.will.clone(),
                extract: Extract::Text,
                yes: word("onln", "Online"),
                no: word("ofln", "Offline"),
            }],
            mode: AvailabilityMode::Latest,
            bridge: None,
        };
    }

    fn add_relays(
        &self,
        device: &mut Device,
        config: &Value,
        relays: &[f64],
        properties: &mut Vec<Property>,
        kinds: &mut Vec<Kind>,
    ) {
        let words = list(config, "state");
        let word = |place: usize, usual: &str| {
            words.get(place).filter(|word| word.as_text().is_some()).cloned().unwrap_or_else(|| usual.into())
        };
        let codec = Codec::Boolean { yes: word(1, "ON"), no: word(0, "OFF") };
        let switched: Vec<usize> = relays
            .iter()
            .enumerate()
            .filter(|(_, kind)| **kind == RELAY || **kind == LIGHT)
            .map(|(place, _)| place)
            .collect();
        let is_single = switched.len() == 1;
        // Option 30 has relays announced as lights.
        let shown_as_light = get(config, "so").and_then(|options| number(options, "30")) == Some(1.0);
        let is_plug = text(config, "md").is_some_and(|model| model.to_lowercase().contains("plug"));
        for place in &switched {
            let is_light = relays.get(*place) == Some(&LIGHT);
            kinds.push(match () {
                () if is_light || shown_as_light => Kind::Light,
                () if is_plug => Kind::Plug,
                () => Kind::Switch,
            });
            let numbered = format!("POWER{}", place + 1);
            let mut on = of_word("on").called(if is_single { "on".to_owned() } else { format!("on_{}", place + 1) });
            let (result, state, command) =
                (device.topic(&self.result), device.topic(&self.state), device.topic(&self.command));
            for topic in [result, state] {
                // A single relay is called so, the first of several with its number.
                if *place == 0 {
                    on = on.read(topic, Extract::Key("POWER".into()), codec.clone());
                }
                on = on.read(topic, Extract::Key(Arc::from(&*numbered)), codec.clone());
            }
            let name: Arc<str> = if is_single && *place == 0 && relays.iter().filter(|kind| **kind > 0.0).count() == 1 {
                "POWER".into()
            } else {
                numbered.into()
            };
            properties
                .push(on.written(command, Form::Tasmota(name), codec.clone()).with_write(|write| write.order = -1));
        }
        let lights = relays.iter().filter(|kind| **kind == LIGHT).count();
        let subtype = match get(config, "lt_st") {
            Some(Value::Int(subtype)) => *subtype,
            _ => 0,
        };
        if lights > 0 && subtype >= 1 {
            self.add_light(device, subtype, lights, properties);
        }
    }

    fn add_light(&self, device: &mut Device, subtype: i64, lights: usize, properties: &mut Vec<Property>) {
        let places = [device.topic(&self.result), device.topic(&self.state)];
        let command = device.topic(&self.command);
        let said = |mut property: Property, key: &str, codec: &Codec| {
            for topic in places {
                property = property.read(topic, Extract::Key(key.into()), codec.clone());
            }
            property
        };
        let percent = Codec::Percent { low: 0.0, high: 100.0, has_least: true };
        if lights == 1 {
            properties.push(said(of_word("brightness"), "Dimmer", &percent).written(
                command,
                Form::Tasmota("Dimmer".into()),
                percent,
            ));
        } else {
            for channel in 1..=lights {
                let key = format!("Channel{channel}");
                let property = said(of_word("brightness"), &key, &percent).called(format!("brightness_{channel}"));
                properties.push(property.written(command, Form::Tasmota(key.into()), percent.clone()));
            }
        }
        // 2 is white of two colours, 5 that beside red, green and blue.
        if matches!(subtype, 2 | 5) {
            let range = kelvin_range(Some(153.0), Some(500.0));
            let property = said(of_word("color_temp"), "CT", &Codec::Mired).holding(Holds::Number(range));
            properties.push(property.written(command, Form::Tasmota("CT".into()), Codec::Mired));
        }
        if subtype >= 3 {
            let property = said(of_word("color"), "HSBColor", &Codec::Color(ColorForm::HsText));
            // `Color2` keeps the brightness.
            properties.push(property.written(
                command,
                Form::Tasmota("Color2".into()),
                Codec::Color(ColorForm::RgbText),
            ));
        }
    }

    fn add_shutters(&self, device: &mut Device, relays: &[f64], properties: &mut Vec<Property>, kinds: &mut Vec<Kind>) {
        // A shutter takes two relays.
        let shutters = relays.iter().filter(|kind| **kind == SHUTTER).count().div_ceil(2);
        for shutter in 1..=shutters {
            kinds.push(Kind::Cover);
            let places = [device.topic(&self.result), device.topic(&self.sensor)];
            let command = device.topic(&self.command);
            let channel = if shutters == 1 { String::new() } else { format!("_{shutter}") };
            let key = format!("Shutter{shutter}");
            let percent = Codec::Percent { low: 0.0, high: 100.0, has_least: false };
            let moving = Codec::Words(
                [("opening", 1), ("closing", -1), ("stopped", 0)]
                    .iter()
                    .map(|(ours, theirs)| (Arc::from(*ours), Value::Int(*theirs)))
                    .collect(),
            );
            let mut position = of_word("position").called(format!("position{channel}"));
            let mut moves = of_word("move")
                .called(format!("move{channel}"))
                .holding(Holds::Words(shared(&["opening", "closing", "stopped"])));
            for topic in places {
                position = position.read(topic, Extract::keys(&[&key, "Position"]), percent.clone());
                moves = moves.read(topic, Extract::keys(&[&key, "Direction"]), moving.clone());
            }
            properties.push(position.written(
                command,
                Form::Tasmota(format!("ShutterPosition{shutter}").into()),
                percent,
            ));
            // 0, 100 and a stop are commands of their own name; each takes no value.
            let told = words(&[("open", "OPEN"), ("close", "CLOSE"), ("stop", "STOP")]);
            properties.push(
                moves.written(command, Form::Tasmota(format!("ShutterPosition{shutter}").into()), told).with_write(
                    |write| {
                        write.words = shared(&["open", "close", "stop"]);
                    },
                ),
            );
        }
    }

    /// Adds `action`, of which each press of a button is a value.
    fn add_buttons(&self, device: &mut Device, config: &Value, properties: &mut Vec<Property>) {
        let is_used = |item: &&Value| item.as_number().is_some_and(|kind| kind > 0.0);
        let buttons: Vec<usize> = list(config, "btn")
            .iter()
            .enumerate()
            .filter(|(_, item)| is_used(item))
            .map(|(place, _)| place + 1)
            .collect();
        // Without option 73, buttons only switch their relays.
        if buttons.is_empty() || get(config, "so").and_then(|options| number(options, "73")) != Some(1.0) {
            return;
        }
        let presses = ["SINGLE", "DOUBLE", "TRIPLE", "QUAD", "PENTA", "HOLD", "CLEAR"];
        let mut action = of_word("action");
        let topic = device.topic(&self.result);
        let mut known = Vec::new();
        for button in &buttons {
            let word = |press: &str| {
                if buttons.len() == 1 {
                    press.to_lowercase()
                } else {
                    format!("button_{button}_{}", press.to_lowercase())
                }
            };
            let codec =
                Codec::Words(presses.iter().map(|press| (Arc::from(word(press)), Value::text(*press))).collect());
            known.extend(presses.iter().map(|press| Arc::from(word(press))));
            action = action.read(topic, Extract::keys(&[&format!("Button{button}"), "Action"]), codec);
        }
        properties.push(action.holding(Holds::Event(known.into())));
    }

    fn add_sensors(&self, device: &mut Device, sensors: &Map, properties: &mut Vec<Property>) {
        let unit_of = |key: &str| sensors.get(key).and_then(Value::as_text);
        let topic = device.topic(&self.sensor);
        for (sensor, values) in sensors {
            let Value::Map(values) = values else { continue };
            if sensor.starts_with("Shutter") {
                continue;
            }
            for (key, value) in values.iter() {
                if !matches!(value, Value::Int(_) | Value::Float(_) | Value::Null) {
                    continue;
                }
                let (word, unit) = match &**key {
                    "Temperature" => ("temperature", Some(if unit_of("TempUnit") == Some("F") { "°F" } else { "°C" })),
                    "DewPoint" => ("dew_point", Some(if unit_of("TempUnit") == Some("F") { "°F" } else { "°C" })),
                    "Humidity" => ("humidity", Some("%")),
                    "Pressure" | "SeaPressure" => {
                        let name = if &**key == "Pressure" { "pressure" } else { "sea_pressure" };
                        (name, Some(unit_of("PressureUnit").unwrap_or("hPa")))
                    }
                    "Illuminance" => ("illuminance", Some("lx")),
                    "CarbonDioxide" => ("co2", Some("ppm")),
                    "Power" => ("power", Some("W")),
                    "Voltage" => ("voltage", Some("V")),
                    "Current" => ("current", Some("A")),
                    "Total" if &**sensor == "ENERGY" => ("energy", Some("kWh")),
                    "Today" | "Yesterday" if &**sensor == "ENERGY" => (&**key, Some("kWh")),
                    _ => (&**key, None),
                };
                let (unit, codec) = unit_and_codec(unit);
                let holds = Holds::Number(Range::default());
                let is_energy = &**sensor == "ENERGY" && matches!(&**key, "Today" | "Yesterday");
                let name = if is_energy {
                    format!("energy_{}", snake_case(key))
                } else {
                    plain_name(word, &holds, unit.as_deref())
                };
                properties.push(named(&name, holds).in_unit(unit).read(topic, Extract::keys(&[sensor, key]), codec));
            }
        }
    }
}
