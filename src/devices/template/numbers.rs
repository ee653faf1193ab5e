//! Numbers as Python reads and rounds them.

use minijinja::value::{Value as Jinja, ValueKind};

/// Returns what Python's `float()` gives.
pub(super) fn float(value: &Jinja) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => float_of(value.as_str()?),
        _ => None,
    }
}

fn float_of(text: &str) -> Option<f64> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let begins = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    begins.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// Returns what jinja's `int` filter gives: the text as a whole number in that base, or as a float cut off.
pub(super) fn int(value: &Jinja, base: u32) -> Option<i128> {
    if let Some(text) = value.as_str() {
        let plain = text.trim().replace('_', "");
        let lower = plain.to_ascii_lowercase();
        let digits = match base {
            16 => lower.strip_prefix("0x").unwrap_or(&lower),
            8 => lower.strip_prefix("0o").unwrap_or(&lower),
            2 => lower.strip_prefix("0b").unwrap_or(&lower),
            _ => &lower,
        };
        if let Some(number) = (2..=36).contains(&base).then(|| i128::from_str_radix(digits, base).ok()).flatten() {
            return Some(number);
        }
    }
    if value.is_integer() {
        return i128::try_from(value.clone()).ok();
    }
    float(value).filter(|number| number.is_finite()).map(truncated)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as far as a sensor's number is concerned")]
pub(super) fn truncated(number: f64) -> i128 {
    number.trunc() as i128
}

/// Returns what Python's `round(number, digits)` gives: by the exact decimal value, a tie to the even digit.
pub(super) fn round(number: f64, digits: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    match usize::try_from(digits) {
        // Rust writes the exact decimal value correctly rounded, ties to even, as Python does.
        Ok(digits) => format!("{number:.*}", digits.min(300)).parse().unwrap_or(number),
        Err(_) => {
            let unit = 10f64.powi(digits.saturating_neg().min(300));
            (number / unit).round_ties_even() * unit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_as_python_does() {
        for (number, digits, expected) in
            [(2.5, 0, 2.0), (3.5, 0, 4.0), (2.675, 2, 2.67), (0.125, 2, 0.12), (1234.0, -2, 1200.0), (-0.5, 0, -0.0)]
        {
            assert_eq!(round(number, digits).to_string(), expected.to_string(), "{number} {digits}");
        }
    }

    #[test]
    fn texts_are_numbers_as_python_reads_them() {
        for (text, expected) in [
            ("21.5", Some(21.5)),
            (" 3 ", Some(3.0)),
            ("1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("x", None),
            ("", None),
            ("1_000", Some(1000.0)),
            ("0x10", None),
        ] {
            assert_eq!(float(&Jinja::from(text)), expected, "{text}");
        }
        assert_eq!(int(&Jinja::from("0x1F"), 16), Some(31));
        assert_eq!(int(&Jinja::from("21.9"), 10), Some(21));
        assert_eq!(int(&Jinja::from("x"), 10), None);
    }
}
