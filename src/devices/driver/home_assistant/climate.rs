//! What keeps a temperature or humidity.

use std::sync::Arc;

use super::super::parts::{named, of_word};
use super::config::Config;
use super::entity::{At, Entity, choice};
use super::switches::on_off;
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::Holds;
use crate::devices::device::vocabulary::unit_and_codec;
use crate::model::Value;

pub(super) fn climate(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Climate;
    let usual = ["auto", "off", "cool", "heat", "dry", "fan_only"];
    let modes = config.texts("modes");
    let modes = if modes.is_empty() { usual.iter().map(|mode| Arc::from(*mode)).collect() } else { modes };
    mode(config, entity, modes)?;
    setpoint(config, entity, "setpoint", "temperature")?;
    setpoint(config, entity, "setpoint_low", "temperature_low")?;
    setpoint(config, entity, "setpoint_high", "temperature_high")?;
    current(config, entity)?;
    worded(config, entity, "fan_mode", "fan_mode", "fan_modes")?;
    worded(config, entity, "swing_mode", "swing_mode", "swing_modes")?;
    worded(config, entity, "preset", "preset_mode", "preset_modes")?;
    humidity(config, entity)?;
    let (_, told) = on_off(config);
    entity.add(
        config,
        of_word("on"),
        At {
            command: "power_command_topic",
            command_templates: &["power_command_template"],
            state: "",
            ..At::usual(told.clone(), told)
        },
    )?;
    let action = named("action_raw", Holds::Text);
    entity.add(
        config,
        action,
        At {
            state: "action_topic",
            state_templates: &["action_template"],
            command: "",
            ..At::usual(Codec::Text, Codec::Text)
        },
    )
}

pub(super) fn water_heater(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Climate;
    let usual = ["off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"];
    let modes = config.texts("modes");
    let modes = if modes.is_empty() { usual.iter().map(|mode| Arc::from(*mode)).collect() } else { modes };
    mode(config, entity, modes)?;
    setpoint(config, entity, "setpoint", "temperature")?;
    current(config, entity)?;
    let (_, told) = on_off(config);
    entity.add(
        config,
        of_word("on"),
        At {
            command: "power_command_topic",
            command_templates: &["power_command_template"],
            state: "",
            ..At::usual(told.clone(), told)
        },
    )
}

pub(super) fn humidifier(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Humidifier;
    let (said, told) = on_off(config);
    entity.add(
        config,
        of_word("on"),
        At { state_templates: &["state_value_template", "value_template"], ..At::usual(said, told) },
    )?;
    humidity(config, entity)?;
    mode(config, entity, config.texts("modes"))
}

fn mode(config: &Config<'_>, entity: &mut Entity, modes: Vec<Arc<str>>) -> Result<(), String> {
    entity.add(
        config,
        of_word("mode").holding(Holds::Words(modes.into())),
        At {
            state: "mode_state_topic",
            state_templates: &["mode_state_template"],
            said: Codec::Text,
            command: "mode_command_topic",
            command_templates: &["mode_command_template"],
            told: Codec::Text,
        },
    )
}

fn unit(config: &Config<'_>) -> Codec {
    match config.text("temperature_unit") {
        Some(unit) if unit.eq_ignore_ascii_case("F") => unit_and_codec(Some("°F")).1,
        _ => Codec::Number,
    }
}

fn setpoint(config: &Config<'_>, entity: &mut Entity, name: &str, keys: &str) -> Result<(), String> {
    let codec = unit(config);
    let end = |key| config.number(key).and_then(|end| codec.decode(&Value::Float(end))).and_then(|end| end.as_number());
    let (min, max, step) = (end("min_temp").or(Some(7.0)), end("max_temp").or(Some(35.0)), config.number("temp_step"));
    let is_water = config.component == "water_heater";
    let (min, max) = if is_water { (end("min_temp"), end("max_temp")) } else { (min, max) };
    entity.add(
        config,
        of_word(name).within(min, max, step),
        At {
            state: &format!("{keys}_state_topic"),
            state_templates: &[&format!("{keys}_state_template")],
            said: codec.clone(),
            command: &format!("{keys}_command_topic"),
            command_templates: &[&format!("{keys}_command_template")],
            told: codec,
        },
    )
}

fn current(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let codec = unit(config);
    entity.add(
        config,
        of_word("temperature"),
        At {
            state: "current_temperature_topic",
            state_templates: &["current_temperature_template"],
            command: "",
            ..At::usual(codec.clone(), codec)
        },
    )
}

fn worded(config: &Config<'_>, entity: &mut Entity, name: &str, keys: &str, words: &str) -> Result<(), String> {
    entity.add(
        config,
        of_word(name).holding(choice(config, words)),
        At {
            state: &format!("{keys}_state_topic"),
            state_templates: &[&format!("{keys}_state_template"), &format!("{keys}_value_template")],
            said: Codec::Text,
            command: &format!("{keys}_command_topic"),
            command_templates: &[&format!("{keys}_command_template")],
            told: Codec::Text,
        },
    )
}

fn humidity(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let (min, max) = (config.number("min_humidity").or(Some(0.0)), config.number("max_humidity").or(Some(100.0)));
    entity.add(
        config,
        of_word("humidity_target").within(min, max, None),
        At {
            state: "target_humidity_state_topic",
            state_templates: &["target_humidity_state_template"],
            said: Codec::Number,
            command: "target_humidity_command_topic",
            command_templates: &["target_humidity_command_template"],
            told: Codec::Number,
        },
    )?;
    entity.add(
        config,
        of_word("humidity"),
        At {
            state: "current_humidity_topic",
            state_templates: &["current_humidity_template"],
            command: "",
            ..At::usual(Codec::Number, Codec::Number)
        },
    )
}
