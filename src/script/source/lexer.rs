//! The one reader of source: what words, numbers, symbols and texts stand where.
//!
//! It reads expressions, and whole files of Rhai. It never stops: what it can't make sense of it takes as far as it goes,
//! and keeps the first problem, which an expression refuses and a file leaves to Rhai.

use std::ops::Range;

use crate::script::expression::error::{ExpressionError, ExpressionErrorKind};

use super::token::{Piece, Token, TokenKind};

/// How deep texts and the `${…}` in them may be nested.
const DEEPEST: usize = 8;

/// The symbols of more than one character in expressions, the longest first.
const SYMBOLS: [&str; 38] = [
    "..=", "**=", "<<=", ">>=", "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "?[", "**", "<<", ">>",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::", "=>", "->", "..", "#{", "<>", ":=", "++", "--", "|>", "<|",
    "<-",
];

/// Those that matter in a file. Closures are known by the hash of their tokens: more of them would make another hash.
const SYMBOLS_OF_FILES: [&str; 10] = ["||", "::", "#{", "=>", "?.", "?[", "==", "!=", "<=", ">="];

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// An expression: texts in `'…'`, `"…"` and backticks are read alike, with the same escapes and `${…}` in each.
    Expression,
    /// A file of Rhai: backticks alone have `${…}`, and no escapes; there are raw texts (`#"…"#`).
    File,
}

/// Reads tokens.
pub(in crate::script) struct Lexer<'a> {
    source: &'a str,
    language: Language,
    at: usize,
    depth: usize,
    problem: Option<ExpressionError>,
}

impl<'a> Lexer<'a> {
    /// Returns a lexer of an expression, which begins at byte `at` of `source`.
    pub(in crate::script) fn of_expression(source: &'a str, at: usize) -> Lexer<'a> {
        Lexer { source, language: Language::Expression, at, depth: 0, problem: None }
    }

    /// Returns all tokens of a file of Rhai.
    pub(in crate::script) fn file(source: &'a str) -> Vec<Token> {
        let mut lexer = Lexer { source, language: Language::File, at: 0, depth: 0, problem: None };
        std::iter::from_fn(|| lexer.next_token()).collect()
    }

    /// Returns all tokens up to the end.
    ///
    /// # Errors
    /// What the first problem is.
    pub(in crate::script) fn all(mut self) -> Result<Vec<Token>, ExpressionError> {
        let mut tokens = Vec::new();
        while let Some(token) = self.next_token() {
            self.check()?;
            tokens.push(token);
        }
        self.check()?;
        Ok(tokens)
    }

    /// Returns the first token; `None` where there is none, or it makes no sense.
    pub(in crate::script) fn first(mut self) -> Option<Token> {
        self.next_token().filter(|_| self.problem.is_none())
    }

    /// Reads the code of a `${…}` whose `${` ends here, and the `}`; `opened` is where the `${` stands.
    ///
    /// # Errors
    /// What the first problem in it is.
    pub(in crate::script) fn code_of_template(&mut self, opened: usize) -> Result<Code, ExpressionError> {
        let code = self.code(opened);
        self.check()?;
        Ok(code)
    }

    /// Returns where the lexer stands.
    pub(in crate::script) fn position(&self) -> usize {
        self.at
    }

    fn check(&mut self) -> Result<(), ExpressionError> {
        self.problem.take().map_or(Ok(()), Err)
    }

    /// Notes a problem, unless there was one before.
    fn note(&mut self, at: Range<usize>, message: impl Into<String>, help: Option<&str>) {
        if self.problem.is_none() {
            let error = syntax(at, message);
            self.problem = Some(match help {
                Some(help) => error.help(help),
                None => error,
            });
        }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn next_token(&mut self) -> Option<Token> {
        self.skip_space();
        let rest = self.rest();
        let start = self.at;
        let first = rest.chars().next()?;
        let is_file = self.language == Language::File;
        let mut pieces = Vec::new();
        let kind = if matches!(first, '\'' | '"' | '`') {
            self.at += 1;
            pieces = self.text(first, start);
            TokenKind::Text
        } else if is_file && first == '#' && rest.trim_start_matches('#').starts_with('"') {
            self.at += raw(rest);
            TokenKind::Text
        } else if is_word_start(first) {
            self.at += rest.find(|letter| !is_word_part(letter)).unwrap_or(rest.len());
            TokenKind::Word
        } else if first.is_ascii_digit() {
            self.number();
            TokenKind::Number
        } else {
            let symbols = if is_file { &SYMBOLS_OF_FILES[..] } else { &SYMBOLS[..] };
            let symbol = symbols.iter().find(|symbol| rest.starts_with(**symbol));
            self.at += symbol.map_or(first.len_utf8(), |symbol| symbol.len());
            TokenKind::Symbol
        };
        Some(Token { kind, range: start..self.at, pieces })
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let start = self.at;
                let length = block_comment(trimmed);
                self.at += length.unwrap_or(trimmed.len());
                if length.is_none() {
                    self.note(start..start + 2, "the comment is never closed: `*/` is missing", None);
                }
            } else {
                return;
            }
        }
    }

