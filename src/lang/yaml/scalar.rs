//! Scalars: what YAML text is read as, and where each of its characters is in the file, even if it's quoted, escaped,
//! indented or folded there.

use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::model::{PlacedText, Stretch, Value};

use crate::lang::text::FileText;

/// Returns what unquoted text is read as (YAML 1.2.2, 10.3.2, the core schema). A number with a leading zero is text:
/// it's more often a name than a number.
pub(in crate::lang) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Value::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && digits.chars().all(|letter| letter.is_digit(radix))
            && let Ok(number) = i64::from_str_radix(digits, radix)
        {
            return Value::Int(number);
        }
    }
    number(text, unsigned).unwrap_or_else(|| Value::text(text))
}

/// Returns `text` as a decimal number; `unsigned` is the part after its sign.
fn number(text: &str, unsigned: &str) -> Option<Value> {
    let is_written_so = unsigned.chars().all(|letter| letter.is_ascii_digit() || ".eE+-".contains(letter));
    let has_digit = unsigned.trim_start_matches('.').starts_with(|letter: char| letter.is_ascii_digit());
    let bytes = unsigned.as_bytes();
    let leading_zero = bytes.first() == Some(&b'0') && bytes.get(1).is_some_and(u8::is_ascii_digit);
    if !is_written_so || !has_digit || leading_zero {
        return None;
    }
    if unsigned.chars().all(|letter| letter.is_ascii_digit())
        && let Ok(number) = text.parse()
    {
        return Some(Value::Int(number));
    }
    text.parse().ok().map(Value::Float)
}

/// Returns the text `decoded`, which is at `bytes` of the file, with the place of each of its characters.
pub(in crate::lang) fn place(decoded: &str, style: ScalarStyle, bytes: &Range<usize>, text: &FileText) -> PlacedText {
    let mut stretches = Stretches { text, found: Vec::new() };
    match style {
        ScalarStyle::Plain => stretches.flow(decoded, bytes.clone(), Escapes::None),
        ScalarStyle::SingleQuoted => stretches.flow(decoded, inside(bytes), Escapes::DoubledQuote),
        ScalarStyle::DoubleQuoted => stretches.flow(decoded, inside(bytes), Escapes::Backslash),
        ScalarStyle::Literal | ScalarStyle::Folded => stretches.block(decoded, bytes),
    }
    if stretches.found.first().is_none_or(|stretch| stretch.offset > 0) {
        let mut from_start = Stretches { text, found: Vec::new() };
        from_start.add(0, bytes.start);
        from_start.found.append(&mut stretches.found);
        stretches = from_start;
    }
    PlacedText::new(decoded.into(), text.file(), stretches.found.into())
}

fn inside(bytes: &Range<usize>) -> Range<usize> {
    bytes.start + 1..bytes.end.saturating_sub(1).max(bytes.start + 1)
}

/// How a style writes characters that it has to escape.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    None,
    DoubledQuote,
    Backslash,
}

struct Stretches<'a> {
    text: &'a FileText,
    found: Vec<Stretch>,
}

impl Stretches<'_> {
    fn add(&mut self, offset: usize, file_offset: usize) {
        let place = self.text.place(file_offset);
        let stretch = Stretch { offset, file_offset, line: place.line, column: place.column };
        match self.found.last_mut() {
            Some(last) if last.offset == offset => *last = stretch,
            _ => self.found.push(stretch),
        }
    }

    /// Places a plain or quoted scalar by walking through both texts side by side.
    fn flow(&mut self, decoded: &str, raw: Range<usize>, escapes: Escapes) {
        let mut at = raw.start;
        let mut offset = 0;
        let mut is_unbroken = false;
        while offset < decoded.len() && at < raw.end {
            let rest = self.text.get(at..raw.end);
            if let Some(fold) = Fold::at(rest) {
                self.add(offset, at + fold.first_break);
                offset += fold.written;
                at += fold.length;
                is_unbroken = false;
                continue;
            }
            let escape = escape_length(rest, escapes);
            if escape == Some(Escape::LineBreak) {
                let skipped = rest.get(1..).unwrap_or_default();
                at += 1 + skipped.len() - skipped.trim_start_matches([' ', '\t', '\n', '\r']).len();
                is_unbroken = false;
                continue;
            }
            if !is_unbroken || escape.is_some() {
                self.add(offset, at);
            }
            is_unbroken = escape.is_none();
            let width = decoded.get(offset..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            let raw_width = rest.chars().next().map_or(1, char::len_utf8);
            offset += width;
            at += match escape {
                Some(Escape::Character(length)) => length,
                Some(Escape::LineBreak) | None => raw_width,
            };
        }
    }

    /// Places a block scalar by finding the content of each of its lines in the decoded text.
    fn block(&mut self, decoded: &str, bytes: &Range<usize>) {
        let mut line = self.text.line(bytes.start);
        let mut indent = None;
        let mut offset = 0;
        while offset < decoded.len() {
            let Some(range) = self.text.line_range(line) else { return };
            line += 1;
            let content = self.text.get(range.clone());
            if content.trim().is_empty() && indent.is_none() {
                continue;
            }
            let indent = *indent.get_or_insert_with(|| {
                leading_spaces(content).saturating_sub(leading_spaces(decoded.trim_start_matches('\n')))
            });
            let Some(content) = content.get(indent..).filter(|content| !content.is_empty()) else { continue };
            while !decoded.get(offset..).unwrap_or_default().starts_with(content) {
                if !matches!(decoded.as_bytes().get(offset), Some(b' ' | b'\n')) {
                    return;
                }
                offset += 1;
            }
            self.add(offset, range.start + indent);
            offset += content.len();
        }
    }
}

