//! Lights, in their three schemas: a topic for each value, one JSON map, or templates.

use std::sync::Arc;

use super::super::parts::of_word;
use super::config::Config;
use super::entity::{At, Entity};
use super::switches::on_off;
use crate::devices::codec::color::ColorForm;
use crate::devices::codec::{Codec, kelvin_range};
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property, Range, Write};
use crate::devices::device::reader::Extract;
use crate::devices::template::Template;

pub(super) fn read(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Light;
    match config.text("schema").unwrap_or("basic") {
        "json" => json(config, entity),
        "template" => templates(config, entity),
        "basic" | "default" => basic(config, entity),
        other => Err(format!("`{other}` isn't a schema of lights")),
    }
}

fn brightness(config: &Config<'_>) -> Codec {
    Codec::Percent { low: 0.0, high: config.number("brightness_scale").unwrap_or(255.0), has_least: true }
}

/// Returns a light's colour temperature, and how it travels.
fn color_temp(config: &Config<'_>) -> (Property, Codec) {
    let is_kelvin = config.flag("color_temp_kelvin");
    let in_mired = |key, usual: f64| config.number(key).filter(|mired| *mired > 0.0).or(Some(usual));
    let range = kelvin_range(in_mired("min_mireds", 153.0), in_mired("max_mireds", 500.0));
    let range = Range {
        min: config.number("min_kelvin").or(range.min),
        max: config.number("max_kelvin").or(range.max),
        ..range
    };
    let codec = if is_kelvin { Codec::Whole } else { Codec::Mired };
    (of_word("color_temp").holding(Holds::Number(range)), codec)
}

fn effect(config: &Config<'_>) -> Property {
    let effects = config.texts("effect_list");
    let holds = if effects.is_empty() { Holds::Text } else { Holds::Words(effects.into()) };
    of_word("effect").holding(holds)
}

/// A topic for each value.
fn basic(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let (said, told) = on_off(config);
    entity.add(
        config,
        of_word("on"),
        At { state_templates: &["state_value_template", "value_template"], ..At::usual(said, told) },
    )?;
    let add = |entity: &mut Entity, property: Property, keys: &str, codec: Codec| {
        entity.add(
            config,
            property,
            At {
                state: &format!("{keys}_state_topic"),
                state_templates: &[&format!("{keys}_value_template")],
                said: codec.clone(),
                command: &format!("{keys}_command_topic"),
                command_templates: &[&format!("{keys}_command_template")],
                told: codec,
            },
        )
    };
    add(entity, of_word("brightness"), "brightness", brightness(config))?;
    let (property, codec) = color_temp(config);
    add(entity, property, "color_temp", codec)?;
    let has = |key: &str| {
        config.text(&format!("{key}_command_topic")).is_some() || config.text(&format!("{key}_state_topic")).is_some()
    };
    if has("rgb") {
        let form = if config.text("rgb_command_template").is_some() { ColorForm::Named } else { ColorForm::RgbText };
        add(entity, of_word("color"), "rgb", Codec::Color(form))?;
    } else if has("hs") {
        add(entity, of_word("color"), "hs", Codec::Color(ColorForm::HsText))?;
    } else if has("xy") {
        add(entity, of_word("color"), "xy", Codec::Color(ColorForm::XyText))?;
    }
    add(entity, effect(config), "effect", Codec::Text)?;
    // Home Assistant's `on_command_type`: when the switch is sent, if at all.
    let (order, needs_on) = match config.text("on_command_type").unwrap_or("last") {
        "first" => (-1, true),
        "brightness" => (1, false),
        _ => (1, true),
    };
    order_on(entity, order, needs_on);
    Ok(())
}

/// Has `on` sent before or after the other values, and with each of them where the protocol wants it.
fn order_on(entity: &mut Entity, order: i8, needs_on: bool) {
    let on = entity.properties.iter().position(|property| &*property.name == "on" && property.write.is_some());
    for (place, property) in entity.properties.iter_mut().enumerate() {
        let Some(write) = &mut property.write else { continue };
        if Some(place) == on {
            write.order = order;
        } else if needs_on {
            write.needs = on;
        }
    }
}

