//! How Python writes values: `True`, `None`, `21.0`, `['a', 1]`.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::Value;

/// Returns what Python's `str()` gives.
pub(crate) fn python_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed("None"),
        Value::Bool(true) => Cow::Borrowed("True"),
        Value::Bool(false) => Cow::Borrowed("False"),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(python_float(*number)),
        Value::Text(text) => Cow::Borrowed(text),
        Value::List(_) | Value::Map(_) => {
            let mut text = String::new();
            write_repr(value, &mut text);
            Cow::Owned(text)
        }
        Value::Blob(_) | Value::Time(_) => Cow::Owned(value.to_string()),
    }
}

/// Returns what Python's `repr()` gives for a float: the shortest digits, with an exponent below 1e-4 and from 1e16.
pub(crate) fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) && number != 0.0 => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{number:?}"),
    }
}

/// Writes what Python's `repr()` gives.
pub(super) fn write_repr(value: &Value, text: &mut String) {
    match value {
        Value::Text(inner) => write_quoted(inner, text),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_repr(item, text);
            }
            text.push(']');
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_quoted(key, text);
                text.push_str(": ");
                write_repr(value, text);
            }
            text.push('}');
        }
        other => text.push_str(&python_text(other)),
    }
}

fn write_quoted(inner: &str, text: &mut String) {
    let quote = if inner.contains('\'') && !inner.contains('"') { '"' } else { '\'' };
    text.push(quote);
    for letter in inner.chars() {
        match letter {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            letter if letter == quote => {
                text.push('\\');
                text.push(letter);
            }
            letter if u32::from(letter) < 0x20 || u32::from(letter) == 0x7f => {
                // Never fails: it writes to a text.
                let _ = write!(text, "\\x{:02x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_does() {
        for (number, text) in [
            (21.0, "21.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (1e300, "1e+300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(python_float(number), text);
        }
    }

    #[test]
    fn lists_and_maps_are_written_as_python_does() {
        let value = Value::from_payload(r#"{"a":[true,null,"it's","\n"],"b":{"c":1.0}}"#.as_bytes());
        assert_eq!(python_text(&value), r#"{'a': [True, None, "it's", '\n'], 'b': {'c': 1.0}}"#);
    }
}
