//! What is switched: switches, sirens, locks, buttons, scenes.

use super::super::parts::of_word;
use super::config::Config;
use super::entity::{At, Entity};
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Property};
use crate::devices::device::reader::Extract;

/// Returns the words of a component that is on or off: those of its state, and those of its commands.
pub(super) fn on_off(config: &Config<'_>) -> (Codec, Codec) {
    let (yes, no) = (config.word("payload_on", "ON"), config.word("payload_off", "OFF"));
    let state = |key, usual: &crate::model::Value| config.word(key, &usual.to_string());
    (Codec::Boolean { yes: state("state_on", &yes), no: state("state_off", &no) }, Codec::Boolean { yes, no })
}

pub(super) fn switch(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = if config.text("device_class") == Some("outlet") { Kind::Plug } else { Kind::Switch };
    let (said, told) = on_off(config);
    entity.add(config, of_word("on"), At::usual(said, told))
}

pub(super) fn siren(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Siren;
    let (said, told) = on_off(config);
    let Codec::Boolean { yes, no } = told else { return Ok(()) };
    let told = Codec::Siren { yes, no, is_map: config.text("command_template").is_none() };
    entity.add(
        config,
        of_word("sound"),
        At { state_templates: &["state_value_template", "value_template"], ..At::usual(said.clone(), told) },
    )?;
    // Its state is the bare word, or that in a map.
    let with_map = |property: &mut Property| {
        let place = property.reads.first().filter(|read| read.reader.extract == Extract::Text).map(|read| read.topic);
        if let Some(topic) = place {
            *property = property.clone().read(topic, Extract::Key("state".into()), said.clone());
        }
    };
    entity.properties.iter_mut().for_each(with_map);
    Ok(())
}

pub(super) fn lock(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Lock;
    let said =
        Codec::Boolean { yes: config.word("state_locked", "LOCKED"), no: config.word("state_unlocked", "UNLOCKED") };
    let told = Codec::Boolean { yes: config.word("payload_lock", "LOCK"), no: config.word("payload_unlock", "UNLOCK") };
    entity.add(config, of_word("locked"), At::usual(said, told))
}

pub(super) fn button(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Button;
    press(config, entity, "payload_press", "PRESS")
}

pub(super) fn scene(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Scene;
    press(config, entity, "payload_on", "ON")
}

fn press(config: &Config<'_>, entity: &mut Entity, key: &str, usual: &str) -> Result<(), String> {
    let codec = Codec::Boolean { yes: config.word(key, usual), no: crate::model::Value::Null };
    let Some(topic) = config.topic("command_topic")? else { return Err("it has no `command_topic`".to_owned()) };
    let topic = entity.topic(topic);
    let form = config.template(&["command_template"])?.map_or(Form::Payload, Form::Template);
    let (qos, retain) = config.delivery();
    let property =
        of_word("press").written(topic, form, codec).with_write(|write| (write.qos, write.retain) = (qos, retain));
    entity.properties.push(property);
    Ok(())
}
