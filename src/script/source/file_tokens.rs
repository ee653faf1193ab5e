//! The tokens of a file of Rhai: what closures, constants and places of map keys are found by.
//!
//! Rhai's own tree says where something begins, not where it ends; and its names for closures change with each blank
//! line. Tokens don't: comments and layout are not among them.

use std::ops::Range;

use super::lexer::Lexer;
use super::token::{Token, TokenKind};

/// The tokens of a text.
#[derive(Debug)]
pub(in crate::script) struct FileTokens<'a> {
    source: &'a str,
    tokens: Vec<Token>,
}

impl<'a> FileTokens<'a> {
    /// Reads the tokens of `source`. What isn't Rhai is read as far as it goes.
    pub(in crate::script) fn new(source: &'a str) -> FileTokens<'a> {
        FileTokens { source, tokens: Lexer::file(source) }
    }

    /// Returns the text of the token `index`; nothing where there is none.
    pub(in crate::script) fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).and_then(|token| self.source.get(token.range.clone())).unwrap_or_default()
    }

    /// Returns the kind of the token `index`.
    pub(in crate::script) fn kind(&self, index: usize) -> Option<TokenKind> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Vec<&str> {
        let tokens = FileTokens::new(source);
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

    #[test]
    fn texts_within_texts_without_end_overflow_no_stack() {
        let source = "`${".repeat(80_000);
        assert!(!read(&source).is_empty());
    }
}
