//! A model's `exposes`: what zigbee2mqtt says that its devices have.

use std::sync::Arc;

use super::super::parts::{get, list, name_apart, named, number, of_word, text, texts, words};
use super::{SET, STATE};
use crate::devices::codec::color::ColorForm;
use crate::devices::codec::{Codec, kelvin_range};
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property, Range};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::{plain_name, snake_case, unit_and_codec};
use crate::model::Value;

/// `access`: the state says it, and a command sets it.
const SAID: i64 = 1;
const SETTABLE: i64 = 2;

/// How deep exposes may lie within each other.
const DEEPEST: usize = 4;

/// What devices of a model have.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) name: Option<Arc<str>>,
    pub(super) kind: Kind,
    pub(super) properties: Arc<[Property]>,
    pub(super) diagnostics: Vec<Arc<str>>,
}

/// Returns what a model has.
pub(super) fn model(exposes: &Value, description: &str, has_update: bool) -> Model {
    let mut reader = Exposes { description: description.to_lowercase(), ..Exposes::default() };
    match exposes {
        Value::List(items) => items.iter().for_each(|item| reader.add(item)),
        _ => reader.diagnostics.push("its `exposes` isn't a list".into()),
    }
    if has_update {
        let state = Extract::Keys([Arc::from("update"), Arc::from("state")].into());
        // Every other state (idle, updating, scheduled) means that there is none to install.
        let codec = Codec::Boolean { yes: "available".into(), no: "idle".into() };
        reader.properties.push(of_word("update_available").read(STATE, state, codec));
    }
    let mut properties = reader.properties;
    name_apart(&mut properties);
    let kind = match reader.kinds.is_empty() {
        false => Kind::main(reader.kinds),
        true if properties.iter().all(|property| {
            matches!(&*property.name, "action" | "battery" | "link" | "voltage" | "update_available" | "battery_low")
        }) && properties.iter().any(|property| &*property.name == "action") =>
        {
            Kind::Remote
        }
        true => Kind::Sensor,
    };
    Model { name: None, kind, properties: super::shared(properties), diagnostics: reader.diagnostics }
}

#[derive(Debug, Default)]
struct Exposes {
    description: String,
    kinds: Vec<Kind>,
    properties: Vec<Property>,
    diagnostics: Vec<Arc<str>>,
}

/// One expose, or feature of one.
struct Feature<'a> {
    value: &'a Value,
    key: Arc<str>,
    name: &'a str,
    access: i64,
    endpoint: Option<&'a str>,
}

impl<'a> Feature<'a> {
    fn of(value: &'a Value) -> Option<Feature<'a>> {
        let name = text(value, "name").or_else(|| text(value, "property"))?;
        let key = text(value, "property").unwrap_or(name);
        let access = match get(value, "access") {
            Some(Value::Int(access)) => *access,
            _ => SAID,
        };
        Some(Feature { value, key: key.into(), name, access, endpoint: text(value, "endpoint") })
    }

    fn is_said(&self) -> bool {
        self.access & SAID != 0
    }

    fn is_settable(&self) -> bool {
        self.access & SETTABLE != 0
    }

    /// Returns a name with the endpoint's, where there is one.
    fn named(&self, name: &str) -> String {
        match self.endpoint {
            Some(endpoint) => format!("{name}_{}", snake_case(endpoint)),
            None => name.to_owned(),
        }
    }

    /// Reads and writes a property as this feature.
    fn placed(&self, property: Property, codec: Codec) -> Property {
        let said = if self.is_said() {
            property.read(STATE, Extract::Key(Arc::clone(&self.key)), codec.clone())
        } else {
            property
        };
        if self.is_settable() { said.written(SET, Form::Member([Arc::clone(&self.key)].into()), codec) } else { said }
    }

    /// Returns a word of the vocabulary as this feature.
    fn word(&self, name: &str, codec: Codec) -> Property {
        self.placed(of_word(name), codec).called(self.named(name))
    }

    fn on_off(&self) -> Codec {
        let word = |key, usual: &str| get(self.value, key).cloned().unwrap_or_else(|| usual.into());
        Codec::Boolean { yes: word("value_on", "ON"), no: word("value_off", "OFF") }
    }

    /// Returns 0–100 % of what the device counts.
    fn percent(&self, usual: f64, has_least: bool) -> Codec {
        let (low, high) =
            (number(self.value, "value_min").unwrap_or(0.0), number(self.value, "value_max").unwrap_or(usual));
        Codec::Percent { low, high, has_least }
    }

    fn choice(&self, name: &str) -> Property {
        let values = texts(self.value, "values");
        self.word(name, Codec::Text).holding(Holds::Words(values.into()))
    }
}

impl Exposes {
    fn add(&mut self, expose: &Value) {
        let features: Vec<Feature<'_>> = list(expose, "features").iter().filter_map(Feature::of).collect();
        match text(expose, "type") {
            Some("light") => self.light(&features),
            Some("switch") => self.switch(&features),
            Some("cover") => self.cover(&features),
            Some("lock") => self.lock(&features),
            Some("fan") => self.fan(&features),
            Some("climate") => self.climate(&features),
            Some(_) => self.generic(expose, 0),
            None => self.diagnostics.push("one of its `exposes` has no type".into()),
        }
    }

