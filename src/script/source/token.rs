//! A token of source: a word, a number, a symbol or a text, with its place.

use std::ops::Range;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::script) struct Token {
    /// What it is.
    pub(in crate::script) kind: TokenKind,
    /// Where it stands, in bytes of the source.
    pub(in crate::script) range: Range<usize>,
    /// Of a text in an expression: its parts, with the escapes read.
    pub(in crate::script) pieces: Vec<Piece>,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum TokenKind {
    /// A name or a word of Rhai.
    Word,
    /// A number.
    Number,
    /// A text in quotes, with what stands within `${…}`.
    Text,
    /// An operator, a bracket, a comma.
    Symbol,
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
