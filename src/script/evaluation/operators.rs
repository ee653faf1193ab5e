//! The operators whose meaning differs from Rhai's: what can't be compared is an error, never a silent false.

use std::cmp::Ordering;

use rhai::{Array, Blob, Dynamic, Engine, Map};

use super::convert::{kind, show};
use super::moment::Moment;
use super::refusal::{Refusal, refuse};

/// Registers the operators.
pub(in crate::script) fn register(engine: &mut Engine) {
    register_for_any(engine);
    register_for_same(engine);
    register_for_floats(engine);
    register_arithmetic(engine);
}

/// Registers the comparisons for the types that occur most: a version for just these is found at once.
fn register_for_same(engine: &mut Engine) {
    macro_rules! compare {
        ($a:ty, $b:ty, |$first:ident, $second:ident| $as_same:expr) => {
            engine
                .register_fn("<", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a < b
                })
                .register_fn(">", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a > b
                })
                .register_fn("<=", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a <= b
                })
                .register_fn(">=", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a >= b
                })
                .register_fn("==", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a == b
                })
                .register_fn("!=", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a != b
                })
        };
    }
    compare!(i64, i64, |a, b| (a, b));
    compare!(&str, &str, |a, b| (a, b));
}

/// Registers the comparisons of numbers of which one isn't whole.
fn register_for_floats(engine: &mut Engine) {
    macro_rules! compare_floats {
        ($a:ty, $b:ty, |$first:ident, $second:ident| $as_same:expr) => {
            engine
                .register_fn("<", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    order_numbers(a, b).map(Ordering::is_lt)
                })
                .register_fn(">", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    order_numbers(a, b).map(Ordering::is_gt)
                })
                .register_fn("<=", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    order_numbers(a, b).map(Ordering::is_le)
                })
                .register_fn(">=", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    order_numbers(a, b).map(Ordering::is_ge)
                })
                .register_fn("==", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a == b
                })
                .register_fn("!=", |$first: $a, $second: $b| {
                    let (a, b) = $as_same;
                    a != b
                })
        };
    }
    #[expect(clippy::float_cmp, clippy::cast_precision_loss, reason = "users compare what devices sent, exactly")]
    {
        compare_floats!(f64, f64, |a, b| (a, b));
        compare_floats!(f64, i64, |a, b| (a, b as f64));
        compare_floats!(i64, f64, |a, b| (a as f64, b));
    }
}

fn register_for_any(engine: &mut Engine) {
    engine
        .register_fn("<", |a: Dynamic, b: Dynamic| order(&a, "<", &b).map(|is| is == Some(Ordering::Less)))
        .register_fn(">", |a: Dynamic, b: Dynamic| order(&a, ">", &b).map(|is| is == Some(Ordering::Greater)))
        .register_fn("<=", |a: Dynamic, b: Dynamic| {
            order(&a, "<=", &b).map(|is| matches!(is, Some(Ordering::Less | Ordering::Equal)))
        })
        .register_fn(">=", |a: Dynamic, b: Dynamic| {
            order(&a, ">=", &b).map(|is| matches!(is, Some(Ordering::Greater | Ordering::Equal)))
        });
    engine
        .register_fn("==", |a: Dynamic, b: Dynamic| equal(&a, &b))
        .register_fn("!=", |a: Dynamic, b: Dynamic| !equal(&a, &b))
        .register_fn("==", |a: Array, b: Array| equal_lists(&a, &b))
        .register_fn("!=", |a: Array, b: Array| !equal_lists(&a, &b))
        .register_fn("==", |a: Map, b: Map| equal_maps(&a, &b))
        .register_fn("!=", |a: Map, b: Map| !equal_maps(&a, &b))
        .register_fn("==", |a: Blob, b: Blob| a == b)
        .register_fn("!=", |a: Blob, b: Blob| a != b);
}

