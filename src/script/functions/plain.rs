//! The functions of their arguments alone, where Rhai has none, or one that changes its argument.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use crate::model::Value;

use super::function::{COPY, JOIN};
use crate::script::evaluation::convert::{from_dynamic, kind, show, to_dynamic};
use crate::script::evaluation::operators::{number, order};
use crate::script::evaluation::refusal::{Refusal, refuse, refuse_part};

type Answer<T> = Result<T, Refusal>;

/// Registers the functions. Texts longer than `text` bytes and lists of more than `items` are refused.
pub(in crate::script) fn register(engine: &mut Engine, text: usize, items: usize) {
    engine.register_fn(JOIN, move |parts: Array| join_parts(&parts, text));
    engine.register_fn(COPY, |value: Dynamic| value);
    engine
        .register_fn("json", move |source: &str| read_json(source, items))
        .register_fn("to_json", |value: Dynamic| write_json(&value))
        .register_fn("to_json", |map: Map| write_json(&Dynamic::from_map(map)))
        .register_fn("join", move |list: Array, between: &str| join_list(&list, between, text));
    register_texts(engine, text);
    register_lists(engine);
    register_numbers(engine);
    register_pick(engine);
}

fn register_texts(engine: &mut Engine, longest: usize) {
    engine
        .register_fn("trim", |text: &str| text.trim().to_owned())
        .register_fn("replace", move |text: &str, old: &str, new: &str| -> Answer<String> {
            let found = if old.is_empty() { text.len() + 1 } else { text.matches(old).count() };
            let length = found.checked_mul(new.len()).and_then(|more| more.checked_add(text.len()));
            if length.is_none_or(|length| length > longest) {
                return Err(refuse("a text grows beyond its limit"));
            }
            Ok(text.replace(old, new))
        })
        .register_fn("to_string", |text: ImmutableString| text)
        .register_fn("to_string", |value: Dynamic| -> Answer<String> { Ok(value_of(&value)?.to_string()) })
        .register_fn("to_string", |number: f64| Value::Float(number).to_string())
        .register_fn("to_string", |list: Array| write_json(&Dynamic::from_array(list)))
        .register_fn("to_string", |map: Map| write_json(&Dynamic::from_map(map)));
}

fn register_lists(engine: &mut Engine) {
    engine
        .register_fn("reverse", |mut list: Array| {
            list.reverse();
            list
        })
        .register_fn("reverse", |text: &str| text.chars().rev().collect::<String>())
        .register_fn("sort", sort)
        .register_fn("sum", |list: Array| -> Answer<Dynamic> {
            let mut whole: Option<i64> = Some(0);
            let mut sum = 0.0;
            for item in &list {
                sum += number(item).ok_or_else(|| refuse(&format!("can't add up {}: {}", kind(item), show(item))))?;
                whole = whole.zip(item.as_int().ok()).and_then(|(sum, item)| sum.checked_add(item));
            }
            Ok(whole.map_or_else(|| sum.into(), Dynamic::from))
        });
}

fn register_numbers(engine: &mut Engine) {
    engine
        .register_fn("round", |x: i64| x)
        .register_fn("round", |x: f64| whole(x.round()))
        .register_fn("round", |x: i64, _digits: i64| x)
        .register_fn("round", |x: f64, digits: i64| -> Answer<f64> {
            let digits = i32::try_from(digits).ok().filter(|digits| (0..=15).contains(digits));
            let factor = 10_f64.powi(digits.ok_or_else(|| refuse("`round` takes 0 to 15 digits"))?);
            let scaled = (x * factor).round();
            Ok(if scaled.is_finite() { scaled / factor } else { x })
        })
        .register_fn("clamp", |x: Dynamic, low: Dynamic, high: Dynamic| -> Answer<Dynamic> {
            use std::cmp::Ordering::{Greater, Less};
            if order(&low, ">", &high)? == Some(Greater) {
                return Err(refuse(&format!(
                    "`clamp` takes the lower end first: {} is above {}",
                    show(&low),
                    show(&high)
                )));
            }
            if order(&x, "<", &low)? == Some(Less) {
                return Ok(low);
            }
            Ok(if order(&x, ">", &high)? == Some(Greater) { high } else { x })
        })
        .register_fn("floor", |x: i64| x)
        .register_fn("floor", |x: f64| whole(x.floor()))
        .register_fn("ceiling", |x: i64| x)
        .register_fn("ceiling", |x: f64| whole(x.ceil()))
        .register_fn("to_int", |x: i64| x)
        .register_fn("to_float", |x: f64| x);
    #[expect(clippy::cast_precision_loss, reason = "these functions round anyway")]
    for (name, function) in [
        ("sqrt", f64::sqrt as fn(f64) -> f64),
        ("exp", f64::exp),
        ("ln", f64::ln),
        ("log", f64::log10),
        ("sin", f64::sin),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("to_degrees", f64::to_degrees),
        ("to_radians", f64::to_radians),
    ] {
        engine.register_fn(name, move |x: i64| function(x as f64));
    }
}

