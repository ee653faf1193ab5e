//! What expressions ask: values of what they read for which they hold, told by their syntax.

use serde_json::Value as Json;

use super::syntax::{Syntax, parse};

/// Something that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// A topic, with a path in its payload.
    State(String, Option<String>),
    /// A device's property.
    Device(String, String),
    Input(String),
    /// The message that triggers, with a path.
    Message(Option<String>),
}

/// What a reading must be.
pub(super) type Wish = (Reading, Json);

/// How what is read is changed before it's compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Same,
    /// `on` and `off` of a boolean.
    OnOff,
    /// From 0 to 255, of a percentage.
    Of255,
}

/// Returns for each reading a value for which an expression holds, as far as that is told.
pub(super) fn fulfilled(expression: &str) -> Vec<Wish> {
    let mut found = Vec::new();
    if let Some(syntax) = parse(expression) {
        fulfil(&syntax, true, &mut found);
    }
    found
}

/// Returns what the expressions of a text read, with what each is compared with where that is known. A text without `${…}` may be
/// an expression itself.
pub(super) fn asked(text: &str) -> Vec<(Reading, Option<Json>)> {
    let mut found = Vec::new();
    for expression in expressions(text) {
        if let Some(syntax) = parse(expression) {
            let mut wishes = Vec::new();
            each(&syntax, &mut |part| compare(part, true, &mut wishes));
            found.extend(wishes.into_iter().map(|(reading, value)| (reading, Some(value))));
            each(&syntax, &mut |part| found.extend(reading(part).map(|(reading, _)| (reading, None))));
        }
    }
    found
}

/// Returns the expressions of a text.
fn expressions(text: &str) -> Vec<&str> {
    if !text.contains("${") {
        return vec![text];
    }
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, inner)) = rest.split_once("${") {
        let mut depth = 0_usize;
        let mut quote = None;
        let end = inner.char_indices().find(|(_, letter)| {
            match (quote, letter) {
                (Some(open), letter) if open == *letter => quote = None,
                (None, '\'' | '"') => quote = Some(*letter),
                (None, '{') => depth += 1,
                (None, '}') if depth == 0 => return true,
                (None, '}') => depth -= 1,
                _ => {}
            }
            false
        });
        let Some((end, _)) = end else { return found };
        found.extend(inner.get(..end));
        rest = inner.get(end..).unwrap_or_default();
    }
    found
}

/// Calls `see` with each part of an expression.
fn each(syntax: &Syntax, see: &mut dyn FnMut(&Syntax)) {
    see(syntax);
    match syntax {
        Syntax::Text(_) | Syntax::Number(_) | Syntax::Bool(_) | Syntax::Name(_) => {}
        Syntax::List(parts) | Syntax::Call(_, parts) | Syntax::Other(parts) => {
            for part in parts {
                each(part, see);
            }
        }
        Syntax::Member(of, _) | Syntax::Not(of) => each(of, see),
        Syntax::Index(one, two) | Syntax::Binary(_, one, two) => {
            each(one, see);
            each(two, see);
        }
        Syntax::If(one, two, three) => {
            each(one, see);
            each(two, see);
            each(three, see);
        }
    }
}

/// Notes what makes a condition be `wanted`.
fn fulfil(syntax: &Syntax, wanted: bool, found: &mut Vec<Wish>) {
    match syntax {
        Syntax::Not(inner) => fulfil(inner, !wanted, found),
        Syntax::Binary(sign @ ("and" | "or"), one, two) => {
            fulfil(one, wanted, found);
            // One of them is enough for an `or` that is to hold, or an `and` that isn't.
            if (*sign == "and") == wanted {
                fulfil(two, wanted, found);
            }
        }
        Syntax::If(condition, then, otherwise) => {
            let is_never = matches!(&**then, Syntax::Bool(value) if *value != wanted);
            fulfil(condition, !is_never, found);
            fulfil(if is_never { otherwise } else { then }, wanted, found);
        }
        Syntax::Call(name, arguments) if name == "ha::sure" => {
            if let Some(Syntax::Other(inner)) = arguments.first() {
                for part in inner {
                    fulfil(part, wanted, found);
                }
            }
        }
        _ => {
            let before = found.len();
            compare(syntax, wanted, found);
            if found.len() == before
                && let Some((reading, _)) = reading(syntax)
            {
                found.push((reading, wanted.into()));
            }
        }
    }
}

