//! What topics and values are about, by the words of the field.

use crate::analysis::Pattern;
use crate::model::Value;

/// What the topics of things are called that people press.
pub(super) const HANDS: [&str; 14] = [
    "button", "remote", "action", "click", "press", "switch", "knob", "cube", "tap", "dimmer", "rotary", "doorbell",
    "scene", "voice",
];

/// Topics that people read, of which the last message doesn't last.
const NOTICES: [&str; 25] = [
    "notify",
    "notification",
    "notifications",
    "notice",
    "message",
    "messages",
    "log",
    "say",
    "speak",
    "tts",
    "announce",
    "announcement",
    "alert",
    "alerts",
    "display",
    "toast",
    "telegram",
    "mail",
    "email",
    "sms",
    "event",
    "events",
    "play",
    "push",
    "text",
];

/// What doesn't last, or isn't a device's: motion, light, time, modes, presses.
const PASSING: [&str; 41] = [
    "motion",
    "occupancy",
    "occupied",
    "presence",
    "pir",
    "movement",
    "lux",
    "illuminance",
    "illumination",
    "light_level",
    "brightness",
    "luminance",
    "sun",
    "dark",
    "daylight",
    "day",
    "night",
    "time",
    "clock",
    "mode",
    "house",
    "armed",
    "alarm",
    "arm",
    "vacation",
    "holiday",
    "away",
    "guest",
    "guests",
    "home_mode",
    "scene",
    "state_of_house",
    "action",
    "click",
    "button",
    "press",
    "remote",
    "switch_action",
    "input",
    "season",
    "sleep",
];

/// What devices are for a while.
const LASTING: [&str; 46] = [
    "window",
    "windows",
    "door",
    "doors",
    "contact",
    "open",
    "gate",
    "garage",
    "lock",
    "locked",
    "leak",
    "water_leak",
    "moisture",
    "smoke",
    "gas",
    "valve",
    "pump",
    "heater",
    "heating",
    "boiler",
    "plug",
    "socket",
    "relay",
    "power",
    "on",
    "tv",
    "washer",
    "dryer",
    "dishwasher",
    "fridge",
    "oven",
    "temperature",
    "temp",
    "humidity",
    "co2",
    "rain",
    "wind",
    "charging",
    "charger",
    "battery",
    "fan",
    "cover",
    "blind",
    "awning",
    "curtain",
    "thermostat",
];

fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(['/', '_', '-', '.', ' ']).map(str::to_ascii_lowercase);
    parts.filter(|word| !word.is_empty())
}

/// Returns whether a text has one of these words, or several of it (`buttons`); longer ones may end another (`wallswitch`),
/// which `gas` and `tap` may not, and `pressure` is no `press`.
pub(super) fn has_word(text: &str, list: &[&str]) -> bool {
    const ALONE: usize = 4;
    words(text).any(|word| {
        let one = word.strip_suffix('s').unwrap_or(&word);
        list.iter().any(|wanted| word == *wanted || one == *wanted || wanted.len() > ALONE && one.ends_with(wanted))
    })
}

fn of_pattern(pattern: &Pattern, path: &str) -> Vec<String> {
    let levels = pattern.levels().iter().filter_map(|level| level.as_text());
    levels.flat_map(words).chain(words(path)).collect()
}

/// Calls of Home Assistant's actions: each message is one of its own, and none lasts.
const CALLS: &str = "homerule/home_assistant/call";

/// Returns whether what is published there is read by people, or happens rather than lasts.
pub(super) fn is_notice(pattern: &Pattern, value: Option<&Value>) -> bool {
    let last = pattern.levels().iter().rev().find_map(|level| level.as_text()).unwrap_or_default();
    let is_prose = value.and_then(Value::as_text).is_some_and(|text| text.trim().contains(' '));
    let is_call = pattern.levels().iter().map_while(|level| level.as_text()).eq(CALLS.split('/'));
    is_prose || is_call || words(last).chain(of_pattern(pattern, "")).any(|word| NOTICES.contains(&word.as_str()))
}

/// Returns whether a value is a lasting state of a device: a window, a plug, a temperature.
pub(super) fn is_lasting(pattern: &Pattern, path: &str) -> bool {
    let words = of_pattern(pattern, path);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&LASTING) && !has(&PASSING)
}

/// Returns whether a command switches something on that goes on by itself.
pub(super) fn is_on(value: &Value) -> bool {
    let says_on = |value: &Value| match value {
        Value::Bool(flag) => *flag,
        Value::Text(text) => ["on", "open", "start", "heat"].contains(&text.to_ascii_lowercase().as_str()),
        _ => false,
    };
    match value {
        Value::Map(entries) => {
            let ends_itself = |key: &str| {
                ["time", "timer", "duration", "timeout", "period", "off", "count", "timed"]
                    .iter()
                    .any(|word| key.contains(word))
            };
            let switches = ["state", "on", "power", "switch", "POWER", "state_l1", "state_l2"];
            !entries.keys().any(|key| ends_itself(&key.to_ascii_lowercase()))
                && switches.iter().any(|key| entries.get(*key).is_some_and(says_on))
        }
        value => says_on(value),
    }
}

/// Returns whether two values are commands that contradict each other.
#[must_use]
pub fn clash(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(one), Value::Map(other)) => {
            one.iter().any(|(key, value)| other.get(key).is_some_and(|other| clash(value, other)))
        }
        (one, other) => one != other && !(one.matches(other) && other.matches(one)),
    }
}

/// Returns whether one of two values was probably written for the other: `true` for `ON`, `on` for `ON`.
pub(super) fn is_taken_for(written: &Value, said: &Value) -> bool {
    match (switch_of(written), switch_of(said)) {
        (Some(written), Some(said)) if written == said => true,
        _ => {
            let (Some(written), Some(said)) = (written.as_text(), said.as_text()) else { return false };
            written.eq_ignore_ascii_case(said)
        }
    }
}

/// Returns which way of a switch a value means.
fn switch_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" | "open" | "online" | "detected" | "home" => Some(true),
            "off" | "false" | "no" | "0" | "closed" | "offline" | "clear" | "not_home" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_alone_as_several_and_at_the_end_of_another() {
        for text in ["home/hall/button", "home/Buttons/1", "zigbee2mqtt/wallswitch", "a/b/action", "kitchen_tap"] {
            assert!(has_word(text, &HANDS), "{text}");
        }
        for text in ["home/gasoline", "home/staple", "weather/pressure", "home/tapestry", "home/actionable"] {
            assert!(!has_word(text, &HANDS) && !has_word(text, &["gas"]), "{text}");
        }
    }
}