    fn number(&mut self) {
        let start = self.at;
        self.at += number(self.rest());
        let letters = self.rest().find(|letter| !is_word_part(letter)).unwrap_or(self.rest().len());
        if letters > 0 {
            self.at += letters;
            let text = self.source.get(start..self.at).unwrap_or_default();
            let message = format!("`{text}` is neither a number nor a name");
            let help = "put text in quotes; a duration in an expression is a number of seconds";
            self.note(start..self.at, message, Some(help));
        }
    }

    /// Reads a text whose `quote` stands at `start`. The pieces of one in a file aren't kept.
    fn text(&mut self, quote: char, start: usize) -> Vec<Piece> {
        let is_file = self.language == Language::File;
        let (has_escapes, has_code) = (!is_file || quote != '`', !is_file || quote == '`');
        let mut text = Pieces { is_kept: !is_file, done: Vec::new(), literal: String::new() };
        loop {
            let at = self.at;
            let rest = self.rest();
            let Some(letter) = rest.chars().next() else {
                self.note(start..start + 1, format!("the text is never closed: a {} is missing", name(quote)), None);
                break;
            };
            self.at += letter.len_utf8();
            if is_file && quote == '`' && rest.starts_with("``") {
                self.at += 1;
            } else if letter == quote {
                break;
            } else if letter == '\\' && has_escapes {
                text.push(self.escape(at));
            } else if rest.starts_with("$${") && !is_file {
                text.push(Some('$'));
                text.push(Some('{'));
                self.at += 2;
            } else if rest.starts_with("${") && has_code {
                self.at += 1;
                let code = self.code(at);
                text.push_code(code);
            } else {
                text.push(Some(letter));
            }
        }
        text.finish()
    }

    /// Reads what stands within a `${…}`, with its `}`.
    fn code(&mut self, opened: usize) -> Code {
        let start = self.at;
        let mut code = Code { tokens: Vec::new(), range: start..start };
        if self.depth >= DEEPEST {
            self.note(opened..start, format!("texts within texts go more than {DEEPEST} deep"), None);
            return code;
        }
        self.depth += 1;
        let mut braces = 0_usize;
        loop {
            let Some(token) = self.next_token() else {
                self.note(opened..opened + 2, "`${` is never closed: a `}` is missing", None);
                code.range.end = self.at;
                break;
            };
            match self.source.get(token.range.clone()) {
                Some("{" | "#{") => braces += 1,
                Some("}") if braces == 0 => {
                    code.range.end = token.range.start;
                    break;
                }
                Some("}") => braces -= 1,
                _ => {}
            }
            if self.language == Language::Expression {
                code.tokens.push(token);
            }
        }
        self.depth -= 1;
        code
    }