fn register_arithmetic(engine: &mut Engine) {
    engine
        .register_fn("+", |_: &str, (): ()| -> Result<Dynamic, Refusal> { Err(refuse("can't add nothing to a text")) })
        .register_fn("+", |(): (), _: &str| -> Result<Dynamic, Refusal> { Err(refuse("can't add a text to nothing")) });
    #[expect(clippy::cast_precision_loss, reason = "a quotient of numbers beyond 2^53 may be rounded")]
    engine
        .register_fn("/", |a: i64, b: i64| divide(a as f64, b as f64))
        .register_fn("/", |a: f64, b: i64| divide(a, b as f64))
        .register_fn("/", |a: i64, b: f64| divide(a as f64, b))
        .register_fn("/", |a: f64, b: f64| divide(a, b));
    #[expect(clippy::cast_precision_loss, reason = "seconds of a home's life are below 2^53")]
    engine
        .register_fn("-", |a: Moment, b: Moment| a.seconds_since(&b))
        .register_fn("-", |a: Moment, b: i64| a.later(-(b as f64)))
        .register_fn("-", |a: Moment, b: f64| a.later(-b))
        .register_fn("+", |a: Moment, b: i64| a.later(b as f64))
        .register_fn("+", |a: Moment, b: f64| a.later(b));
}

fn divide(a: f64, b: f64) -> Result<f64, Refusal> {
    if b == 0.0 { Err(refuse("can't divide by zero")) } else { Ok(a / b) }
}

/// Returns which of both is greater. What came of arithmetic that has no result (NaN) is neither: an error, as with any
/// other value that is no number.
fn order_numbers(a: f64, b: f64) -> Result<Ordering, Refusal> {
    a.partial_cmp(&b).ok_or_else(|| refuse("can't compare what isn't a number (NaN)"))
}

/// Returns which of both is greater; `None` where one isn't a number at all (NaN).
pub(in crate::script) fn order(a: &Dynamic, operator: &str, b: &Dynamic) -> Result<Option<Ordering>, Refusal> {
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return order_numbers(a, b).map(Some);
    }
    if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
        return Ok(Some(a.as_str().cmp(b.as_str())));
    }
    if let (Some(a), Some(b)) = (a.read_lock::<Moment>(), b.read_lock::<Moment>()) {
        return Ok(a.0.partial_cmp(&b.0));
    }
    if let (Some(a), Some(b)) = (text(a), text(b)) {
        return Ok(Some(a.cmp(&b)));
    }
    let (first, second) = (kind(a), kind(b));
    let shown = format!("{} {operator} {}", show(a), show(b));
    Err(refuse(&if first == second {
        format!("can't order {first} and {second}: {shown}")
    } else {
        format!("can't compare {first} with {second}: {shown}")
    }))
}

/// Returns whether two values are equal: numbers as numbers, values of different kinds never.
pub(in crate::script) fn equal(a: &Dynamic, b: &Dynamic) -> bool {
    if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
        return a.as_str() == b.as_str();
    }
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        #[expect(clippy::float_cmp, reason = "users compare what devices sent, exactly")]
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.as_bool(), b.as_bool()) {
        return a == b;
    }
    if a.is_unit() || b.is_unit() {
        return a.is_unit() && b.is_unit();
    }
    if let (Ok(a), Ok(b)) = (a.as_array_ref(), b.as_array_ref()) {
        return equal_lists(&a, &b);
    }
    if let (Ok(a), Ok(b)) = (a.as_map_ref(), b.as_map_ref()) {
        return equal_maps(&a, &b);
    }
    if let (Ok(a), Ok(b)) = (a.as_blob_ref(), b.as_blob_ref()) {
        return *a == *b;
    }
    if let (Some(a), Some(b)) = (a.read_lock::<Moment>(), b.read_lock::<Moment>()) {
        return a.0 == b.0;
    }
    matches!((text(a), text(b)), (Some(a), Some(b)) if a == b)
}

fn equal_lists(a: &[Dynamic], b: &[Dynamic]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
}

fn equal_maps(a: &Map, b: &Map) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|((a_key, a), (b_key, b))| a_key == b_key && equal(a, b))
}

/// Returns the number, where it is one.
pub(in crate::script) fn number(value: &Dynamic) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a sensor's number is below 2^53")]
    let whole = value.as_int().ok().map(|number| number as f64);
    whole.or_else(|| value.as_float().ok())
}

/// Returns the text, where it is one: Rhai's single characters are texts too.
fn text(value: &Dynamic) -> Option<String> {
    match value.as_char() {
        Ok(letter) => Some(letter.to_string()),
        Err(_) => value.as_immutable_string_ref().ok().map(|text| text.to_string()),
    }
}
