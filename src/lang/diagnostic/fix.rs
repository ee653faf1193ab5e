//! Fixes: changes to a file's text that resolve a finding, as data. Whoever applies them checks the result.

use std::ops::Range;

/// A change to the text of the file that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The bytes to replace.
    pub span: Range<usize>,
    /// What to write instead.
    pub replacement: String,
    /// Whether it may be applied without asking.
    pub applies: Applies,
}

/// Whether a fix is what the author meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applies {
    /// The text can't mean anything else: `check --fix` applies it.
    Safe,
    /// It's a guess, for a person to accept.
    Unsure,
}

impl Applies {
    /// Returns the word that JSON has for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Applies::Safe => "safe",
            Applies::Unsure => "unsure",
        }
    }
}

/// Returns `text` with `fixes` applied from its end to its start, so that no change moves the place of another. Of fixes
/// that overlap, the one that starts first is applied; one whose span isn't in the text is left out.
#[must_use]
pub fn apply_fixes<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Fix>) -> String {
    let mut fixes: Vec<&Fix> = fixes.into_iter().collect();
    fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
    fixes.dedup();
    let mut end = 0;
    fixes.retain(|fix| {
        let fits = fix.span.start >= end && text.get(fix.span.clone()).is_some();
        if fits {
            // Two insertions at one place would be one change made twice.
            end = fix.span.end.max(fix.span.start + 1);
        }
        fits
    });
    let mut fixed = text.to_owned();
    for fix in fixes.into_iter().rev() {
        fixed.replace_range(fix.span.clone(), &fix.replacement);
    }
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(span: Range<usize>, replacement: &str) -> Fix {
        Fix { span, replacement: replacement.to_owned(), applies: Applies::Safe }
    }

    #[test]
    fn fixes_are_applied_from_the_end_whatever_their_order() {
        let fixes = [fix(0..4, "when"), fix(9..13, "then"), fix(6..7, "door/#")];
        assert_eq!(apply_fixes("whne: a, thne", &fixes), "when: door/#, then");
    }

    #[test]
    fn of_two_fixes_for_one_place_one_is_applied() {
        let fixes = [fix(0..4, "when"), fix(0..4, "when"), fix(2..4, "x"), fix(4..4, "!"), fix(4..4, "?")];
        assert_eq!(apply_fixes("whne é", &fixes), "when! é");
        assert_eq!(apply_fixes("é", &[fix(1..2, "x"), fix(0..9, "x")]), "é", "no fix cuts a character or the end");
    }
}
