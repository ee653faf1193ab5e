//! What sort of thing a device is.

use std::fmt;

/// What sort of thing a device is: the word that selectors and `device(…).kind` use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Opens and closes: a blind, a garage door.
    Cover,
    /// A lock.
    Lock,
    /// Heats or cools to a setpoint.
    Climate,
    /// An alarm panel.
    Alarm,
    /// A robot that cleans.
    Vacuum,
    /// Moistens or dries the air.
    Humidifier,
    /// A robot that mows.
    Mower,
    /// A light.
    Light,
    /// A fan.
    Fan,
    /// A siren.
    Siren,
    /// A valve.
    Valve,
    /// A socket that is switched.
    Plug,
    /// Switches something.
    Switch,
    /// Buttons that people press, and nothing else.
    Remote,
    /// A button that a message presses.
    Button,
    /// A number that can be set.
    Number,
    /// A choice that can be set.
    Select,
    /// Says where something is.
    Tracker,
    /// A scene of the device.
    Scene,
    /// Only tells of its firmware.
    Update,
    /// Measures.
    Sensor,
}

impl Kind {
    /// All kinds, the one that a device with several is called by first.
    pub const ALL: [Kind; 21] = [
        Kind::Cover,
        Kind::Lock,
        Kind::Climate,
        Kind::Alarm,
        Kind::Vacuum,
        Kind::Humidifier,
        Kind::Mower,
        Kind::Light,
        Kind::Fan,
        Kind::Siren,
        Kind::Valve,
        Kind::Plug,
        Kind::Switch,
        Kind::Remote,
        Kind::Sensor,
        Kind::Button,
        Kind::Number,
        Kind::Select,
        Kind::Tracker,
        Kind::Scene,
        Kind::Update,
    ];

    /// Returns the kind's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Cover => "cover",
            Kind::Lock => "lock",
            Kind::Climate => "climate",
            Kind::Alarm => "alarm",
            Kind::Vacuum => "vacuum",
            Kind::Humidifier => "humidifier",
            Kind::Mower => "mower",
            Kind::Light => "light",
            Kind::Fan => "fan",
            Kind::Siren => "siren",
            Kind::Valve => "valve",
            Kind::Plug => "plug",
            Kind::Switch => "switch",
            Kind::Remote => "remote",
            Kind::Button => "button",
            Kind::Number => "number",
            Kind::Select => "select",
            Kind::Tracker => "tracker",
            Kind::Scene => "scene",
            Kind::Update => "update",
            Kind::Sensor => "sensor",
        }
    }

    /// Returns the kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the kind that a device with several things is called by: what acts comes before what measures.
    #[must_use]
    pub fn main(kinds: impl IntoIterator<Item = Kind>) -> Kind {
        let rank = |kind: &Kind| Kind::ALL.iter().position(|known| known == kind);
        kinds.into_iter().min_by_key(rank).unwrap_or(Kind::Sensor)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_read_and_what_acts_comes_first() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::main([Kind::Sensor, Kind::Switch, Kind::Light]), Kind::Light);
        assert_eq!(Kind::main([]), Kind::Sensor);
    }
}
