//! Single values: what `PyYAML` reads unquoted text as (YAML 1.1).

/// What a single value is read as.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text,
    /// A date or a date with a time, as it's written.
    Date,
}

/// Returns what unquoted text is read as.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let begins_so = text.starts_with(|letter: char| letter.is_ascii_digit() || "+-.".contains(letter));
    if !begins_so {
        return Value::Text;
    }
    int(text)
        .map(Value::Int)
        .or_else(|| float(text).map(Value::Float))
        .unwrap_or_else(|| if is_date(text) { Value::Date } else { Value::Text })
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Returns a whole number: decimal, binary, octal (`010`), hexadecimal or sexagesimal (`5:00` is 300).
fn int(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    let first = digits.chars().next()?;
    if !first.is_ascii_digit() {
        return None;
    }
    let plain: String = digits.chars().filter(|letter| *letter != '_').collect();
    let number = if plain.contains(':') {
        if first == '0' {
            return None;
        }
        let mut parts = plain.split(':');
        let mut total: i64 = parts.next()?.parse().ok()?;
        for part in parts {
            let is_part = matches!(part.len(), 1 | 2) && part.chars().all(|letter| letter.is_ascii_digit());
            let part: i64 = part.parse().ok().filter(|part| is_part && *part < 60)?;
            total = total.checked_mul(60)?.checked_add(part)?;
        }
        total
    } else if let Some(rest) = plain.strip_prefix("0b") {
        i64::from_str_radix(rest, 2).ok()?
    } else if let Some(rest) = plain.strip_prefix("0x") {
        i64::from_str_radix(rest, 16).ok()?
    } else if plain.len() > 1 && first == '0' {
        i64::from_str_radix(&plain, 8).ok()?
    } else if plain.chars().all(|letter| letter.is_ascii_digit()) {
        plain.parse().ok()?
    } else {
        return None;
    };
    number.checked_mul(sign)
}

/// Returns a number with a point: `1.5`, `1.5e+3` (with a sign, or it's text), `.5`, `.inf`, `20:30.5`.
fn float(text: &str) -> Option<f64> {
    let (sign, digits) = signed(text);
    let sign = if sign < 0 { -1.0 } else { 1.0 };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Some(sign * f64::INFINITY);
    }
    let plain: String = digits.chars().filter(|letter| *letter != '_').collect();
    if !plain.contains('.') {
        return None;
    }
    if plain.contains(':') {
        let (whole, fraction) = plain.split_once('.')?;
        let whole = whole.split(':').try_fold(0_i64, |total, part| {
            let part: i64 = part.parse().ok()?;
            total.checked_mul(60)?.checked_add(part)
        })?;
        let fraction: f64 = format!("0.{fraction}").parse().ok()?;
        #[expect(clippy::cast_precision_loss, reason = "nobody writes such large ones")]
        return Some(sign * (whole as f64 + fraction));
    }
    let (mantissa, exponent) = plain.split_once(['e', 'E']).map_or((&*plain, None), |(m, e)| (m, Some(e)));
    let has_sign = exponent.is_none_or(|exponent| exponent.starts_with(['+', '-']));
    let is_number = mantissa.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        && mantissa.chars().any(|letter| letter.is_ascii_digit())
        && mantissa.matches('.').count() == 1;
    if !has_sign || !is_number {
        return None;
    }
    plain.parse::<f64>().ok().map(|number| sign * number)
}

fn is_date(text: &str) -> bool {
    let date = text.get(..10).unwrap_or(text);
    let bytes = date.as_bytes();
    let is_day = bytes.len() == 10
        && bytes.iter().enumerate().all(
            |(at, byte)| {
                if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() }
            },
        );
    let rest = text.get(10..).unwrap_or_default();
    is_day && (rest.is_empty() || rest.starts_with(['T', 't', ' ']) && rest.contains(':'))
}

/// Returns a float as Python writes it: `3.0`, `0.1`, `1e+16`.
pub(in crate::lang::import::home_assistant) fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_text_is_read_as_pyyaml_reads_it() {
        for (text, expected) in [
            ("on", Value::Bool(true)),
            ("No", Value::Bool(false)),
            ("y", Value::Text),
            ("5:00", Value::Int(300)),
            ("17:30:00", Value::Int(63_000)),
            ("07:30:00", Value::Text),
            ("00:05:00", Value::Text),
            ("010", Value::Int(8)),
            ("08", Value::Text),
            ("0x1F", Value::Int(31)),
            ("1_000", Value::Int(1000)),
            ("1e3", Value::Text),
            ("1.5e3", Value::Text),
            ("1.0e+3", Value::Float(1000.0)),
            ("-2.5", Value::Float(-2.5)),
            (".5", Value::Float(0.5)),
            ("1.2.3", Value::Text),
            ("2024-06-01", Value::Date),
            ("-", Value::Text),
            ("+", Value::Text),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[test]
    fn floats_are_written_as_python_does() {
        for (number, text) in [(3.0, "3.0"), (0.1, "0.1"), (1e16, "1e+16"), (1e-5, "1e-05"), (123.25, "123.25")] {
            assert_eq!(python_float(number), text);
        }
    }
}
