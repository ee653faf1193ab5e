//! Reads the inputs of a rule file (docs/inputs.md).

use std::sync::Arc;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::{Entry, Node};
use crate::model::{Name, Value};
use crate::rules::{Input, InputKind};

/// The words of the types of inputs.
const TYPES: [(&str, Type); 6] = [
    ("toggle", Type::Toggle),
    ("number", Type::Number),
    ("choice", Type::Choice),
    ("time", Type::Time),
    ("text", Type::Text),
    ("button", Type::Button),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Toggle,
    Number,
    Choice,
    Time,
    Text,
    Button,
}

/// Reads the inputs of a rule file, each with the bytes of its name.
pub(in crate::lang::rule_file) fn read_inputs(
    node: &Node,
    reader: &mut Reader<'_>,
) -> Vec<(Input, std::ops::Range<usize>)> {
    let Some(entries) = node.as_map() else {
        reader.wrong_type(node, "a map of inputs (`vacation: { type: toggle }`)");
        return Vec::new();
    };
    entries.iter().filter_map(|entry| Some((read(entry, reader)?, entry.key_span.clone()))).collect()
}

fn read(entry: &Entry, reader: &mut Reader<'_>) -> Option<Input> {
    let name = name(entry, reader);
    let mut fields = Fields::of(&entry.value, "an input", &reader.text, &mut reader.findings)?;
    let kind = fields.need("type", &reader.text).and_then(|node| reader.word(node, &TYPES));
    let title = fields.take("name").map(|node| reader.plain_text(node));
    let default = fields.take("default").map(|node| (node, reader.value(node)));
    let options = fields.take("options").map(|node| (node, reader.texts(node)));
    let mut number =
        |key: &'static str, reader: &mut Reader<'_>| fields.take(key).map(|node| (node, reader.number(node)));
    let (min, max, step) = (number("min", reader), number("max", reader), number("step", reader));
    let unit = fields.take("unit").map(|node| reader.plain_text(node));
    for (key, is_given, of) in [
        ("options", options.is_some(), Type::Choice),
        ("min", min.is_some(), Type::Number),
        ("max", max.is_some(), Type::Number),
        ("step", step.is_some(), Type::Number),
        ("unit", unit.is_some(), Type::Number),
    ] {
        if let Some(entry) = fields.entry(key).filter(|_| is_given && kind.is_some_and(|kind| kind != of)) {
            let word = TYPES.iter().find(|(_, known)| *known == of).map_or("", |(word, _)| word);
            let message = format!("`{key}` only has a meaning for an input of the type `{word}`");
            reader.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
        }
    }
    fields.finish(&mut reader.findings);
    let kind = match kind? {
        Type::Toggle => InputKind::Toggle,
        Type::Time => InputKind::Time,
        Type::Text => InputKind::Text,
        Type::Button => InputKind::Button,
        Type::Choice => match options {
            Some((_, options)) if !options.is_empty() => InputKind::Choice(options),
            _ => {
                let span = reader.mark(&entry.value);
                let found = reader.findings.error(Code::MISSING_KEY, span, "a choice needs `options`");
                found.help("add e.g. `options: [home, away, night]`");
                return None;
            }
        },
        Type::Number => {
            let end = |end: Option<(&Node, Option<f64>)>| end.and_then(|(_, end)| end);
            if let (Some(low), Some(high), Some((node, _))) = (end(min), end(max), max)
                && low >= high
            {
                let message = format!("no number is from {low} to {high}");
                reader.findings.error(Code::EMPTY_RANGE, node.span.clone(), message);
            }
            InputKind::Number { min: end(min), max: end(max), step: end(step), unit: unit.flatten() }
        }
    };
    let default = match default {
        Some((node, value)) => own_default(&kind, node, &value?, reader)?,
        None => usual(&kind),
    };
    let place = reader.text.place(entry.key_span.start);
    Some(Input { name: name?, title: title.flatten(), kind, default, place })
}

/// Returns the `default` of an input, where it can be that.
fn own_default(kind: &InputKind, node: &Node, value: &Value, reader: &mut Reader<'_>) -> Option<Value> {
    let span = reader.mark(node);
    match (kind == &InputKind::Button, kind.accept(value)) {
        (true, _) => {
            reader.findings.error(Code::KEY_WITHOUT_EFFECT, span, "a button has no value, so it has no `default`");
            Some(Value::Null)
        }
        (false, Ok(value)) => Some(value),
        (false, Err(why)) => {
            reader.findings.error(Code::OUT_OF_RANGE, span, format!("this input {why}"));
            None
        }
    }
}

/// Returns what an input is that has no `default`.
fn usual(kind: &InputKind) -> Value {
    match kind {
        InputKind::Toggle => Value::Bool(false),
        InputKind::Number { min, max, .. } => {
            let zero = 0f64.max(min.unwrap_or(f64::MIN)).min(max.unwrap_or(f64::MAX));
            Value::from_payload(zero.to_string().as_bytes())
        }
        InputKind::Choice(options) => options.first().map_or(Value::Null, |option| Value::Text(Arc::clone(option))),
        InputKind::Time => Value::text("00:00"),
        InputKind::Text => Value::text(""),
        InputKind::Button => Value::Null,
    }
}

/// Returns an input's name, which is a level of its topic, and read as `inputs.NAME`.
fn name(entry: &Entry, reader: &mut Reader<'_>) -> Option<Name> {
    let name = entry.key.as_str();
    let mut letters = name.chars();
    let begins_well = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if begins_well && letters.all(|letter| letter.is_alphanumeric() || letter == '_') {
        return Some(name.into());
    }
    let message = format!("`{name}` isn't a valid name for an input");
    let found = reader.findings.error(Code::BAD_NAME, entry.key_span.clone(), message);
    found.help("use letters, digits and `_`, and don't start with a digit: it's read as `inputs.NAME`");
    None
}
