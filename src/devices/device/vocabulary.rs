//! The vocabulary: one word for a property, whatever its device calls it (docs/devices.md).

use std::sync::Arc;

use crate::devices::codec::Codec;
use crate::devices::codec::units;
use crate::devices::device::property::{Holds, Range};

/// A word of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Word {
    /// The property's name.
    pub name: &'static str,
    /// What it holds.
    pub means: Means,
    /// Whether rules can only read it.
    pub is_read_only: bool,
}

/// What a word of the vocabulary holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// True or false.
    Boolean,
    /// 0 to 100 %, whole.
    Percent,
    /// A number in this unit; of any where it is empty.
    Number(&'static str),
    /// Words of the device.
    Words,
    /// A colour.
    Color,
    /// A text.
    Text,
    /// An event.
    Event,
    /// A press.
    Press,
    /// A duration.
    Duration,
    /// A siren's sound.
    Sound,
}

const fn both(name: &'static str, means: Means) -> Word {
    Word { name, means, is_read_only: false }
}

const fn read(name: &'static str, means: Means) -> Word {
    Word { name, means, is_read_only: true }
}

const WORDS: [Word; 51] = [
    both("on", Means::Boolean),
    both("brightness", Means::Percent),
    both("color_temp", Means::Number("K")),
    both("color", Means::Color),
    both("effect", Means::Text),
    both("transition", Means::Duration),
    both("position", Means::Percent),
    both("tilt", Means::Percent),
    both("move", Means::Words),
    both("locked", Means::Boolean),
    both("setpoint", Means::Number("°C")),
    both("setpoint_low", Means::Number("°C")),
    both("setpoint_high", Means::Number("°C")),
    both("mode", Means::Words),
    both("preset", Means::Words),
    both("fan_mode", Means::Words),
    both("swing_mode", Means::Words),
    both("option", Means::Words),
    both("fan", Means::Percent),
    both("oscillating", Means::Boolean),
    both("direction", Means::Words),
    both("value", Means::Number("")),
    both("press", Means::Press),
    both("alarm", Means::Words),
    both("code", Means::Text),
    both("vacuum", Means::Words),
    both("sound", Means::Sound),
    both("humidity_target", Means::Percent),
    read("temperature", Means::Number("°C")),
    read("humidity", Means::Number("%")),
    read("pressure", Means::Number("hPa")),
    read("illuminance", Means::Number("lx")),
    read("co2", Means::Number("ppm")),
    read("power", Means::Number("W")),
    read("energy", Means::Number("kWh")),
    read("voltage", Means::Number("V")),
    read("current", Means::Number("A")),
    read("battery", Means::Number("%")),
    read("battery_low", Means::Boolean),
    read("occupancy", Means::Boolean),
    read("presence", Means::Boolean),
    read("open", Means::Boolean),
    read("leak", Means::Boolean),
    read("smoke", Means::Boolean),
    read("gas", Means::Boolean),
    read("vibration", Means::Boolean),
    read("tamper", Means::Boolean),
    read("action", Means::Event),
    read("link", Means::Percent),
    read("available", Means::Boolean),
    read("update_available", Means::Boolean),
];

/// Returns the word of the vocabulary, where `name` is one.
#[must_use]
pub fn word(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

impl Word {
    /// Returns whether a property of this type and unit may have the word's name.
    #[must_use]
    pub fn fits(&self, holds: &Holds, unit: Option<&str>) -> bool {
        match self.means {
            Means::Boolean => matches!(holds, Holds::Boolean),
            Means::Percent => matches!(holds, Holds::Number(_)) && unit.is_none_or(|unit| unit == "%"),
            Means::Number(own) => {
                matches!(holds, Holds::Number(_)) && (own.is_empty() || unit.is_none_or(|unit| unit == own))
            }
            Means::Words | Means::Text => matches!(holds, Holds::Words(_) | Holds::Text),
            Means::Color => matches!(holds, Holds::Color),
            Means::Event => matches!(holds, Holds::Event(_) | Holds::Words(_) | Holds::Text),
            Means::Press => matches!(holds, Holds::Press),
            Means::Duration => matches!(holds, Holds::Duration),
            Means::Sound => matches!(holds, Holds::Sound | Holds::Boolean),
        }
    }

    /// Returns what the word holds where its source doesn't say more.
    #[must_use]
    pub fn holds(&self) -> Holds {
        match self.means {
            Means::Boolean => Holds::Boolean,
            Means::Percent => Holds::Number(Range::PERCENT),
            Means::Number(_) => Holds::Number(Range::default()),
            Means::Words => Holds::Words(Arc::new([])),
            Means::Color => Holds::Color,
            Means::Text => Holds::Text,
            Means::Event => Holds::Event(Arc::new([])),
            Means::Press => Holds::Press,
            Means::Duration => Holds::Duration,
            Means::Sound => Holds::Sound,
        }
    }

    /// Returns the unit, where it has one.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        match self.means {
            Means::Percent => Some("%"),
            Means::Number(unit) => Some(unit).filter(|unit| !unit.is_empty()),
            _ => None,
        }
    }
}

