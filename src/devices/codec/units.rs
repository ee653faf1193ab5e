//! Units: which one the vocabulary uses for a kind of measure, and how to get there.

/// How a number of another unit becomes one of ours: `ours = theirs * factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::devices) struct Conversion {
    pub(in crate::devices) unit: &'static str,
    pub(in crate::devices) factor: f64,
    pub(in crate::devices) offset: f64,
}

/// Returns how to convert a number of `unit`; `None` where it stays as it is.
pub(in crate::devices) fn conversion(unit: &str) -> Option<Conversion> {
    let times = |unit, factor| Some(Conversion { unit, factor, offset: 0.0 });
    match unit {
        "mV" => times("V", 0.001),
        "µV" | "μV" => times("V", 0.000_001),
        "kV" => times("V", 1000.0),
        "mA" => times("A", 0.001),
        "mW" => times("W", 0.001),
        "kW" => times("W", 1000.0),
        "MW" => times("W", 1_000_000.0),
        "Wh" => times("kWh", 0.001),
        "MWh" => times("kWh", 1000.0),
        "GWh" => times("kWh", 1_000_000.0),
        "Wm" | "Wmin" => times("kWh", 1.0 / 60_000.0),
        "kPa" | "cbar" => times("hPa", 10.0),
        "Pa" => times("hPa", 0.01),
        "bar" => times("hPa", 1000.0),
        "mbar" => times("hPa", 1.0),
        "psi" => times("hPa", 68.947_57),
        "inHg" => times("hPa", 33.863_89),
        "mmHg" => times("hPa", 1.333_224),
        "klx" => times("lx", 1000.0),
        "lux" | "Lux" => times("lx", 1.0),
        "ppb" => times("ppm", 0.001),
        "°F" | "ºF" | "F" => Some(Conversion { unit: "°C", factor: 5.0 / 9.0, offset: -160.0 / 9.0 }),
        "C" | "ºC" | "℃" => times("°C", 1.0),
        "K" => Some(Conversion { unit: "°C", factor: 1.0, offset: -273.15 }),
        _ => None,
    }
}

/// Returns the unit that stays as it is, where it is one of the vocabulary's.
pub(in crate::devices) fn is_ours(unit: &str) -> bool {
    matches!(unit, "V" | "A" | "W" | "kWh" | "hPa" | "°C" | "lx" | "%" | "ppm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_of_ours_needs_no_conversion_and_others_lead_to_ours() {
        for unit in ["V", "A", "W", "kWh", "hPa", "°C", "lx", "%", "ppm"] {
            assert!(is_ours(unit) && conversion(unit).is_none(), "{unit}");
        }
        for unit in ["mV", "kPa", "Wh", "°F", "mbar", "ppb"] {
            assert!(is_ours(conversion(unit).unwrap().unit), "{unit}");
        }
        for unit in ["dBm", "m³", "µg/m³", "", "s"] {
            assert!(conversion(unit).is_none(), "{unit}");
        }
    }
}
