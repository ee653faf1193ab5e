//! Rewrites an expression as users write it into one that Rhai reads, and keeps where each character came from.
//!
//! What changes: texts in any quotes become `"…"`, those with `${…}` a call of [`JOIN`]; `and`, `or` and `not`
//! become operators; all stands on one line. Mistakes that show in the tokens alone are told here, where the
//! words of the user are still known.

use std::ops::Range;

use super::error::{ExpressionError, ExpressionErrorKind};
use crate::script::functions::internal::{COPY, JOIN};
use crate::script::source::chain::chain_before;
use crate::script::source::lexer::{Lexer, syntax};
use crate::script::source::token::{Piece, Token, TokenKind};

/// The most characters that the rewritten text may have: Rhai counts columns in 16 bits.
const LONGEST: usize = 60_000;

/// Words with which Rhai's statements begin.
const STATEMENTS: [&str; 17] = [
    "let", "const", "for", "while", "loop", "do", "until", "return", "throw", "break", "continue", "switch", "fn",
    "import", "export", "try", "catch",
];

/// Other words that Rhai keeps for itself.
const RESERVED: [&str; 41] = [
    "as",
    "use",
    "case",
    "async",
    "public",
    "private",
    "package",
    "super",
    "var",
    "protected",
    "spawn",
    "shared",
    "is",
    "sync",
    "static",
    "default",
    "this",
    "thread",
    "yield",
    "new",
    "match",
    "await",
    "null",
    "with",
    "void",
    "nil",
    "module",
    "go",
    "goto",
    "exit",
    "curry",
    "is_shared",
    "print",
    "is_def_var",
    "is_def_fn",
    "call",
    "eval",
    "debug",
    "type_of",
    "Fn",
    "global",
];

/// Words of Rhai that an expression may use as they are.
const USABLE: [&str; 5] = ["if", "else", "in", "true", "false"];

/// A text for Rhai, and where each of its characters stands in the user's text.
#[derive(Debug, Default)]
pub(in crate::script) struct Rewritten {
    /// What Rhai reads.
    pub(in crate::script) text: String,
    /// For each character, the byte in the user's text.
    offsets: Vec<u32>,
}

impl Rewritten {
    /// Rewrites `source`.
    pub(in crate::script) fn new(source: &str) -> Result<Rewritten, ExpressionError> {
        let tokens = Lexer::of_expression(source, 0).all()?;
        if tokens.is_empty() {
            return Err(syntax(0..source.len(), "an expression is missing"));
        }
        let mut rewritten = Rewritten::default();
        // In brackets, Rhai reads an `if` as a value and a `{` not as the start of a block.
        rewritten.push("(", 0);
        Rewriter { source, tokens: &tokens, out: &mut rewritten, open: Vec::new(), pending: Pending::default() }
            .write()?;
        rewritten.push(")", source.len());
        if rewritten.offsets.len() > LONGEST {
            let message = format!("an expression can't be longer than {LONGEST} characters");
            return Err(syntax(0..source.len(), message));
        }
        Ok(rewritten)
    }

    /// Returns the byte in the user's text at which Rhai's `position` stands; `None` where it has none.
    pub(in crate::script) fn offset(&self, position: rhai::Position) -> Option<usize> {
        let column = position.position()?;
        let offset = self.offsets.get(column.saturating_sub(1)).or(self.offsets.last())?;
        usize::try_from(*offset).ok()
    }

    /// Returns the table of offsets alone, for the errors of later evaluations.
    pub(in crate::script) fn into_offsets(self) -> Vec<u32> {
        self.offsets
    }

    fn push(&mut self, text: &str, offset: usize) {
        self.push_aligned(text, offset, 0);
    }

    /// Adds `text`, whose characters stand at `offset` each (`step` 0) or one after the other (`step` 1).
    fn push_aligned(&mut self, text: &str, offset: usize, step: usize) {
        self.text.push_str(text);
        for (index, _) in text.char_indices() {
            self.offsets.push(u32::try_from(offset + index * step).unwrap_or(u32::MAX));
        }
    }
}

