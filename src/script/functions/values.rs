//! The functions of any value.

use rhai::{Array, Dynamic, ImmutableString, Map};

use crate::model::{BoundedText, Value, parse_number};
use crate::script::evaluation::convert::{from_dynamic, show, to_dynamic};
use crate::script::evaluation::operators::order;
use crate::script::evaluation::refusal::{Refusal, refuse};

use super::function::{Function, Kind, Registry, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(super) static ROWS: [Function; 11] = [
    function("json", 1, 1, "json(text)", "The value in a JSON text.").by(|row| {
 let items = row.items();
 row.add(move |source: &str| read_json(source, items));
 }),
    function("to_json", 1, 1, "to_json(value)", "The value as JSON.").gives(Kind::Text).by(|row| {
 let longest = row.text();
 row.add(move |value: Dynamic| write_json(&value, longest));
 row.add(move |map: Map| write_json(&Dynamic::from_map(map), longest));
 }),
    function(
        "number",
        1,
        2,
        "number(x, default)",
        "The number in a text (`\"22.5\"`), or a number itself; else the default, `()` without one. Never NaN or infinite.",
    )
    .by(|row| {
        row.add(|value: Dynamic| read_number(&value).unwrap_or(Dynamic::UNIT));
        row.add(|value: Dynamic, default: Dynamic| read_number(&value).unwrap_or(default));
    }),
    function("clamp", 3, 3, "clamp(x, low, high)", "The number, but not below `low` and not above `high`.").by(|row| {
 row.add(clamp);
 }),
    function("round", 1, 2, "round(x, digits)", "The nearest whole number; with digits, rounded to that many after the decimal point.").gives(Kind::Number).by(|row| {
 row.add(|x: i64| x).add(|x: f64| whole(x.round())).add(|x: i64, _digits: i64| x).add(round);
 }),
    function("pick", 2, 9, "pick(map, 'key', 'key')", "A map with only these keys.").gives(Kind::Map).by(add_pick),
    function("type_of", 1, 1, "type_of(value)", "What kind of value it is, as a text.").gives(Kind::Text),
    function("to_string", 1, 1, "to_string(value)", "The value as a text.").gives(Kind::Text).by(|row| {
 let longest = row.text();
 row.add(|text: ImmutableString| text);
 row.add(move |value: Dynamic| written(&value, longest));
 row.add(|number: f64| Value::Float(number).to_string());
 row.add(move |list: Array| write_json(&Dynamic::from_array(list), longest));
 row.add(move |map: Map| write_json(&Dynamic::from_map(map), longest));
 }),
    function("get", 2, 2, "get(map, 'key')", "The value of a map's key, `()` where there is none."),
    function("is_shared", 1, 1, "is_shared(value)", "Whether a closure has captured it too.").only_in_scripts().gives(Kind::Boolean),
    function("Fn", 1, 1, "Fn(\"name\")", "A function of the file as a closure.").only_in_scripts().may_nest(),
];

fn read_json(source: &str, items: usize) -> Answer<Dynamic> {
    let json = serde_json::from_str(source).map_err(|error| refuse(&format!("`json`: this isn't JSON: {error}")))?;
    to_dynamic(&Value::from_json(json), None, items).map_err(|error| refuse(&format!("`json`: {error}")))
}

fn write_json(value: &Dynamic, longest: usize) -> Answer<String> {
    let json = value_of(value)?.to_json();
    bounded(&json, longest)
}

/// Returns a value as its text.
fn written(value: &Dynamic, longest: usize) -> Answer<String> {
    bounded(&value_of(value)?, longest)
}

fn bounded(value: &dyn std::fmt::Display, longest: usize) -> Answer<String> {
    BoundedText::of(value, longest).map_err(|error| refuse(&error.to_string()))
}

fn value_of(value: &Dynamic) -> Answer<Value> {
    from_dynamic(value).map_err(|error| refuse(&error))
}

/// Returns the number that a value is, or that its text holds.
fn read_number(value: &Dynamic) -> Option<Dynamic> {
    if value.as_int().is_ok() {
        return Some(value.clone());
    }
    if let Ok(number) = value.as_float() {
        return number.is_finite().then(|| value.clone());
    }
    match parse_number(&value.as_immutable_string_ref().ok()?)? {
        Value::Int(number) => Some(number.into()),
        Value::Float(number) => Some(number.into()),
        _ => None,
    }
}

fn round(x: f64, digits: i64) -> Answer<f64> {
    let digits = i32::try_from(digits).ok().filter(|digits| (0..=15).contains(digits));
    let factor = 10_f64.powi(digits.ok_or_else(|| refuse("`round` takes 0 to 15 digits"))?);
    let scaled = (x * factor).round();
    Ok(if scaled.is_finite() { scaled / factor } else { x })
}

fn clamp(x: Dynamic, low: Dynamic, high: Dynamic) -> Answer<Dynamic> {
    use std::cmp::Ordering::{Greater, Less};
    if order(&low, ">", &high)? == Some(Greater) {
        let ends = format!("{} is above {}", show(&low), show(&high));
        return Err(refuse(&format!("`clamp` takes the lower end first: {ends}")));
    }
    if order(&x, "<", &low)? == Some(Less) {
        return Ok(low);
    }
    Ok(if order(&x, ">", &high)? == Some(Greater) { high } else { x })
}

fn add_pick(row: &mut Registry<'_>) {
    type Key = ImmutableString;
    row.add(|map: Map, a: Key| pick(&map, &[a]))
        .add(|map: Map, a: Key, b: Key| pick(&map, &[a, b]))
        .add(|map: Map, a: Key, b: Key, c: Key| pick(&map, &[a, b, c]))
        .add(|map: Map, a: Key, b: Key, c: Key, d: Key| pick(&map, &[a, b, c, d]))
        .add(|map: Map, a: Key, b: Key, c: Key, d: Key, e: Key| pick(&map, &[a, b, c, d, e]))
        .add(|map: Map, a: Key, b: Key, c: Key, d: Key, e: Key, f: Key| pick(&map, &[a, b, c, d, e, f]))
        .add(|map: Map, a: Key, b: Key, c: Key, d: Key, e: Key, f: Key, g: Key| pick(&map, &[a, b, c, d, e, f, g]))
        .add(|map: Map, a: Key, b: Key, c: Key, d: Key, e: Key, f: Key, g: Key, h: Key| {
            pick(&map, &[a, b, c, d, e, f, g, h])
        });
}

/// Returns a map of the keys that are there.
fn pick(map: &Map, keys: &[ImmutableString]) -> Map {
    keys.iter()
        .filter_map(|key| map.get_key_value(key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Returns a number without a fraction as a whole number, where it is one that 64 bits hold.
pub(super) fn whole(number: f64) -> Dynamic {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if number.abs() < 9.2e18 { (number as i64).into() } else { number.into() }
}
