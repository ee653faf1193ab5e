//! Numbers in texts, and sizes in words.

use super::Value;

/// Returns the number that a text holds, with white space around it or not: a whole one where it is one that 64 bits hold.
/// `None` where it holds none, or one beyond all bounds (`1e999`).
#[must_use]
pub fn parse_number(text: &str) -> Option<Value> {
    let text = text.trim();
    // Rust reads `inf` and `NaN` as numbers, which they aren't here.
    if !text.ends_with(|last: char| last.is_ascii_digit() || last == '.') {
        return None;
    }
    if let Ok(whole) = text.parse() {
        return Some(Value::Int(whole));
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
}

/// Returns a number of bytes in words: `17 bytes`, `1 KiB`, `1.5 MiB`.
#[must_use]
pub fn format_size(bytes: usize) -> String {
    const STEPS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let Some((step, unit)) = STEPS.into_iter().find(|(step, _)| bytes >= *step) else {
        return if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
    };
    // Rounded up, so that what is above a limit never looks like it.
    let tenths = bytes.saturating_mul(10).div_ceil(step);
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_out_of_a_text_and_nothing_else_is_one() {
        for (text, number) in [("22.5", 22.5), (" 15 ", 15.0), ("-3", -3.0), ("1e3", 1000.0), ("+5", 5.0), (".5", 0.5)]
        {
            assert_eq!(parse_number(text).and_then(|number| number.as_number()), Some(number), "{text}");
        }
        assert!(matches!(parse_number("15"), Some(Value::Int(15))));
        for text in ["", " ", ".", "NaN", "nan", "inf", "-inf", "infinity", "1e999", "0x10", "22.5 °C", "1,5", "true"]
        {
            assert!(parse_number(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_size_is_told_as_people_read_it() {
        let sizes = [0, 1, 1023, 1024, 1536, 1 << 20, (1 << 20) + 1, 5 << 30].map(format_size);
        assert_eq!(sizes, ["0 bytes", "1 byte", "1023 bytes", "1 KiB", "1.5 KiB", "1 MiB", "1.1 MiB", "5 GiB"]);
    }
}
