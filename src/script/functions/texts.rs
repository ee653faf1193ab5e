//! The functions of texts, and those that lists and maps share with them.

use rhai::{Array, Dynamic, ImmutableString};

use crate::model::{BoundedText, Value, parse_number};
use crate::script::evaluation::convert::from_dynamic;
use crate::script::evaluation::operators::equal;
use crate::script::evaluation::refusal::{Refusal, refuse};

use super::function::{Function, Kind, function};
use super::lists;

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(super) static ROWS: [Function; 18] = [
    function("len", 1, 1, "len(text)", "How many characters, items or keys there are.").gives(Kind::Number),
    function("bytes", 1, 1, "bytes(text)", "How many bytes a text has.").gives(Kind::Number),
    function("is_empty", 1, 1, "is_empty(text)", "Whether there is nothing in it.").gives(Kind::Boolean),
    function("contains", 2, 2, "contains(list, value)", "Whether a text, list or map has this part, item or key.")
        .gives(Kind::Boolean)
        .by(|row| {
            row.add(|list: Array, wanted: Dynamic| list.iter().any(|item| equal(item, &wanted)));
        }),
    function("starts_with", 2, 2, "starts_with(text, 'start')", "Whether a text begins with another.")
        .gives(Kind::Boolean),
    function("ends_with", 2, 2, "ends_with(text, 'end')", "Whether a text ends with another.").gives(Kind::Boolean),
    function(
        "index_of",
        2,
        3,
        "index_of(text, 'part')",
        "Where a part of a text, or an item of a list, first is, from 0; -1 where it isn't in it.",
    )
    .gives(Kind::Number)
    .by(|row| {
        row.add(lists::index_of);
    }),
    function("sub_string", 2, 3, "sub_string(text, start, length)", "A part of a text.").gives(Kind::Text),
    function("to_upper", 1, 1, "to_upper(text)", "The text in capitals.").gives(Kind::Text),
    function("to_lower", 1, 1, "to_lower(text)", "The text in small letters.").gives(Kind::Text),
    function("trim", 1, 1, "trim(text)", "The text without white space around it.").gives_changed().by(|row| {
        row.add(|text: &str| text.trim().to_owned());
    }),
    function("replace", 3, 3, "replace(text, 'old', 'new')", "The text with one part replaced by another everywhere.")
        .gives(Kind::Text)
        .gives_changed()
        .by(|row| {
            let longest = row.text();
            row.add(move |text: &str, old: &str, new: &str| replace(text, old, new, longest));
        }),
    function("split", 1, 3, "split(text, ',')", "The parts of a text between separators.").gives(Kind::List),
    function("split_rev", 2, 3, "split_rev(text, ',')", "The same, from the end.").gives(Kind::List),
    function("join", 2, 2, "join(list, ', ')", "The items as one text, with this between them.").gives(Kind::Text).by(
        |row| {
            let longest = row.text();
            row.add(move |list: Array, between: &str| join(&list, between, longest));
        },
    ),
    function("to_chars", 1, 1, "to_chars(text)", "The characters of a text.").gives(Kind::List),
    function("parse_int", 1, 2, "parse_int(text)", "The whole number in a text; an error where there is none.")
        .gives(Kind::Number),
    function(
        "parse_float",
        1,
        1,
        "parse_float(text)",
        "The number in a text; an error where there is none. Never NaN or infinite.",
    )
    .gives(Kind::Number)
    .by(|row| {
        row.add(parse_float);
    }),
];

fn replace(text: &str, old: &str, new: &str, longest: usize) -> Answer<String> {
    let found = if old.is_empty() { text.len() + 1 } else { text.matches(old).count() };
    let length = found.checked_mul(new.len()).and_then(|more| more.checked_add(text.len()));
    if length.is_none_or(|length| length > longest) {
        return Err(refuse(&BoundedText::too_long(longest)));
    }
    Ok(text.replace(old, new))
}

fn parse_float(text: &str) -> Answer<f64> {
    match parse_number(text) {
        #[expect(clippy::cast_precision_loss, reason = "a number with a fraction was asked for")]
        Some(Value::Int(number)) => Ok(number as f64),
        Some(Value::Float(number)) => Ok(number),
        _ => Err(refuse(&format!("`parse_float`: \"{}\" isn't a number", text.chars().take(40).collect::<String>()))),
    }
}

fn join(list: &Array, between: &str, longest: usize) -> Answer<ImmutableString> {
    let mut text = BoundedText::new(longest);
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            text.push(between).map_err(|error| refuse(&error.to_string()))?;
        }
        append(&mut text, item)?;
    }
    Ok(text.into_text().into())
}

/// Adds a value as it stands in a text.
pub(super) fn append(text: &mut BoundedText, part: &Dynamic) -> Answer<()> {
    let added = match part.as_immutable_string_ref() {
        Ok(part) => text.push(&part),
        Err(_) => {
            let value = from_dynamic(part).map_err(|error| refuse(&error))?;
            text.show(&value)
        }
    };
    added.map_err(|error| refuse(&error.to_string()))
}
