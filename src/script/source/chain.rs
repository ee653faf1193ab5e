//! Chains of names, brackets and dots (`msg.list[0].x`), and single tokens, found from a place within them.

use std::ops::Range;

use super::lexer::Lexer;

/// Returns the chain of names, brackets and dots that ends before byte `end`: `msg.list[0]` of `3 + msg.list[0].x`.
pub(in crate::script) fn chain_before(source: &str, end: usize) -> &str {
    let before = source.get(..end).unwrap_or_default().trim_end();
    let mut depth = 0_usize;
    let mut start = before.len();
    for (index, letter) in before.char_indices().rev() {
        match letter {
            ')' | ']' => depth += 1,
            '(' | '[' if depth == 0 => break,
            '(' | '[' => depth -= 1,
            '.' | '?' | '_' => {}
            _ if depth > 0 || letter.is_alphanumeric() => {}
            _ => break,
        }
        start = index;
    }
    before.get(start..).unwrap_or_default()
}

/// Returns the range of the token that stands at byte `offset` of `source`.
pub(in crate::script) fn token_at(source: &str, offset: usize) -> Range<usize> {
    let rest = source.get(offset..).unwrap_or_default();
    let Some(first) = rest.chars().next() else { return source.len()..source.len() };
    match Lexer::of_expression(source, offset).first() {
        Some(token) => token.range,
        None => offset..offset + first.len_utf8(),
    }
}
