//! The tokens of a script's text: what closures, constants and places of map keys are found by.
//!
//! Rhai's own tree says where something begins, not where it ends; and its names for closures change with each blank
//! line. Tokens don't: comments and layout are not among them.

use std::ops::Range;

/// A token of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::script) struct SourceToken {
    /// What it is.
    pub(in crate::script) kind: SourceKind,
    /// Where it stands, in bytes.
    pub(in crate::script) range: Range<usize>,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum SourceKind {
    /// A name or a word of Rhai.
    Word,
    /// A number.
    Number,
    /// A text in quotes, with what stands within `${…}`.
    Text,
    /// An operator, a bracket, a comma.
    Symbol,
}

/// The tokens of a text.
#[derive(Debug)]
pub(in crate::script) struct SourceTokens<'a> {
    source: &'a str,
    tokens: Vec<SourceToken>,
}

/// Symbols of more than one character that matter here.
const SYMBOLS: [&str; 10] = ["||", "::", "#{", "=>", "?.", "?[", "==", "!=", "<=", ">="];

impl<'a> SourceTokens<'a> {
    /// Reads the tokens of `source`. What isn't Rhai is read as far as it goes.
    pub(in crate::script) fn new(source: &'a str) -> SourceTokens<'a> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
            let (kind, length) = match token(rest) {
                Found::Space(length) => {
                    at += length;
                    continue;
                }
                Found::Token(kind, length) => (kind, length),
            };
            tokens.push(SourceToken { kind, range: at..at + length });
            at += length;
        }
        SourceTokens { source, tokens }
    }

    /// Returns the text of the token `index`; nothing where there is none.
    pub(in crate::script) fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).and_then(|token| self.source.get(token.range.clone())).unwrap_or_default()
    }

    /// Returns the kind of the token `index`.
    pub(in crate::script) fn kind(&self, index: usize) -> Option<SourceKind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    /// Returns where the token `index` stands; behind the last one, the end.
    pub(in crate::script) fn range(&self, index: usize) -> Range<usize> {
        let end = self.source.len();
        self.tokens.get(index).map_or(end..end, |token| token.range.clone())
    }

    /// Returns the token that stands at byte `offset`, or else the first behind it.
    pub(in crate::script) fn index_at(&self, offset: usize) -> usize {
        self.tokens.partition_point(|token| token.range.end <= offset)
    }

    /// Returns the source from the token `index` on.
    pub(in crate::script) fn from(&self, index: usize) -> &'a str {
        self.source.get(self.range(index).start..).unwrap_or_default()
    }

    /// Returns what stands before the token `index` in its line.
    pub(in crate::script) fn line_before(&self, index: usize) -> &'a str {
        let before = self.source.get(..self.range(index).start).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default()
    }

    /// Returns the number of the line in which the token `index` stands, counted from 1.
    pub(in crate::script) fn line_number(&self, index: usize) -> usize {
        self.source.get(..self.range(index).start).unwrap_or_default().matches('\n').count() + 1
    }

    /// Returns how many tokens there are.
    pub(in crate::script) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Returns the token behind the bracket that closes the one at `open`; the end where none does.
    pub(in crate::script) fn behind_bracket(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for index in open..self.len() {
            match self.text(index) {
                "(" | "[" | "{" | "#{" | "?[" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return index + 1;
                    }
                }
                _ => {}
            }
        }
        self.len()
    }

    /// Returns the token at which the expression that begins at `start` ends: a comma, a semicolon, or the bracket
    /// that closes what it stands in.
    pub(in crate::script) fn expression_end(&self, start: usize) -> usize {
        let mut index = start;
        while index < self.len() {
            match self.text(index) {
                "(" | "[" | "{" | "#{" | "?[" => index = self.behind_bracket(index),
                "," | ";" | ")" | "]" | "}" => return index,
                _ => index += 1,
            }
        }
        index
    }
}

enum Found {
    /// White space or a comment.
    Space(usize),
    Token(SourceKind, usize),
}

/// Reads the first token of `rest`, which isn't empty.
fn token(rest: &str) -> Found {
    let first = rest.chars().next().unwrap_or_default();
    if first.is_whitespace() {
        return Found::Space(first.len_utf8());
    }
    if rest.starts_with("//") {
        return Found::Space(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Found::Space(block_comment(rest));
    }
    if first == '_' || first.is_alphabetic() {
        let is_word = |letter: char| letter == '_' || letter.is_alphanumeric();
        return Found::Token(SourceKind::Word, rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()));
    }
    if first.is_ascii_digit() {
        return Found::Token(SourceKind::Number, number(rest));
    }
    match first {
        '"' | '\'' => Found::Token(SourceKind::Text, quoted(rest, first)),
        '`' => Found::Token(SourceKind::Text, backticks(rest)),
        '#' if rest.trim_start_matches('#').starts_with('"') => Found::Token(SourceKind::Text, raw(rest)),
        _ => {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            Found::Token(SourceKind::Symbol, symbol.map_or(first.len_utf8(), |symbol| symbol.len()))
        }
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn number(rest: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = rest.as_bytes();
    let mut at = bytes.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at += 1;
        while bytes.get(at).is_some_and(|byte| is_part(*byte)) {
            at += 1;
        }
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if letter == quote => return index + letter.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Returns the length of a text in backticks, with the expressions within `${…}`, which may hold such texts too.
fn backticks(rest: &str) -> usize {
    let mut at = 1;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("``") {
            at += 2;
        } else if tail.starts_with('`') {
            return at + 1;
        } else if tail.starts_with("${") {
            at += 2 + braces(tail.get(2..).unwrap_or_default());
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Returns the length of what stands before the brace that closes, with it.
fn braces(rest: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        let length = match token(tail) {
            Found::Space(length) | Found::Token(_, length) => length,
        };
        match tail.get(..length).unwrap_or_default() {
            "{" | "#{" => depth += 1,
            "}" if depth == 0 => return at + length,
            "}" => depth -= 1,
            _ => {}
        }
        at += length;
    }
    rest.len()
}

fn raw(rest: &str) -> usize {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 1;
    rest.get(start..).and_then(|tail| tail.find(&end)).map_or(rest.len(), |at| start + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Vec<&str> {
        let tokens = SourceTokens::new(source);
        (0..tokens.len()).map(|index| tokens.text(index)).collect()
    }

    #[test]
    fn comments_and_layout_are_no_tokens_and_texts_are_one() {
        assert_eq!(
            read("rule(\"a//b\", /* x /* y */ */ #{ when: `t/${f(\"}\")}/`, n: 1.5..2 }); // end"),
            ["rule", "(", "\"a//b\"", ",", "#{", "when", ":", "`t/${f(\"}\")}/`", ",", "n", ":", "1.5", ".", ".", "2"]
                .into_iter()
                .chain(["}", ")", ";"])
                .collect::<Vec<_>>()
        );
        assert_eq!(read("#\"a\"b\"# 'c' || x"), ["#\"a\"b\"#", "'c'", "||", "x"]);
    }

    #[test]
    fn what_never_ends_ends_with_the_text() {
        for source in ["\"abc", "`a ${ b", "/* c", "#\"x", "`", "'", "${"] {
            assert!(!read(source).is_empty() || source.starts_with("/*"), "{source}");
        }
    }
}