/// What waits at one level of brackets for what comes.
#[derive(Debug, Default, Clone, Copy)]
struct Pending {
    /// Brackets opened by `not`, which close where its operand ends.
    nots: usize,
    /// `if`s whose `{` is still to come.
    ifs: usize,
}

/// An open bracket.
struct Open {
    symbol: &'static str,
    range: Range<usize>,
    outer: Pending,
}

struct Rewriter<'a> {
    source: &'a str,
    tokens: &'a [Token],
    out: &'a mut Rewritten,
    open: Vec<Open>,
    pending: Pending,
}

impl Rewriter<'_> {
    fn write(mut self) -> Result<(), ExpressionError> {
        for (index, token) in self.tokens.iter().enumerate() {
            let previous = index.checked_sub(1).and_then(|before| self.tokens.get(before));
            if let Some(previous) = previous {
                if (previous.kind, token.kind) == (TokenKind::Text, TokenKind::Text) {
                    return Err(syntax(token.range.clone(), "an operator or a comma is missing between two texts")
                        .help("a quote within a text is written `\\'` or `\\\"`"));
                }
                if (previous.kind, token.kind) == (TokenKind::Word, TokenKind::Text)
                    && previous.range.end == token.range.start
                    && matches!(self.text_of(index - 1), "f" | "F" | "r" | "b" | "u")
                {
                    let message = format!("`{}'…'` isn't known", self.text_of(index - 1));
                    return Err(syntax(previous.range.start..token.range.end, message)
                        .help("`${…}` works in every text: `'${msg.x} °C'`"));
                }
                if previous.range.end < token.range.start {
                    self.out.push(" ", token.range.start);
                }
            }
            match token.kind {
                TokenKind::Number => self.copy(token),
                TokenKind::Text => self.text(&token.pieces, token, self.is_key(index))?,
                TokenKind::Word => self.word(index, token)?,
                TokenKind::Symbol => self.symbol(index, token)?,
            }
        }
        let end = self.source.len();
        self.close_nots(self.tokens.last().map_or(end, |last| last.range.end));
        match self.open.pop() {
            Some(open) => Err(syntax(open.range, format!("`{}` is never closed", open.symbol))),
            None => Ok(()),
        }
    }

    fn text_of(&self, index: usize) -> &str {
        self.tokens.get(index).and_then(|token| self.source.get(token.range.clone())).unwrap_or_default()
    }

    fn copy(&mut self, token: &Token) {
        let text = self.source.get(token.range.clone()).unwrap_or_default();
        self.out.push_aligned(text, token.range.start, 1);
    }

    /// Returns whether the token `index` is a key of a map.
    fn is_key(&self, index: usize) -> bool {
        self.open.last().is_some_and(|open| open.symbol == "#{") && self.text_of(index + 1) == ":"
    }

    fn text(&mut self, pieces: &[Piece], token: &Token, is_key: bool) -> Result<(), ExpressionError> {
        let start = token.range.start;
        if let [Piece::Literal(text)] = pieces {
            self.out.push(&quoted(text), start);
            return Ok(());
        }
        if is_key {
            return Err(syntax(token.range.clone(), "the key of a map can't hold `${…}`"));
        }
        self.out.push(JOIN, start);
        self.out.push("([", start);
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.out.push(",", start);
            }
            match piece {
                Piece::Literal(text) => self.out.push(&quoted(text), start),
                Piece::Code { tokens, range } => {
                    if tokens.is_empty() {
                        let at = range.start.saturating_sub(2)..range.end + 1;
                        return Err(syntax(at, "an expression is missing between `${` and `}`"));
                    }
                    self.out.push("(", range.start);
                    Rewriter {
                        source: self.source,
                        tokens,
                        out: self.out,
                        open: Vec::new(),
                        pending: Pending::default(),
                    }
                    .write()?;
                    self.out.push(")", range.end);
                }
            }
        }
        self.out.push("])", start);
        Ok(())
    }

    fn word(&mut self, index: usize, token: &Token) -> Result<(), ExpressionError> {
        let word = self.text_of(index).to_owned();
        let start = token.range.start;
        let before = index.checked_sub(1).map_or("", |before| self.text_of(before));
        let after = self.text_of(index + 1);
        let is_kept = STATEMENTS.contains(&word.as_str()) || RESERVED.contains(&word.as_str());
        if matches!(before, "." | "?.") {
            if (is_kept || USABLE.contains(&word.as_str())) && after != "(" {
                return Err(self.reserved_property(before == "?.", index, &word));
            }
            self.copy(token);
            return Ok(());
        }
        if self.is_key(index) {
            self.out.push(&quoted(&word), start);
            return Ok(());
        }
        let mistake = mistaken(&word, token, (before, after));
        match word.as_str() {
            "and" => {
                self.close_nots(start);
                self.out.push("&&", start);
            }
            "or" => {
                self.close_nots(start);
                self.out.push("||", start);
            }
            "not" if after == "in" => self.out.push("!", start),
            "not" => {
                self.out.push("!(", start);
                self.pending.nots += 1;
            }
            "in" if before == "not" => {
                // Rhai wants `!in` as one word.
                while self.out.text.ends_with(' ') {
                    self.out.text.pop();
                    self.out.offsets.pop();
                }
                self.copy(token);
            }
            "if" => {
                self.pending.ifs += 1;
                self.copy(token);
            }
            _ if mistake.is_some() => return mistake.map_or(Ok(()), Err),
            _ if self.takes_closure(index) => {
                self.out.push(COPY, start);
                self.out.push("(", start);
                self.copy(token);
                self.out.push(")", start);
            }
            _ => self.copy(token),
        }
        Ok(())
    }

    /// Returns whether the word `index` begins a chain in which a method is given a closure.
    fn takes_closure(&self, index: usize) -> bool {
        let mut depth = 0_usize;
        let mut has_closure = false;
        let mut next = index + 1;
        if !matches!(self.text_of(next), "." | "?." | "[" | "?[") {
            return false;
        }
        loop {
            match self.text_of(next) {
                "(" | "[" | "?[" | "{" | "#{" => depth += 1,
                ")" | "]" | "}" if depth == 0 => break,
                ")" | "]" | "}" => depth -= 1,
                "|" | "||" if depth > 0 => has_closure = true,
                "." | "?." => next += 1,
                "" => break,
                _ if depth == 0 => break,
                _ => {}
            }
            next += 1;
        }
        has_closure
    }

    fn reserved_property(&self, is_optional: bool, index: usize, word: &str) -> ExpressionError {
        let range = self.tokens.get(index).map_or(0..0, |token| token.range.clone());
        let dot = index.checked_sub(1).and_then(|dot| self.tokens.get(dot)).map_or(0, |dot| dot.range.start);
        let owner = chain_before(self.source, dot);
        let bracket = if is_optional { "?[" } else { "[" };
        syntax(range, format!("`{word}` is a word of Rhai: write `{owner}{bracket}\"{word}\"]`"))
    }

    fn symbol(&mut self, index: usize, token: &Token) -> Result<(), ExpressionError> {
        let symbol = self.text_of(index).to_owned();
        let range = token.range.clone();
        let before = index.checked_sub(1).map_or("", |before| self.text_of(before)).to_owned();
        match symbol.as_str() {
            "(" => self.open_bracket("(", range),
            "[" => self.open_bracket("[", range),
            "?[" => self.open_bracket("?[", range),
            "#{" => self.open_bracket("#{", range),
            "{" => {
                self.close_nots(range.start);
                if self.pending.ifs > 0 {
                    self.pending.ifs -= 1;
                } else if matches!(before.as_str(), "|" | "||") {
                    return Err(no_expression(range, "a closure here gives one value, without `{`: `|x| x + 1`"));
                } else if self.text_of(index + 1) == "{" {
                    return Err(no_expression(range, "`{{ … }}` isn't needed: write the expression as it is"));
                } else if before != "else" {
                    return Err(no_expression(range, "`{` opens a block, which an expression hasn't")
                        .help("a map is written `#{ … }`"));
                }
                self.open_bracket("{", range);
            }
            ")" | "]" | "}" => return self.close_bracket(&symbol, token),
            "," => {
                self.close_nots(range.start);
                self.copy(token);
                return Ok(());
            }
            "&&" | "||" => self.close_nots(range.start),
            _ => check_symbol(&symbol, range)?,
        }
        self.copy(token);
        Ok(())
    }

    fn open_bracket(&mut self, symbol: &'static str, range: Range<usize>) {
        let outer = std::mem::take(&mut self.pending);
        self.open.push(Open { symbol, range, outer });
    }

    fn close_bracket(&mut self, symbol: &str, token: &Token) -> Result<(), ExpressionError> {
        self.close_nots(token.range.start);
        let Some(open) = self.open.pop() else {
            return Err(syntax(token.range.clone(), format!("`{symbol}` closes nothing")));
        };
        let wanted = match open.symbol {
            "(" => ")",
            "[" | "?[" => "]",
            _ => "}",
        };
        if wanted != symbol {
            let message = format!("`{}` is closed by `{wanted}`, not by `{symbol}`", open.symbol);
            return Err(syntax(token.range.clone(), message));
        }
        self.pending = open.outer;
        self.copy(token);
        Ok(())
    }

    fn close_nots(&mut self, at: usize) {
        let nots = std::mem::take(&mut self.pending.nots);
        for _ in 0..nots {
            self.out.push(")", at.saturating_sub(1));
        }
    }
}

