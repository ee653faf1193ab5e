//! The tokens of an expression's text, each with its range: what the rewriting for Rhai works on.
//!
//! Texts in `'…'`, `"…"` and backticks are read alike, with the same escapes and `${…}` in each.

use std::ops::Range;

use crate::script::expression::error::{ExpressionError, ExpressionErrorKind};

/// How deep texts and the `${…}` in them may be nested.
const DEEPEST: usize = 8;

/// The symbols of more than one character, the longest first.
const SYMBOLS: [&str; 38] = [
    "..=", "**=", "<<=", ">>=", "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "?[", "**", "<<", ">>",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::", "=>", "->", "..", "#{", "<>", ":=", "++", "--", "|>", "<|",
    "<-",
];

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::script) struct Token {
    /// What it is.
    pub(in crate::script) kind: TokenKind,
    /// Where it stands, in bytes of the expression.
    pub(in crate::script) range: Range<usize>,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::script) enum TokenKind {
    /// A name or a word of Rhai.
    Word,
    /// A number.
    Number,
    /// An operator, a bracket, a comma.
    Symbol,
    /// A text, its escapes read.
    Text(Vec<Piece>),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::script) enum Piece {
    /// Stands as it is.
    Literal(String),
    /// `${…}`.
    Code {
        /// What stands between the braces.
        tokens: Vec<Token>,
        /// Where it stands.
        range: Range<usize>,
    },
}

