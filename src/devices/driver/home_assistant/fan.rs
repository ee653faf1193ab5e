//! Fans.

use super::super::parts::{of_word, words};
use super::config::Config;
use super::entity::{At, Entity, choice};
use super::switches::on_off;
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::Holds;

pub(super) fn read(config: &Config<'_>, entity: &mut Entity) -> Result<(), String> {
    // Longer than most: one row for each property reads best in one place.
    entity.kind = Kind::Fan;
    let (said, told) = on_off(config);
    entity.add(
        config,
        of_word("on"),
        At { state_templates: &["state_value_template", "value_template"], ..At::usual(said, told) },
    )?;
    // The range counts speeds: below the first the fan is off.
    let low = config.number("speed_range_min").unwrap_or(1.0) - 1.0;
    let high = config.number("speed_range_max").unwrap_or(100.0);
    let percent = Codec::Percent { low, high, has_least: true };
    entity.add(
        config,
        of_word("fan"),
        At {
            state: "percentage_state_topic",
            state_templates: &["percentage_value_template"],
            said: percent.clone(),
            command: "percentage_command_topic",
            command_templates: &["percentage_command_template"],
            told: percent,
        },
    )?;
    entity.add(
        config,
        of_word("preset").holding(choice(config, "preset_modes")),
        At {
            state: "preset_mode_state_topic",
            state_templates: &["preset_mode_value_template"],
            said: Codec::Text,
            command: "preset_mode_command_topic",
            command_templates: &["preset_mode_command_template"],
            told: Codec::Text,
        },
    )?;
    let yes = config.word("payload_oscillation_on", "oscillate_on");
    let no = config.word("payload_oscillation_off", "oscillate_off");
    let oscillating = Codec::Boolean { yes, no };
    entity.add(
        config,
        of_word("oscillating"),
        At {
            state: "oscillation_state_topic",
            state_templates: &["oscillation_value_template"],
            said: oscillating.clone(),
            command: "oscillation_command_topic",
            command_templates: &["oscillation_command_template"],
            told: oscillating,
        },
    )?;
    let direction = words(&[("forward", "forward"), ("reverse", "reverse")]);
    entity.add(
        config,
        of_word("direction").holding(Holds::Words([std::sync::Arc::from("forward"), "reverse".into()].into())),
        At {
            state: "direction_state_topic",
            state_templates: &["direction_value_template"],
            said: direction.clone(),
            command: "direction_command_topic",
            command_templates: &["direction_command_template"],
            told: direction,
        },
    )
}
