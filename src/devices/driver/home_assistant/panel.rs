//! Alarm panels, and robots that clean or mow.

use std::sync::Arc;

use super::super::parts::{named, of_word, shared};
use super::config::Config;
use super::entity::{At, Entity, choice};
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds};
use crate::devices::device::reader::Extract;
use crate::devices::template::Template;
use crate::model::Value;

/// The states of an alarm panel.
const STATES: [&str; 10] = [
    "disarmed",
    "armed_home",
    "armed_away",
    "armed_night",
    "armed_vacation",
    "armed_custom_bypass",
    "pending",
    "triggered",
    "arming",
    "disarming",
];

pub(super) fn alarm(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Alarm;
    let mut property = of_word("alarm").holding(Holds::Words(shared(&STATES)));
    if let Some(topic) = config.topic("state_topic")? {
        let topic = entity.topic(topic);
        property = property.read(topic, config.extract(&["value_template"])?, Codec::Text);
    }
    let Some(topic) = config.topic("command_topic")? else { return Err("it has no `command_topic`".to_owned()) };
    let topic = entity.topic(topic);
    let usual = "{{ action }}";
    let template =
        Template::parse(config.text("command_template").unwrap_or(usual)).map_err(|error| error.to_string())?;
    let (qos, retain) = config.delivery();
    let words = ["disarm", "arm_home", "arm_away", "arm_night", "arm_vacation", "arm_custom_bypass", "trigger"];
    let told: Vec<(Arc<str>, Value)> = words
        .iter()
        .map(|word| (Arc::from(*word), config.word(&format!("payload_{word}"), &word.to_uppercase())))
        .collect();
    let shared_form =
        |variable: &str| Form::Shared { variable: variable.into(), on: template.clone(), off: template.clone() };
    let property = property.written(topic, shared_form("action"), Codec::Words(told.into()));
    entity.properties.push(property.with_write(|write| (write.qos, write.retain) = (qos, retain)));
    let code = of_word("code").written(topic, shared_form("code"), Codec::Text);
    entity.properties.push(code.with_write(|write| (write.qos, write.retain) = (qos, retain)));
    Ok(())
}

pub(super) fn vacuum(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Vacuum;
    let states = ["cleaning", "docked", "paused", "idle", "returning", "error"];
    let mut property = of_word("vacuum").holding(Holds::Words(shared(&states)));
    let state = config.topic("state_topic")?.map(|topic| entity.topic(topic));
    if let Some(topic) = state {
        property = property.read(topic, Extract::Key("state".into()), Codec::Text);
    }
    let commands = [
        ("start", "payload_start", "start"),
        ("pause", "payload_pause", "pause"),
        ("stop", "payload_stop", "stop"),
        ("dock", "payload_return_to_base", "return_to_base"),
        ("locate", "payload_locate", "locate"),
        ("spot", "payload_clean_spot", "clean_spot"),
    ];
    let told: Vec<(Arc<str>, Value)> =
        commands.iter().map(|(ours, key, usual)| (Arc::from(*ours), config.word(key, usual))).collect();
    let (qos, retain) = config.delivery();
    if let Some(topic) = config.topic("command_topic")? {
        let topic = entity.topic(topic);
        property = property.written(topic, Form::Payload, Codec::Words(told.into()));
        property = property.with_write(|write| (write.qos, write.retain) = (qos, retain));
    }
    entity.properties.push(property);
    if let Some(topic) = state {
        entity.properties.push(of_word("battery").read(topic, Extract::Key("battery_level".into()), Codec::Number));
    }
    let mut speed = named("fan_speed", choice(config, "fan_speed_list"));
    if let Some(topic) = state {
        speed = speed.read(topic, Extract::Key("fan_speed".into()), Codec::Text);
    }
    if let Some(topic) = config.topic("set_fan_speed_topic")? {
        let topic = entity.topic(topic);
        entity.properties.push(speed.written(topic, Form::Payload, Codec::Text));
    }
    Ok(())
}

pub(super) fn mower(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Mower;
    let activities = ["mowing", "paused", "docked", "returning", "error"];
    let activity = named("activity", Holds::Words(shared(&activities)));
    entity.add(
        config,
        activity,
        At {
            state: "activity_state_topic",
            state_templates: &["activity_value_template"],
            command: "",
            ..At::usual(Codec::Text, Codec::Text)
        },
    )?;
    for (name, payload) in [("start_mowing", "start_mowing"), ("pause", "pause"), ("dock", "dock")] {
        let press = Codec::Boolean { yes: payload.into(), no: Value::Null };
        entity.add(
            config,
            named(name, Holds::Press),
            At {
                state: "",
                command: &format!("{name}_command_topic"),
                command_templates: &[&format!("{name}_command_template")],
                ..At::usual(press.clone(), press.clone())
            },
        )?;
    }
    Ok(())
}
