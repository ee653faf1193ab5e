//! A template's text as tokens, with white space controlled as Home Assistant's environment does: a line break at the
//! end of the text is dropped, and `-` next to a brace trims.

use super::parse_error::TemplateError;

/// A token of an expression or a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `{{ … }}`.
    Output(Vec<(usize, Token)>, usize),
    /// `{% … %}`.
    Statement(Vec<(usize, Token)>, usize),
}

/// The signs, the longer ones first.
const SIGNS: [&str; 29] = [
    "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",",
    ".", ":", "|", ";", "!", "&", "?",
];

/// Returns the pieces of a template.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut found: Vec<Piece> = Vec::new();
    let mut at = 0;
    let mut trims_next = false;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let opening =
            ["{{", "{%", "{#"].into_iter().filter_map(|open| rest.find(open).map(|found| (found, open))).min();
        let literal = opening.map_or(rest, |(found, _)| rest.get(..found).unwrap_or_default());
        let mut literal = if trims_next { literal.trim_start() } else { literal };
        let Some((found_at, open)) = opening else {
            if !literal.is_empty() {
                found.push(Piece::Text(literal.to_owned()));
            }
            return Ok(found);
        };
        let start = at + found_at;
        let mut inner = start + 2;
        if text.get(inner..).is_some_and(|rest| rest.starts_with('-')) {
            literal = literal.trim_end();
            inner += 1;
        } else if text.get(inner..).is_some_and(|rest| rest.starts_with('+')) {
            inner += 1;
        }
        if !literal.is_empty() {
            found.push(Piece::Text(literal.to_owned()));
        }
        if open == "{#" {
            let end = text
                .get(inner..)
                .and_then(|rest| rest.find("#}"))
                .ok_or_else(|| TemplateError { at: start, message: "this comment isn't closed by `#}`".to_owned() })?;
            trims_next = end > 0 && text.get(inner + end - 1..).is_some_and(|rest| rest.starts_with('-'));
            at = inner + end + 2;
            continue;
        }
        let close = if open == "{{" { "}}" } else { "%}" };
        let (tokens, end, trims) = tokens(text, inner, close)?;
        trims_next = trims;
        at = end;
        let is_raw = open == "{%" && matches!(tokens.as_slice(), [(_, Token::Name(word))] if word == "raw");
        if is_raw {
            let message = "`{% raw %}` isn't translated".to_owned();
            return Err(TemplateError { at: start, message });
        }
        found.push(if open == "{{" { Piece::Output(tokens, start) } else { Piece::Statement(tokens, start) });
    }
}

/// Returns the tokens from `at` up to `close`, where that ends, and whether it trims what follows.
#[expect(clippy::type_complexity, reason = "the tokens, where they end, and whether that trims")]
fn tokens(text: &str, mut at: usize, close: &str) -> Result<(Vec<(usize, Token)>, usize, bool), TemplateError> {
    let start = at;
    let mut found = Vec::new();
    let mut depth = 0_i32;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if depth == 0 || close == "%}" {
            if trimmed.starts_with(close) {
                return Ok((found, at + 2, false));
            }
            if trimmed.strip_prefix('-').is_some_and(|rest| rest.starts_with(close)) {
                return Ok((found, at + 3, true));
            }
        }
        let Some(first) = trimmed.chars().next() else {
            return Err(TemplateError { at: start, message: format!("`{close}` is missing") });
        };
        if first.is_ascii_digit() {
            let (token, length) = number(trimmed);
            found.push((at, token));
            at += length;
        } else if first.is_alphabetic() || first == '_' {
            let length =
                trimmed.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(trimmed.len());
            found.push((at, Token::Name(trimmed.get(..length).unwrap_or_default().to_owned())));
            at += length;
        } else if first == '"' || first == '\'' {
            let (token, length) = quoted(trimmed, first, at)?;
            found.push((at, token));
            at += length;
        } else {
            let Some(sign) = SIGNS.into_iter().find(|sign| trimmed.starts_with(sign)) else {
                return Err(TemplateError { at, message: format!("`{first}` isn't expected here") });
            };
            depth += match sign {
                "(" | "[" | "{" => 1,
                ")" | "]" | "}" => -1,
                _ => 0,
            };
            found.push((at, Token::Sign(sign)));
            at += sign.len();
        }
    }
}

fn number(text: &str) -> (Token, usize) {
    let mut length = text.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(text.len());
    let mut is_whole = true;
    let rest = text.get(length..).unwrap_or_default();
    if rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit())) {
        is_whole = false;
        let digits = rest.get(1..).unwrap_or_default();
        length += 1 + digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    }
    let rest = text.get(length..).unwrap_or_default();
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.starts_with(|letter: char| letter.is_ascii_digit()) {
            is_whole = false;
            let count = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
            length += 1 + exponent.len() - digits.len() + count;
        }
    }
    let digits = text.get(..length).unwrap_or_default().replace('_', "");
    match digits.parse::<i64>() {
        Ok(number) if is_whole => (Token::Int(number), length),
        _ => (Token::Float(digits.parse().unwrap_or_default()), length),
    }
}

fn quoted(text: &str, quote: char, at: usize) -> Result<(Token, usize), TemplateError> {
    let mut decoded = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((index, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Ok((Token::Text(decoded), index + 1)),
            '\\' => match letters.next() {
                Some((_, 'n')) => decoded.push('\n'),
                Some((_, 't')) => decoded.push('\t'),
                Some((_, 'r')) => decoded.push('\r'),
                Some((_, letter @ ('\\' | '\'' | '"'))) => decoded.push(letter),
                Some((_, '\n')) => {}
                Some((_, kind @ ('u' | 'x'))) => {
                    let length = if kind == 'u' { 4 } else { 2 };
                    let digits: String = letters.by_ref().take(length).map(|(_, letter)| letter).collect();
                    let letter = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    decoded.push(letter.unwrap_or('\u{fffd}'));
                }
                Some((_, letter)) => {
                    decoded.push('\\');
                    decoded.push(letter);
                }
                None => break,
            },
            letter => decoded.push(letter),
        }
    }
    Err(TemplateError { at, message: "this text isn't closed".to_owned() })
}
