//! Python's ways to format: `'%02x' | format(n)` and `'{:.1f}'.format(n)`.

use minijinja::value::{Value as Jinja, ValueKind};

use super::convert::text_of;
use super::numbers::{float, int};

/// The widest that a number is padded to.
const WIDEST: usize = 1000;

/// Returns what Python's `%` operator gives.
pub(super) fn percent(pattern: &str, values: &[Jinja]) -> Option<String> {
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let end = after.find(|letter: char| letter.is_alphabetic())?;
        let (spec, after) = after.split_at_checked(end)?;
        let conversion = after.chars().next()?;
        let conversion = if matches!(conversion, 'i' | 'u') { 'd' } else { conversion };
        let (left, spec) = spec.strip_prefix('-').map_or((">", spec), |spec| ("<", spec));
        let align = if conversion == 's' || left == "<" { left } else { "" };
        text.push_str(&one(values.next()?, &format!("{align}{spec}{conversion}"))?);
        rest = after.get(conversion.len_utf8()..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// Returns what Python's `str.format` gives.
pub(super) fn braces(pattern: &str, values: &[Jinja]) -> Option<String> {
    let mut text = String::new();
    let mut next = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at_checked(at)?;
        text.push_str(before);
        if let Some(after) = after.strip_prefix("{{").or_else(|| after.strip_prefix("}}")) {
            text.push_str(after.get(..0).map(|_| if rest.get(at..=at) == Some("{") { "{" } else { "}" })?);
            rest = after;
            continue;
        }
        let (field, after) = after.strip_prefix('{')?.split_once('}')?;
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let index = if name.is_empty() { next } else { name.parse().ok()? };
        next = index + 1;
        text.push_str(&one(values.get(index)?, spec)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// Formats one value by Python's format specification: fill, align, sign, `0`, width, `,`, precision, type.
fn one(value: &Jinja, spec: &str) -> Option<String> {
    // Longer than most: the parts of a specification are read in one go, from left to right.
    let mut letters = spec.chars().peekable();
    let ahead: Vec<char> = spec.chars().take(2).collect();
    let (mut fill, mut align) = (' ', None);
    match ahead.as_slice() {
        [first, second @ ('<' | '>' | '^' | '='), ..] => {
            (fill, align) = (*first, Some(*second));
            letters.nth(1);
        }
        ['<' | '>' | '^' | '=', ..] => align = letters.next(),
        _ => {}
    }
    let sign = letters.next_if(|letter| matches!(letter, '+' | '-' | ' '));
    let prefix = letters.next_if_eq(&'#').is_some();
    if letters.next_if_eq(&'0').is_some() && align.is_none() {
        (fill, align) = ('0', Some('='));
    }
    let width = digits(&mut letters, 0)?;
    let groups = letters.next_if_eq(&',').is_some();
    let precision = if letters.next_if_eq(&'.').is_some() { Some(digits(&mut letters, 0)?) } else { None };
    let conversion = letters.next();
    if letters.next().is_some() {
        return None;
    }
    // Only numbers are formatted as such.
    let is_text = value.kind() == ValueKind::String;
    let body = match conversion {
        Some(conversion) if is_text && !matches!(conversion, 's' | 'c') => return None,
        Some('d') => magnitude(int(value, 10)?.unsigned_abs().to_string(), groups),
        Some('x') => format!("{}{:x}", if prefix { "0x" } else { "" }, int(value, 10)?.unsigned_abs()),
        Some('X') => format!("{}{:X}", if prefix { "0X" } else { "" }, int(value, 10)?.unsigned_abs()),
        Some('o') => format!("{:o}", int(value, 10)?.unsigned_abs()),
        Some('b') => format!("{:b}", int(value, 10)?.unsigned_abs()),
        Some('c') => char::from_u32(u32::try_from(int(value, 10)?).ok()?)?.to_string(),
        Some('f' | 'F') => magnitude(format!("{:.*}", precision.unwrap_or(6), float(value)?.abs()), groups),
        Some('%') => format!("{:.*}%", precision.unwrap_or(6), (float(value)? * 100.0).abs()),
        Some('s') | None => {
            let text = text_of(value);
            let number = conversion.is_none() && value.kind() == ValueKind::Number;
            match precision {
                Some(precision) if number => format!("{:.*}", precision, float(value)?.abs()),
                Some(precision) => text.chars().take(precision).collect(),
                None if number => text.trim_start_matches('-').to_owned(),
                None => text,
            }
        }
        Some(_) => return None,
    };
    let is_number = conversion.map_or(value.kind() == ValueKind::Number, |letter| letter != 's' && letter != 'c');
    let sign = match (is_number && float(value).is_some_and(f64::is_sign_negative), sign) {
        (true, _) => "-",
        (false, Some('+')) if is_number => "+",
        (false, Some(' ')) if is_number => " ",
        (false, _) => "",
    };
    let missing = width.saturating_sub(body.chars().count() + sign.len());
    let pad = |count: usize| fill.to_string().repeat(count);
    Some(match align.unwrap_or(if is_number { '>' } else { '<' }) {
        '=' => format!("{sign}{}{body}", pad(missing)),
        '>' => format!("{}{sign}{body}", pad(missing)),
        '^' => format!("{}{sign}{body}{}", pad(missing / 2), pad(missing - missing / 2)),
        _ => format!("{sign}{body}{}", pad(missing)),
    })
}

/// Reads a width or precision, `usual` where there is none; `None` where it is beyond all bounds.
fn digits(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, usual: usize) -> Option<usize> {
    let mut number = usual;
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        number = number * 10 + usize::try_from(digit.to_digit(10)?).ok()?;
        if number > WIDEST {
            return None;
        }
    }
    Some(number)
}

fn magnitude(number: String, groups: bool) -> String {
    if !groups {
        return number;
    }
    let (whole, fraction) = number.split_once('.').map_or((number.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{grouped}.{fraction}"),
        None => grouped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_as_python_does() {
        for (pattern, value, expected) in [
            ("%02x", Jinja::from(10), Some("0a")),
            ("%d%%", Jinja::from(40.9), Some("40%")),
            ("%.1f", Jinja::from(21.25), Some("21.2")),
            ("%5d|", Jinja::from(-3), Some("   -3|")),
            ("%s!", Jinja::from(true), Some("True!")),
            ("%q", Jinja::from(1), None),
            ("%99999d", Jinja::from(1), None),
        ] {
            assert_eq!(percent(pattern, &[value]).as_deref(), expected, "{pattern}");
        }
        for (pattern, value, expected) in [
            ("{:.2f}", Jinja::from(1.005), Some("1.00")),
            ("{:02d}:{{}}", Jinja::from(7), Some("07:{}")),
            ("{0:>5}|", Jinja::from("a"), Some("    a|")),
            ("{:,}", Jinja::from(1_234_567), Some("1234567")),
            ("{", Jinja::from(1), None),
        ] {
            assert_eq!(braces(pattern, &[value]).as_deref(), expected, "{pattern}");
        }
    }
}