    /// Reads what follows the backslash at `start`; `None`: it stands for no character.
    fn escape(&mut self, start: usize) -> Option<char> {
        let Some(letter) = self.rest().chars().next() else {
            self.note(start..start + 1, "nothing follows the `\\`", None);
            return None;
        };
        self.at += letter.len_utf8();
        if self.language == Language::File {
            return None;
        }
        let digits = match letter {
            'n' => return Some('\n'),
            't' => return Some('\t'),
            'r' => return Some('\r'),
            '0' => return Some('\0'),
            '\\' | '"' | '\'' | '`' | '$' | '/' => return Some(letter),
            'u' if self.rest().starts_with('{') => return self.code_point(start),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                let message = format!("`\\{letter}` isn't an escape; write `\\\\` for a backslash");
                let help =
                    "known are `\\n`, `\\t`, `\\r`, `\\\\`, `\\'`, `\\\"`, `` \\` ``, `\\$`, `\\x41` and `\\u00e9`";
                self.note(start..self.at, message, Some(help));
                return None;
            }
        };
        let code = self.rest().get(..digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        let found = code.and_then(char::from_u32);
        match found {
            Some(_) => self.at += digits,
            None => {
                let message = format!("`\\{letter}` takes the {digits} hexadecimal digits of a character");
                self.note(start..start + 2, message, None);
            }
        }
        found
    }

    /// Reads the `{…}` of a `\u{…}` that begins at `start`.
    fn code_point(&mut self, start: usize) -> Option<char> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let length = inner.find('}');
        let code = length.and_then(|length| u32::from_str_radix(inner.get(..length)?, 16).ok());
        let found = code.and_then(char::from_u32);
        match (found, length) {
            (Some(_), Some(length)) => self.at += length + 2,
            _ => self.note(start..start + 2, "`\\u{…}` takes the hexadecimal number of a character", None),
        }
        found
    }
}

/// What stands within a `${…}`.
#[derive(Debug)]
pub(in crate::script) struct Code {
    /// Its tokens.
    pub(in crate::script) tokens: Vec<Token>,
    /// Where it stands, without the braces.
    pub(in crate::script) range: Range<usize>,
}

/// A text, as far as it was read.
struct Pieces {
    is_kept: bool,
    done: Vec<Piece>,
    literal: String,
}

impl Pieces {
    fn push(&mut self, letter: Option<char>) {
        if self.is_kept {
            self.literal.extend(letter);
        }
    }

    fn push_code(&mut self, code: Code) {
        if self.is_kept {
            self.end_literal();
            self.done.push(Piece::Code { tokens: code.tokens, range: code.range });
        }
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.done.push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Vec<Piece> {
        self.end_literal();
        if self.is_kept && self.done.is_empty() {
            self.done.push(Piece::Literal(String::new()));
        }
        self.done
    }
}

/// Returns an error of kind `Syntax`.
pub(in crate::script) fn syntax(at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { kind: ExpressionErrorKind::Syntax, message: message.into(), at, help: None, near: None }
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

/// Returns the length of a comment, which may hold others; `None` where it is never closed.
fn block_comment(rest: &str) -> Option<usize> {
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
            return Some(at);
        }
    }
    None
}

/// Returns the length of the number that `rest` begins with.
fn number(rest: &str) -> usize {
    let is_based = rest.starts_with("0x") || rest.starts_with("0b") || rest.starts_with("0o");
    if is_based {
        return rest.find(|letter| !is_word_part(letter)).unwrap_or(rest.len());
    }
    let is_digit = |letter: char| letter.is_ascii_digit() || letter == '_';
    let mut length = rest.find(|letter| !is_digit(letter)).unwrap_or(rest.len());
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
    length
}

/// Returns the length of a raw text.
fn raw(rest: &str) -> usize {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 1;
    rest.get(start..).and_then(|tail| tail.find(&end)).map_or(rest.len(), |at| start + at + end.len())
}