    fn light(&mut self, features: &[Feature<'_>]) {
        self.kinds.push(Kind::Light);
        for feature in features {
            let property = match feature.name {
                "state" => feature.word("on", feature.on_off()).with_write(|write| write.order = -1),
                "brightness" => feature.word("brightness", feature.percent(254.0, true)),
                "color_temp" => color_temp(feature),
                "color_xy" | "color_hs" => {
                    let name = feature.named("color");
                    if self.properties.iter().any(|known| *known.name == *name) {
                        continue;
                    }
                    feature.word("color", Codec::Color(ColorForm::Zigbee))
                }
                _ => {
                    self.generic(feature.value, 1);
                    continue;
                }
            };
            self.properties.push(property);
        }
        let takes_time = features
            .iter()
            .any(|feature| matches!(feature.name, "brightness" | "color_temp" | "color_xy" | "color_hs"));
        if takes_time && !self.properties.iter().any(|known| &*known.name == "transition") {
            self.properties.push(of_word("transition").written(
                SET,
                Form::Member([Arc::from("transition")].into()),
                Codec::Number,
            ));
        }
    }

    fn switch(&mut self, features: &[Feature<'_>]) {
        let is_plug = ["plug", "outlet", "socket"].iter().any(|word| self.description.contains(word));
        let is_valve = self.description.contains("valve") && !self.description.contains("radiator");
        self.kinds.push(match () {
            () if is_plug => Kind::Plug,
            () if is_valve => Kind::Valve,
            () => Kind::Switch,
        });
        for feature in features {
            match feature.name {
                "state" => self.properties.push(feature.word("on", feature.on_off())),
                _ => self.generic(feature.value, 1),
            }
        }
    }

    fn cover(&mut self, features: &[Feature<'_>]) {
        self.kinds.push(Kind::Cover);
        for feature in features {
            match feature.name {
                "state" => {
                    let open = Codec::Boolean { yes: "OPEN".into(), no: "CLOSE".into() };
                    if feature.is_said() {
                        let property = of_word("open").called(feature.named("open"));
                        self.properties.push(property.read(STATE, Extract::Key(Arc::clone(&feature.key)), open));
                    }
                    if feature.is_settable() {
                        let codec = words(&[("open", "OPEN"), ("close", "CLOSE"), ("stop", "STOP")]);
                        let form = Form::Member([Arc::clone(&feature.key)].into());
                        let property = of_word("move").written(SET, form, codec);
                        let moving = Extract::Key(feature.named("moving").into());
                        let said = words(&[("opening", "UP"), ("closing", "DOWN"), ("stopped", "STOP")]);
                        let property = property
                            .read(STATE, moving, said)
                            .holding(Holds::Words(super::super::parts::shared(&["opening", "closing", "stopped"])));
                        self.properties.push(property.called(feature.named("move")));
                    }
                }
                "position" => self.properties.push(feature.word("position", feature.percent(100.0, false))),
                "tilt" => self.properties.push(feature.word("tilt", feature.percent(100.0, false))),
                _ => self.generic(feature.value, 1),
            }
        }
    }

    fn lock(&mut self, features: &[Feature<'_>]) {
        self.kinds.push(Kind::Lock);
        for feature in features {
            match feature.name {
                "state" => {
                    let word = |key, usual: &str| get(feature.value, key).cloned().unwrap_or_else(|| usual.into());
                    let codec = Codec::Boolean { yes: word("value_on", "LOCK"), no: word("value_off", "UNLOCK") };
                    self.properties.push(feature.word("locked", codec));
                }
                _ => self.generic(feature.value, 1),
            }
        }
    }

    fn fan(&mut self, features: &[Feature<'_>]) {
        let is_beside_light = self.kinds.contains(&Kind::Light);
        self.kinds.push(Kind::Fan);
        for feature in features {
            let property = match feature.name {
                "state" if is_beside_light => feature.word("on", feature.on_off()).called(feature.named("fan_on")),
                "state" => feature.word("on", feature.on_off()),
                "mode" => feature.choice("fan_mode"),
                "speed" | "percentage" => feature.word("fan", feature.percent(100.0, false)),
                "oscillating" => feature.word("oscillating", feature.on_off()),
                "direction" => feature.choice("direction"),
                _ => {
                    self.generic(feature.value, 1);
                    continue;
                }
            };
            self.properties.push(property);
        }
    }

    fn climate(&mut self, features: &[Feature<'_>]) {
        self.kinds.push(Kind::Climate);
        let has = |part: &str| {
            features.iter().any(|feature| feature.name.contains(part) && !feature.name.starts_with("unoccupied"))
        };
        let is_range = has("heating_setpoint") && has("cooling_setpoint");
        for feature in features {
            let property = match feature.name {
                "occupied_heating_setpoint" | "current_heating_setpoint" if is_range => {
                    setpoint(feature, "setpoint_low")
                }
                "occupied_cooling_setpoint" | "current_cooling_setpoint" if is_range => {
                    setpoint(feature, "setpoint_high")
                }
                "occupied_heating_setpoint"
                | "current_heating_setpoint"
                | "occupied_cooling_setpoint"
                | "current_cooling_setpoint" => setpoint(feature, "setpoint"),
                "local_temperature" => {
                    let (unit, codec) = unit_and_codec(text(feature.value, "unit"));
                    feature.word("temperature", codec).in_unit(unit.or(Some("°C".into())))
                }
                "system_mode" => feature.choice("mode"),
                "preset" => feature.choice("preset"),
                "fan_mode" => feature.choice("fan_mode"),
                "swing_mode" => feature.choice("swing_mode"),
                _ => {
                    self.generic(feature.value, 1);
                    continue;
                }
            };
            self.properties.push(property);
        }
    }

    /// Adds what isn't part of a light, switch or the like.
    fn generic(&mut self, expose: &Value, level: usize) {
        let Some(feature) = Feature::of(expose) else {
            self.diagnostics.push("one of its `exposes` has no name".into());
            return;
        };
        if level > DEEPEST || (!feature.is_said() && !feature.is_settable()) {
            return;
        }
        let property = match text(expose, "type") {
            Some("binary") => self.binary(&feature),
            Some("numeric") => numeric(&feature),
            Some("enum") => self.choice(&feature),
            Some("text") => feature.placed(named(&own_name(&feature, &Holds::Text, None), Holds::Text), Codec::Text),
            Some("composite") if feature.name == "warning" && feature.is_settable() => {
                if self.description.contains("siren") || self.description.contains("alarm") {
                    self.kinds.push(Kind::Siren);
                }
                of_word("sound")
                    .written(SET, Form::Member([Arc::clone(&feature.key)].into()), Codec::Warning)
                    .called(feature.named("sound"))
            }
            Some(_) => feature.placed(named(&own_name(&feature, &Holds::Any, None), Holds::Any), Codec::Plain),
            None => {
                self.diagnostics.push(format!("its `{}` has no type", feature.name).into());
                return;
            }
        };
        self.properties.push(property);
    }

    fn binary(&mut self, feature: &Feature<'_>) -> Property {
        let codec = feature.on_off();
        match feature.name {
            "contact" => {
                // Contact is made where it is shut.
                let is_plain = matches!(&codec, Codec::Boolean { yes: Value::Bool(_), no: Value::Bool(_) });
                feature
                    .word("open", if is_plain { Codec::Boolean { yes: false.into(), no: true.into() } } else { codec })
            }
            "water_leak" => feature.word("leak", codec),
            "alarm" | "siren" if feature.is_settable() => {
                self.kinds.push(Kind::Siren);
                feature.word("sound", codec)
            }
            _ => {
                let plain = feature.endpoint.is_none() || feature.key.ends_with(feature.name);
                let base = if plain { &*feature.key } else { feature.name };
                let name = plain_name(base, &Holds::Boolean, None);
                let is_word = crate::devices::device::vocabulary::word(&name).is_some();
                if is_word || matches!(&codec, Codec::Boolean { yes: Value::Bool(_), no: Value::Bool(_) }) {
                    let name = if plain { name } else { feature.named(&name) };
                    return feature.placed(named(&name, Holds::Boolean), codec);
                }
                // What isn't in the vocabulary keeps its words.
                let Codec::Boolean { yes, no } = &codec else {
                    return feature.placed(named(&name, Holds::Any), Codec::Plain);
                };
                let words = [yes, no].map(|word| Arc::from(word.to_string())).into();
                let holds = Holds::Words(words);
                feature.placed(named(&own_name(feature, &holds, None), holds), Codec::Text)
            }
        }
    }

    fn choice(&mut self, feature: &Feature<'_>) -> Property {
        let values: Arc<[Arc<str>]> = texts(feature.value, "values").into();
        match feature.name {
            "action" => feature.placed(named(&feature.named("action"), Holds::Event(values)), Codec::Event),
            "effect" if self.kinds.contains(&Kind::Light) || feature.is_settable() => {
                feature.placed(named(&feature.named("effect"), Holds::Words(values)), Codec::Text)
            }
            _ => {
                let holds = Holds::Words(values);
                feature.placed(named(&own_name(feature, &holds, None), holds), Codec::Text)
            }
        }
    }
}

fn color_temp(feature: &Feature<'_>) -> Property {
    let range = kelvin_range(number(feature.value, "value_min"), number(feature.value, "value_max"));
    feature.word("color_temp", Codec::Mired).holding(Holds::Number(range))
}

fn setpoint(feature: &Feature<'_>, name: &str) -> Property {
    let (unit, codec) = unit_and_codec(text(feature.value, "unit"));
    let end = |key| {
        number(feature.value, key).and_then(|end| codec.decode(&Value::Float(end))).and_then(|end| end.as_number())
    };
    let (min, max, step) = (end("value_min"), end("value_max"), number(feature.value, "value_step"));
    feature.word(name, codec).in_unit(unit.or(Some("°C".into()))).within(min, max, step)
}

fn numeric(feature: &Feature<'_>) -> Property {
    let (unit, codec) = unit_and_codec(text(feature.value, "unit"));
    if feature.name == "linkquality" {
        let codec = Codec::Percent { low: 0.0, high: 255.0, has_least: false };
        return feature.word("link", codec);
    }
    // A voltage without a unit is that of a battery, in mV.
    let end = |key| {
        number(feature.value, key).and_then(|end| codec.decode(&Value::Float(end))).and_then(|end| end.as_number())
    };
    let range = Range {
        min: end("value_min"),
        max: end("value_max"),
        step: number(feature.value, "value_step"),
        is_whole: false,
    };
    let range = if feature.is_settable() { range } else { Range::default() };
    let holds = Holds::Number(range);
    let name = own_name(feature, &holds, unit.as_deref());
    feature.placed(named(&name, holds), codec).in_unit(unit)
}

/// Returns the name of a feature without a role: with its endpoint, as zigbee2mqtt's own key has it.
fn own_name(feature: &Feature<'_>, holds: &Holds, unit: Option<&str>) -> String {
    match feature.endpoint {
        // `temperature_left` is a channel of `temperature`.
        Some(endpoint) if feature.key.strip_suffix(endpoint).is_some_and(|rest| rest.ends_with('_')) => {
            let base = feature.key.strip_suffix(endpoint).unwrap_or(&feature.key);
            feature.named(&plain_name(base, holds, unit))
        }
        _ => plain_name(&feature.key, holds, unit),
    }
}
