//! What measures, and the numbers, choices and texts that can be set: each is one value.

use std::sync::Arc;

use super::super::parts::{named, of_word};
use super::config::Config;
use super::entity::{At, Entity, Trigger, choice};
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Holds, Range};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::{snake_case, unit_and_codec, word};
use crate::devices::template::Template;
use crate::model::Value;

/// Returns the vocabulary's word for a class of sensors.
fn measure(class: &str) -> Option<&'static str> {
    Some(match class {
        "temperature" => "temperature",
        "humidity" => "humidity",
        "pressure" | "atmospheric_pressure" => "pressure",
        "illuminance" => "illuminance",
        "carbon_dioxide" => "co2",
        "power" => "power",
        "energy" => "energy",
        "voltage" => "voltage",
        "current" => "current",
        "battery" => "battery",
        _ => return None,
    })
}

/// Returns the vocabulary's word for a class of binary sensors.
fn binary(class: &str) -> Option<&'static str> {
    Some(match class {
        "motion" | "occupancy" => "occupancy",
        "presence" => "presence",
        "door" | "window" | "garage_door" | "opening" => "open",
        "moisture" => "leak",
        "smoke" => "smoke",
        "gas" => "gas",
        "vibration" => "vibration",
        "tamper" => "tamper",
        "battery" => "battery_low",
        "update" => "update_available",
        _ => return None,
    })
}

/// Returns the object id as a name: what no word of the vocabulary names is named by its source.
fn own(config: &Config<'_>, holds: Holds) -> crate::devices::device::property::Property {
    named(&snake_case(config.object), holds)
}

const READ_ONLY: &str = "";

pub(super) fn sensor(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let class = config.text("device_class");
    let unit = config.text("unit_of_measurement");
    let options = config.texts("options");
    let is_number =
        unit.is_some() || config.text("state_class").is_some() || class.is_some_and(|class| measure(class).is_some());
    let (property, codec) = if is_number {
        let (unit, codec) = unit_and_codec(unit);
        let holds = Holds::Number(Range::default());
        let known =
            class.and_then(measure).filter(|name| word(name).is_some_and(|word| word.fits(&holds, unit.as_deref())));
        let property = known.map_or_else(|| own(config, holds), of_word);
        let unit = unit.or(property.unit.clone());
        (property.in_unit(unit), codec)
    } else if options.is_empty() {
        (own(config, Holds::Any), Codec::Plain)
    } else {
        (own(config, Holds::Words(options.into())), Codec::Text)
    };
    entity.add(config, property, At { command: READ_ONLY, ..At::usual(codec.clone(), codec) })?;
    said(entity)
}

/// Returns an error where a component that only speaks has no topic.
fn said(entity: &Entity) -> Result<(), String> {
    if entity.properties.is_empty() { Err("it has no `state_topic`".to_owned()) } else { Ok(()) }
}

pub(super) fn binary_sensor(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let codec = Codec::Boolean { yes: config.word("payload_on", "ON"), no: config.word("payload_off", "OFF") };
    let property = config.text("device_class").and_then(binary).map_or_else(|| own(config, Holds::Boolean), of_word);
    entity.add(config, property, At { command: READ_ONLY, ..At::usual(codec.clone(), codec) })?;
    said(entity)
}

pub(super) fn event(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Remote;
    let property = of_word("action").holding(Holds::Event(config.texts("event_types").into()));
    entity.add(config, property, At { command: READ_ONLY, ..At::usual(Codec::EventType, Codec::Event) })?;
    said(entity)
}

pub(super) fn trigger(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Remote;
    let topic = config.topic("topic")?.ok_or("it has no `topic`")?;
    let words = [config.text("subtype"), config.text("type")].into_iter().flatten().collect::<Vec<_>>().join("_");
    let payload = config.get("payload").map(|_| Arc::from(config.word("payload", "").to_string()));
    entity.trigger = Some(Trigger {
        topic,
        extract: config.extract(&["value_template"])?,
        payload,
        words: snake_case(&words).into(),
    });
    Ok(())
}

pub(super) fn tracker(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Tracker;
    let codec =
        Codec::Boolean { yes: config.word("payload_home", "home"), no: config.word("payload_not_home", "not_home") };
    entity.add(config, of_word("presence"), At { command: READ_ONLY, ..At::usual(codec.clone(), codec) })?;
    entity.add(config, named("location", Holds::Text), At { command: READ_ONLY, ..At::usual(Codec::Text, Codec::Text) })
}

pub(super) fn update(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Update;
    let Some(topic) = config.topic("state_topic")? else { return Err("it has no `state_topic`".to_owned()) };
    let topic = entity.topic(topic);
    // The state is a map with both versions, or what a template makes such a map of.
    let compared = "installed_version != value_json.latest_version";
    let source = match config.text("value_template") {
        None => format!("{{% if value_json.latest_version is defined %}}{{{{ value_json.{compared} }}}}{{% endif %}}"),
        Some(_) => return Ok(()),
    };
    let template = Template::parse(&source).map_err(|error| error.to_string())?;
    let codec = Codec::Boolean { yes: "True".into(), no: "False".into() };
    entity.properties.push(of_word("update_available").read(topic, Extract::Template(template), codec));
    Ok(())
}

pub(super) fn number(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Number;
    let (unit, codec) = unit_and_codec(config.text("unit_of_measurement"));
    let end =
        |key, usual| codec.decode(&Value::Float(config.number(key).unwrap_or(usual))).and_then(|end| end.as_number());
    let range = Range { min: end("min", 1.0), max: end("max", 100.0), step: config.number("step"), is_whole: false };
    let property = own(config, Holds::Number(range)).in_unit(unit);
    entity.add(config, property, At::usual(codec.clone(), codec))
}

pub(super) fn select(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Select;
    entity.add(config, own(config, choice(config, "options")), At::usual(Codec::Text, Codec::Text))
}

pub(super) fn text(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.add(config, own(config, Holds::Text), At::usual(Codec::Text, Codec::Text))
}
