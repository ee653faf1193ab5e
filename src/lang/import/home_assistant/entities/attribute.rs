//! Attributes: what of a device each of Home Assistant's is, with its scale.

use super::codec::Codec;

/// Returns the property behind an attribute, and an expression of Home Assistant's value of it, given that of ours.
#[expect(clippy::type_complexity, reason = "the property, and how its value is scaled")]
pub(super) fn of_device(domain: &str, attribute: &str) -> Option<(&'static str, fn(&str) -> String)> {
    fn same(value: &str) -> String {
        value.to_owned()
    }
    fn of_255(value: &str) -> String {
        format!("ha::of_255({value})")
    }
    fn mired(value: &str) -> String {
        format!("ha::mired({value})")
    }
    fn rgb(value: &str) -> String {
        format!("ha::rgb({value})")
    }
    Some(match (domain, attribute) {
        ("light", "brightness") => ("brightness", of_255),
        ("light", "color_temp_kelvin") => ("color_temp", same),
        ("light", "color_temp") => ("color_temp", mired),
        ("light", "rgb_color") => ("color", rgb),
        ("light", "effect") => ("effect", same),
        ("fan", "percentage") => ("fan", same),
        ("fan" | "climate", "preset_mode") => ("preset", same),
        ("fan", "oscillating") => ("oscillating", same),
        ("fan", "direction") => ("direction", same),
        ("cover" | "valve", "current_position") => ("position", same),
        ("cover", "current_tilt_position") => ("tilt", same),
        ("climate" | "water_heater", "temperature") => ("setpoint", same),
        ("climate", "target_temp_low") => ("setpoint_low", same),
        ("climate", "target_temp_high") => ("setpoint_high", same),
        ("climate", "current_temperature") => ("temperature", same),
        ("climate" | "humidifier", "current_humidity") => ("humidity", same),
        ("climate", "fan_mode") => ("fan_mode", same),
        ("climate", "swing_mode") => ("swing_mode", same),
        ("humidifier", "humidity") => ("humidity_target", same),
        ("humidifier", "mode") => ("mode", same),
        ("event", "event_type") => ("action", same),
        _ => return None,
    })
}

/// Returns the attribute's value here of one there, for triggers and conditions; `None` where scales differ.
pub(super) fn codec(attribute: &str) -> Option<Codec> {
    match attribute {
        "color_temp" | "rgb_color" => None,
        "oscillating" => Some(Codec::Words(vec![
            ("True".to_owned(), serde_json::json!(true)),
            ("False".to_owned(), serde_json::json!(false)),
        ])),
        _ => Some(Codec::Raw),
    }
}