fn leading_spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// A line break inside a scalar, with the blanks around it: it's read as one space, or as the remaining breaks.
struct Fold {
    /// Where the first line break is.
    first_break: usize,
    /// How many bytes it takes in the file.
    length: usize,
    /// How many bytes it's read as.
    written: usize,
}

impl Fold {
    fn at(rest: &str) -> Option<Fold> {
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if !rest.get(blanks..)?.starts_with(['\n', '\r']) {
            return None;
        }
        let length = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        let folded = rest.get(..length)?;
        let breaks = folded.matches('\n').count() + folded.matches('\r').count() - folded.matches("\r\n").count();
        Some(Fold { first_break: blanks, length, written: breaks.saturating_sub(1).max(1) })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Escape {
    /// It's one character, written with this many bytes.
    Character(usize),
    /// It's a backslash at the end of a line, read as nothing.
    LineBreak,
}

fn escape_length(rest: &str, escapes: Escapes) -> Option<Escape> {
    let bytes = rest.as_bytes();
    match escapes {
        Escapes::DoubledQuote => rest.starts_with("''").then_some(Escape::Character(2)),
        Escapes::Backslash if bytes.first() == Some(&b'\\') => Some(match bytes.get(1) {
            Some(b'\n' | b'\r') => Escape::LineBreak,
            Some(b'x') => Escape::Character(4),
            // A pair of surrogates is one character.
            Some(b'u') if is_high_surrogate(rest) => Escape::Character(12),
            Some(b'u') => Escape::Character(6),
            Some(b'U') => Escape::Character(10),
            _ => Escape::Character(1 + rest.chars().nth(1).map_or(0, char::len_utf8)),
        }),
        Escapes::None | Escapes::Backslash => None,
    }
}

fn is_high_surrogate(rest: &str) -> bool {
    let unit = rest.get(2..6).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    unit.is_some_and(|unit| (0xd800..0xdc00).contains(&unit)) && rest.get(6..8) == Some("\\u")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::diagnostic::findings::Findings;
    use crate::lang::yaml::tree;

    /// Returns where the character `needle` of the only value in `yaml` is said to stand.
    fn found(yaml: &str, needle: char) -> (usize, String) {
        let text = FileText::new("a.yaml".into(), yaml.into());
        let mut findings = Findings::new("a.yaml".into());
        let root = tree::parse(&text, &mut findings).expect(yaml);
        let value = root.get("k").unwrap().as_scalar().unwrap().text.clone();
        let offset = value.as_str().find(needle).unwrap();
        (value.file_offset(offset), value.place(offset).to_string())
    }

    #[test]
    fn each_character_knows_its_place_whatever_its_quotes() {
        for yaml in [
            "k: ab §c",
            "k: 'it''s §c'",
            "k: \"a\\tb \\u00e9\\x41 §c\"",
            "k: \"\\ud83d\\ude00 §\"",
            "k: \"a\n   b\n\n   c §\"",
            "k: \"a\\\n   b §\"",
            "k: 'a\n   b\n\n   c §'",
            "k: ab\n  cd\n\n  e §",
            "k: |\n  ab\n    cd\n\n  e §f\n",
            "k: |\n\n\n  ab\n  e §f\n",
            "k: >-\n  ab\n  cd\n\n  e §f\n",
            "k: >\n  ab\n    cd §\n  e\n",
            "k: |2\n    ab\n  c §\n",
            "k: |+ # says\n  é §\n\n",
            "k: \"a\r\n   b §\"",
            "k: >\r\n  ab\r\n  c §\r\n",
        ] {
            let wanted = yaml.find('§').unwrap();
            let text = FileText::new("a.yaml".into(), yaml.into());
            assert_eq!(found(yaml, '§'), (wanted, text.place(wanted).to_string()), "{yaml}");
        }
    }

    #[test]
    fn texts_without_quotes_are_read_by_the_core_schema() {
        for (text, value) in [
            ("", "nothing"),
            ("~", "nothing"),
            ("null", "nothing"),
            ("true", "a boolean"),
            ("False", "a boolean"),
            ("on", "text"),
            ("yes", "text"),
            ("off", "text"),
            ("NO", "text"),
            ("0777", "text"),
            ("12", "a number"),
            ("-12", "a number"),
            ("+12", "a number"),
            ("0", "a number"),
            ("1.50", "a number"),
            ("0x1F", "a number"),
            ("0o17", "a number"),
            ("1e3", "a number"),
            (".5", "a number"),
            (".inf", "a number"),
            ("-.INF", "a number"),
            (".nan", "a number"),
            ("1_000", "text"),
            ("1:30", "text"),
            ("07:30", "text"),
            ("1.2.3", "text"),
            ("-", "text"),
            ("e", "text"),
            ("inf", "text"),
            ("nan", "text"),
            (".", "text"),
            ("40%", "text"),
            ("99999999999999999999", "a number"),
            ("0x", "text"),
            ("1e", "text"),
        ] {
            assert_eq!(resolve(text).kind(), value, "{text}");
        }
        assert_eq!(resolve("0x1F").as_number(), Some(31.0));
        assert_eq!(resolve("-0").as_number(), Some(0.0));
    }
}
