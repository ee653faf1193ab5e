//! The kinds of components, and what reads each.

use super::config::Config;
use super::entity::Entity;
use super::{climate, cover, fan, light, measures, panel, switches};
use crate::devices::device::kind::Kind;

/// Reads a component.
pub(super) fn read(config: &Config<'_>) -> Result<Entity, String> {
    let mut entity = Entity {
        object: config.object.into(),
        kind: Kind::Sensor,
        is_main: config.text("entity_category").is_none(),
        topics: Vec::new(),
        properties: Vec::new(),
        trigger: None,
        availability: config.availability()?,
        diagnostics: Vec::new(),
    };
    match config.component {
        "light" => light::read(config, &mut entity)?,
        "switch" => switches::switch(config, &mut entity)?,
        "siren" => switches::siren(config, &mut entity)?,
        "lock" => switches::lock(config, &mut entity)?,
        "button" => switches::button(config, &mut entity)?,
        "scene" => switches::scene(config, &mut entity)?,
        "cover" => cover::cover(config, &mut entity)?,
        "valve" => cover::valve(config, &mut entity)?,
        "climate" => climate::climate(config, &mut entity)?,
        "water_heater" => climate::water_heater(config, &mut entity)?,
        "humidifier" => climate::humidifier(config, &mut entity)?,
        "fan" => fan::read(config, &mut entity)?,
        "alarm_control_panel" => panel::alarm(config, &mut entity)?,
        "vacuum" => panel::vacuum(config, &mut entity)?,
        "lawn_mower" => panel::mower(config, &mut entity)?,
        "sensor" => measures::sensor(config, &mut entity)?,
        "binary_sensor" => measures::binary_sensor(config, &mut entity)?,
        "event" => measures::event(config, &mut entity)?,
        "device_automation" => measures::trigger(config, &mut entity)?,
        "device_tracker" => measures::tracker(config, &mut entity)?,
        "update" => measures::update(config, &mut entity)?,
        "number" => measures::number(config, &mut entity)?,
        "select" => measures::select(config, &mut entity)?,
        "text" => measures::text(config, &mut entity)?,
        known @ ("image" | "camera" | "tag" | "notify" | "tts") => {
            entity.is_main = false;
            entity.diagnostics.push(format!("its {known} `{}` isn't read", config.object).into());
        }
        unknown => return Err(format!("`{unknown}` isn't a component that is known")),
    }
    Ok(entity)
}
