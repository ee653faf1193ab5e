//! Regular expressions of templates, bounded in size, and written in Python's way.

use std::cell::RefCell;

use minijinja::{Error, ErrorKind};
use regex::{Regex, RegexBuilder};

/// The most memory that one compiled expression may take, in bytes.
const LARGEST: usize = 256 * 1024;

/// How many compiled expressions are kept.
const KEPT: usize = 64;

thread_local! {
    // Only a cache.
    static COMPILED: RefCell<Vec<(String, bool, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// Returns the compiled expression. What only Python's engine knows (looking around, references back) is an error.
pub(super) fn regex(pattern: &str, ignores_case: bool) -> Result<Regex, Error> {
    COMPILED.with_borrow_mut(|compiled| {
        if let Some((_, _, regex)) = compiled.iter().find(|(known, case, _)| known == pattern && *case == ignores_case)
        {
            return Ok(regex.clone());
        }
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignores_case)
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST)
            .build()
            .map_err(|_| Error::new(ErrorKind::UnknownFilter, format!("the pattern `{pattern}` can't be used here")))?;
        if compiled.len() >= KEPT {
            compiled.remove(0);
        }
        compiled.push((pattern.to_owned(), ignores_case, regex.clone()));
        Ok(regex)
    })
}

/// Returns a replacement as this engine writes it: `\1` and `\g<name>` become `${1}` and `${name}`.
pub(super) fn replacement(python: &str) -> String {
    let mut text = String::new();
    let mut letters = python.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '$' => text.push_str("$$"),
            '\\' => match letters.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    text.push_str("${");
                    text.push(digit);
                    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                        text.push(digit);
                    }
                    text.push('}');
                }
                Some('g') if letters.peek() == Some(&'<') => {
                    letters.next();
                    let name: String = letters.by_ref().take_while(|letter| *letter != '>').collect();
                    text.push_str("${");
                    text.push_str(&name);
                    text.push('}');
                }
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_refers_to_groups_as_python_does() {
        let replaced = |text: &str, pattern: &str, with: &str| {
            regex(pattern, false).unwrap().replace_all(text, replacement(with)).into_owned()
        };
        assert_eq!(replaced("a-b", "(a)-(b)", r"\2-\g<1>$"), "b-a$");
    }

    #[test]
    fn an_expression_that_would_take_too_much_is_refused() {
        assert!(regex("(a{1000}){1000}", false).is_err());
        assert!(regex("(?=a)", false).is_err());
    }
}