/// Returns what is wrong with a word that means nothing in an expression, where these stand before and after it.
fn mistaken(word: &str, token: &Token, (before, after): (&str, &str)) -> Option<ExpressionError> {
    let at = || token.range.clone();
    Some(match word {
        _ if STATEMENTS.contains(&word) => {
            let message = format!("`{word}` starts a statement; an expression is one value");
            no_expression(at(), message).help("choose between values with `if … { … } else { … }`")
        }
        "elif" | "elseif" | "elsif" => syntax(at(), format!("`{word}` isn't known; write `else if`")),
        "is" if after == "not" => syntax(at(), "`is not` isn't known; write `!=`"),
        "is" if !before.is_empty() => syntax(at(), "`is` isn't known; compare two values with `==`"),
        "null" | "nil" | "void" => syntax(at(), format!("`{word}` isn't a value here; nothing is written `()`")),
        _ if RESERVED.contains(&word) && after != "(" => {
            syntax(at(), format!("`{word}` is a word of Rhai and can't be a name"))
        }
        _ if word.starts_with("__") => syntax(at(), format!("a name can't start with `__`: `{word}`")),
        _ => return None,
    })
}

/// Refuses symbols that no expression has, and says what was probably meant.
fn check_symbol(symbol: &str, range: Range<usize>) -> Result<(), ExpressionError> {
    let error = match symbol {
        "=" => no_expression(range, "`=` assigns, which an expression can't: two values are compared with `==`"),
        ":=" | "+=" | "-=" | "*=" | "/=" | "%=" | "**=" | "<<=" | ">>=" | "&=" | "|=" | "^=" | "++" | "--" => {
            no_expression(range, format!("`{symbol}` assigns, which an expression can't"))
        }
        ";" => no_expression(range, "`;` ends a statement; an expression is one value"),
        "===" => syntax(range, "two values are compared with `==`, not `===`"),
        "!==" | "<>" => syntax(range, format!("that two values differ is written `!=`, not `{symbol}`")),
        "?" => syntax(range, "`? :` isn't known: write `if … { … } else { … }`"),
        "=>" | "->" | "<-" | "|>" | "<|" | "@" | "~" | "$" | "#" | "\\" => {
            syntax(range, format!("`{symbol}` means nothing in an expression"))
        }
        "’" | "‘" | "“" | "”" | "´" => syntax(range, format!("put text in `'` or `\"`, not in `{symbol}`")),
        _ => return Ok(()),
    };
    Err(error)
}

fn no_expression(at: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { kind: ExpressionErrorKind::NotAnExpression, message: message.into(), at, help: None, near: None }
}

/// Returns a text as Rhai writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\x00"),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
