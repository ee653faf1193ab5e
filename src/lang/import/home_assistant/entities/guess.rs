//! Which property of a device an entity is: from its domain, its class and the end of its unique id.

use super::codec::Codec;
use super::known::KnownDevice;

/// What an entity's domain reads, in the order in which a device's property is looked for.
fn candidates(domain: &str) -> &'static [&'static str] {
    match domain {
        "light" | "switch" | "fan" | "humidifier" | "remote" => &["on"],
        "siren" => &["sound", "on"],
        "cover" => &["position", "open", "move"],
        "valve" => &["position", "open", "on"],
        "lock" => &["locked"],
        "climate" | "water_heater" => &["mode"],
        "alarm_control_panel" => &["alarm"],
        "vacuum" => &["vacuum"],
        "select" => &["option"],
        "number" => &["value"],
        "button" => &["press"],
        "event" => &["action"],
        "update" => &["update_available"],
        "device_tracker" => &["presence"],
        _ => &[],
    }
}

/// Returns the property for a device class of Home Assistant.
pub(super) fn of_class(domain: &str, class: &str) -> Option<&'static str> {
    Some(match (domain, class) {
        ("binary_sensor", "door" | "window" | "opening" | "garage_door") => "open",
        ("binary_sensor", "motion" | "occupancy") => "occupancy",
        ("binary_sensor", "presence") => "presence",
        ("binary_sensor", "moisture") => "leak",
        ("binary_sensor", "smoke") => "smoke",
        ("binary_sensor", "gas" | "carbon_monoxide") => "gas",
        ("binary_sensor", "vibration") => "vibration",
        ("binary_sensor", "tamper") => "tamper",
        ("binary_sensor", "battery") => "battery_low",
        ("sensor", "temperature") => "temperature",
        ("sensor", "humidity") => "humidity",
        ("sensor", "pressure" | "atmospheric_pressure") => "pressure",
        ("sensor", "illuminance") => "illuminance",
        ("sensor", "carbon_dioxide") => "co2",
        ("sensor", "power") => "power",
        ("sensor", "energy") => "energy",
        ("sensor", "voltage") => "voltage",
        ("sensor", "current") => "current",
        ("sensor", "battery") => "battery",
        _ => return None,
    })
}

/// Returns the property of `device` that an entity is, from the most certain sign to the least.
pub(super) fn property(
    device: &KnownDevice,
    domain: &str,
    class: Option<&str>,
    unique_id: &str,
    object: &str,
) -> Option<String> {
    let has = |name: &str| device.property(name).map(|property| property.name.clone());
    let words = format!("_{}_", unique_id.to_lowercase().replace(['-', '/', ' '], "_"));
    let renamed = [
        ("_contact_", "open"),
        ("_water_leak_", "leak"),
        ("_illuminance_lux_", "illuminance"),
        ("_linkquality_", "link"),
        ("_action_", "action"),
        ("_occupancy_", "occupancy"),
        ("_presence_", "presence"),
    ];
    if let Some(found) = renamed.iter().filter(|(sign, _)| words.contains(sign)).find_map(|(_, name)| has(name)) {
        return Some(found);
    }
    if let Some(found) = class.and_then(|class| of_class(domain, class)).and_then(has) {
        return Some(found);
    }
    // An endpoint stands in the unique id: `0x…_switch_left_zigbee2mqtt` is `on_left`.
    let own: Vec<_> = candidates(domain).to_vec();
    for wanted in &own {
        let channels = device
            .properties
            .iter()
            .filter(|property| property.name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('_')));
        for channel in channels {
            let ending = channel.name.strip_prefix(wanted).unwrap_or_default();
            if words.contains(&format!("{ending}_")) || object.ends_with(ending) {
                return Some(channel.name.clone());
            }
        }
    }
    if let Some(found) = own.iter().find_map(|name| has(name)) {
        return Some(found);
    }
    // The source's own name: the longest that the unique id or the object id ends with.
    let mut named: Vec<_> = device
        .properties
        .iter()
        .filter(|property| {
            words.contains(&format!("_{}_", property.name)) || object.ends_with(&format!("_{}", property.name))
        })
        .collect();
    named.sort_by_key(|property| std::cmp::Reverse(property.name.len()));
    named.first().map(|property| property.name.clone())
}

/// Returns how the states of a domain go with a property's values.
pub(super) fn codec(domain: &str, property: &str) -> Codec {
    use serde_json::json;
    let words = |words: &[(&str, serde_json::Value)]| {
        Codec::Words(words.iter().map(|(word, value)| ((*word).to_owned(), value.clone())).collect())
    };
    let base = property.split('_').next().unwrap_or(property);
    match domain {
        "lock" => words(&[("locked", json!(true)), ("unlocked", json!(false))]),
        "cover" | "valve" if base == "open" || base == "on" => {
            words(&[("open", json!(true)), ("closed", json!(false))])
        }
        "cover" | "valve" if base == "move" => Codec::Text,
        "device_tracker" | "person" => words(&[("home", json!(true)), ("not_home", json!(false))]),
        "light" | "switch" | "fan" | "siren" | "humidifier" | "binary_sensor" | "remote" | "update"
        | "input_boolean" => Codec::OnOff,
        "sensor" | "number" => match property {
            "action" | "mode" | "preset" | "effect" | "option" => Codec::Text,
            _ => Codec::Raw,
        },
        _ => Codec::Text,
    }
}