/// Notes what makes a comparison be `wanted`.
fn compare(syntax: &Syntax, wanted: bool, found: &mut Vec<Wish>) {
    let (sign, one, two) = match syntax {
        Syntax::Binary(sign @ ("==" | "!=" | ">=" | "<=" | ">" | "<"), one, two) => (*sign, &**one, &**two),
        Syntax::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("ha::above", [one, two]) => (">", one, two),
            ("ha::below", [one, two]) => ("<", one, two),
            (".contains", [Syntax::List(items), item]) => match items.first() {
                Some(first) => ("==", item, first),
                None => return,
            },
            _ => return,
        },
        _ => return,
    };
    let sign = if wanted { sign } else { opposite(sign) };
    for (sign, read, other) in [(sign, one, two), (mirrored(sign), two, one)] {
        if let (Some((reading, scale)), Some(value)) = (reading(read), constant(other)) {
            found.push((reading, scaled(value_for(sign, &value), scale)));
        }
    }
}

fn opposite(sign: &str) -> &'static str {
    match sign {
        "==" => "!=",
        ">" => "<=",
        ">=" => "<",
        "<" => ">=",
        "<=" => ">",
        _ => "==",
    }
}

/// Returns the sign with both sides exchanged.
fn mirrored(sign: &str) -> &'static str {
    match sign {
        ">" => "<",
        ">=" => "<=",
        "<" => ">",
        "<=" => ">=",
        "!=" => "!=",
        _ => "==",
    }
}

/// Returns a value for which a comparison holds.
fn value_for(sign: &str, value: &Json) -> Json {
    match (sign, value.as_f64()) {
        (">", Some(number)) => near(number + 1.0),
        ("<", Some(number)) => near(number - 1.0),
        ("!=", _) => other(value),
        _ => value.clone(),
    }
}

/// Returns the value that is read where it's this one behind a change.
fn scaled(value: Json, scale: Scale) -> Json {
    match (scale, &value) {
        (Scale::OnOff, Json::String(text)) if text == "on" || text == "off" => (text == "on").into(),
        (Scale::Of255, Json::Number(number)) => near((number.as_f64().unwrap_or_default() * 100.0 / 255.0).round()),
        _ => value,
    }
}

fn constant(syntax: &Syntax) -> Option<Json> {
    match syntax {
        Syntax::Text(text) => Some(text.as_str().into()),
        Syntax::Number(number) => Some(near(*number)),
        Syntax::Bool(value) => Some((*value).into()),
        _ => None,
    }
}

/// Returns what an expression reads, if it's nothing else than that.
fn reading(syntax: &Syntax) -> Option<(Reading, Scale)> {
    let same = |reading| Some((reading, Scale::Same));
    match syntax {
        Syntax::Name(name) if matches!(name.as_str(), "msg" | "payload") => same(Reading::Message(None)),
        Syntax::Member(of, name) => match &**of {
            Syntax::Name(inputs) if inputs == "inputs" => same(Reading::Input(name.clone())),
            Syntax::Call(device, arguments) if device == "device" => match arguments.as_slice() {
                [Syntax::Text(device)] => same(Reading::Device(device.clone(), name.clone())),
                _ => None,
            },
            _ => match reading(of)? {
                (Reading::Message(path), scale) => {
                    let path = path.map_or_else(|| name.clone(), |path| format!("{path}.{name}"));
                    Some((Reading::Message(Some(path)), scale))
                }
                _ => None,
            },
        },
        Syntax::Index(of, index) => match (&**of, &**index) {
            (of, Syntax::Text(name)) => reading(&Syntax::Member(Box::new(of.clone()), name.clone())),
            _ => None,
        },
        Syntax::Binary("??", one, _) => reading(one),
        Syntax::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            ("state" | "ha::states" | "known", [Syntax::Text(topic)]) => same(Reading::State(topic.clone(), None)),
            ("state", [Syntax::Text(topic), Syntax::Text(path), ..]) => {
                same(Reading::State(topic.clone(), Some(path.clone())))
            }
            ("ha::said", [_, value]) => reading(value),
            ("ha::on_off", [value]) => Some((reading(value)?.0, Scale::OnOff)),
            ("ha::of_255", [value]) => Some((reading(value)?.0, Scale::Of255)),
            (name, [value, ..]) if is_wrapper(name) => reading(value),
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether a function gives what it's given, in another form.
fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "number"
            | "to_float"
            | "round"
            | "ha::known"
            | "ha::text"
            | "ha::int"
            | "ha::int_or"
            | "ha::float_text"
            | "ha::float_or"
            | "ha::bool"
            | "ha::bool_or"
            | "ha::round"
            | "ha::clock"
            | "ha::is_true"
            | "ha::triggers"
            | "ha::truthy"
            | ".to_lower"
            | ".trim"
    )
}