/// One JSON map.
fn json(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let state = config.topic("state_topic")?.map(|topic| entity.topic(topic));
    let set = config.topic("command_topic")?.map(|topic| entity.topic(topic));
    let (qos, retain) = config.delivery();
    let delivered = |write: &mut Write| (write.qos, write.retain) = (qos, retain);
    let mut add = |property: Property, key: &str, codec: Codec| {
        let property = match state {
            Some(topic) => property.read(topic, Extract::Key(key.into()), codec.clone()),
            None => property,
        };
        let mut property = match set {
            Some(topic) => property.written(topic, Form::Member([Arc::from(key)].into()), codec).with_write(delivered),
            None => property,
        };
        property.is_optimistic = config.flag("optimistic");
        entity.properties.push(property);
    };
    let (_, told) = on_off(config);
    add(of_word("on"), "state", told);
    let modes = config.texts("supported_color_modes");
    let has = |mode: &str| modes.iter().any(|known| **known == *mode) || config.flag(mode);
    let has_color = ["hs", "rgb", "rgbw", "rgbww", "xy"].iter().any(|mode| has(mode));
    if has("brightness") || has_color || has("color_temp") || has("white") {
        add(of_word("brightness"), "brightness", brightness(config));
    }
    if has("color_temp") {
        let (property, codec) = color_temp(config);
        add(property, "color_temp", codec);
    }
    if has_color {
        let form = match () {
            () if has("rgb") || has("rgbw") || has("rgbww") => ColorForm::RgbMap,
            () if has("xy") => ColorForm::XyMap,
            () => ColorForm::HsMap,
        };
        add(of_word("color"), "color", Codec::Color(form));
    }
    if config.flag("effect") || !config.texts("effect_list").is_empty() {
        add(effect(config), "effect", Codec::Text);
    }
    if let Some(topic) = set {
        let transition =
            of_word("transition").written(topic, Form::Member([Arc::from("transition")].into()), Codec::Number);
        entity.properties.push(transition.with_write(delivered));
    }
    order_on(entity, -1, true);
    Ok(())
}

/// Templates that make the message of all values.
fn templates(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let state = config.topic("state_topic")?.map(|topic| entity.topic(topic));
    let set = config.topic("command_topic")?.map(|topic| entity.topic(topic));
    let wanted = |key| config.template(&[key])?.ok_or_else(|| format!("it has no `{key}`"));
    let (on, off) = (wanted("command_on_template")?, wanted("command_off_template")?);
    let (qos, retain) = config.delivery();
    let mut add = |property: Property, variable: &str, template: Option<Template>, codec: Codec, said: Codec| {
        let property = match (state, template) {
            (Some(topic), Some(template)) => property.read(topic, Extract::Template(template), said),
            _ => property,
        };
        let form = Form::Shared { variable: variable.into(), on: on.clone(), off: off.clone() };
        let mut property = match set {
            Some(topic) => {
                property.written(topic, form, codec).with_write(|write| (write.qos, write.retain) = (qos, retain))
            }
            None => property,
        };
        property.is_optimistic = config.flag("optimistic");
        entity.properties.push(property);
    };
    let word = Codec::Boolean { yes: "on".into(), no: "off".into() };
    add(of_word("on"), "state", config.template(&["state_template"])?, word.clone(), word);
    if let Some(template) = config.template(&["brightness_template"])? {
        let codec = Codec::Percent { low: 0.0, high: 255.0, has_least: true };
        add(of_word("brightness"), "brightness", Some(template), codec.clone(), codec);
    }
    if let Some(template) = config.template(&["color_temp_template"])? {
        let (property, codec) = color_temp(config);
        add(property, "color_temp", Some(template), codec.clone(), codec);
    }
    if let (Some(red), Some(green), Some(blue)) =
        (config.text("red_template"), config.text("green_template"), config.text("blue_template"))
    {
        let joined = Template::parse(&format!("{red},{green},{blue}")).map_err(|error| error.to_string())?;
        add(of_word("color"), "color", Some(joined), Codec::Color(ColorForm::Named), Codec::Color(ColorForm::RgbText));
    }
    if let Some(template) = config.template(&["effect_template"])? {
        add(effect(config), "effect", Some(template), Codec::Text, Codec::Text);
    }
    let takes_time = config.text("command_on_template").is_some_and(|source| source.contains("transition"));
    if takes_time {
        add(of_word("transition"), "transition", None, Codec::Number, Codec::Number);
    }
    order_on(entity, -1, true);
    Ok(())
}
