//! Colours: `#rrggbb` in rules, and the forms that devices use.
//!
//! How bright a light is isn't in its colour: what a device says is read at full brightness, and two colours are the same
//! where the eye sees them so.

use crate::model::{Map, Value};

/// How far apart two colours of a light may be in x or y and still be one: a step of 8 bits moves by about that much.
const SAME_XY: f64 = 0.012;

/// How far apart two colours may be on the wheel of hue and saturation (in percent) and still be one.
const SAME_WHEEL: f64 = 2.0;

/// A colour in sRGB, each part from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color {
    red: f64,
    green: f64,
    blue: f64,
}

/// How a device writes a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorForm {
    /// `{"hex": "#ff0000"}` to the device; `{"x": …, "y": …}` or `{"hue": …, "saturation": …}` from it.
    Zigbee,
    /// `{"r": 255, "g": 0, "b": 0}`, and any other map from the device.
    RgbMap,
    /// `red`, `green` and `blue`, as templates want them.
    Named,
    /// `{"h": 0, "s": 100}`.
    HsMap,
    /// `{"x": 0.7, "y": 0.3}`.
    XyMap,
    /// `[255, 0, 0]`.
    RgbList,
    /// `255,0,0`.
    RgbText,
    /// `0,100`; a third part is how bright it is, and is passed over.
    HsText,
    /// `0.7,0.3`.
    XyText,
    /// `rgb,255,0,0`, as Homie writes it.
    HomieRgb,
    /// `hsv,0,100,100`, as Homie writes it.
    HomieHsv,
    /// `xyz,0.7,0.3`, as Homie writes it.
    HomieXyz,
    /// `#ff0000`.
    Hex,
}

impl Color {
    /// Returns the colour that a rule wrote: `#rrggbb`, `{ hue, saturation }` or `{ x, y }`; also what devices say as a map.
    #[must_use]
    pub fn parse(value: &Value) -> Option<Color> {
        match value {
            Value::Text(text) => Color::from_hex(text),
            Value::Map(entries) => Color::from_map(entries),
            Value::List(items) => match items.iter().map(Value::as_number).collect::<Option<Vec<f64>>>()?.as_slice() {
                [red, green, blue, ..] => Some(Color::rgb(*red, *green, *blue)),
                _ => None,
            },
            _ => None,
        }
    }

