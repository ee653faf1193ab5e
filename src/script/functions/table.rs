//! All functions, in the chapters of their reference.

use super::formats::{decimals, patterns, times};
use super::function::Function;
use super::home::{calendars, dates, history, others};
use super::{acting, changes, home, lists, moments, notifying, numbers, texts, values};
use crate::script::devices;

/// A chapter of the reference: its title, and its functions.
pub(super) type Chapter = (&'static str, &'static [&'static [Function]]);

/// All functions, by what they are for.
pub(super) static CHAPTERS: [Chapter; 7] = [
    (
        "The home",
        &[
            &home::ROWS,
            &devices::functions::ROWS,
            &moments::ROWS,
            &times::ROWS,
            &dates::ROWS,
            &calendars::ROWS,
            &others::ROWS,
        ],
    ),
    ("What was", &[&history::ROWS]),
    ("Acting, in closures", &[&acting::ROWS, &devices::commands::ROWS, &notifying::ROWS]),
    ("Values", &[&values::ROWS]),
    ("Texts", &[&texts::ROWS, &patterns::ROWS, &changes::OF_TEXTS]),
    ("Lists and maps", &[&lists::ROWS, &changes::OF_LISTS]),
    ("Numbers", &[&numbers::ROWS, &decimals::ROWS]),
];

/// Returns all functions.
pub(in crate::script) fn functions() -> impl Iterator<Item = &'static Function> {
    CHAPTERS.iter().flat_map(|(_, parts)| *parts).flat_map(|rows| *rows)
}

/// Returns the functions that expressions may call. No two have the same name.
pub(in crate::script) fn in_expressions() -> impl Iterator<Item = &'static Function> {
    functions().filter(|function| function.is_in_expressions)
}

/// Returns the function `name` of expressions.
pub(in crate::script) fn in_expression(name: &str) -> Option<&'static Function> {
    in_expressions().find(|function| function.name == name)
}

/// Returns the rows of the function `name`, in expressions or scripts.
pub(in crate::script) fn rows(name: &str) -> impl Iterator<Item = &'static Function> {
    functions().filter(move |function| function.name == name)
}
