//! What a light of a JSON topic takes besides `state`: as zigbee2mqtt does, and Home Assistant's own JSON schema.

use serde_json::{Value as Json, json};

use crate::lang::import::home_assistant::colors;

/// Returns the expression of a value that is computed.
fn computed(value: &Json) -> Option<&str> {
    value.as_str()?.strip_prefix("${")?.strip_suffix('}').filter(|inner| !inner.contains("${"))
}

/// Returns a number that is scaled, now or when it's computed.
fn scaled(value: &Json, scale: fn(f64) -> f64, function: &str) -> Option<Json> {
    if let Some(number) = value.as_f64() {
        let number = scale(number);
        #[expect(clippy::cast_possible_truncation, reason = "a brightness or a colour temperature")]
        return number.is_finite().then(|| json!(number as i64));
    }
    computed(value).map(|expression| format!("${{{function}({expression})}}").into())
}

/// Returns the attribute that another key of a command sets, with its value: `brightness_pct` sets `brightness`.
pub(super) fn same(name: &str, value: &Json) -> Option<(String, Json)> {
    match name {
        "brightness_pct" => {
            let value = scaled(value, |percent| (percent * 255.0 / 100.0).round_ties_even(), "ha::of_255")?;
            Some(("brightness".to_owned(), value))
        }
        _ => None,
    }
}

/// Returns the key and the value that a JSON light takes for an attribute; `None` if it takes nothing for it.
pub(super) fn part(name: &str, value: &Json) -> Option<(String, Json)> {
    let list = |names: &[&str]| {
        let parts = value.as_array().filter(|parts| parts.len() == names.len())?;
        let named = names.iter().zip(parts).map(|(name, part)| ((*name).to_owned(), part.clone()));
        Some(Json::Object(named.collect()))
    };
    let (key, value) = match name {
        "brightness" | "effect" | "transition" | "color_temp" => (name, value.clone()),
        "color_temp_kelvin" | "kelvin" => {
            ("color_temp", scaled(value, |kelvin| (1_000_000.0 / kelvin).round(), "ha::kelvin")?)
        }
        "rgb_color" => ("color", list(&["r", "g", "b"])?),
        "hs_color" => ("color", list(&["h", "s"])?),
        "xy_color" => ("color", list(&["x", "y"])?),
        "color_name" => {
            let hex = colors::hex(&value.as_str()?.to_lowercase().replace(' ', ""))?;
            let number = u32::from_str_radix(hex.trim_start_matches('#'), 16).ok()?;
            ("color", json!({ "r": number >> 16, "g": (number >> 8) & 255, "b": number & 255 }))
        }
        _ => return None,
    };
    Some((key.to_owned(), value))
}