    fn from_hex(text: &str) -> Option<Color> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok().map(f64::from);
        Some(Color { red: part(0)?, green: part(2)?, blue: part(4)? })
    }

    fn from_map(entries: &Map) -> Option<Color> {
        let part = |names: [&str; 2]| names.iter().find_map(|name| entries.get(*name)?.as_number());
        if let (Some(x), Some(y)) = (part(["x", "x"]), part(["y", "y"])) {
            return Some(Color::from_xy(x, y));
        }
        if let (Some(hue), Some(saturation)) = (part(["hue", "h"]), part(["saturation", "s"])) {
            return Some(Color::from_hs(hue, saturation));
        }
        if let (Some(red), Some(green), Some(blue)) = (part(["r", "red"]), part(["g", "green"]), part(["b", "blue"])) {
            return Some(Color::rgb(red, green, blue));
        }
        entries.get("hex").and_then(Value::as_text).and_then(Color::from_hex)
    }

    fn rgb(red: f64, green: f64, blue: f64) -> Color {
        let part = |part: f64| if part.is_finite() { part.clamp(0.0, 255.0) } else { 0.0 };
        Color { red: part(red), green: part(green), blue: part(blue) }
    }

    /// Returns the colour of a hue in degrees and a saturation in percent, at full brightness.
    fn from_hs(hue: f64, saturation: f64) -> Color {
        let hue = if hue.is_finite() { hue.rem_euclid(360.0) / 60.0 } else { 0.0 };
        let saturation = if saturation.is_finite() { saturation.clamp(0.0, 100.0) / 100.0 } else { 0.0 };
        let part = |shift: f64| {
            let at = (shift + hue).rem_euclid(6.0);
            255.0 * (1.0 - saturation * at.min(4.0 - at).clamp(0.0, 1.0))
        };
        Color { red: part(5.0), green: part(3.0), blue: part(1.0) }
    }

    /// Returns the colour of CIE 1931 x and y, at full brightness.
    fn from_xy(x: f64, y: f64) -> Color {
        if !(x.is_finite() && y.is_finite()) || y <= 0.0 {
            return Color { red: 255.0, green: 255.0, blue: 255.0 };
        }
        let (big_x, big_z) = (x / y, (1.0 - x - y) / y);
        let linear = [
            3.240_454_2 * big_x - 1.537_138_5 - 0.498_531_4 * big_z,
            -0.969_266 * big_x + 1.876_010_8 + 0.041_556 * big_z,
            0.055_643_4 * big_x - 0.204_025_9 + 1.057_225_2 * big_z,
        ]
        .map(|part: f64| part.max(0.0));
        let [red, green, blue] = linear;
        let brightest = red.max(green).max(blue).max(f64::MIN_POSITIVE);
        let gamma = |part: f64| {
            let part = part / brightest;
            255.0 * if part <= 0.003_130_8 { 12.92 * part } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 }
        };
        Color::rgb(gamma(red), gamma(green), gamma(blue))
    }

    fn to_xy(self) -> (f64, f64) {
        let linear = |part: f64| {
            let part = part / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let (red, green, blue) = (linear(self.red), linear(self.green), linear(self.blue));
        let x = 0.412_456_4 * red + 0.357_576_1 * green + 0.180_437_5 * blue;
        let y = 0.212_672_9 * red + 0.715_152_2 * green + 0.072_175 * blue;
        let z = 0.019_333_9 * red + 0.119_192 * green + 0.950_304_1 * blue;
        let sum = x + y + z;
        // Black has no colour; a light that is off keeps the white point.
        if sum <= 0.0 { (0.3127, 0.329) } else { (x / sum, y / sum) }
    }

    fn to_hs(self) -> (f64, f64) {
        let most = self.red.max(self.green).max(self.blue);
        let spread = most - self.red.min(self.green).min(self.blue);
        if spread <= 0.0 {
            return (0.0, 0.0);
        }
        let hue = if (most - self.red).abs() < f64::EPSILON {
            (self.green - self.blue) / spread
        } else if (most - self.green).abs() < f64::EPSILON {
            (self.blue - self.red) / spread + 2.0
        } else {
            (self.red - self.green) / spread + 4.0
        };
        ((hue * 60.0).rem_euclid(360.0), 100.0 * spread / most)
    }

    /// Returns the colour as rules see it: `#rrggbb`.
    #[must_use]
    pub fn hex(self) -> String {
        let [red, green, blue] = self.bytes();
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    fn bytes(self) -> [i64; 3] {
        #[expect(clippy::cast_possible_truncation, reason = "each part is from 0 to 255")]
        [self.red, self.green, self.blue].map(|part| part.round() as i64)
    }

    /// Returns whether a light that shows one shows the other.
    #[must_use]
    pub fn is_same(self, other: Color) -> bool {
        let ((x, y), (other_x, other_y)) = (self.to_xy(), other.to_xy());
        let is_same_xy = (x - other_x).abs() <= SAME_XY && (y - other_y).abs() <= SAME_XY;
        // A device that knows hue and saturation keeps those, which isn't quite the same where a colour is dark.
        let on_wheel =
            |(hue, saturation): (f64, f64)| (saturation * hue.to_radians().cos(), saturation * hue.to_radians().sin());
        let ((a, b), (other_a, other_b)) = (on_wheel(self.to_hs()), on_wheel(other.to_hs()));
        is_same_xy || ((a - other_a).abs() <= SAME_WHEEL && (b - other_b).abs() <= SAME_WHEEL)
    }

    /// Returns the colour that a device says in `form`.
    #[must_use]
    pub fn decode(form: ColorForm, wire: &Value) -> Option<Color> {
        let Value::Text(text) = wire else { return Color::parse(wire) };
        let text = match form {
            ColorForm::HomieRgb | ColorForm::HomieHsv | ColorForm::HomieXyz => {
                let (name, parts) = text.split_once(',')?;
                let form = match name {
                    "rgb" => ColorForm::RgbText,
                    "hsv" => ColorForm::HsText,
                    "xyz" => ColorForm::XyText,
                    _ => return None,
                };
                return Color::decode(form, &Value::text(parts));
            }
            _ => text,
        };
        let parts: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        match (form, parts.as_deref()) {
            (ColorForm::HsText | ColorForm::HsMap, Some([hue, saturation, ..])) => {
                Some(Color::from_hs(*hue, *saturation))
            }
            (ColorForm::XyText | ColorForm::XyMap, Some([x, y, ..])) => Some(Color::from_xy(*x, *y)),
            (_, Some([red, green, blue, ..])) => Some(Color::rgb(*red, *green, *blue)),
            _ => Color::from_hex(text),
        }
    }

    /// Returns the colour as `form` writes it.
    #[must_use]
    pub fn encode(self, form: ColorForm) -> Value {
        let [red, green, blue] = self.bytes();
        let (hue, saturation) = self.to_hs();
        let (x, y) = self.to_xy();
        let short = |number: f64| (number * 10_000.0).round() / 10_000.0;
        let map = |entries: &[(&str, Value)]| {
            Value::Map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect::<Map>().into())
        };
        match form {
            ColorForm::Zigbee => map(&[("hex", Value::text(self.hex()))]),
            ColorForm::RgbMap => map(&[("r", red.into()), ("g", green.into()), ("b", blue.into())]),
            ColorForm::Named => map(&[("red", red.into()), ("green", green.into()), ("blue", blue.into())]),
            ColorForm::HsMap => map(&[("h", short(hue).into()), ("s", short(saturation).into())]),
            ColorForm::XyMap => map(&[("x", short(x).into()), ("y", short(y).into())]),
            ColorForm::RgbList => Value::List(vec![red.into(), green.into(), blue.into()].into()),
            ColorForm::RgbText => Value::text(format!("{red},{green},{blue}")),
            ColorForm::HsText => Value::text(format!("{},{}", short(hue), short(saturation))),
            ColorForm::XyText => Value::text(format!("{},{}", short(x), short(y))),
            ColorForm::HomieRgb => Value::text(format!("rgb,{red},{green},{blue}")),
            ColorForm::HomieHsv => Value::text(format!("hsv,{},{},100", hue.round(), saturation.round())),
            ColorForm::HomieXyz => Value::text(format!("xyz,{},{}", short(x), short(y))),
            ColorForm::Hex => Value::text(self.hex()),
        }
    }

    /// Returns what a device says that shows this colour: a map of x and y where [`Color::encode`] writes what only a command may have.
    #[must_use]
    pub fn said(self, form: ColorForm) -> Value {
        match form {
            ColorForm::Zigbee => self.encode(ColorForm::XyMap),
            other => self.encode(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Color {
        Color::parse(&Value::from_payload(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_colour_is_read_in_each_form() {
        for (text, hex) in [
            ("#ff8000", "#ff8000"),
            (r#"{"hue":0,"saturation":100}"#, "#ff0000"),
            (r#"{"h":120,"s":100}"#, "#00ff00"),
            (r#"{"hue":240,"saturation":50}"#, "#8080ff"),
            (r#"{"r":1,"g":2,"b":3}"#, "#010203"),
            (r#"{"x":0.3127,"y":0.329}"#, "#fffffe"),
            ("[255,0,300]", "#ff00ff"),
        ] {
            assert!(read(text).is_same(read(hex)), "{text}: {}", read(text).hex());
        }
        for wrong in ["red", "#ff80", "#gg0000", "{}", "7", "[1,2]", "#ffé000"] {
            assert_eq!(Color::parse(&Value::from_payload(wrong.as_bytes())), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_colour_comes_back_from_each_form(red in 0u8..=255, green in 0u8..=255, blue in 0u8..=255) {
            prop_assume!(red.max(green).max(blue) > 40);
            let color = Color { red: red.into(), green: green.into(), blue: blue.into() };
            for form in [
                ColorForm::Zigbee, ColorForm::RgbMap, ColorForm::HsMap, ColorForm::XyMap, ColorForm::RgbList, ColorForm::RgbText,
                ColorForm::HsText, ColorForm::XyText, ColorForm::HomieRgb, ColorForm::HomieHsv, ColorForm::HomieXyz, ColorForm::Hex,
            ] {
                let back = Color::decode(form, &color.encode(form)).unwrap();
                prop_assert!(color.is_same(back), "{:?} {} {}", form, color.hex(), back.hex());
                prop_assert!(color.is_same(Color::decode(form, &color.said(form)).unwrap()));
            }
        }

        #[test]
        fn any_numbers_are_a_colour(x in any::<f64>(), y in any::<f64>()) {
            for color in [Color::from_xy(x, y), Color::from_hs(x, y), Color::rgb(x, y, x)] {
                prop_assert_eq!(color.hex().len(), 7);
            }
        }
    }
}