fn register_pick(engine: &mut Engine) {
    type Key = ImmutableString;
    engine
        .register_fn("pick", |map: Map, a: Key| pick(&map, &[a]))
        .register_fn("pick", |map: Map, a: Key, b: Key| pick(&map, &[a, b]))
        .register_fn("pick", |map: Map, a: Key, b: Key, c: Key| pick(&map, &[a, b, c]))
        .register_fn("pick", |map: Map, a: Key, b: Key, c: Key, d: Key| pick(&map, &[a, b, c, d]))
        .register_fn("pick", |map: Map, a: Key, b: Key, c: Key, d: Key, e: Key| pick(&map, &[a, b, c, d, e]))
        .register_fn("pick", |map: Map, a: Key, b: Key, c: Key, d: Key, e: Key, f: Key| pick(&map, &[a, b, c, d, e, f]))
        .register_fn("pick", |map: Map, a: Key, b: Key, c: Key, d: Key, e: Key, f: Key, g: Key| {
            pick(&map, &[a, b, c, d, e, f, g])
        })
        .register_fn("pick", |map: Map, a: Key, b: Key, c: Key, d: Key, e: Key, f: Key, g: Key, h: Key| {
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
fn whole(number: f64) -> Dynamic {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if number.abs() < 9.2e18 { (number as i64).into() } else { number.into() }
}

fn sort(mut list: Array) -> Answer<Array> {
    let mut problem = None;
    list.sort_by(|a, b| match order(a, "<", b) {
        Ok(order) => order.unwrap_or(std::cmp::Ordering::Equal),
        Err(error) => {
            problem.get_or_insert(error);
            std::cmp::Ordering::Equal
        }
    });
    problem.map_or(Ok(list), Err)
}

fn value_of(value: &Dynamic) -> Answer<Value> {
    from_dynamic(value).map_err(|error| refuse(&error))
}

fn write_json(value: &Dynamic) -> Answer<String> {
    Ok(value_of(value)?.to_json().to_string())
}

fn read_json(source: &str, items: usize) -> Answer<Dynamic> {
    let json = serde_json::from_str(source).map_err(|error| refuse(&format!("`json`: this is no JSON: {error}")))?;
    to_dynamic(&Value::from_json(json), None, items).map_err(|error| refuse(&format!("`json`: {error}")))
}

/// Puts a text with `${…}` together.
fn join_parts(parts: &Array, longest: usize) -> Answer<ImmutableString> {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        if part.is_unit() {
            return Err(refuse_part(index));
        }
        append(&mut text, part, longest)?;
    }
    Ok(text.into())
}

fn join_list(list: &Array, between: &str, longest: usize) -> Answer<ImmutableString> {
    let mut text = String::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            text.push_str(between);
        }
        append(&mut text, item, longest)?;
    }
    Ok(text.into())
}

fn append(text: &mut String, part: &Dynamic, longest: usize) -> Answer<()> {
    match part.as_immutable_string_ref() {
        Ok(part) => text.push_str(&part),
        Err(_) => text.push_str(&value_of(part)?.to_string()),
    }
    if text.len() > longest { Err(refuse("a text grows beyond its limit")) } else { Ok(()) }
}