/// Returns the name that a property gets which its source calls `source_name` and which has no role of its own: a word of
/// the vocabulary where it is read only and fits, with `_raw` where it is one in another role, and else its own in snake case.
pub(in crate::devices) fn plain_name(source_name: &str, holds: &Holds, unit: Option<&str>) -> String {
    let name = snake_case(source_name);
    match word(&name) {
        Some(word) if word.is_read_only && word.fits(holds, unit) => name,
        Some(_) => format!("{name}_raw"),
        None => name,
    }
}

/// Returns a name in snake case: `eCO2` is `e_co2`, `DewPoint` `dew_point`, `Power on behaviour` `power_on_behaviour`.
pub(in crate::devices) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before = '_';
    for letter in name.chars() {
        let is_word = letter.is_alphanumeric();
        let begins = letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if (!is_word || begins) && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if is_word {
            snake.extend(letter.to_lowercase());
        }
        before = letter;
    }
    let end = snake.trim_end_matches('_').len();
    snake.truncate(end);
    snake
}

/// Returns a unit as ours, and how to get there; `None` for both where there is none.
pub(in crate::devices) fn unit_and_codec(unit: Option<&str>) -> (Option<Arc<str>>, Codec) {
    match unit.map(str::trim).filter(|unit| !unit.is_empty()) {
        None => (None, Codec::Number),
        Some(unit) if units::is_ours(unit) => (Some(unit.into()), Codec::Number),
        Some(unit) => match units::conversion(unit) {
            Some(conversion) if conversion.factor.to_bits() == 1f64.to_bits() && conversion.offset == 0.0 => {
                (Some(conversion.unit.into()), Codec::Number)
            }
            Some(conversion) => (Some(conversion.unit.into()), Codec::conversion(conversion)),
            None => (Some(unit.into()), Codec::Number),
        },
    }
}

/// Returns whether `channel` names one of several of a kind: `on_1`, `on_left`.
pub(in crate::devices) fn is_channel(name: &str, channel: &str) -> bool {
    let digits = channel.strip_prefix('l').unwrap_or(channel);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = matches!(
        channel,
        "left" | "right" | "center" | "middle" | "top" | "bottom" | "up" | "down" | "main" | "white" | "rgb"
    );
    (is_number || is_place) && word(&format!("{name}_{channel}")).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_snake_case() {
        for (name, snake) in [
            ("DewPoint", "dew_point"),
            ("child_lock", "child_lock"),
            ("Power-on behaviour", "power_on_behaviour"),
            ("AM2301", "am2301"),
            ("relay 1", "relay_1"),
            ("__x__", "x"),
            ("Größe", "größe"),
            ("", ""),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn a_word_in_another_role_is_raw() {
        let number = Holds::Number(Range::default());
        let words = Holds::Words(Arc::new([]));
        for (name, holds, unit, expected) in [
            ("temperature", &number, Some("°C"), "temperature"),
            ("temperature", &words, None, "temperature_raw"),
            ("mode", &words, None, "mode_raw"),
            ("alarm", &Holds::Boolean, None, "alarm_raw"),
            ("gas", &number, Some("ppm"), "gas_raw"),
            ("child_lock", &Holds::Boolean, None, "child_lock"),
            ("action", &words, None, "action"),
        ] {
            assert_eq!(plain_name(name, holds, unit), expected);
        }
    }
}