/// Returns a value that isn't this one.
pub(super) fn other(value: &Json) -> Json {
    match value {
        Json::Bool(value) => (!value).into(),
        Json::Number(number) => near(number.as_f64().unwrap_or_default() + 1.0),
        Json::String(text) => match text.as_str() {
            "on" => "off".into(),
            "home" => "not_home".into(),
            "open" => "closed".into(),
            "off" | "unavailable" | "unknown" => "on".into(),
            _ => "before".into(),
        },
        _ => "before".into(),
    }
}

/// Returns a number, whole where it is.
pub(super) fn near(number: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
    if number.fract() == 0.0 && number.abs() < 1e15 { (number as i64).into() } else { number.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(topic: &str) -> Reading {
        Reading::State(topic.to_owned(), None)
    }

    #[test]
    fn an_expression_holds_with_the_values_that_it_asks_for() {
        let found = fulfilled(
            "number(state('a/b', 'c.d'), 0) > 5 and not (ha::states('x/y') == 'on') and msg?.action == 'single'",
        );
        let first = Reading::State("a/b".to_owned(), Some("c.d".to_owned()));
        let message = Reading::Message(Some("action".to_owned()));
        assert_eq!(found, [(first, json!(6)), (state("x/y"), json!("off")), (message, json!("single"))]);
    }

    #[test]
    fn one_side_of_an_or_is_enough_and_both_of_its_opposite_are_needed() {
        assert_eq!(fulfilled("state('a') == 'x' or state('b') == 'y'"), [(state("a"), json!("x"))]);
        let both = fulfilled("not (state('a') == 'on' or state('b') == 'home')");
        assert_eq!(both, [(state("a"), json!("off")), (state("b"), json!("not_home"))]);
        assert_eq!(fulfilled("['q', 'r'].contains(ha::states('a'))"), [(state("a"), json!("q"))]);
        assert_eq!(fulfilled("5 < number(state('a'))"), [(state("a"), json!(6))]);
    }

    #[test]
    fn devices_and_inputs_are_read_too() {
        let lamp = Reading::Device("Hall lamp".to_owned(), "on".to_owned());
        let guests = Reading::Input("guests".to_owned());
        let said =
            "ha::said(device('Hall lamp').available, ha::on_off(device('Hall lamp').on)) == 'on' and inputs.guests";
        assert_eq!(fulfilled(said), [(lamp, json!(true)), (guests, json!(true))]);
        let half = Reading::Device("Hall lamp".to_owned(), "brightness".to_owned());
        assert_eq!(fulfilled("ha::of_255(device('Hall lamp').brightness) >= 128"), [(half, json!(50))]);
    }

    #[test]
    fn texts_read_what_their_expressions_read() {
        let found = asked("It's ${if state('a') == 'x' { '}' } else { 'no' }} and ${inputs['my level']}");
        assert!(found.contains(&(state("a"), Some(json!("x")))), "{found:?}");
        assert!(found.contains(&(Reading::Input("my level".to_owned()), None)), "{found:?}");
    }
}
