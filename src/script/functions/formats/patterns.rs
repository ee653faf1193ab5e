//! The functions of patterns: regular expressions in texts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use regex::Regex;
use rhai::{Array, Dynamic, Expr};

use crate::script::evaluation::refusal::{Refusal, refuse};
use crate::script::expression::error::ExpressionErrorKind;
use crate::script::functions::arguments::{Call, Mistake};
use crate::script::functions::function::{Function, Kind, function};

type Answer<T> = Result<T, Refusal>;

/// How many compiled patterns are kept.
const MOST_KEPT: usize = 500;

/// Patterns that were compiled: that takes far longer than to match.
static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 3] = [
    function("matches", 2, 2, "matches(text, '^a.c$')", "Whether a regular expression is found in a text, anywhere.")
        .gives(Kind::Boolean)
        .checked(pattern)
        .by(|row| {
            row.add(|text: &str, pattern: &str| compiled(pattern).map(|pattern| pattern.is_match(text)));
        }),
    function(
        "find_all",
        2,
        2,
        "find_all(text, '[0-9]+')",
        "What a regular expression finds in a text: a list of texts; with one group, what that found; with several, lists.",
    )
    .gives(Kind::List)
    .checked(pattern)
    .by(|row| {
        let items = row.items();
        row.add(move |text: &str, pattern: &str| find_all(text, pattern, items));
    }),
    function(
        "replace_all",
        3,
        3,
        "replace_all(text, '([0-9]+) W', '$1 watts')",
        "The text with all that a regular expression finds replaced; `$1` is what the first group found, `$$` a dollar sign.",
    )
    .gives(Kind::Text)
    .checked(pattern)
    .by(|row| {
        let longest = row.text();
        row.add(move |text: &str, pattern: &str, new: &str| {
            let written = compiled(pattern)?.replace_all(text, new).into_owned();
            if written.len() > longest {
                return Err(refuse(&format!("`replace_all`: the text would be longer than {longest} bytes")));
            }
            Ok(written)
        });
    }),
];

fn compiled(pattern: &str) -> Answer<Regex> {
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(pattern) {
        return Ok(found.clone());
    }
    let made = Regex::new(pattern).map_err(|error| refuse(&not_a_pattern(pattern, &error)))?;
    if known.len() >= MOST_KEPT {
        known.clear();
    }
    known.insert(pattern.to_owned(), made.clone());
    Ok(made)
}

fn not_a_pattern(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim();
    format!("`{pattern}` isn't a valid pattern: {}", reason.trim_start_matches("error: "))
}

fn find_all(text: &str, pattern: &str, most: usize) -> Answer<Array> {
    let pattern = compiled(pattern)?;
    let mut found = Array::new();
    for captures in pattern.captures_iter(text) {
        if found.len() >= most {
            return Err(refuse(&format!("`find_all` found more than {most} times")));
        }
        let text_of = |index: usize| captures.get(index).map_or("", |group| group.as_str()).to_owned();
        found.push(match captures.len() {
            1 => text_of(0).into(),
            2 => text_of(1).into(),
            count => Dynamic::from_array((1..count).map(|index| text_of(index).into()).collect()),
        });
    }
    Ok(found)
}

/// Checks a pattern that stands in the text.
fn pattern(call: Call<'_>) -> Vec<Mistake> {
    let Some(Expr::StringConstant(text, position)) = call.arguments.get(1) else { return Vec::new() };
    match Regex::new(text) {
        Ok(_) => Vec::new(),
        Err(error) => vec![Mistake::new(ExpressionErrorKind::BadWord, *position, not_a_pattern(text, &error))],
    }
}
