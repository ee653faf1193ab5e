//! The function of numbers as texts.

use rhai::Dynamic;

use crate::script::evaluation::operators::number;
use crate::script::evaluation::refusal::refuse;
use crate::script::functions::function::{Function, Kind, function};

/// More digits than these aren't in a number.
const MOST_DIGITS: usize = 300;

/// The functions.
pub(in crate::script::functions) static ROWS: [Function; 1] = [function(
    "decimal",
    2,
    2,
    "decimal(x, digits)",
    "A number as a text with so many digits after the decimal point; what lies exactly between two is rounded to the even one.",
)
.gives(Kind::Text)
.by(|row| {
    row.add(|x: Dynamic, digits: i64| {
        let number = number(&x).ok_or_else(|| refuse("`decimal` needs a number"))?;
        let digits = usize::try_from(digits).unwrap_or(0).min(MOST_DIGITS);
        Ok::<String, crate::script::evaluation::refusal::Refusal>(format!("{number:.digits$}"))
    });
})];