/// Reads the tokens of `source` from byte `start` on.
pub(in crate::script) struct Lexer<'a> {
    source: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Lexer<'a> {
    /// Returns a lexer of the whole of `source`.
    pub(in crate::script) fn new(source: &'a str) -> Lexer<'a> {
        Lexer { source, at: 0, depth: 0 }
    }

    /// Returns a lexer that begins at byte `at` of `source`.
    pub(in crate::script) fn starting_at(source: &'a str, at: usize) -> Lexer<'a> {
        Lexer { source, at, depth: 0 }
    }

    /// Returns all tokens up to the end.
    pub(in crate::script) fn all(mut self) -> Result<Vec<Token>, ExpressionError> {
        let mut tokens = Vec::new();
        while let Some(token) = self.next_token()? {
            tokens.push(token);
        }
        Ok(tokens)
    }

    /// Returns the first token.
    pub(in crate::script) fn first(mut self) -> Result<Option<Token>, ExpressionError> {
        self.next_token()
    }

    /// Reads the code of a `${…}` whose `${` ends here, and the `}`; `opened` is where the `${` stands.
    pub(in crate::script) fn code(&mut self, opened: usize) -> Result<Piece, ExpressionError> {
        if self.depth >= DEEPEST {
            let message = format!("texts within texts go more than {DEEPEST} deep");
            return Err(syntax(opened..self.at, message));
        }
        self.depth += 1;
        let start = self.at;
        let mut tokens: Vec<Token> = Vec::new();
        let mut braces = 0_usize;
        loop {
            let Some(token) = self.next_token()? else {
                return Err(syntax(opened..opened + 2, "`${` is never closed: a `}` is missing"));
            };
            match self.source.get(token.range.clone()) {
                Some("{" | "#{") => braces += 1,
                Some("}") if braces == 0 => {
                    self.depth -= 1;
                    return Ok(Piece::Code { tokens, range: start..token.range.start });
                }
                Some("}") => braces -= 1,
                _ => {}
            }
            tokens.push(token);
        }
    }

    /// Returns where the lexer stands.
    pub(in crate::script) fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn next_token(&mut self) -> Result<Option<Token>, ExpressionError> {
        self.skip_space()?;
        let rest = self.rest();
        let start = self.at;
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let kind = if matches!(first, '\'' | '"' | '`') {
            self.at += 1;
            self.text(first, start)?
        } else if is_word_start(first) {
            self.at += rest.find(|letter| !is_word_part(letter)).unwrap_or(rest.len());
            TokenKind::Word
        } else if first.is_ascii_digit() {
            self.number()?;
            TokenKind::Number
        } else {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            self.at += symbol.map_or(first.len_utf8(), |symbol| symbol.len());
            TokenKind::Symbol
        };
        Ok(Some(Token { kind, range: start..self.at }))
    }

    fn skip_space(&mut self) -> Result<(), ExpressionError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let Some(length) = trimmed.find("*/") else {
                    return Err(syntax(self.at..self.at + 2, "the comment is never closed: `*/` is missing"));
                };
                self.at += length + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn number(&mut self) -> Result<(), ExpressionError> {
        let start = self.at;
        let rest = self.rest();
        let is_based = rest.starts_with("0x") || rest.starts_with("0b") || rest.starts_with("0o");
        let mut length = rest.find(|letter| !is_word_part(letter)).unwrap_or(rest.len());
        let is_digit = |letter: char| letter.is_ascii_digit() || letter == '_';
        if !is_based {
            length = rest.find(|letter| !is_digit(letter)).unwrap_or(rest.len());
            let after = rest.get(length..).unwrap_or_default();
            let fraction = after.strip_prefix('.').unwrap_or_default();
            if fraction.starts_with(|letter: char| letter.is_ascii_digit()) {
                length += 1 + fraction.find(|letter| !is_digit(letter)).unwrap_or(fraction.len());
            }
            let after = rest.get(length..).unwrap_or_default();
            let exponent = after.strip_prefix(['e', 'E']).unwrap_or_default();
            let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if power.starts_with(|letter: char| letter.is_ascii_digit()) {
                length += after.len() - power.len();
                length += power.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(power.len());
            }
        }
        self.at += length;
        let letters = self.rest().find(|letter| !is_word_part(letter)).unwrap_or(self.rest().len());
        if letters > 0 {
            let end = self.at + letters;
            let text = self.source.get(start..end).unwrap_or_default();
            return Err(syntax(start..end, format!("`{text}` is neither a number nor a name"))
                .help("a text stands in quotes; a duration in an expression is a number of seconds"));
        }
        Ok(())
    }

    fn text(&mut self, quote: char, start: usize) -> Result<TokenKind, ExpressionError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        loop {
            let at = self.at;
            let rest = self.rest();
            let Some(letter) = rest.chars().next() else {
                return Err(syntax(
                    start..start + 1,
                    format!("the text is never closed: a {} is missing", name(quote)),
                ));
            };
            self.at += letter.len_utf8();
            if letter == quote {
                break;
            }
            if letter == '\\' {
                literal.push(self.escape(at)?);
            } else if rest.starts_with("$${") {
                literal.push_str("${");
                self.at += 2;
            } else if rest.starts_with("${") {
                self.at += 1;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(self.code(at)?);
            } else {
                literal.push(letter);
            }
        }
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(TokenKind::Text(pieces))
    }

    /// Reads what follows the backslash at `start`.
    fn escape(&mut self, start: usize) -> Result<char, ExpressionError> {
        let Some(letter) = self.rest().chars().next() else {
            return Err(syntax(start..start + 1, "nothing follows the `\\`"));
        };
        self.at += letter.len_utf8();
        let digits = match letter {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            '0' => return Ok('\0'),
            '\\' | '"' | '\'' | '`' | '$' | '/' => return Ok(letter),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                let message = format!("`\\{letter}` is no escape: write `\\\\` for a backslash");
                return Err(syntax(start..self.at, message).help(
                    "known are `\\n`, `\\t`, `\\r`, `\\\\`, `\\'`, `\\\"`, `` \\` ``, `\\$`, `\\x41` and `\\u00e9`",
                ));
            }
        };
        if letter == 'u' && self.rest().starts_with('{') {
            let inner = self.rest().get(1..).unwrap_or_default();
            let length = inner.find('}').unwrap_or(0);
            let found =
                inner.get(..length).and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
            self.at += length + 2;
            return found
                .ok_or_else(|| syntax(start..start + 2, "`\\u{…}` takes the hexadecimal number of a character"));
        }
        let code = self.rest().get(..digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        let Some(found) = code.and_then(char::from_u32) else {
            let message = format!("`\\{letter}` takes the {digits} hexadecimal digits of a character");
            return Err(syntax(start..start + 2, message));
        };
        self.at += digits;
        Ok(found)
    }
}

/// Returns an error of kind `Syntax`.
pub(in crate::script) fn syntax(at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { kind: ExpressionErrorKind::Syntax, message: message.into(), at, help: None }
}

fn name(quote: char) -> &'static str {
    match quote {
        '\'' => "`'`",
        '"' => "`\"`",
        _ => "backtick",
    }
}

fn is_word_start(letter: char) -> bool {
    letter == '_' || letter.is_alphabetic()
}

fn is_word_part(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}
