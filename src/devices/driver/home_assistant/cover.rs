//! What opens and closes: covers and valves.

use std::sync::Arc;

use super::super::parts::{of_word, shared};
use super::config::Config;
use super::entity::{At, Entity};
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds};
use crate::model::Value;

pub(super) fn cover(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Cover;
    moves(config, entity)?;
    let percent = Codec::Percent {
        low: config.number("position_closed").unwrap_or(0.0),
        high: config.number("position_open").unwrap_or(100.0),
        has_least: false,
    };
    entity.add(
        config,
        of_word("position"),
        At {
            state: "position_topic",
            state_templates: &["position_template"],
            said: percent.clone(),
            command: "set_position_topic",
            command_templates: &["set_position_template"],
            told: percent,
        },
    )?;
    let tilt = Codec::Percent {
        low: config.number("tilt_closed_value").or_else(|| config.number("tilt_min")).unwrap_or(0.0),
        high: config.number("tilt_opened_value").or_else(|| config.number("tilt_max")).unwrap_or(100.0),
        has_least: false,
    };
    entity.add(
        config,
        of_word("tilt"),
        At {
            state: "tilt_status_topic",
            state_templates: &["tilt_status_template"],
            said: tilt.clone(),
            command: "tilt_command_topic",
            command_templates: &["tilt_command_template"],
            told: tilt,
        },
    )
}

pub(super) fn valve(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    entity.kind = Kind::Valve;
    if !config.flag("reports_position") {
        return moves(config, entity);
    }
    let percent = Codec::Percent {
        low: config.number("position_closed").unwrap_or(0.0),
        high: config.number("position_open").unwrap_or(100.0),
        has_least: false,
    };
    entity.add(config, of_word("position"), At::usual(percent.clone(), percent))
}

/// Adds whether it is open, and how it is told to move.
fn moves(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    let (open, closed) = (config.word("state_open", "open"), config.word("state_closed", "closed"));
    let moving = [
        ("opening", "state_opening", "opening"),
        ("closing", "state_closing", "closing"),
        ("stopped", "state_stopped", "stopped"),
    ];
    let moving: Vec<(Arc<str>, Value)> =
        moving.iter().map(|(ours, key, usual)| (Arc::from(*ours), config.word(key, usual))).collect();
    if let Some(topic) = config.topic("state_topic")? {
        let topic = entity.topic(topic);
        let extract = config.extract(&["value_template"])?;
        entity.properties.push(of_word("open").read(topic, extract, Codec::Boolean { yes: open, no: closed }));
    }
    let Some(topic) = config.topic("command_topic")? else { return Ok(()) };
    let topic = entity.topic(topic);
    let commands =
        [("open", "payload_open", "OPEN"), ("close", "payload_close", "CLOSE"), ("stop", "payload_stop", "STOP")];
    // A null takes a command away, as Home Assistant has it.
    let told: Vec<(Arc<str>, Value)> = commands
        .iter()
        .filter(|(_, key, _)| !config.is_taken_away(key))
        .map(|(ours, key, usual)| (Arc::from(*ours), config.word(key, usual)))
        .collect();
    let (qos, retain) = config.delivery();
    let form = config.template(&["command_template"])?.map_or(Form::Payload, Form::Template);
    let words: Arc<[Arc<str>]> = told.iter().map(|(ours, _)| Arc::clone(ours)).collect();
    let property = of_word("move").holding(Holds::Words(shared(&["opening", "closing", "stopped"])));
    let mut property = property.written(topic, form, Codec::Words(told.into())).with_write(|write| {
        (write.qos, write.retain, write.words) = (qos, retain, words);
    });
    if let Some(topic) = config.topic("state_topic")? {
        let topic = entity.topic(topic);
        property = property.read(topic, config.extract(&["value_template"])?, Codec::Words(moving.into()));
    }
    property.is_optimistic = config.flag("optimistic");
    entity.properties.push(property);
    Ok(())
}
